//! What the issuer holds: who signs in, codes that were given out, keys, and the tokens that come of them.

use std::collections::BTreeMap;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{digest, hmac, rand};
use serde_json::{Value, json};

use super::keys::{Key, Kind, encoded};
use super::{Account, SAMPLE_AUDIENCE, Token, Wrong};
use crate::clock::Clock;

/// How long tokens last.
const LIFE_S: i64 = 300;
/// By how much a token's time is missed.
const MISSED_S: i64 = 120;

#[derive(Debug)]
pub(super) struct State {
    pub(super) base: String,
    pub(super) address: String,
    pub(super) client: String,
    pub(super) secret: Option<String>,
    pub(super) account: Account,
    pub(super) denies: bool,
    pub(super) wrong: Option<(Token, Wrong)>,
    pub(super) access_client: Option<String>,
    pub(super) asked: Vec<String>,
    codes: BTreeMap<String, Code>,
    kind: Kind,
    key: Key,
    keys: usize,
    clock: Clock,
}

/// What a code was given out for.
#[derive(Debug)]
struct Code {
    account: Account,
    nonce: String,
    challenge: String,
    callback: String,
}

impl State {
    pub(super) fn new(kind: Kind, client: String, secret: Option<String>, clock: Clock) -> Result<Self, Unspecified> {
        let account = Account { subject: "ann".to_owned(), partner: None, scope: String::new() };
        Ok(Self {
            base: String::new(),
            address: String::new(),
            client,
            secret,
            account,
            denies: false,
            wrong: None,
            access_client: None,
            asked: Vec::new(),
            codes: BTreeMap::new(),
            kind,
            key: Key::new(kind, "key-1".to_owned())?,
            keys: 1,
            clock,
        })
    }

    pub(super) fn change_key(&mut self) -> Result<(), Unspecified> {
        self.keys += 1;
        self.key = Key::new(self.kind, format!("key-{}", self.keys))?;
        Ok(())
    }

    /// The key set, with one of a kind that nobody knows.
    pub(super) fn keys(&self) -> Value {
        json!({"keys": [{"kty": "AKP", "kid": "of-tomorrow", "alg": "ML-DSA-44", "pub": "AA"}, self.key.shown()]})
    }

    /// A code for whoever signs in at the moment.
    pub(super) fn code(&mut self, nonce: &str, challenge: &str, callback: &str) -> Result<String, Unspecified> {
        let mut bytes = [0; 16];
        rand::fill(&mut bytes)?;
        let code = encoded(&bytes);
        let (nonce, challenge, callback) = (nonce.to_owned(), challenge.to_owned(), callback.to_owned());
        self.codes.insert(code.clone(), Code { account: self.account.clone(), nonce, challenge, callback });
        Ok(code)
    }

    /// The tokens for a code, once; nothing where it is none, or somebody else's.
    pub(super) fn tokens(&mut self, code: &str, verifier: &str, callback: &str) -> Result<Option<Value>, Unspecified> {
        let Some(given) = self.codes.remove(code) else { return Ok(None) };
        let challenge = encoded(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref());
        if given.challenge != challenge || given.callback != callback {
            return Ok(None);
        }
        Ok(Some(json!({
            "token_type": "Bearer",
            "expires_in": LIFE_S,
            "id_token": self.signed(Token::Id, self.identity(&given))?,
            "access_token": self.signed(Token::Access, self.access(&given.account))?,
        })))
    }

    fn identity(&self, given: &Code) -> Value {
        let now = self.clock.now().as_second();
        json!({
            "iss": self.base, "aud": self.client, "sub": given.account.subject, "nonce": given.nonce,
            "iat": now, "exp": now + LIFE_S,
        })
    }

    fn access(&self, account: &Account) -> Value {
        let now = self.clock.now().as_second();
        let mut claims = json!({
            "iss": self.base, "sub": account.subject, "scope": account.scope, "iat": now, "exp": now + LIFE_S,
        });
        match &self.access_client {
            Some(client) => claims["client_id"] = json!(client),
            None => claims["aud"] = json!([SAMPLE_AUDIENCE, format!("{}/userinfo", self.base)]),
        }
        if let Some(partner) = &account.partner {
            claims["partner_id"] = json!(partner);
        }
        claims
    }

    fn signed(&self, token: Token, mut claims: Value) -> Result<String, Unspecified> {
        let wrong = self.wrong.filter(|(of, _)| *of == token).map(|(_, wrong)| wrong);
        let now = self.clock.now().as_second();
        let mut header = json!({"typ": "JWT", "alg": self.key.algorithm(), "kid": self.key.name});
        match wrong {
            Some(Wrong::Nonce) => claims["nonce"] = json!("of another sign-in"),
            Some(Wrong::Audience) => {
                claims["aud"] = json!("somebody-else");
                claims["client_id"] = json!("somebody-else");
            }
            Some(Wrong::AuthorizedParty) => claims["azp"] = json!("somebody-else"),
            Some(Wrong::Issuer) => claims["iss"] = json!("https://another.example.com"),
            Some(Wrong::Expired) => claims["exp"] = json!(now - MISSED_S),
            Some(Wrong::Early) => claims["nbf"] = json!(now + MISSED_S),
            Some(Wrong::UnknownKey) => header["kid"] = json!("nobody-knows"),
            Some(Wrong::SignedWithPublicKey) => header["alg"] = json!("HS256"),
            Some(Wrong::Unsigned) => header["alg"] = json!("none"),
            Some(Wrong::Opaque) => return Ok("opaque-token".to_owned()),
            Some(Wrong::Forged | Wrong::Tampered) | None => {}
        }
        let message = format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()));
        let signature = match wrong {
            Some(Wrong::Unsigned) => Vec::new(),
            Some(Wrong::SignedWithPublicKey) => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, self.key.public());
                hmac::sign(&secret, message.as_bytes()).as_ref().to_vec()
            }
            Some(Wrong::UnknownKey | Wrong::Forged) => {
                Key::new(self.kind, "another".to_owned())?.sign(message.as_bytes())?
            }
            Some(Wrong::Tampered) => self.key.sign(b"something else")?,
            _ => self.key.sign(message.as_bytes())?,
        };
        Ok(format!("{message}.{}", encoded(&signature)))
    }
}
