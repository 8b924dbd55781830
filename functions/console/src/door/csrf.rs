//! The token that shows that a form came from a page of ours, made from the session's secret.
//!
//! It looks different on each page, so that its compressed length tells nobody anything.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::client::Trouble;

const BYTES: usize = 32;

/// A secret that nobody can guess.
pub(super) fn fresh_secret() -> Result<String, Trouble> {
    random().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// A token of the session with this secret.
pub(super) fn token(secret: &str) -> Result<String, Trouble> {
    let pad = random()?;
    let mut bytes = pad.to_vec();
    bytes.extend(masked(&pad, &meant(secret)));
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether `token` is one of the session with this secret.
pub(super) fn is_of(token: &str, secret: &str) -> bool {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return false };
    let Some((pad, masking)) = bytes.split_at_checked(BYTES) else { return false };
    verify_slices_are_equal(&masked(pad, masking), &meant(secret)).is_ok()
}

fn meant(secret: &str) -> Vec<u8> {
    Sha256::digest(format!("form {secret}")).to_vec()
}

fn masked(pad: &[u8], bytes: &[u8]) -> Vec<u8> {
    pad.iter().zip(bytes).map(|(one, other)| one ^ other).collect()
}

fn random() -> Result<[u8; BYTES], Trouble> {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).map_err(Trouble::ours)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_its_session_alone_and_never_looks_the_same() {
        let (one, another) = (token("secret").unwrap(), token("secret").unwrap());
        assert_ne!(one, another);
        assert!(is_of(&one, "secret") && is_of(&another, "secret"));
        let none = URL_SAFE_NO_PAD.encode([0; BYTES]);
        for (token, secret) in [(one.as_str(), "other"), ("", "secret"), ("!", "secret"), (&none, "secret")] {
            assert!(!is_of(token, secret), "{token}");
        }
    }
}
