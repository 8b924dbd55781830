//! What tokens have to be: the ID token says that somebody signed in to us, now; the access token, whom the API takes them for.
//!
//! Only asymmetric signatures are taken, by a key of the issuer's own that is made for them: a token that is signed with the
//! public key as if it were a secret, or not at all, falls out at its first line. Time is the injected clock's.

use std::collections::HashMap;

use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};
use shared::api::auth::{Caller, Claims, Scope};

use super::issuer::Issuer;
use super::refusal::Refusal;

/// How far the issuer's clock may be from ours.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// How a token may be signed.
const SIGNATURES: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Whether the ID token says that somebody signed in to us, by the sign-in with this `nonce` (OpenID Connect Core, section
/// 3.1.3.7).
pub(super) async fn identify(issuer: &Issuer, token: &str, nonce: &str, now: Timestamp) -> Result<(), Refusal> {
    let said = verified(issuer, token, now).await?;
    let client = issuer.settings().client_id.as_str();
    let for_whom = audiences(&said);
    if !for_whom.contains(&client) {
        return Err(Refusal::Untrusted("an ID token for another client"));
    }
    if text(&said, "azp").map_or(for_whom.len() > 1, |to| to != client) {
        return Err(Refusal::Untrusted("an ID token that another client was given"));
    }
    if text(&said, "nonce") != Some(nonce) {
        return Err(Refusal::Untrusted("an ID token of another sign-in"));
    }
    match text(&said, "sub") {
        Some(sub) if !sub.is_empty() => Ok(()),
        _ => Err(Refusal::Untrusted("an ID token of nobody")),
    }
}

/// Whom the API takes the bearer of this access token for. The checks are those of API Gateway's authorizer: `client_id` counts
/// where there is no `aud`, as in Cognito's tokens.
pub(super) async fn caller(issuer: &Issuer, token: &str, now: Timestamp) -> Result<Caller, Refusal> {
    let said = verified(issuer, token, now).await?;
    let audience = issuer.settings().audience.as_str();
    let is_for_api = match said.contains_key("aud") {
        true => audiences(&said).contains(&audience),
        false => text(&said, "client_id") == Some(audience),
    };
    if !is_for_api {
        return Err(Refusal::Untrusted("an access token for another service"));
    }
    let claims = Claims::from_map(&handed_on(said));
    let (is_vendors, has_partner) = (claims.scopes.contains(&Scope::Vendor), claims.partner.is_some());
    let caller = Caller::identify(claims, &HeaderMap::new()).map_err(|_| match (is_vendors, has_partner) {
        (true, _) => Refusal::Vendor,
        (false, false) => Refusal::NoPartner,
        (false, true) => Refusal::Untrusted("an access token of a partner that can't be one"),
    })?;
    if caller.may(Scope::Read) { Ok(caller) } else { Err(Refusal::NoScope) }
}

/// What a token says that the issuer signed and whose time it is.
async fn verified(issuer: &Issuer, token: &str, now: Timestamp) -> Result<Map<String, Value>, Refusal> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| Refusal::Untrusted("no token that can be read"))?;
    if !SIGNATURES.contains(&header.alg) {
        return Err(Refusal::Untrusted("a token that is not signed with a private key"));
    }
    if header.crit.is_some() {
        return Err(Refusal::Untrusted("a token that asks for what nobody here knows"));
    }
    let key = issuer.key(header.kid.as_deref(), now).await?;
    if key.common.key_algorithm.is_some_and(|only| only.to_string() != format!("{:?}", header.alg)) {
        return Err(Refusal::Untrusted("a token that is not signed as its key says"));
    }
    let key = DecodingKey::from_jwk(&key).map_err(|_| Refusal::Untrusted("a key that can't be read"))?;
    let mut validation = Validation::new(header.alg);
    // What a token says is looked at below, by our clock: the library knows the machine's only.
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation.required_spec_claims.clear();
    let decoded = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation);
    let said = decoded.map_err(|_| Refusal::Untrusted("a token that the issuer did not sign"))?.claims;
    if text(&said, "iss") != Some(issuer.name()) {
        return Err(Refusal::Untrusted("a token of another issuer"));
    }
    timely(&said, now)?;
    Ok(said)
}

/// Whether it is a token's time: `exp` has to be there, `nbf` and `iat` may.
fn timely(said: &Map<String, Value>, now: Timestamp) -> Result<(), Refusal> {
    let second = |name: &str| said.get(name).and_then(|value| value.as_i64().or_else(|| whole(value.as_f64()?)));
    let (now, leeway) = (now.as_second(), LEEWAY.as_secs());
    if second("exp").is_none_or(|exp| now >= exp.saturating_add(leeway)) {
        return Err(Refusal::Untrusted("a token whose time is over"));
    }
    for name in ["nbf", "iat"] {
        let is_readable = !said.contains_key(name) || second(name).is_some();
        if !is_readable || second(name).is_some_and(|from| now < from.saturating_sub(leeway)) {
            return Err(Refusal::Untrusted("a token whose time has not come"));
        }
    }
    Ok(())
}

/// Some issuers write instants with fractions of a second (RFC 7519, section 2).
fn whole(seconds: f64) -> Option<i64> {
    format!("{seconds:.0}").parse().ok()
}

fn text<'a>(said: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    said.get(name)?.as_str()
}

/// One audience, or several.
fn audiences(said: &Map<String, Value>) -> Vec<&str> {
    match said.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Claims as API Gateway's authorizer hands them on: texts, and lists as `[a b]`.
fn handed_on(said: Map<String, Value>) -> HashMap<String, String> {
    let plain = |value: Value| match value {
        Value::String(text) => text,
        Value::Array(items) => {
            let items = items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            format!("[{}]", items.collect::<Vec<_>>().join(" "))
        }
        other => other.to_string(),
    };
    said.into_iter().map(|(name, value)| (name, plain(value))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(json: Value) -> Map<String, Value> {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_token_has_its_time_give_or_take_a_minute() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (token, second, good) in [
            (json!({"exp": 1000}), 1059, true),
            (json!({"exp": 1000}), 1060, false),
            (json!({"exp": 1000.5}), 1059, true),
            (json!({}), 0, false),
            (json!({"exp": "1000"}), 0, false),
            (json!({"exp": 1000, "nbf": 500, "iat": 500}), 440, true),
            (json!({"exp": 1000, "nbf": 500}), 439, false),
            (json!({"exp": 1000, "iat": 500}), 439, false),
            (json!({"exp": 1000, "iat": "500"}), 500, false),
        ] {
            assert_eq!(timely(&said(token.clone()), at(second)).is_ok(), good, "{token} at {second}");
        }
    }

    #[test]
    fn claims_are_handed_on_as_the_gateway_does() {
        let claims = handed_on(said(json!({"scope": ["tallyline/read", "openid"], "sub": "ann", "partner_id": 7})));
        assert_eq!(claims["scope"], "[tallyline/read openid]");
        assert_eq!((claims["sub"].as_str(), claims["partner_id"].as_str()), ("ann", "7"));
        assert_eq!(Claims::from_map(&claims).scopes.len(), 1);
    }
}
