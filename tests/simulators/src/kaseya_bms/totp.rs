//! One-time codes as an authenticator app makes them: RFC 6238 with HMAC-SHA-1, 30 seconds, six digits.
//!
//! Owns the code for a moment and the reading of the shared secret (base32, RFC 4648). Who needs a code, and what a wrong one
//! does, is `logins`'.

use aws_lc_rs::hmac;
use jiff::Timestamp;

const STEP_S: u64 = 30;
const DIGITS: usize = 6;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The six digits for a base32 secret at a moment. None if the secret is no base32, or the moment is before 1970.
#[must_use]
pub fn code(secret: &str, at: Timestamp) -> Option<String> {
    Some(digits(&base32(secret)?, step(at)?, DIGITS))
}

/// The step a code belongs to: the present one, or the one before or after, as clocks differ.
pub(crate) fn matching_step(secret: &str, sent: &str, at: Timestamp) -> Option<u64> {
    let (secret, now) = (base32(secret)?, step(at)?);
    let near = [Some(now), now.checked_sub(1), now.checked_add(1)];
    near.into_iter().flatten().find(|&step| digits(&secret, step, DIGITS) == sent.trim())
}

fn step(at: Timestamp) -> Option<u64> {
    Some(u64::try_from(at.as_second()).ok()? / STEP_S)
}

/// RFC 4226: the last digits of 31 bits, found where the last nibble of the MAC points.
fn digits(secret: &[u8], step: u64, count: usize) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let mac = tag.as_ref();
    let place = usize::from(mac.last().copied().unwrap_or_default() & 0x0F);
    let number = mac
        .get(place..place + 4)
        .unwrap_or_default()
        .iter()
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let text = format!("{:010}", number & 0x7FFF_FFFF);
    text.get(text.len() - count..).unwrap_or_default().to_owned()
}

/// Bytes of a base32 text, in either case, with or without padding and spaces.
fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.bytes().filter(|letter| !matches!(letter, b' ' | b'=' | b'-')) {
        let value = ALPHABET.iter().position(|known| *known == letter.to_ascii_uppercase())?;
        held = (held << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xFF).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_rfc_6238_appendix_b() {
        let vectors = [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ];
        for (second, expected) in vectors {
            let at = Timestamp::from_second(second).unwrap();
            assert_eq!(digits(b"12345678901234567890", step(at).unwrap(), 8), expected, "{second}");
            assert_eq!(code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at).unwrap(), expected[2..], "{second}");
        }
    }

    #[test]
    fn base32_is_read_as_rfc_4648_writes_it() {
        let vectors = [("", ""), ("MY======", "f"), ("MZXQ====", "fo"), ("MZXW6===", "foo"), ("mzxw 6ytboi", "foobar")];
        for (text, bytes) in vectors {
            assert_eq!(base32(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(base32("MZXW1"), None);
    }

    #[test]
    fn a_code_is_good_one_step_early_or_late_and_not_two() {
        let secret = "JBSWY3DPEHPK3PXP";
        let at = |second| Timestamp::from_second(second).unwrap();
        let sent = code(secret, at(3_000)).unwrap();
        let good = |second| matching_step(secret, &sent, at(second));
        assert_eq!(
            [good(2_939), good(2_970), good(3_000), good(3_059), good(3_060)],
            [None, Some(100), Some(100), Some(100), None]
        );
    }
}
