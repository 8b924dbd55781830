//! Whether the credentials can do what a sync does: each read is tried, one after another.
//!
//! BMS lists a user's rights by numbers that nobody has published, so they are not read; what may be read shows by reading
//! it. Whether services may be put on contracts shows at the first write, for nothing may be written to find out.

use super::client::{Ask, Client};
use super::template::Template;
use crate::psa::{Kind, PsaError, Right};

pub(super) async fn rights(client: &Client) -> Result<Vec<Right>, PsaError> {
    let one = |template| Ask::of(template).query("PageSize", 1).query("PageNumber", 1);
    let search = || serde_json::json!({ "PageSize": 1, "PageNumber": 1, "Filter": {} });
    let mut rights = vec![];
    for (name, ask) in [
        ("read the user's own details", Ask::of(Template::UserInfo)),
        ("read accounts", one(Template::AccountsSummary)),
        ("read contracts", one(Template::ContractsSummary)),
    ] {
        rights.push(right(name, client.read(&ask).await.map(|_| ()))?);
    }
    let services = client.read(&Ask::of(Template::ServicesSearch).body(search())).await;
    let services = services.and_then(|success| success.rows(Template::ServicesSearch));
    let first = services.as_ref().ok().and_then(|rows| rows.first()?.whole("id"));
    rights.push(right("read services", services.map(|_| ()))?);
    // Without a service there is none to ask about.
    if let Some(service) = first {
        let ask = Ask::about(Template::RelatedServices, service).body(search());
        rights.push(right("read the contracts that carry a service", client.read(&ask).await.map(|_| ()))?);
    }
    Ok(rights)
}

/// What one attempt shows. An attempt that shows nothing about rights is an error of the whole: the log-in failed, or
/// BMS can't be asked at the moment.
fn right(name: &str, tried: Result<(), PsaError>) -> Result<Right, PsaError> {
    match tried {
        Err(error) if error.refuses_log_in() => Err(error),
        Err(error) if matches!(error.kind, Kind::Unavailable | Kind::RateLimited) => Err(error),
        tried => Ok(Right { name: name.to_owned(), missing: tried.err() }),
    }
}
