//! How every answer is wrapped, and how a refusal looks.
//!
//! Owns `{success, error, result, totalRecords?}`, the spelling of member names and the statuses. Bodies are written here and
//! elsewhere with the specification's names and are respelt at the last moment.
//! Only the security error and the empty tenant have texts that somebody saw; the rest are assumed and a client must not
//! match on them.

use serde_json::{Map, Value, json};

use super::switches::{Casing, Switches};
use crate::reply::Reply;

/// What a call answers when it succeeds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Success {
    /// A result in the envelope.
    Result(Value),
    /// A page of rows with the number of all rows.
    Page(Vec<Value>, usize),
    /// A result without the envelope.
    Bare(Value),
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    // Who is asking.
    #[error("Security Error")]
    Security,
    #[error("Tenant can't be empty")]
    EmptyTenant,
    #[error("The grant type is not supported.")]
    GrantType,
    #[error("The user name or password is not correct.")]
    BadLogin,
    #[error("The account is locked. Try again later.")]
    Locked,
    #[error("The multi-factor authentication code is not correct.")]
    MfaCode,
    #[error("You don't have permission to perform this action.")]
    NotPermitted,

    // How often.
    #[error("The API call limit has been exceeded.")]
    Throttled,

    // What for.
    #[error("The resource was not found.")]
    NoSuchPath,
    #[error("The method is not allowed.")]
    MethodNotAllowed,
    #[error("The content type is not supported.")]
    MediaType,

    // Bodies and rules.
    #[error("{0} {1} was not found.")]
    NoSuch(&'static str, String),
    #[error("One or more validation errors occurred.")]
    Invalid(Vec<String>),
    #[error("{0}")]
    Rule(&'static str),
}

impl Refusal {
    /// A refusal for one member of a body or one parameter.
    pub(crate) fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid(vec![why.into()])
    }

    fn status(&self, switches: &Switches) -> u16 {
        match self {
            Self::Security => 401,
            Self::EmptyTenant | Self::GrantType => 400,
            Self::BadLogin | Self::Locked | Self::MfaCode => switches.refused_login_status,
            Self::NotPermitted => switches.permission_status,
            Self::Throttled => switches.throttled_status,
            Self::NoSuchPath => 404,
            Self::MethodNotAllowed => 405,
            Self::MediaType => 415,
            Self::NoSuch(..) | Self::Invalid(_) | Self::Rule(_) if switches.fails_in_200 => 200,
            Self::NoSuch(..) => switches.unknown_id_status,
            Self::Invalid(_) | Self::Rule(_) => 400,
        }
    }

    fn reply(&self, switches: &Switches) -> Reply {
        let code = if *self == Self::Security { 978_001 } else { 0 };
        let causes = if let Self::Invalid(causes) = self { causes.as_slice() } else { &[] };
        let error = json!({
            "Code": code,
            "Message": self.to_string(),
            "Details": null,
            "StackStrace": null,
            "SubErrors": causes,
        });
        let body = json!({ "Success": false, "Error": error, "Result": null });
        let mut reply = Reply::json(self.status(switches), &spelt(body, switches.casing));
        if let (Self::Throttled, Some(seconds)) = (self, switches.retry_after_s) {
            reply.headers.push(("retry-after".into(), seconds.to_string()));
        }
        reply
    }
}

/// The answer on the wire.
pub(crate) fn reply(outcome: &Result<Success, Refusal>, switches: &Switches) -> Reply {
    let body = match outcome {
        Ok(Success::Result(result)) => json!({ "Success": true, "Error": null, "Result": result }),
        Ok(Success::Page(rows, total)) => {
            json!({ "Success": true, "Error": null, "Result": rows, "TotalRecords": total })
        }
        Ok(Success::Bare(result)) => result.clone(),
        Err(refusal) => return refusal.reply(switches),
    };
    Reply::ok(&spelt(body, switches.casing))
}

fn spelt(value: Value, casing: Casing) -> Value {
    match (casing, value) {
        (Casing::Pascal, value) => value,
        (Casing::Camel, Value::Array(items)) => items.into_iter().map(|item| spelt(item, casing)).collect(),
        (Casing::Camel, Value::Object(members)) => {
            let members: Map<_, _> =
                members.into_iter().map(|(name, value)| (camel(&name), spelt(value, casing))).collect();
            Value::Object(members)
        }
        (Casing::Camel, value) => value,
    }
}

/// As .NET's JSON writer does: the capitals a name begins with become small, but for the last before a small letter.
fn camel(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let capital = |place: usize| letters.get(place).is_some_and(char::is_ascii_uppercase);
    let leads =
        |place: usize| (0..=place).all(capital) && (place == 0 || capital(place + 1) || place + 1 == letters.len());
    let small = |(place, letter): (usize, &char)| if leads(place) { letter.to_ascii_lowercase() } else { *letter };
    letters.iter().enumerate().map(small).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_respelt_as_dotnet_does() {
        let names = ["Success", "TotalRecords", "SLAId", "CCs", "ID", "already", "VSAAssetId"];
        assert_eq!(
            names.map(camel),
            ["success", "totalRecords", "slaId", "cCs", "id", "already", "vsaAssetId"].map(String::from)
        );
    }
}
