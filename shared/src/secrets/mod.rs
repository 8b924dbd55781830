//! The one secret of each connection, and of each webhook: read by what talks to the PSA or signs, written by what makes it.
//!
//! Two traits, because most functions only read. Where secrets lie is behind them: Secrets Manager (`aws`), sealed files on
//! one machine. A secret is a `SecretString` all the way and is never in the table.

pub mod aws;
mod cached;
mod name;

use async_trait::async_trait;
pub use cached::Cached;
pub use name::SecretName;
use secrecy::SecretString;

/// Longest time for which a secret may be kept in memory.
pub const CACHED_S: i64 = 300;

/// Reads secrets.
#[async_trait]
pub trait ReadSecrets: Send + Sync {
    /// The secret, or `None` where there is none.
    async fn read(&self, name: &SecretName) -> Result<Option<SecretString>, SecretsError>;
}

/// Reads one secret that an operator stored, whatever it is called.
#[async_trait]
pub trait ReadSecret: Send + Sync {
    /// The secret.
    async fn read(&self) -> Result<SecretString, SecretsError>;
}

/// Writes secrets.
#[async_trait]
pub trait WriteSecrets: Send + Sync {
    /// Stores a secret, in place of the one that is there.
    async fn put(&self, name: &SecretName, secret: &SecretString) -> Result<(), SecretsError>;

    /// Removes a secret for good. One that is not there is gone already.
    async fn delete(&self, name: &SecretName) -> Result<(), SecretsError>;
}

/// The secret store did not do what was asked. No message carries any part of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// No answer, or a refusal.
    #[error("the secret store is unavailable: {0}")]
    Unavailable(String),
    /// There is something, and it can't be opened.
    #[error("a secret can't be read: {0}")]
    Unreadable(String),
}
