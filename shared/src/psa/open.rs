//! From a partner's connection to a connector that is logged in: the row, its secret, the registry.
//!
//! The one place where a connection's credentials are taken out; catalogue look-ups, mappings and the sync all come this
//! way, and what they get stands behind the connection's circuit breaker. Whether the PSA still accepts the credentials is
//! only known once something is asked of it.

use std::sync::Arc;

use super::Connector;
use super::credentials::{Credentials, InvalidSecret};
use super::guarded::Circuits;
use super::registry::Registry;
use crate::clock::Clock;
use crate::domain::breaker::Call;
use crate::domain::ids::{ConnectionId, PartnerId};
use crate::secrets::{ReadSecrets, SecretName, SecretsError};
use crate::store::breakers::Breakers;
use crate::store::connections::{Connection, Connections, Status};
use crate::store::lines::Tenancy;
use crate::store::notes::Notes;
use crate::store::{Read, StoreError, Table};

/// What it takes to open connections.
#[derive(Clone)]
pub struct Opener {
    connections: Connections,
    secrets: Arc<dyn ReadSecrets>,
    registry: Registry,
    circuits: Circuits,
    notes: Notes,
}

/// A connection and a connector for it.
pub struct Opened {
    /// The row.
    pub connection: Connection,
    /// Holds the credentials; for one run or request.
    pub connector: Arc<dyn Connector>,
}

/// Why a connection was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The partner has no such connection.
    #[error("there is no such connection")]
    NotFound,
    /// The partner ended it.
    #[error("the connection is revoked")]
    Revoked,
    /// Its credentials are not there, though it was not revoked.
    #[error("the credentials of the connection are missing; send them again")]
    NoCredentials,
    /// What is there is not what we stored.
    #[error(transparent)]
    Unreadable(#[from] InvalidSecret),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret store.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

impl Opener {
    /// Opens the connections in `table`, whose credentials are in `secrets`.
    #[must_use]
    pub fn new(table: &Table, secrets: Arc<dyn ReadSecrets>, registry: Registry, clock: Arc<dyn Clock>) -> Self {
        Self {
            connections: Connections::new(table.clone()),
            secrets,
            registry,
            circuits: Circuits::new(Breakers::new(table.clone()), clock),
            notes: Notes::new(table.clone()),
        }
    }

    /// The circuits that its connectors stand behind.
    #[must_use]
    pub fn circuits(&self) -> &Circuits {
        &self.circuits
    }

    /// A connection that is not revoked.
    ///
    /// # Errors
    /// There is none, it is revoked, or the store is unavailable.
    pub async fn connection(&self, partner: &PartnerId, id: &ConnectionId) -> Result<Connection, OpenError> {
        let found = self.connections.get(partner, id, Read::Consistent).await?;
        let connection = found.ok_or(OpenError::NotFound)?;
        if connection.status == Status::Revoked { Err(OpenError::Revoked) } else { Ok(connection) }
    }

    /// Opens the PSA behind a connection that is not revoked.
    ///
    /// # Errors
    /// As [`Opener::connection`], or its credentials can't be had.
    pub async fn open(&self, partner: &PartnerId, id: &ConnectionId) -> Result<Opened, OpenError> {
        let connection = self.connection(partner, id).await?;
        let connector = self.connector(&connection).await?;
        Ok(Opened { connection, connector })
    }

    /// As [`Opener::open`], for a person who wants to see whether the connection works: one read goes out though the
    /// circuit is open, if refused credentials were not tried within the last minute.
    ///
    /// # Errors
    /// As [`Opener::open`].
    pub async fn open_in_person(&self, partner: &PartnerId, id: &ConnectionId) -> Result<Opened, OpenError> {
        let connection = self.connection(partner, id).await?;
        let connector = self.guarded(&connection, Call::InPerson).await?;
        Ok(Opened { connection, connector })
    }

    /// A connector for a connection that was read already.
    ///
    /// # Errors
    /// Its credentials can't be had, or its circuit can't be asked.
    pub async fn connector(&self, connection: &Connection) -> Result<Arc<dyn Connector>, OpenError> {
        self.guarded(connection, Call::Read).await
    }

    async fn guarded(&self, connection: &Connection, read: Call) -> Result<Arc<dyn Connector>, OpenError> {
        let name = SecretName::of(&connection.partner, &connection.id);
        let secret = self.secrets.read(&name).await?.ok_or(OpenError::NoCredentials)?;
        let notebook = Arc::new(self.notes.of(&Tenancy::of(connection)));
        let connector = self.registry.open(&connection.endpoint, Credentials::from_secret(&secret)?, notebook);
        Ok(Arc::new(self.circuits.guard(connector, (&connection.partner, &connection.id), read).await?))
    }
}
