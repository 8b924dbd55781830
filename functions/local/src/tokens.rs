//! Tokens on one machine: signed and checked with a key in the data folder.
//!
//! The claims are those that an identity provider gives on AWS (`partner_id`, `scope`, `sub`), so that a client notices no
//! difference. Time is the injected clock's.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::{Extensions, HeaderMap};
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use shared::api::auth::{Claims, Scope, Unauthorized, Verify, bearer, scopes_in};
use shared::clock::Clock;
use shared::domain::ids::PartnerId;

use crate::sealed_secrets::owner_only_key;

/// Who signs.
pub(crate) const ISSUER: &str = "tallyline-local";
/// Whom the tokens are for.
const AUDIENCE: &str = "tallyline";
const KEY_FILE: &str = "tokens.key";
/// The longest name of a person or program, in characters.
const MOST_CHARACTERS: usize = 128;
/// Actors of runs that nobody asked for over HTTP, and of what the service found out by itself.
const RESERVED: [&str; 4] = ["schedule", "invoke", "system", "unknown"];

/// Signs and checks tokens.
pub struct Tokens {
    pub(crate) signing: EncodingKey,
    pub(crate) checking: DecodingKey,
    pub(crate) clock: Arc<dyn Clock>,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    iss: String,
    aud: String,
    sub: String,
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partner_id: Option<String>,
    iat: i64,
    exp: i64,
}

/// Why no token was signed.
#[derive(Debug, thiserror::Error)]
#[error("no token can be signed: {0}")]
pub struct NotSigned(pub(crate) String);

/// Who a token is for, as the history names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(pub(crate) String);

impl Default for Subject {
    /// Whoever is at this machine.
    fn default() -> Self {
        Self("local".to_owned())
    }
}

/// Why a text can't be a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubject {
    /// It is too long, or can't be shown.
    #[error("must be 1 to {MOST_CHARACTERS} characters that can be shown, without spaces at its ends")]
    Unreadable,
    /// Entries of the history could not be told from the service's own.
    #[error("is what the history calls something that no person did; choose another name")]
    Reserved,
}

impl FromStr for Subject {
    type Err = InvalidSubject;
    fn from_str(name: &str) -> Result<Self, InvalidSubject> {
        let shown = !name.chars().any(char::is_control) && name.trim() == name;
        if !shown || !(1..=MOST_CHARACTERS).contains(&name.chars().count()) {
            return Err(InvalidSubject::Unreadable);
        }
        if RESERVED.contains(&name) { Err(InvalidSubject::Reserved) } else { Ok(Self(name.to_owned())) }
    }
}

impl Tokens {
    /// Tokens under the key in the data folder `data`, which is made when there is none.
    ///
    /// # Errors
    /// The key can't be read or written, or is open to others.
    pub fn open(data: &Path, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let key = owner_only_key(&data.join(KEY_FILE))?;
        Ok(Self { signing: EncodingKey::from_secret(&key), checking: DecodingKey::from_secret(&key), clock })
    }

    /// A token for `partner`, or the vendor's own where there is none.
    ///
    /// # Errors
    /// It can't be signed.
    pub fn mint(
        &self,
        partner: Option<&PartnerId>,
        scopes: &[Scope],
        valid: SignedDuration,
    ) -> Result<String, NotSigned> {
        self.mint_for(&Subject::default(), partner, scopes, valid)
    }

    /// The same for `subject`, under whose name the history tells what is done with it.
    ///
    /// # Errors
    /// It can't be signed.
    pub fn mint_for(
        &self,
        subject: &Subject,
        partner: Option<&PartnerId>,
        scopes: &[Scope],
        valid: SignedDuration,
    ) -> Result<String, NotSigned> {
        let now = self.clock.now().as_second();
        let scopes: BTreeSet<_> = scopes.iter().collect();
        let wire = Wire {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: subject.0.clone(),
            scope: scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "),
            partner_id: partner.map(ToString::to_string),
            iat: now,
            exp: now.saturating_add(valid.as_secs()),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &wire, &self.signing).map_err(|e| NotSigned(e.to_string()))
    }

    fn check(&self, token: &str) -> Result<Claims, Unauthorized> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        // The library knows the machine's clock only; ours is injected.
        validation.validate_exp = false;
        let checked =
            jsonwebtoken::decode::<Wire>(token, &self.checking, &validation).map_err(|_| Unauthorized::Invalid)?;
        let wire = checked.claims;
        if wire.exp <= self.clock.now().as_second() {
            return Err(Unauthorized::Expired);
        }
        Ok(Claims { partner: wire.partner_id, scopes: scopes_in(&wire.scope), subject: Some(wire.sub) })
    }
}

impl Verify for Tokens {
    fn verify(&self, headers: &HeaderMap, _: &Extensions) -> Result<Claims, Unauthorized> {
        self.check(bearer(headers)?)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

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

    fn signed(tokens: &Tokens, algorithm: Algorithm, change: impl FnOnce(&mut Wire)) -> String {
        let mut wire = Wire {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: "ann".into(),
            scope: "tallyline/read".into(),
            partner_id: Some("p".into()),
            iat: 0,
            exp: 2000,
        };
        change(&mut wire);
        jsonwebtoken::encode(&Header::new(algorithm), &wire, &tokens.signing).unwrap()
    }

    #[test]
    fn a_token_holds_until_its_time_and_under_its_own_key() {
        let data = tempfile::tempdir().unwrap();
        let partner: PartnerId = "p".parse().unwrap();
        let token = tokens(data.path(), 1000)
            .mint(Some(&partner), &[Scope::Read, Scope::Usage], SignedDuration::from_secs(60))
            .unwrap();
        let claims = tokens(data.path(), 1059).check(&token).unwrap();
        assert_eq!(claims.partner.as_deref(), Some("p"));
        assert_eq!(claims.scopes, BTreeSet::from([Scope::Read, Scope::Usage]));
        assert_eq!(tokens(data.path(), 1060).check(&token), Err(Unauthorized::Expired));
        let foreign = tempfile::tempdir().unwrap();
        assert_eq!(tokens(foreign.path(), 1000).check(&token), Err(Unauthorized::Invalid));
    }

    #[test]
    fn a_token_names_the_person_it_is_for_and_nobody_passes_for_the_service() {
        let data = tempfile::tempdir().unwrap();
        let tokens = tokens(data.path(), 1000);
        let subject = |token: String| tokens.check(&token).unwrap().subject.unwrap();
        let (partner, hour) = ("p".parse().unwrap(), SignedDuration::from_hours(1));
        let minted = |name: &str| {
            tokens.mint_for(&name.parse().unwrap(), Some(&partner), &[Scope::Read], hour).map(subject).unwrap()
        };
        assert_eq!(minted("Anna Öztürk"), "Anna Öztürk");
        assert_eq!(subject(tokens.mint(Some(&partner), &[Scope::Read], hour).unwrap()), "local");
        for bad in ["", " anna", "an\nna", &"a".repeat(129)] {
            assert_eq!(bad.parse::<Subject>(), Err(InvalidSubject::Unreadable), "{bad}");
        }
        for reserved in RESERVED {
            assert_eq!(reserved.parse::<Subject>(), Err(InvalidSubject::Reserved), "{reserved}");
        }
    }

    #[test]
    fn a_token_for_another_service_or_by_another_issuer_or_algorithm_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let tokens = tokens(data.path(), 1000);
        assert!(tokens.check(&signed(&tokens, Algorithm::HS256, |_| ())).is_ok());
        let refused = [
            signed(&tokens, Algorithm::HS256, |wire| wire.aud = "another".into()),
            signed(&tokens, Algorithm::HS256, |wire| wire.iss = "another".into()),
            signed(&tokens, Algorithm::HS512, |_| ()),
            // {"alg":"none"} over the same claims, without a signature.
            format!("eyJhbGciOiJub25lIn0.{}.", signed(&tokens, Algorithm::HS256, |_| ()).split('.').nth(1).unwrap()),
            "a.b.c".to_owned(),
            String::new(),
        ];
        for token in refused {
            assert_eq!(tokens.check(&token), Err(Unauthorized::Invalid), "{token}");
        }
    }
}
