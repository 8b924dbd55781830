//! One-time codes as an authenticator app makes them (RFC 6238: HMAC-SHA-1, 30 seconds, six digits).
//!
//! Kaseya's help names no other settings. The HMAC is that of the TLS library, which every function carries anyway.

use aws_lc_rs::hmac;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

const STEP_S: u64 = 30;
const DIGITS: usize = 6;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The number of the 30 seconds that `at` lies in; none before 1970.
pub(super) fn step(at: Timestamp) -> Option<u64> {
    Some(u64::try_from(at.as_second()).ok()? / STEP_S)
}

/// Seconds until the next code, at least one.
pub(super) fn seconds_left(at: Timestamp) -> u32 {
    let gone = u64::try_from(at.as_second()).unwrap_or_default() % STEP_S;
    u32::try_from(STEP_S - gone).unwrap_or(1)
}

/// The code of a step; none where the secret is no base32, or an empty one.
pub(super) fn code(secret: &SecretString, step: u64) -> Option<SecretString> {
    Some(digits(&base32(secret.expose_secret())?, step, DIGITS).into())
}

/// RFC 4226: the last digits of 31 bits, found where the last nibble of the MAC points.
fn digits(secret: &[u8], step: u64, count: usize) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let mac = tag.as_ref();
    let place = usize::from(mac.last().copied().unwrap_or_default() & 0x0F);
    let four = mac.get(place..place + 4).unwrap_or_default();
    let number = four.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte)) & 0x7FFF_FFFF;
    let text = format!("{number:010}");
    text.get(text.len() - count..).unwrap_or_default().to_owned()
}

/// Bytes of a base32 text (RFC 4648) as people copy it: in either case, with or without padding, spaces and hyphens.
fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.bytes().filter(|letter| !matches!(letter, b' ' | b'=' | b'-')) {
        let value = ALPHABET.iter().position(|known| *known == letter.to_ascii_uppercase())?;
        held = (held << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xFF).ok()?);
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_rfc_6238_appendix_b() {
        for (second, expected) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let step = step(Timestamp::from_second(second).unwrap()).unwrap();
            assert_eq!(digits(b"12345678901234567890", step, 8), expected, "{second}");
            let same = code(&"gezd gnbv gy3t-qojq GEZDGNBVGY3TQOJQ====".into(), step).unwrap();
            assert_eq!(same.expose_secret(), &expected[2..], "{second}");
        }
    }

    #[test]
    fn a_secret_that_is_no_base32_makes_no_code() {
        for bad in ["", " ", "A", "JBSWY3DPEHPK3PX1", "JBSWY3DPEHPK3PXÄ"] {
            assert!(code(&bad.into(), 1).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_code_changes_every_thirty_seconds() {
        let left = |second| seconds_left(Timestamp::from_second(second).unwrap());
        assert_eq!([left(0), left(1), left(29), left(30)], [30, 29, 1, 30]);
    }
}
