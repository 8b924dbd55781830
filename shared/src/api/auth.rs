//! Who calls, for which partner, and what they may do.
//!
//! Whether a token is genuine is decided by a [`Verify`] port: API Gateway's authorizer on AWS ([`gateway`]), a key in the
//! data folder on one machine. This module decides what the claims then mean. A handler's first argument says who may
//! call it: [`Reader`], [`Writer`] or [`UsagePusher`].

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;

use super::problem::{Fault, Problem};
use crate::domain::ids::PartnerId;

/// Header in which the vendor's own backend names the partner it speaks for.
pub const PARTNER: HeaderName = HeaderName::from_static("tallyline-partner");

/// What a token allows. None but `write` includes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// See everything of the partner.
    Read,
    /// Change everything of the partner, and see it.
    Write,
    /// Push usage.
    Usage,
    /// Name the partner by header. Allows nothing by itself: the token needs the scope of what it does as well.
    Vendor,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Usage, Self::Vendor];

    /// As it stands in a token.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "tallyline/read",
            Self::Write => "tallyline/write",
            Self::Usage => "tallyline/usage",
            Self::Vendor => "tallyline/vendor",
        }
    }
}

/// What a genuine token says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// `partner_id`.
    pub partner: Option<String>,
    /// `scope`; what is not ours is left out.
    pub scopes: BTreeSet<Scope>,
    /// `sub`, or `client_id` where a machine calls.
    pub subject: Option<String>,
}

impl Claims {
    /// Reads the claims as API Gateway's JWT authorizer hands them on: every value a text, lists as `[a b]`.
    #[must_use]
    pub fn from_map(claims: &HashMap<String, String>) -> Self {
        let scopes = claims.get("scope").or_else(|| claims.get("scp")).map_or("", String::as_str);
        Self {
            partner: claims.get("partner_id").cloned(),
            scopes: scopes_in(scopes),
            subject: claims.get("sub").or_else(|| claims.get("client_id")).cloned(),
        }
    }
}

/// The scopes of ours in a text that separates them by spaces.
#[must_use]
pub fn scopes_in(text: &str) -> BTreeSet<Scope> {
    let named = |word: &str| Scope::ALL.into_iter().find(|scope| scope.as_str() == word);
    text.split(|c: char| c.is_whitespace() || "[],".contains(c)).filter_map(named).collect()
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthorized {
    /// There is none.
    #[error("Send a bearer token in the Authorization header.")]
    Missing,
    /// It can't be read, is signed by somebody else, or is meant for another service.
    #[error("The token is not valid here.")]
    Invalid,
    /// Its time is over.
    #[error("The token has expired.")]
    Expired,
}

impl From<Unauthorized> for Problem {
    fn from(error: Unauthorized) -> Self {
        let refused = || format!("Bearer error=\"invalid_token\", error_description=\"{error}\"");
        let (code, challenge, fix) = match error {
            Unauthorized::Missing => {
                ("token_missing", "Bearer".to_owned(), "Send the header Authorization: Bearer TOKEN.")
            }
            Unauthorized::Invalid => {
                ("token_invalid", refused(), "Get one from the issuer that this service trusts, for this very service.")
            }
            Unauthorized::Expired => ("token_expired", refused(), "Get a new one."),
        };
        let problem = Self::new(StatusCode::UNAUTHORIZED, code, error.to_string()).fix(fix);
        problem.header(header::WWW_AUTHENTICATE, &challenge)
    }
}

/// Tells whether a request carries a genuine token, and what it says.
pub trait Verify: Send + Sync + 'static {
    /// The claims of the token on this request.
    ///
    /// # Errors
    /// There is no genuine token.
    fn verify(&self, headers: &HeaderMap, extensions: &Extensions) -> Result<Claims, Unauthorized>;
}

/// Claims that API Gateway has verified; `find` takes them out of the Lambda request context.
pub fn gateway<F>(find: F) -> impl Verify
where
    F: Fn(&Extensions) -> Option<HashMap<String, String>> + Send + Sync + 'static,
{
    struct Gateway<F>(F);
    impl<F: Fn(&Extensions) -> Option<HashMap<String, String>> + Send + Sync + 'static> Verify for Gateway<F> {
        fn verify(&self, _: &HeaderMap, extensions: &Extensions) -> Result<Claims, Unauthorized> {
            (self.0)(extensions).map(|claims| Claims::from_map(&claims)).ok_or(Unauthorized::Missing)
        }
    }
    Gateway(find)
}

/// The token in an `Authorization: Bearer …` header.
///
/// # Errors
/// There is none, or the header is something else.
pub fn bearer(headers: &HeaderMap) -> Result<&str, Unauthorized> {
    let value = headers.get(header::AUTHORIZATION).ok_or(Unauthorized::Missing)?;
    let text = value.to_str().map_err(|_| Unauthorized::Invalid)?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => Ok(token.trim()),
        _ => Err(Unauthorized::Invalid),
    }
}

/// Has `verify` look at every request before `router` does. What it found is judged where a handler asks for a caller.
pub(super) fn authenticated(router: Router, verify: Arc<dyn Verify>) -> Router {
    router.layer(axum::middleware::from_fn(move |mut request: Request, next: Next| {
        let verified = Verified(verify.verify(request.headers(), request.extensions()));
        request.extensions_mut().insert(verified);
        next.run(request)
    }))
}

#[derive(Clone)]
struct Verified(Result<Claims, Unauthorized>);

/// Somebody who acts for one partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant. Everything the caller sees or does is this partner's.
    pub partner: PartnerId,
    /// What the token allows.
    pub scopes: BTreeSet<Scope>,
    /// Who it is, for the record; `unknown` where the token does not say.
    pub actor: String,
}

impl Caller {
    /// Who `claims` and the headers say it is.
    ///
    /// # Errors
    /// The token names no partner, or names one in a way that it may not.
    pub fn identify(claims: Claims, headers: &HeaderMap) -> Result<Self, Problem> {
        let vendor = claims.scopes.contains(&Scope::Vendor);
        let mut named = headers.get_all(PARTNER).iter();
        let partner = match (vendor, claims.partner, named.next(), named.next()) {
            (false, Some(partner), None, _) => partner.parse().map_err(|_| Problem::from(Unauthorized::Invalid))?,
            (false, None, _, _) => return Err(forbidden("token_without_partner", "The token names no partner.")),
            (false, Some(_), Some(_), _) => {
                return Err(forbidden(
                    "partner_header_refused",
                    "Only the vendor's own token may name a partner by header.",
                ));
            }
            // A token that is bound to one partner never speaks for another, whatever else it holds.
            (true, Some(_), _, _) => {
                return Err(forbidden("vendor_token_with_partner", "A vendor token must not be bound to a partner."));
            }
            (true, None, Some(value), None) => {
                value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(header_needed)?
            }
            (true, None, _, _) => return Err(header_needed()),
        };
        let actor = claims.subject.unwrap_or_else(|| "unknown".to_owned());
        Ok(Self { partner, scopes: claims.scopes, actor })
    }

    /// Whether the caller may do what needs `scope`.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || (scope == Scope::Read && self.scopes.contains(&Scope::Write))
    }

    /// # Errors
    /// The token lacks `scope`.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) {
            return Ok(());
        }
        let scope = scope.as_str();
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        Err(forbidden("scope_missing", &format!("This needs a token with the scope {scope}."))
            .header(header::WWW_AUTHENTICATE, &challenge))
    }
}

fn forbidden(code: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, code, detail)
}

fn header_needed() -> Problem {
    let detail = "A vendor token needs the header Tallyline-Partner, once, with the id of a partner.";
    Problem::new(StatusCode::BAD_REQUEST, "partner_header_needed", detail)
        .faults(vec![Fault::new("header:Tallyline-Partner", "must name one partner")])
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parts.extensions.get::<Verified>() {
            Some(Verified(Ok(claims))) => Self::identify(claims.clone(), &parts.headers),
            Some(Verified(Err(error))) => Err((*error).into()),
            None => Err(Problem::internal("no port verifies tokens on this route")),
        }
    }
}

macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident $scope:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(pub Caller);

        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;
            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
                let caller = Caller::from_request_parts(parts, state).await?;
                caller.require(Scope::$scope)?;
                Ok(Self(caller))
            }
        }
    )*};
}

callers! {
    /// May see.
    Reader Read;
    /// May change.
    Writer Write;
    /// May push usage.
    UsagePusher Usage;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(partner: Option<&str>, scope: &str) -> Claims {
        let mut map = HashMap::from([("scope".to_owned(), scope.to_owned()), ("sub".to_owned(), "ann".to_owned())]);
        map.extend(partner.map(|partner| ("partner_id".to_owned(), partner.to_owned())));
        Claims::from_map(&map)
    }

    fn identify(partner: Option<&str>, scope: &str, header: &[&str]) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        for value in header {
            headers.append(PARTNER, value.parse().unwrap());
        }
        let caller = Caller::identify(claims(partner, scope), &headers);
        caller.map(|caller| caller.partner.to_string()).map_err(|problem| problem.code().to_owned())
    }

    #[test]
    fn the_partner_is_the_claim_and_the_header_only_for_the_vendor() {
        assert_eq!(identify(Some("acme"), "tallyline/read", &[]), Ok("acme".into()));
        assert_eq!(identify(None, "tallyline/vendor tallyline/usage", &["acme"]), Ok("acme".into()));
        let refused = [
            (Some("acme"), "tallyline/write", &["other"][..], "partner_header_refused"),
            (Some("acme"), "tallyline/write", &["acme"][..], "partner_header_refused"),
            (None, "tallyline/write", &[][..], "token_without_partner"),
            (None, "tallyline/write", &["acme"][..], "token_without_partner"),
            (Some("acme"), "tallyline/vendor", &["other"][..], "vendor_token_with_partner"),
            (None, "tallyline/vendor", &[][..], "partner_header_needed"),
            (None, "tallyline/vendor", &["acme", "other"][..], "partner_header_needed"),
            (None, "tallyline/vendor", &["a#b"][..], "partner_header_needed"),
            (Some("a#b"), "tallyline/read", &[][..], "token_invalid"),
        ];
        for (partner, scope, header, code) in refused {
            assert_eq!(identify(partner, scope, header), Err(code.into()), "{partner:?} {scope} {header:?}");
        }
    }

    #[test]
    fn write_includes_read_and_nothing_else_includes_anything() {
        for held in Scope::ALL {
            for needed in Scope::ALL {
                let claims = Claims { scopes: BTreeSet::from([held]), ..Claims::default() };
                let caller = Caller { partner: "p".parse().unwrap(), scopes: claims.scopes, actor: String::new() };
                let may = held == needed || (held, needed) == (Scope::Write, Scope::Read);
                assert_eq!(caller.require(needed).is_ok(), may, "{held:?} for {needed:?}");
            }
        }
    }

    #[test]
    fn scopes_are_read_in_every_form_that_issuers_use() {
        for text in [
            "tallyline/read tallyline/usage",
            "[tallyline/read tallyline/usage openid]",
            "tallyline/read,tallyline/usage",
        ] {
            assert_eq!(scopes_in(text), BTreeSet::from([Scope::Read, Scope::Usage]), "{text}");
        }
        assert!(scopes_in("tallyline/readonly xtallyline/read").is_empty());
    }
}
