//! Keys that sign tokens, made at the start, and how they are shown.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// What kind of key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// RS256, 2048 bits.
    Rsa,
    /// ES256.
    Ec,
}

/// A key with its name.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    pair: Pair,
}

#[derive(Debug)]
enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

impl Key {
    pub(super) fn new(kind: Kind, name: String) -> Result<Self, Unspecified> {
        let pair = match kind {
            Kind::Rsa => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?),
            Kind::Ec => Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
        };
        Ok(Self { name, pair })
    }

    /// `alg` of what it signs.
    pub(super) fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                Ok(signature)
            }
            Pair::Ec(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
        }
    }

    /// The public key's bytes.
    pub(super) fn public(&self) -> &[u8] {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref(),
            Pair::Ec(pair) => pair.public_key().as_ref(),
        }
    }

    /// As it stands in a key set (RFC 7517).
    pub(super) fn shown(&self) -> Value {
        let public = self.public();
        let mut shown = json!({"kid": self.name, "use": "sig", "alg": self.algorithm()});
        let own = match self.pair {
            // An RSAPublicKey of 2048 bits (RFC 8017, A.1.1): a head of 9 bytes, the modulus, `02 03`, the exponent 65537.
            Pair::Rsa(_) => json!({"kty": "RSA", "n": encoded(&public[9..265]), "e": encoded(&public[267..])}),
            // A point: `04`, then both coordinates.
            Pair::Ec(_) => {
                json!({"kty": "EC", "crv": "P-256", "x": encoded(&public[1..33]), "y": encoded(&public[33..])})
            }
        };
        if let (Some(shown), Value::Object(own)) = (shown.as_object_mut(), own) {
            shown.extend(own);
        }
        shown
    }
}

/// As JSON Web Tokens write bytes.
pub(super) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
