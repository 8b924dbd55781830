//! Links that sign in to the console, once: signed with the key of the tokens, and for nothing else than that.

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use shared::api::auth::{Scope, scopes_in};
use shared::clock::fresh_id;
use shared::domain::ids::PartnerId;
use web_console::{Links, OpenedLink};

use crate::tokens::{ISSUER, NotSigned, Subject, Tokens};

/// Whom a link is for. The API takes no token of this audience, nor the console one of the API's.
const AUDIENCE: &str = "tallyline-console";
/// How long a link can be opened.
pub(crate) const OPENS_FOR: SignedDuration = SignedDuration::from_mins(15);

#[derive(Serialize, Deserialize)]
struct Wire {
    iss: String,
    aud: String,
    jti: String,
    sub: String,
    scope: String,
    partner_id: PartnerId,
    exp: i64,
}

impl Tokens {
    /// The path of a link that lets `subject` in to the pages of `partner`.
    ///
    /// # Errors
    /// It can't be signed.
    pub fn link(&self, subject: &Subject, partner: &PartnerId, scopes: &[Scope]) -> Result<String, NotSigned> {
        let wire = Wire {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            jti: fresh_id("link"),
            sub: subject.0.clone(),
            scope: scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "),
            partner_id: partner.clone(),
            exp: self.clock.now().as_second().saturating_add(OPENS_FOR.as_secs()),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &wire, &self.signing)
            .map_err(|error| NotSigned(error.to_string()))?;
        Ok(format!("{}/link/{token}", web_console::ROOT))
    }
}

impl Links for Tokens {
    fn open(&self, token: &str) -> Option<OpenedLink> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        // The library knows the machine's clock only; ours is injected.
        validation.validate_exp = false;
        let wire = jsonwebtoken::decode::<Wire>(token, &self.checking, &validation).ok()?.claims;
        let until = Timestamp::from_second(wire.exp).ok().filter(|until| *until > self.clock.now())?;
        let Wire { jti: id, partner_id: partner, scope, sub: subject, .. } = wire;
        Some(OpenedLink { id, partner, scopes: scopes_in(&scope).into_iter().collect(), subject, until })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use shared::clock::Clock;

    use super::*;

    struct At(i64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(self.0).unwrap()
        }
    }

    fn tokens(data: &Path, at: i64) -> Tokens {
        Tokens::open(data, Arc::new(At(at))).unwrap()
    }

    #[test]
    fn a_link_opens_for_a_quarter_of_an_hour_under_its_own_key_and_no_token_does() {
        let (data, foreign) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let partner: PartnerId = "p".parse().unwrap();
        let made = tokens(data.path(), 1000);
        let path = made.link(&Subject::default(), &partner, &[Scope::Read, Scope::Write]).unwrap();
        let token = path.strip_prefix("/console/link/").unwrap();
        let opened = tokens(data.path(), 1899).open(token).unwrap();
        assert_eq!((opened.partner, opened.scopes), (partner.clone(), vec![Scope::Read, Scope::Write]));
        assert_eq!(tokens(data.path(), 1900).open(token), None);
        assert_eq!(tokens(foreign.path(), 1000).open(token), None);
        let bearer = made.mint(Some(&partner), &[Scope::Write], SignedDuration::from_hours(1)).unwrap();
        assert_eq!(made.open(&bearer), None);
        let other = made.link(&Subject::default(), &partner, &[Scope::Read]).unwrap();
        assert_ne!(Some(opened.id), other.strip_prefix("/console/link/").and_then(|it| made.open(it)).map(|it| it.id));
    }
}
