//! The files that pages load: one style sheet, htmx, an icon. They stand in the binary, and their addresses change with them.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

/// A file with its type.
struct File {
    name: &'static str,
    kind: &'static str,
    content: &'static str,
}

const FILES: [File; 4] = [
    File { name: "console.css", kind: "text/css; charset=utf-8", content: include_str!("../assets/console.css") },
    File { name: "console.js", kind: "text/javascript; charset=utf-8", content: include_str!("../assets/console.js") },
    File { name: "htmx.js", kind: "text/javascript; charset=utf-8", content: include_str!("../assets/htmx.min.js") },
    File { name: "icon.svg", kind: "image/svg+xml", content: include_str!("../assets/icon.svg") },
];

/// A digest of all of them: with another version of the program nobody keeps an old file.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    FILES.iter().for_each(|file| hash.update(file.content));
    hex::encode(hash.finalize()).chars().take(12).collect()
});

/// Where the file `name` lies.
pub(crate) fn address(name: &str) -> String {
    format!("{}/assets/{}/{name}", crate::ROOT, VERSION.as_str())
}

pub(crate) fn routes() -> Router {
    Router::new().route("/console/assets/{version}/{name}", get(file))
}

async fn file(Path((version, name)): Path<(String, String)>) -> Response {
    let found = FILES.iter().find(|file| file.name == name && version == *VERSION);
    let Some(File { kind, content, .. }) = found else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, *content).into_response()
}
