//! Changes of a connection that are history: made by people, or a change of status that the service met. Each is stored in
//! one transaction with its entry in the journal. What the engine keeps for itself in the same row is [`Bookkeeping`]: it
//! costs one write and leaves no entry, and through it nothing else of the row can be reached.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Connection, Connections, EDIT_ATTEMPTS, Status, seconds};
use crate::domain::difference::{Difference, Fields};
use crate::domain::ids::{ConnectionId, PartnerId, RunId};
use crate::psa::Endpoint;
use crate::store::journal::{Act, By};
use crate::store::{Condition, Read, StoreError, schema};

/// What was done to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionAct {
    /// It was made.
    Created,
    /// Its settings were changed.
    Changed,
    /// Its credentials were replaced.
    CredentialsReplaced,
    /// The PSA turned it away.
    CredentialsRejected,
    /// The PSA lets it in again.
    CredentialsAccepted,
    /// It was ended.
    Revoked,
}

/// What the engine keeps for itself in a connection's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookkeeping {
    /// As [`Connection::next_due_at`].
    pub next_due_at: Option<Timestamp>,
    /// As [`Connection::current_run`].
    pub current_run: Option<RunId>,
    /// As [`Connection::first_run_approved`].
    pub first_run_approved: bool,
    /// As [`Connection::first_run_approved_at`].
    pub first_run_approved_at: Option<Timestamp>,
}

impl Bookkeeping {
    /// Notes that a person approved all of a run at `now`. `false`: that was noted before, and stays.
    pub fn pass_first_run(&mut self, now: Timestamp) -> bool {
        let first = !std::mem::replace(&mut self.first_run_approved, true);
        if first {
            self.first_run_approved_at = Some(seconds(now));
        }
        first
    }
}

impl Connections {
    /// Stores a new connection, made by `by`. `false`: the id is taken, nothing was written.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn create(&self, connection: &Connection, by: &By) -> Result<bool, StoreError> {
        let Connection { partner, id, version, .. } = connection;
        let mut made = settings(connection)?;
        made.insert("psa".to_owned(), connection.psa.as_str().into());
        made.insert("tenant".to_owned(), connection.endpoint.tenant.as_str().into());
        let made = Difference { before: Fields::new(), after: made };
        let act = Act::of_connection(ConnectionAct::Created, by, *version, made);
        let row = connection.clone().indexed();
        let writes = vec![
            self.table.write_put(&schema::connection(partner, id), &row, &Condition::absent())?,
            self.table.write_act(partner, id, &act)?,
        ];
        self.table.transact(writes).await
    }

    /// Reads, changes and writes a connection in the name of `by`, anew where another writer was first, together with the
    /// entry that tells of it. `None`: there is none. `change` answers whether there is anything to write; it may run
    /// several times.
    ///
    /// # Errors
    /// The store is unavailable, or others kept writing.
    pub async fn edit(
        &self,
        partner: &PartnerId,
        id: &ConnectionId,
        by: &By,
        mut change: impl FnMut(&mut Connection) -> bool,
    ) -> Result<Option<Connection>, StoreError> {
        self.try_edit(partner, id, by, |connection| Ok(change(connection))).await
    }

    /// As [`Connections::edit`], with a change that may be refused in view of what is there.
    ///
    /// # Errors
    /// What `change` refuses; the store is unavailable, or others kept writing.
    pub async fn try_edit<E: From<StoreError>>(
        &self,
        partner: &PartnerId,
        id: &ConnectionId,
        by: &By,
        mut change: impl FnMut(&mut Connection) -> Result<bool, E>,
    ) -> Result<Option<Connection>, E> {
        for _ in 0..EDIT_ATTEMPTS {
            let Some(before) = self.get(partner, id, Read::Consistent).await? else { return Ok(None) };
            let mut connection = before.clone();
            if !change(&mut connection)? {
                return Ok(Some(connection));
            }
            if let Some(written) = self.write(&before, connection, by, None).await? {
                return Ok(Some(written));
            }
        }
        Err(contended().into())
    }

    /// Notes that `by` has replaced the credentials with ones that reach `endpoint`: the connection can be used again. One
    /// that is revoked stays as it is. `None`: there is none.
    ///
    /// # Errors
    /// The store is unavailable, or others kept writing.
    pub async fn credentials_replaced(
        &self,
        partner: &PartnerId,
        id: &ConnectionId,
        by: &By,
        endpoint: &Endpoint,
    ) -> Result<Option<Connection>, StoreError> {
        for _ in 0..EDIT_ATTEMPTS {
            let Some(before) = self.get(partner, id, Read::Consistent).await? else { return Ok(None) };
            if before.status == Status::Revoked {
                return Ok(Some(before));
            }
            let mut replaced = Connection { status: Status::Active, endpoint: endpoint.clone(), ..before.clone() };
            replaced.touch(by.at);
            let act = Some(ConnectionAct::CredentialsReplaced);
            if let Some(written) = self.write(&before, replaced, by, act).await? {
                return Ok(Some(written));
            }
        }
        Err(contended())
    }

    /// Revokes a connection; the row stays. A second time changes nothing. `None`: there is none.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn revoke(
        &self,
        partner: &PartnerId,
        id: &ConnectionId,
        by: &By,
    ) -> Result<Option<Connection>, StoreError> {
        self.edit(partner, id, by, |connection| {
            let before = connection.status;
            connection.revoke(by.at);
            before != Status::Revoked
        })
        .await
    }

    /// Notes the engine's own in a connection's row, anew where another writer was first. Answers whether the connection is
    /// there. `change` answers whether there is anything to write; it may run several times.
    ///
    /// # Errors
    /// The store is unavailable, or others kept writing.
    pub async fn note(
        &self,
        partner: &PartnerId,
        id: &ConnectionId,
        mut change: impl FnMut(&mut Bookkeeping) -> bool,
    ) -> Result<bool, StoreError> {
        for _ in 0..EDIT_ATTEMPTS {
            let Some(connection) = self.get(partner, id, Read::Consistent).await? else { return Ok(false) };
            let Connection { next_due_at, current_run, first_run_approved, first_run_approved_at, .. } =
                connection.clone();
            let mut kept = Bookkeeping { next_due_at, current_run, first_run_approved, first_run_approved_at };
            if !change(&mut kept) {
                return Ok(true);
            }
            let Bookkeeping { next_due_at, current_run, first_run_approved, first_run_approved_at } = kept;
            let noted =
                Connection { next_due_at, current_run, first_run_approved, first_run_approved_at, ..connection };
            let read = noted.version;
            let row = noted.into_next_version();
            let same = Condition::new("#version = :read").bind(":read", read)?;
            if self.table.put(&schema::connection(partner, id), &row, &same).await? {
                return Ok(true);
            }
        }
        Err(contended())
    }

    /// Replaces the row `before` and says so in the journal, both or neither. `None`: somebody else wrote it in between.
    async fn write(
        &self,
        before: &Connection,
        changed: Connection,
        by: &By,
        act: Option<ConnectionAct>,
    ) -> Result<Option<Connection>, StoreError> {
        let difference = Difference::between(&settings(before)?, &settings(&changed)?);
        let act = act.unwrap_or_else(|| what_was_done(before, &changed));
        let key = schema::connection(&before.partner, &before.id);
        let row = changed.into_next_version();
        let act = Act::of_connection(act, by, row.version, difference);
        let same = Condition::new("#version = :read").bind(":read", before.version)?;
        let writes =
            vec![self.table.write_put(&key, &row, &same)?, self.table.write_act(&before.partner, &before.id, &act)?];
        Ok(self.table.transact(writes).await?.then_some(row))
    }
}

impl Connection {
    fn into_next_version(self) -> Self {
        Self { version: self.version + 1, ..self }.indexed()
    }
}

fn contended() -> StoreError {
    StoreError::Unavailable("a connection is written by too many at once".to_owned())
}

fn what_was_done(before: &Connection, after: &Connection) -> ConnectionAct {
    match (before.status, after.status) {
        (was, is) if was == is => ConnectionAct::Changed,
        (_, Status::Revoked) => ConnectionAct::Revoked,
        (_, Status::CredentialsRejected) => ConnectionAct::CredentialsRejected,
        (_, Status::Active) => ConnectionAct::CredentialsAccepted,
    }
}

/// What people see and set of a connection. The credentials are not in the row, so they can't be in here.
fn settings(of: &Connection) -> Result<Fields, StoreError> {
    let Connection { name, time_zone, schedule, invoice, policy, enabled, status, .. } = of;
    let json = |name: &str, value: serde_json::Result<Value>| {
        value.map(|value| (name.to_owned(), value)).map_err(|error| StoreError::Corrupt(error.to_string()))
    };
    [
        json("name", serde_json::to_value(name)),
        json("time_zone", serde_json::to_value(time_zone)),
        json("schedule", serde_json::to_value(schedule)),
        json("invoice", serde_json::to_value(invoice)),
        json("policy", serde_json::to_value(policy)),
        json("enabled", serde_json::to_value(enabled)),
        json("status", serde_json::to_value(status)),
    ]
    .into_iter()
    .collect()
}
