//! Who gets in: tokens, scopes, and the header that names a partner.

use integration::{Answer, Harness, PARTNER, connection_body};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use shared::api::auth::{PARTNER as PARTNER_HEADER, Scope};

async fn list_with(h: &Harness, authorization: Option<&str>) -> Answer {
    let request = h.request(Method::GET, "/v1/connections");
    Answer::to(match authorization {
        Some(value) => request.header("authorization", value),
        None => request,
    })
    .await
}

#[tokio::test]
async fn a_request_without_a_token_is_told_to_bring_one() {
    let h = Harness::start().await;
    let answer = list_with(&h, None).await;
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    insta::assert_json_snapshot!(answer.problem(), @r#"
        {
          "code": "token_missing",
          "detail": "Send a bearer token in the Authorization header.",
          "errors": [],
          "fix": "Send the header Authorization: Bearer TOKEN.",
          "request_id": "[request]",
          "status": 401,
          "title": "Token missing",
          "type": "/problems/token_missing"
        }
        "#);
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let h = Harness::start().await;
    let token = h.token(PARTNER, &[Scope::Read]);
    assert_eq!(list_with(&h, Some(&format!("Bearer {token}"))).await.status, 200);
    h.clock.advance(SignedDuration::from_hours(1));
    let answer = list_with(&h, Some(&format!("Bearer {token}"))).await;
    assert_eq!(
        answer.header("www-authenticate"),
        "Bearer error=\"invalid_token\", error_description=\"The token has expired.\""
    );
    insta::assert_json_snapshot!(answer.problem(), @r#"
        {
          "code": "token_expired",
          "detail": "The token has expired.",
          "errors": [],
          "fix": "Get a new one.",
          "request_id": "[request]",
          "status": 401,
          "title": "Token expired",
          "type": "/problems/token_expired"
        }
        "#);
}

#[tokio::test]
async fn a_token_signed_elsewhere_is_refused() {
    let h = Harness::start().await;
    let elsewhere = Harness::start().await;
    let answer = list_with(&h, Some(&format!("Bearer {}", elsewhere.token(PARTNER, &[Scope::Read])))).await;
    insta::assert_json_snapshot!(answer.problem(), @r#"
        {
          "code": "token_invalid",
          "detail": "The token is not valid here.",
          "errors": [],
          "fix": "Get one from the issuer that this service trusts, for this very service.",
          "request_id": "[request]",
          "status": 401,
          "title": "Token invalid",
          "type": "/problems/token_invalid"
        }
        "#);
}

#[tokio::test]
async fn what_is_no_bearer_token_is_refused() {
    let h = Harness::start().await;
    for value in ["Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer a.b.c", "token", ""] {
        let answer = list_with(&h, Some(value)).await;
        assert_eq!((answer.status, answer.problem()["code"].as_str()), (401, Some("token_invalid")), "{value:?}");
    }
}

#[tokio::test]
async fn each_route_asks_for_its_scope() {
    let h = Harness::start().await;
    let id = h.connect().await;
    let one = format!("/v1/connections/{id}");
    let reads = [
        "/v1/connections".to_owned(),
        one.clone(),
        format!("{one}/catalog/accounts"),
        format!("{one}/catalog/services"),
        format!("{one}/catalog/contracts"),
        format!("{one}/catalog/lines?contract_id=1"),
        format!("{one}/catalog/billing-codes?kind=material"),
    ];
    for path in &reads {
        let may =
            async |scope| Answer::to(h.request(Method::GET, path).bearer_auth(h.token(PARTNER, &[scope]))).await.status;
        assert_eq!(
            (may(Scope::Read).await, may(Scope::Write).await, may(Scope::Usage).await),
            (200, 200, 403),
            "{path}"
        );
    }
    let writes = [
        (Method::POST, "/v1/connections".to_owned()),
        (Method::PATCH, one.clone()),
        (Method::PUT, format!("{one}/credentials")),
        (Method::POST, format!("{one}/test")),
        (Method::DELETE, one.clone()),
    ];
    let before = h.get(&one).await.json;
    for (method, path) in writes {
        for scope in [Scope::Read, Scope::Usage] {
            let request = h.request(method.clone(), &path).bearer_auth(h.token(PARTNER, &[scope])).json(&json!({}));
            let answer = Answer::to(request).await;
            assert_eq!(answer.status, 403, "{method} {path} with {scope:?}");
            assert_eq!(
                answer.header("www-authenticate"),
                "Bearer error=\"insufficient_scope\", scope=\"tallyline/write\""
            );
        }
    }
    assert_eq!(h.get(&one).await.json, before);
    let refused = h.request(Method::PATCH, &one).bearer_auth(h.token(PARTNER, &[Scope::Read])).json(&json!({}));
    insta::assert_json_snapshot!(Answer::to(refused).await.problem(), @r#"
        {
          "code": "scope_missing",
          "detail": "This needs a token with the scope tallyline/write.",
          "errors": [],
          "request_id": "[request]",
          "status": 403,
          "title": "Scope missing",
          "type": "/problems/scope_missing"
        }
        "#);
}

#[tokio::test]
async fn the_vendor_speaks_for_the_partner_that_the_header_names() {
    let h = Harness::start().await;
    h.connect().await;
    let count = async |partner: &str| {
        let request = h.request(Method::GET, "/v1/connections").bearer_auth(h.vendor_token(&[Scope::Read]));
        Answer::to(request.header(PARTNER_HEADER, partner)).await.json["items"].as_array().map(Vec::len)
    };
    assert_eq!(count(PARTNER).await, Some(1));
    assert_eq!(count("another").await, Some(0));
}

#[tokio::test]
async fn the_partner_header_opens_nothing_to_others() {
    let h = Harness::start().await;
    let id = h.connect().await;
    let one = format!("/v1/connections/{id}");
    let with = async |token: String, partners: &[&str]| {
        let mut request = h.request(Method::GET, &one).bearer_auth(token);
        for partner in partners {
            request = request.header(PARTNER_HEADER, *partner);
        }
        Answer::to(request).await
    };
    let reading = [Scope::Read];
    let another = with(h.token("another", &reading), &[PARTNER]).await;
    insta::assert_json_snapshot!(another.problem(), @r#"
        {
          "code": "partner_header_refused",
          "detail": "Only the vendor's own token may name a partner by header.",
          "errors": [],
          "request_id": "[request]",
          "status": 403,
          "title": "Partner header refused",
          "type": "/problems/partner_header_refused"
        }
        "#);
    let without = with(h.vendor_token(&reading), &[]).await;
    insta::assert_json_snapshot!(without.problem(), @r#"
        {
          "code": "partner_header_needed",
          "detail": "A vendor token needs the header Tallyline-Partner, once, with the id of a partner.",
          "errors": [
            {
              "detail": "must name one partner",
              "pointer": "header:Tallyline-Partner"
            }
          ],
          "request_id": "[request]",
          "status": 400,
          "title": "Partner header needed",
          "type": "/problems/partner_header_needed"
        }
        "#);
    let both = h.token("another", &[Scope::Read, Scope::Vendor]);
    for (token, partners, status, code) in [
        (h.token(PARTNER, &reading), &[PARTNER][..], 403, "partner_header_refused"),
        (both.clone(), &[PARTNER][..], 403, "vendor_token_with_partner"),
        (both, &[][..], 403, "vendor_token_with_partner"),
        (h.vendor_token(&reading), &[PARTNER, "another"][..], 400, "partner_header_needed"),
        (h.vendor_token(&reading), &["a#b"][..], 400, "partner_header_needed"),
        // The vendor's scope names a partner; by itself it allows nothing.
        (h.vendor_token(&[]), &[PARTNER][..], 403, "scope_missing"),
    ] {
        let answer = with(token, partners).await;
        assert_eq!((answer.status, answer.problem()["code"].as_str()), (status, Some(code)), "{partners:?}");
    }
}

#[tokio::test]
async fn another_partners_connection_is_answered_like_one_that_does_not_exist() {
    let h = Harness::start().await;
    let id = h.connect().await;
    let before = h.get(&format!("/v1/connections/{id}")).await.json;
    let token = h.token("another", &[Scope::Read, Scope::Write]);
    let ask = async |method: Method, path: &str| {
        let body = json!({"credentials": connection_body()["credentials"]});
        let request = h.request(method.clone(), path).bearer_auth(&token);
        let request = match method {
            Method::PUT => request.json(&body),
            Method::PATCH => request.json(&json!({"enabled": false})),
            _ => request,
        };
        Answer::to(request).await
    };
    for (method, rest) in [
        (Method::GET, ""),
        (Method::PATCH, ""),
        (Method::DELETE, ""),
        (Method::PUT, "/credentials"),
        (Method::POST, "/test"),
        (Method::GET, "/catalog/accounts"),
        (Method::GET, "/catalog/services"),
        (Method::GET, "/catalog/contracts"),
        (Method::GET, "/catalog/lines?contract_id=1"),
        (Method::GET, "/catalog/billing-codes?kind=material"),
    ] {
        let theirs = ask(method.clone(), &format!("/v1/connections/{id}{rest}")).await;
        let nobodys = ask(method.clone(), &format!("/v1/connections/conn_0{rest}")).await;
        assert_eq!(theirs.status, 404, "{method} {rest}");
        assert_eq!(theirs.problem(), nobodys.problem(), "{method} {rest}");
    }
    assert_eq!(h.get(&format!("/v1/connections/{id}")).await.json, before);
    assert_eq!(h.post(&format!("/v1/connections/{id}/test"), json!({})).await.json["ok"], true);
    insta::assert_json_snapshot!(ask(Method::GET, &format!("/v1/connections/{id}")).await.problem(), @r#"
        {
          "code": "not_found",
          "detail": "There is no such connection.",
          "errors": [],
          "request_id": "[request]",
          "status": 404,
          "title": "Not found",
          "type": "/problems/not_found"
        }
        "#);
}
