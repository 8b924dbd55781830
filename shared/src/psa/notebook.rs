//! What a connector remembers of its tenant from one run to the next, because the PSA does not tell it.
//!
//! Notes are texts under names; what they say is the connector's own. They belong to the tenant and not to a connection, so
//! that all connections to it know the same. Nothing secret may stand in them. Where the PSA tells everything there are none.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

/// A note as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it says.
    pub text: String,
    /// Raised by every write.
    pub version: u64,
}

/// The notes can't be read or written at the moment.
#[derive(Debug, thiserror::Error)]
#[error("the notes about a PSA can't be had: {0}")]
pub struct NotebookError(pub String);

/// The notes about one tenant.
#[async_trait]
pub trait Notebook: Send + Sync {
    /// Those of `names` that there are, as every write before this call left them.
    ///
    /// # Errors
    /// They can't be read at the moment.
    async fn read(&self, names: &BTreeSet<String>) -> Result<BTreeMap<String, Note>, NotebookError>;

    /// Writes a note in the place of the `read` one, or where there was none. Answers with it as it is then; `None`: it was
    /// written by somebody else in between.
    ///
    /// # Errors
    /// It can't be written at the moment; it may have been all the same.
    async fn write(&self, name: &str, read: Option<&Note>, text: String) -> Result<Option<Note>, NotebookError>;
}

/// A notebook for what needs none, such as a first log-in: it is empty, and nothing can be written in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNotebook;

#[async_trait]
impl Notebook for NoNotebook {
    async fn read(&self, _: &BTreeSet<String>) -> Result<BTreeMap<String, Note>, NotebookError> {
        Ok(BTreeMap::new())
    }

    async fn write(&self, _: &str, _: Option<&Note>, _: String) -> Result<Option<Note>, NotebookError> {
        Err(NotebookError("there is no tenant yet".to_owned()))
    }
}
