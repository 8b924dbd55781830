//! The store on one machine: a DynamoDB engine inside this process, on a SQLite file or in memory.
//!
//! The functions talk to it with the same client as to AWS, over loopback. SQLite runs with a write-ahead log and
//! `synchronous = FULL` (its default, which the engine keeps): an answered write survives a crash and a power cut.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use dynoxide::Database;
use shared::store::{StoreError, Table, definition};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The table's name; there is one in each data folder.
const TABLE: &str = "tallyline";
/// File of the engine in the data folder.
const FILE: &str = "store.sqlite";

/// A running engine. Dropping it ends the service; what was written stays in the file.
pub struct Embedded {
    table: Table,
    engine: Database,
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

/// Why the engine does not run.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The file can't be opened.
    #[error("the store's file can't be opened: {0}")]
    Engine(String),
    /// No loopback port, or a data folder that can't be used.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The table can't be made.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Embedded {
    /// An engine on the file in `folder`, which must exist.
    ///
    /// # Errors
    /// The file can't be opened, or is of another kind.
    pub async fn open(folder: &Path) -> Result<Self, EmbeddedError> {
        let path = folder.join(FILE);
        let path = path.to_str().ok_or_else(|| EmbeddedError::Engine("the path is not UTF-8".to_owned()))?;
        let engine = Database::new(path).map_err(|e| EmbeddedError::Engine(e.to_string()))?;
        Self::serve(engine).await
    }

    /// An engine that forgets everything, for tests.
    ///
    /// # Errors
    /// There is no loopback port.
    pub async fn in_memory() -> Result<Self, EmbeddedError> {
        Self::serve(Database::memory().map_err(|e| EmbeddedError::Engine(e.to_string()))?).await
    }

    async fn serve(engine: Database) -> Result<Self, EmbeddedError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let served = engine.clone();
        tokio::spawn(async move {
            let asked_to_stop = async move {
                stopped.await.ok();
            };
            if let Err(error) = dynoxide::server::serve_with_shutdown(listener, served, asked_to_stop).await {
                tracing::error!(error, "the embedded store stopped");
            }
        });
        let client = client(address);
        definition::create_if_missing(&client, TABLE).await?;
        Ok(Self { table: Table::new(client, TABLE), engine, address, _stop: stop })
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        self.table.clone()
    }

    /// Where the engine listens, for a DynamoDB client of one's own.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Removes the rows whose time is over, as AWS does by itself. Answers how many.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn remove_expired(&self) -> Result<usize, EmbeddedError> {
        self.engine.sweep_ttl().map_err(|e| EmbeddedError::Engine(e.to_string()))
    }
}

/// A client that reads nothing from the environment. The engine checks no signature: the credentials only have to be there.
fn client(address: SocketAddr) -> Client {
    // Later behaviour versions take a proxy from the environment, which must not get between us and loopback.
    #[expect(deprecated, reason = "the last behaviour version that reads no proxy from the environment")]
    let behaviour = BehaviorVersion::v2025_01_17();
    let config = Config::builder()
        .behavior_version(behaviour)
        .endpoint_url(format!("http://{address}"))
        .region(Region::from_static("local"))
        .credentials_provider(Credentials::new("local", "local", None, None, "embedded"))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(TimeoutConfig::builder().operation_timeout(std::time::Duration::from_secs(30)).build())
        .build();
    Client::from_conf(config)
}

#[cfg(test)]
mod tests {
    use shared::store::{Condition, Key, Read};

    use super::*;

    fn key() -> Key {
        Key { pk: "P#p".to_owned(), sk: "CONN#c".to_owned() }
    }

    #[tokio::test]
    async fn what_was_written_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let first = Embedded::open(folder.path()).await.unwrap();
        let row = serde_json::json!({ "name": "Nordwind" });
        assert!(first.table().put(&key(), &row, &Condition::absent()).await.unwrap());
        assert!(!first.table().put(&key(), &row, &Condition::absent()).await.unwrap());
        drop(first);
        let again = Embedded::open(folder.path()).await.unwrap();
        let found: serde_json::Value = again.table().get(&key(), Read::Consistent).await.unwrap().unwrap();
        assert_eq!(found["name"], "Nordwind");
    }

    #[tokio::test]
    async fn two_engines_in_memory_share_nothing() {
        let (one, two) = (Embedded::in_memory().await.unwrap(), Embedded::in_memory().await.unwrap());
        one.table().put(&key(), &serde_json::json!({}), &Condition::absent()).await.unwrap();
        let found: Option<serde_json::Value> = two.table().get(&key(), Read::Consistent).await.unwrap();
        assert_eq!(found, None);
    }
}
