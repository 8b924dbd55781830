//! The faults that only make sense behind an envelope.
//!
//! Owns two more ways to answer wrongly; all others are [`Fault`]'s own. Planning and carrying out are as for every simulator.

use crate::faults::Fault;

/// 200 with `success: false`, nothing applied. With [`Fault::after`] it has been applied all the same.
#[must_use]
pub fn failure_in_200() -> Fault {
    let body = r#"{"success":false,"error":{"code":0,"message":"The operation could not be completed.","details":null,"stackStrace":null,"subErrors":[]},"result":null}"#;
    Fault::answer(200, body).header("content-type", "application/json; charset=utf-8")
}

/// The answer to an expired token, nothing applied, whatever the token is.
#[must_use]
pub fn security_error() -> Fault {
    let body = r#"{"success":false,"error":{"code":978001,"message":"Security Error","details":null,"stackStrace":null,"subErrors":[]},"result":null}"#;
    Fault::answer(401, body).header("content-type", "application/json; charset=utf-8")
}
