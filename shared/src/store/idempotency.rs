//! Requests that were sent under an idempotency key: what they asked for (as a hash) and what they were answered.
//!
//! A row is claimed before the work and completed after it. The claim keeps the id that the work gives to what it makes,
//! so that a request which died halfway and is sent again makes the same thing and not a second one. Rows go after a day.
//! What was asked is stored as a hash only: it may have held credentials.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Condition, Read, StoreError, Table, schema};
use crate::domain::ids::PartnerId;

/// For how long a key is remembered.
const KEPT_S: i64 = 24 * 60 * 60;
/// After this time a request that has not answered is taken for dead. API Gateway gives up after 30 seconds.
const WORKING_S: i64 = 60;

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Location`, where something was made.
    pub location: Option<String>,
    /// The JSON body.
    pub body: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    asked: String,
    made: String,
    working_until: i64,
    answer: Option<Answer>,
    expires: i64,
}

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The work is ours to do; what it makes is to have this id.
    Work {
        /// The id, the same at every attempt.
        id: String,
    },
    /// It was done.
    Done(Answer),
    /// Another request is doing it.
    InProgress,
    /// The key was used for something else.
    Reused,
}

/// The remembered keys in the table.
#[derive(Debug, Clone)]
pub struct Idempotency {
    table: Table,
}

impl Idempotency {
    /// The keys in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// Claims `key` for the request with the hash `asked`, which would give `id` to what it makes.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn claim(
        &self,
        partner: &PartnerId,
        key: &str,
        asked: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let at = schema::idempotency(partner, key);
        let second = now.as_second();
        let found: Option<Row> = self.table.get(&at, Read::Consistent).await?;
        let (made, unchanged) = match found.filter(|row| row.expires > second) {
            // The store removes expired rows late: one may be replaced.
            None => {
                (id.to_owned(), Condition::new("attribute_not_exists(#pk) OR #expires <= :now").bind(":now", second)?)
            }
            Some(row) if row.asked != asked => return Ok(Claim::Reused),
            Some(Row { answer: Some(answer), .. }) => return Ok(Claim::Done(answer)),
            Some(row) if row.working_until > second => return Ok(Claim::InProgress),
            Some(row) => {
                let dead = Condition::new("attribute_exists(#pk) AND #working_until = :seen AND #asked = :asked");
                (row.made, dead.bind(":seen", row.working_until)?.bind(":asked", asked)?)
            }
        };
        let row = Row {
            asked: asked.to_owned(),
            made: made.clone(),
            working_until: second + WORKING_S,
            answer: None,
            expires: second + KEPT_S,
        };
        let ours = self.table.put(&at, &row, &unchanged).await?;
        Ok(if ours { Claim::Work { id: made } } else { Claim::InProgress })
    }

    /// Remembers the answer of the work that made `id`.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn complete(&self, partner: &PartnerId, key: &str, id: &str, answer: &Answer) -> Result<(), StoreError> {
        let update = Condition::new("SET #answer = :answer").bind(":answer", answer)?;
        let ours = Condition::new("#made = :id").bind(":id", id)?;
        // Where the row is another's by now, the answer is not remembered; it is given all the same.
        self.table.update::<Row>(&schema::idempotency(partner, key), &update, &ours).await.map(drop)
    }

    /// Lets the same request take the claim over at once: whether `id` was made is not known.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn suspend(&self, partner: &PartnerId, key: &str, id: &str) -> Result<(), StoreError> {
        let update = Condition::new("SET #working_until = :none").bind(":none", 0)?;
        let ours =
            Condition::new("#made = :id AND attribute_type(#answer, :null)").bind(":id", id)?.bind(":null", "NULL")?;
        self.table.update::<Row>(&schema::idempotency(partner, key), &update, &ours).await.map(drop)
    }

    /// Gives up a claim: nothing was made, and the key may be used for anything.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn release(&self, partner: &PartnerId, key: &str, id: &str) -> Result<(), StoreError> {
        let ours =
            Condition::new("#made = :id AND attribute_type(#answer, :null)").bind(":id", id)?.bind(":null", "NULL")?;
        self.table.delete(&schema::idempotency(partner, key), &ours).await.map(drop)
    }
}
