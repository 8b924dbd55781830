//! What every HTTP function has in common: who calls (`auth`), bodies (`json`, `optional`), query strings (`query`), lists
//! (`paging`) and files of them (`sheet`), creation that may be sent twice (`idempotent`), changes of what was read
//! and of nothing else (`precondition`), errors (`problem`), names in paths (`names`), and the frame around a router (`frame`).
//!
//! A handler names who may call it by its first argument, takes validated input, makes one change and answers. Nothing
//! here knows any function's routes.

pub mod auth;
mod frame;
pub mod idempotent;
mod json;
pub mod names;
mod optional;
pub mod owned;
pub mod paging;
mod precondition;
mod problem;
mod query;
pub mod sheet;
mod time_zone;

pub use frame::{BODY_LIMIT_BYTES, REQUEST_ID, RequestId, framed, observed};
pub use json::{Faults, Json, MOST_FAULTS, Path, bytes, parse, parse_fields, pointer, present};
pub use precondition::{Precondition, Tag};
pub use problem::{Body as ProblemBody, Fault, Problem};
pub use query::{Query, instant, refused_query};
pub use time_zone::time_zone;
