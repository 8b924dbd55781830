//! Keeps secrets in memory for a short time, so that a run does not ask for one at every step.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::{CACHED_S, ReadSecrets, SecretName, SecretsError, WriteSecrets};
use crate::clock::Clock;

/// A secret store with a memory of at most [`CACHED_S`] seconds. Its own writes are seen at once; those of others after
/// that time at the latest.
pub struct Cached<S> {
    store: S,
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<SecretName, (Timestamp, SecretString)>>,
}

impl<S> Cached<S> {
    /// Remembers what `store` answers.
    pub fn new(store: S, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, kept: Mutex::default() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<SecretName, (Timestamp, SecretString)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, name: &SecretName) -> Option<SecretString> {
        let now = self.clock.now();
        let mut kept = self.kept();
        // All that is too old goes, not only what is asked for: a secret must not outlive its time in memory.
        kept.retain(|_, (at, _)| now.duration_since(*at) < SignedDuration::from_secs(CACHED_S));
        kept.get(name).map(|(_, secret)| secret.clone())
    }
}

#[async_trait]
impl<S: ReadSecrets> ReadSecrets for Cached<S> {
    async fn read(&self, name: &SecretName) -> Result<Option<SecretString>, SecretsError> {
        if let Some(secret) = self.remembered(name) {
            return Ok(Some(secret));
        }
        let asked_at = self.clock.now();
        let found = self.store.read(name).await?;
        if let Some(secret) = &found {
            self.kept().insert(name.clone(), (asked_at, secret.clone()));
        }
        Ok(found)
    }
}

#[async_trait]
impl<S: WriteSecrets> WriteSecrets for Cached<S> {
    async fn put(&self, name: &SecretName, secret: &SecretString) -> Result<(), SecretsError> {
        let written = self.store.put(name, secret).await;
        self.kept().remove(name);
        written
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretsError> {
        let deleted = self.store.delete(name).await;
        self.kept().remove(name);
        deleted
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[derive(Default)]
    struct Hand(Mutex<i64>);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(*self.0.lock().unwrap()).unwrap()
        }
    }

    /// Answers a new text at every read.
    #[derive(Default)]
    struct Counting(Mutex<u32>);

    #[async_trait]
    impl ReadSecrets for Counting {
        async fn read(&self, _: &SecretName) -> Result<Option<SecretString>, SecretsError> {
            let mut reads = self.0.lock().unwrap();
            *reads += 1;
            Ok(Some(reads.to_string().into()))
        }
    }

    #[async_trait]
    impl WriteSecrets for Counting {
        async fn put(&self, _: &SecretName, _: &SecretString) -> Result<(), SecretsError> {
            Ok(())
        }
        async fn delete(&self, _: &SecretName) -> Result<(), SecretsError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_secret_is_remembered_for_five_minutes_and_not_past_a_write() {
        let hand = Arc::new(Hand::default());
        let cached = Cached::new(Counting::default(), hand.clone());
        let name = SecretName::of(&"p".parse().unwrap(), &"c".parse().unwrap());
        let read = async || cached.read(&name).await.unwrap().unwrap().expose_secret().to_owned();
        assert_eq!(read().await, "1");
        *hand.0.lock().unwrap() = CACHED_S - 1;
        assert_eq!(read().await, "1");
        *hand.0.lock().unwrap() = CACHED_S;
        assert_eq!(read().await, "2");
        cached.put(&name, &"x".to_owned().into()).await.unwrap();
        assert_eq!(read().await, "3");
        cached.delete(&name).await.unwrap();
        assert_eq!(read().await, "4");
    }
}
