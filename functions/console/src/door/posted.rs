//! What a form of ours sent.

use std::collections::BTreeMap;

use axum::body::{Bytes, to_bytes};
use axum::extract::FromRequestParts as _;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use shared::api::BODY_LIMIT_BYTES;

use super::visitor::Visitor;
use crate::Deps;
use crate::client::Trouble;

/// What the names of fields begin with that say what stood in others when their page was made.
pub(crate) const BEFORE: &str = "before.";

/// The fields of a form by name, as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(BTreeMap<String, Vec<String>>);

impl Fields {
    /// Those of an encoded form or query.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(encoded) {
            fields.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        Self(fields)
    }

    /// What stands in a field, without spaces at its ends; empty where there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).and_then(|values| values.last()).map_or("", |value| value.trim())
    }

    /// What stands in a field to the letter, where something does: blanks may be part of a secret.
    pub(crate) fn to_the_letter(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|values| values.last()).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// As [`Fields::get`], where something stands there.
    pub(crate) fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Everything that was sent under a name, such as boxes that are ticked.
    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// The fields whose names begin with `prefix`, by the rest of their names, where something stands in them.
    pub(crate) fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.keys().filter_map(move |name| Some((name.strip_prefix(prefix)?, self.some(name)?)))
    }

    /// What stood in the fields when their page was made, as [`field::before`](crate::view::field::before) keeps it there.
    pub(crate) fn before(&self) -> Self {
        let kept =
            |(name, values): (&String, &Vec<String>)| Some((name.strip_prefix(BEFORE)?.to_owned(), values.clone()));
        Self(self.0.iter().filter_map(kept).collect())
    }

    /// Every field with what stands in it.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.keys().map(|name| (name.as_str(), self.get(name)))
    }

    /// Whether a box is ticked.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.some(name).is_some()
    }

    /// Adds to a field that may hold several, as boxes that are ticked.
    pub(crate) fn and(mut self, name: &str, value: impl ToString) -> Self {
        self.0.entry(name.to_owned()).or_default().push(value.to_string());
        self
    }

    /// Sets a field, as a page does that shows what is stored.
    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.0.insert(name.to_owned(), vec![value.to_string()]);
        self
    }
}

/// A form of ours, sent by somebody who is signed in.
pub(crate) struct Posted {
    pub(crate) visitor: Visitor,
    pub(crate) fields: Fields,
}

impl FromRequest<Deps> for Posted {
    type Rejection = Response;
    async fn from_request(request: Request, deps: &Deps) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, deps).await?;
        let body: Bytes = to_bytes(body, BODY_LIMIT_BYTES).await.map_err(|_| refused("It is too large."))?;
        let fields = Fields::parse(&body);
        if !is_from_here(&parts.headers) || !visitor.sent(fields.get("csrf")) {
            return Err(refused("It was not sent from a page of this session."));
        }
        Ok(Self { visitor, fields })
    }
}

/// Every browser of today says so; what does not is held by the token alone.
pub(super) fn is_from_here(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin")
}

pub(super) fn refused(detail: &str) -> Response {
    Trouble::of_form(detail).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_as_they_were_typed() {
        let fields = Fields::parse(b"name=+H%C3%A4usler+&line=1&line=2&empty=");
        assert_eq!((fields.get("name"), fields.get("empty"), fields.get("none")), ("Häusler", "", ""));
        assert_eq!(fields.all("line"), ["1", "2"]);
        assert_eq!((fields.to_the_letter("name"), fields.to_the_letter("empty")), (Some(" Häusler "), None));
        assert!(fields.some("empty").is_none() && fields.is_on("line"));
        assert_eq!(fields.below("na").collect::<Vec<_>>(), [("me", "Häusler")]);
        assert_eq!(fields.below("emp").count(), 0);
    }

    #[test]
    fn a_form_of_another_site_is_none_of_ours() {
        for (site, ours) in [("same-origin", true), ("same-site", false), ("cross-site", false), ("none", false)] {
            let headers = HeaderMap::from_iter([("sec-fetch-site".parse().unwrap(), site.parse().unwrap())]);
            assert_eq!(is_from_here(&headers), ours, "{site}");
        }
        assert!(is_from_here(&HeaderMap::new()));
    }
}
