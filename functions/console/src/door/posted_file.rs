//! A form of ours with a file in it. Its token comes first: nothing of a stranger's file is read.

use axum::body::Bytes;
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts as _, Multipart, Request};
use axum::response::{IntoResponse as _, Response};
use shared::api::BODY_LIMIT_BYTES;

use super::posted::{Fields, is_from_here, refused};
use super::visitor::Visitor;
use crate::Deps;

/// What there is beside the file.
const FIELD_BYTES: usize = 64 * 1024;

/// A form of ours with a file in it, sent by somebody who is signed in. Its route has [`PostedFile::limit`] as a layer.
pub(crate) struct PostedFile {
    pub(crate) visitor: Visitor,
    pub(crate) fields: Fields,
    /// What was sent under the name `file`; empty where nothing was chosen.
    pub(crate) file: Bytes,
}

impl PostedFile {
    /// As much as the API takes, and the form around it.
    pub(crate) fn limit() -> DefaultBodyLimit {
        DefaultBodyLimit::max(BODY_LIMIT_BYTES + FIELD_BYTES)
    }
}

impl FromRequest<Deps> for PostedFile {
    type Rejection = Response;
    async fn from_request(request: Request, deps: &Deps) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, deps).await?;
        if !is_from_here(&parts.headers) {
            return Err(refused("It was not sent from a page of this session."));
        }
        let request = Request::from_parts(parts, body);
        let mut form =
            Multipart::from_request(request, deps).await.map_err(axum::response::IntoResponse::into_response)?;
        let (mut fields, mut file) = (Fields::default(), Bytes::new());
        let mut is_ours = false;
        while let Some(field) = form.next_field().await.map_err(|_| refused("It broke off."))? {
            let name = field.name().unwrap_or_default().to_owned();
            if !is_ours {
                let token = text(field).await?;
                if name != "csrf" || !visitor.sent(&token) {
                    return Err(refused("It was not sent from a page of this session."));
                }
                is_ours = true;
            } else if name == "file" {
                file = read(field, BODY_LIMIT_BYTES).await?;
            } else {
                fields = fields.with(&name, text(field).await?);
            }
        }
        if is_ours {
            Ok(Self { visitor, fields, file })
        } else {
            Err(refused("It was not sent from a page of this session."))
        }
    }
}

async fn text(field: Field<'_>) -> Result<String, Response> {
    let bytes = read(field, FIELD_BYTES).await?;
    String::from_utf8(bytes.to_vec()).map_err(|_| refused("It is no text.").into_response())
}

async fn read(field: Field<'_>, most: usize) -> Result<Bytes, Response> {
    let (mut field, mut read) = (field, Vec::new());
    while let Some(chunk) = field.chunk().await.map_err(|_| refused("It is too large, or broke off."))? {
        read.extend_from_slice(&chunk);
        if read.len() > most {
            return Err(refused("It is too large."));
        }
    }
    Ok(read.into())
}
