//! Secrets Manager: one secret a connection, under a prefix that the function's policy is limited to.

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use secrecy::{ExposeSecret as _, SecretString};

use super::{ReadSecret, ReadSecrets, SecretName, SecretsError, WriteSecrets};

/// Secrets in Secrets Manager. Put it in [`super::Cached`]: every read is billed.
#[derive(Debug, Clone)]
pub struct SecretsManager {
    client: Client,
    prefix: String,
}

impl SecretsManager {
    /// Secrets named `{prefix}/{partner}/{connection}`.
    #[must_use]
    pub fn new(client: Client, prefix: impl Into<String>) -> Self {
        Self { client, prefix: prefix.into() }
    }

    fn id(&self, name: &SecretName) -> String {
        format!("{}/{name}", self.prefix)
    }

    async fn replace(&self, id: &str, secret: &SecretString) -> Result<bool, SecretsError> {
        let sent = self.client.put_secret_value().secret_id(id).secret_string(secret.expose_secret()).send().await;
        match sent {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(false),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

#[async_trait]
impl ReadSecrets for SecretsManager {
    async fn read(&self, name: &SecretName) -> Result<Option<SecretString>, SecretsError> {
        found(&self.client, self.id(name)).await
    }
}

/// One secret under a name of the operator's.
#[derive(Debug, Clone)]
pub struct Named {
    client: Client,
    name: String,
}

impl Named {
    /// The secret `name`.
    #[must_use]
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }
}

#[async_trait]
impl ReadSecret for Named {
    async fn read(&self) -> Result<SecretString, SecretsError> {
        let found = found(&self.client, self.name.clone()).await?;
        found.ok_or_else(|| SecretsError::Unreadable(format!("there is no secret {}", self.name)))
    }
}

async fn found(client: &Client, id: String) -> Result<Option<SecretString>, SecretsError> {
    match client.get_secret_value().secret_id(id).send().await {
        Ok(found) => Ok(found.secret_string.map(SecretString::from)),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(unavailable(&error)),
    }
}

#[async_trait]
impl WriteSecrets for SecretsManager {
    async fn put(&self, name: &SecretName, secret: &SecretString) -> Result<(), SecretsError> {
        let id = self.id(name);
        if self.replace(&id, secret).await? {
            return Ok(());
        }
        match self.client.create_secret().name(&id).secret_string(secret.expose_secret()).send().await {
            Ok(_) => Ok(()),
            // Somebody created it in between.
            Err(error) if error.code() == Some("ResourceExistsException") => match self.replace(&id, secret).await? {
                true => Ok(()),
                false => Err(SecretsError::Unavailable("it comes and goes".to_owned())),
            },
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretsError> {
        // No recovery window: a partner who revokes is told that the secret is gone.
        let sent =
            self.client.delete_secret().secret_id(self.id(name)).force_delete_without_recovery(true).send().await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

/// The service's code alone: its messages may quote parts of the request.
fn unavailable<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> SecretsError {
    let code = error.code().map_or_else(|| kind(error).to_owned(), str::to_owned);
    SecretsError::Unavailable(code)
}

fn kind<E, R>(error: &SdkError<E, R>) -> &'static str {
    match error {
        SdkError::ConstructionFailure(_) => "the request could not be built",
        SdkError::TimeoutError(_) => "timed out",
        SdkError::DispatchFailure(_) => "not reached",
        _ => "answered something else",
    }
}
