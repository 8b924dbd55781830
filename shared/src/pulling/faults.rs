//! What goes wrong with a pull besides what its source says.

use crate::psa::Kind;
use crate::sources::SourceError;

/// What passes with the next pull.
const AGAIN: &str = "Nothing is lowered by it: it is read again at its next time.";

pub(super) fn interrupted() -> SourceError {
    let fix = "Nothing is lowered by it: it is read again at its next time. If it stays, the operator's log says why.";
    SourceError::new(Kind::Unavailable, "source_pull_interrupted", "The pull was interrupted again and again.", fix)
}

pub(super) fn without_credentials() -> SourceError {
    let fix = "Send the source with its credentials: PUT /v1/sources/{source}.";
    SourceError::new(Kind::Auth, "source_credentials_missing", "There are no credentials for it.", fix)
}

pub(super) fn too_slow() -> SourceError {
    SourceError::new(Kind::Unavailable, "source_too_slow", "The vendor took too long to tell all.", AGAIN)
}

pub(super) fn too_many() -> SourceError {
    let fix = "Push the counts of this product in several snapshots.";
    SourceError::new(
        Kind::Validation,
        "source_too_many",
        "The vendor lists more customers than one snapshot holds.",
        fix,
    )
}

pub(super) fn nobody() -> SourceError {
    let fix = "Look at the vendor's portal: if the customers are there, give the key the right to see them.";
    SourceError::new(
        Kind::Protocol,
        "source_lists_nobody",
        "The vendor lists no customer at all. Nothing is lowered by that.",
        fix,
    )
}

pub(super) fn unsealed() -> SourceError {
    SourceError::new(
        Kind::Protocol,
        "source_list_moved",
        "A customer moved in the vendor's list while it was read.",
        AGAIN,
    )
}
