//! The secret that signs what a webhook is sent, and its predecessor for a day after it was replaced.
//!
//! A secret is `whsec_` and 32 random bytes in base64. Both signatures are sent while both are valid, so that a receiver
//! changes over when it likes.

use std::fmt;

use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a new key; Standard Webhooks asks for 24 to 64.
const KEY_BYTES: usize = 32;
/// For how long a replaced secret is still signed with.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// A secret, as its receiver has it.
#[derive(Clone)]
pub struct SigningKey(SecretString);

/// The secrets of one webhook.
#[derive(Clone)]
pub struct Keys {
    current: SigningKey,
    previous: Option<(SigningKey, Timestamp)>,
}

/// The secrets can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// There is no randomness.
    #[error("this machine gives no randomness")]
    NoRandomness,
    /// What is stored is no secret of a webhook.
    #[error("the secret of a webhook can't be read")]
    Unreadable,
}

/// As they lie in the secret store.
#[derive(Serialize, Deserialize)]
struct Stored {
    current: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Previous>,
}

#[derive(Serialize, Deserialize)]
struct Previous {
    secret: String,
    until: Timestamp,
}

impl SigningKey {
    /// A new one.
    ///
    /// # Errors
    /// [`KeysError::NoRandomness`].
    pub fn fresh() -> Result<Self, KeysError> {
        let mut bytes = [0; KEY_BYTES];
        rand::fill(&mut bytes).map_err(|_| KeysError::NoRandomness)?;
        Ok(Self(format!("{PREFIX}{}", STANDARD.encode(bytes)).into()))
    }

    /// The secret, to be shown to its owner once.
    #[must_use]
    pub fn reveal(&self) -> &SecretString {
        &self.0
    }

    /// `v1,` and the signature.
    ///
    /// # Errors
    /// [`KeysError::Unreadable`].
    pub fn sign(&self, id: &str, at_s: i64, body: &[u8]) -> Result<String, KeysError> {
        let text = self.0.expose_secret().strip_prefix(PREFIX).ok_or(KeysError::Unreadable)?;
        let bytes = STANDARD.decode(text).map_err(|_| KeysError::Unreadable)?;
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &bytes));
        context.update(format!("{id}.{at_s}.").as_bytes());
        context.update(body);
        Ok(format!("v1,{}", STANDARD.encode(context.sign())))
    }
}

impl Keys {
    /// Of a new webhook.
    #[must_use]
    pub fn of(key: SigningKey) -> Self {
        Self { current: key, previous: None }
    }

    /// With `key` in the place of the current one, which is signed with for a day from `now`.
    #[must_use]
    pub fn replaced(self, key: SigningKey, now: Timestamp) -> Self {
        let until = now.saturating_add(OVERLAP).unwrap_or(now);
        Self { current: key, previous: Some((self.current, until)) }
    }

    /// Every signature that is valid at `now`, separated by spaces.
    ///
    /// # Errors
    /// [`KeysError::Unreadable`].
    pub fn signatures(&self, id: &str, now: Timestamp, body: &[u8]) -> Result<String, KeysError> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until).map(|(key, _)| key);
        let signed = [Some(&self.current), previous].into_iter().flatten();
        let signed: Result<Vec<_>, _> = signed.map(|key| key.sign(id, now.as_second(), body)).collect();
        Ok(signed?.join(" "))
    }

    /// What is stored.
    #[must_use]
    pub fn stored(&self) -> SecretString {
        let text = |key: &SigningKey| key.0.expose_secret().to_owned();
        let previous = self.previous.as_ref().map(|(key, until)| Previous { secret: text(key), until: *until });
        let stored = Stored { current: text(&self.current), previous };
        // Texts and a timestamp can always be written as JSON.
        serde_json::to_string(&stored).unwrap_or_default().into()
    }

    /// From what is stored.
    ///
    /// # Errors
    /// [`KeysError::Unreadable`].
    pub fn read(stored: &SecretString) -> Result<Self, KeysError> {
        let stored: Stored = serde_json::from_str(stored.expose_secret()).map_err(|_| KeysError::Unreadable)?;
        let previous = stored.previous.map(|previous| (SigningKey(previous.secret.into()), previous.until));
        Ok(Self { current: SigningKey(stored.current.into()), previous })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> SigningKey {
        SigningKey(text.to_owned().into())
    }

    /// The example of the libraries of Standard Webhooks.
    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let signed = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_replaced_secret_is_signed_with_for_a_day() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let (old, new) = (SigningKey::fresh().unwrap(), SigningKey::fresh().unwrap());
        let keys = Keys::of(old.clone()).replaced(new.clone(), now);
        let keys = Keys::read(&keys.stored()).unwrap();
        let at = |hours: i64| now + SignedDuration::from_hours(hours);
        let sign = |key: &SigningKey, at: Timestamp| key.sign("e", at.as_second(), b"{}").unwrap();
        assert_eq!(
            keys.signatures("e", at(23), b"{}").unwrap(),
            format!("{} {}", sign(&new, at(23)), sign(&old, at(23)))
        );
        assert_eq!(keys.signatures("e", at(24), b"{}").unwrap(), sign(&new, at(24)));
    }

    #[test]
    fn no_two_secrets_are_alike_and_none_shows() {
        let (one, other) = (SigningKey::fresh().unwrap(), SigningKey::fresh().unwrap());
        assert_ne!(one.reveal().expose_secret(), other.reveal().expose_secret());
        assert_eq!(format!("{one:?} {:?}", Keys::of(one.clone())), "SigningKey Keys");
        assert_eq!(key("nonsense").sign("e", 0, b"").unwrap_err(), KeysError::Unreadable);
        assert!(Keys::read(&"nonsense".to_owned().into()).is_err());
    }
}
