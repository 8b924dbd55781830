//! What belongs to the caller: the first look of handlers that work on a connection of theirs.

use super::auth::Caller;
use super::problem::Problem;
use crate::domain::ids::ConnectionId;
use crate::store::Read;
use crate::store::connections::{Connection, Connections};

/// The caller's connection of this id, a revoked one too: what is recorded under it stays readable.
///
/// # Errors
/// 404, for another partner's as well; the store is unavailable.
pub async fn connection(connections: &Connections, caller: &Caller, id: &ConnectionId) -> Result<Connection, Problem> {
    let found = connections.get(&caller.partner, id, Read::Eventual).await?;
    found.ok_or_else(|| Problem::not_found("connection"))
}
