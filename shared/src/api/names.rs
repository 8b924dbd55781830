//! Names that stand in paths: companies, products and keys are the vendor's, and may hold anything that can be printed.
//!
//! Percent-encoding does not carry them everywhere: API Gateway's HTTP APIs decode a path before the function sees it, and cut
//! it at a decoded `?` (as captured in the pull request hotsock/voker#8), so that `A%3F1` arrives as `A`, another company. A
//! segment may therefore be written as `~` and the name in base64url: `~QT8x`. A name that begins with `~` has to be.

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tower::ServiceExt as _;

/// `name` as a segment of a path that arrives as it was sent, whatever stands between.
#[must_use]
pub fn segment(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:@".contains(&byte);
    if name.bytes().all(plain) && !name.bytes().all(|byte| byte == b'.') {
        name.to_owned()
    } else {
        format!("~{}", URL_SAFE_NO_PAD.encode(name))
    }
}

/// `routes` with the names of each path as they are meant. It stands around everything that reads a path.
pub fn read(routes: Router) -> Router {
    Router::new().fallback_service(routes.into_service::<axum::body::Body>().map_request(|mut request: Request| {
        if let Some(uri) = meant(request.uri()) {
            *request.uri_mut() = uri;
        }
        request
    }))
}

/// The address with each `~` written out, percent-encoded; none where there is none.
fn meant(uri: &Uri) -> Option<Uri> {
    let segments: Vec<_> = uri.path().split('/').map(|segment| (segment, written_out(segment))).collect();
    segments.iter().find(|(_, name)| name.is_some())?;
    let path: Vec<_> = segments.into_iter().map(|(segment, name)| name.unwrap_or_else(|| segment.to_owned())).collect();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{}{query}", path.join("/")).parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// The name in a segment, each of its bytes percent-encoded; none where it is written as it is.
fn written_out(segment: &str) -> Option<String> {
    let encoded =
        segment.strip_prefix('~').or_else(|| segment.strip_prefix("%7E")).or_else(|| segment.strip_prefix("%7e"))?;
    let name = URL_SAFE_NO_PAD.decode(encoded).ok().filter(|name| !name.is_empty())?;
    Some(name.iter().map(|byte| format!("%{byte:02X}")).collect())
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::extract::Path;
    use axum::routing::get;

    use super::*;

    async fn company_of(path: &str) -> String {
        let routes = Router::new()
            .route("/companies/{company}", get(async |Path(company): Path<String>| company))
            .route("/companies", get(async || "all"));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = read(routes).oneshot(request).await.unwrap();
        String::from_utf8(to_bytes(answer.into_body(), 1_000).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn every_name_arrives_as_it_was_meant() {
        for name in [
            "acme",
            "a.b-c_d:e@f",
            "A?1",
            "x/../B",
            ".",
            "..",
            "A%20B",
            "Acme / Berlin",
            "~tilde",
            "~QT8x",
            "a\\b",
            "ä",
        ] {
            assert_eq!(company_of(&format!("/companies/{}?q=1", segment(name))).await, name);
        }
    }

    #[test]
    fn what_is_written_holds_nothing_that_is_read_otherwise_on_the_way() {
        for name in ["A?1", "x/../B", ".", "..", "A%20B", "~tilde", "a b", "a\\b", "ä", "a;b"] {
            let segment = segment(name);
            assert!(
                segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"~-_".contains(&byte)),
                "{name}: {segment}"
            );
        }
        assert_eq!(segment("huntress:12_a.b"), "huntress:12_a.b");
    }

    #[tokio::test]
    async fn names_that_are_percent_encoded_are_read_as_ever() {
        assert_eq!(company_of("/companies/A%3F1").await, "A?1");
        assert_eq!(company_of("/companies/%7EQT8x").await, "A?1");
        assert_eq!(company_of("/companies/~not*one").await, "~not*one");
        assert_eq!(company_of("/companies").await, "all");
    }
}
