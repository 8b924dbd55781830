//! The endpoints of the simulated API, as method and path template.
//!
//! Owns which request is which endpoint. The templates are those of the official V2 specification; limits, counts and faults
//! go by them. What each does is `calls`'.

use serde::{Deserialize, Serialize};

use super::envelope::Refusal;
use super::users::Right;

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "`Route::template` says what each one is")]
pub enum Route {
    Authenticate,
    RefreshToken,
    UserInfo,
    AccountsLookup,
    AccountsSummary,
    AccountSummary,
    LocationsLookup,
    ContractsLookup,
    ContractsSummary,
    PostServices,
    ServicesSearch,
    ServicesLookup,
    Service,
    RelatedServices,
    BulkUpdate,
    BackgroundJob,
    JobStatus,
    InvoiceDetails,
    Statuses,
    Priorities,
    Queues,
    IssueTypes,
    IssueSubTypes,
    Assignees,
    LookupTable,
    TenantLookupTable,
    PostTicket,
    SearchTickets,
    Ticket,
    PatchTicket,
    TicketNotes,
    PostTicketNote,
}

/// Method, template and right. A literal stands before a placeholder in the same place.
const TABLE: [(Route, &str, &str, Option<Right>); 32] = {
    use Right::{ModifyFinance, ServiceDesk, ViewAdmin, ViewCrm, ViewFinance};
    use Route::*;
    [
        (Authenticate, "POST", "/v2/security/authenticate", None),
        (RefreshToken, "POST", "/v2/security/refreshtoken", None),
        (UserInfo, "GET", "/v2/security/userinfo", None),
        (AccountsLookup, "GET", "/v2/crm/accounts/lookup", Some(ViewCrm)),
        (AccountsSummary, "GET", "/v2/crm/accounts/summary", Some(ViewCrm)),
        (AccountSummary, "GET", "/v2/crm/accounts/summary/{id}", Some(ViewCrm)),
        (LocationsLookup, "GET", "/v2/crm/accounts/{accountId}/locations/lookup", Some(ViewCrm)),
        (ContractsLookup, "GET", "/v2/finance/contracts/lookup", Some(ViewFinance)),
        (ContractsSummary, "GET", "/v2/finance/contracts/summary", Some(ViewFinance)),
        (PostServices, "POST", "/v2/finance/contracts/recurringservices/{contractId}/services", Some(ModifyFinance)),
        (ServicesSearch, "POST", "/v2/admin/finance/services/search", Some(ViewAdmin)),
        (ServicesLookup, "GET", "/v2/admin/finance/services/lookup", Some(ViewAdmin)),
        (Service, "GET", "/v2/admin/finance/services/{serviceId}", Some(ViewAdmin)),
        (RelatedServices, "POST", "/v2/admin/finance/services/{serviceId}/relatedservices/search", Some(ViewAdmin)),
        (BulkUpdate, "POST", "/v2/admin/finance/services/{serviceId}/relatedservices/bulkupdate", Some(ModifyFinance)),
        (BackgroundJob, "GET", "/v2/admin/finance/services/{serviceId}/backgroundjob", Some(ViewAdmin)),
        (JobStatus, "GET", "/v2/system/schedulerJobs/{jobId}/status", None),
        (InvoiceDetails, "POST", "/v2/finance/invoices/details", Some(ViewFinance)),
        (Statuses, "GET", "/v2/system/statuses/lookup", None),
        (Priorities, "GET", "/v2/system/priorities/lookup", None),
        (Queues, "GET", "/v2/system/queues/lookup", None),
        (IssueTypes, "GET", "/v2/system/issuetypes/lookup", None),
        (IssueSubTypes, "GET", "/v2/system/issuetypes/{issueTypeId}/issuesubtypes/lookup", None),
        (Assignees, "GET", "/v2/hr/assignees/lookup", None),
        (LookupTable, "GET", "/v2/system/lookup/{tableName}", None),
        (TenantLookupTable, "GET", "/v2/system/tenantlookup/{tableName}", None),
        (PostTicket, "POST", "/v2/servicedesk/tickets", Some(ServiceDesk)),
        (SearchTickets, "POST", "/v2/servicedesk/tickets/search", Some(ServiceDesk)),
        (Ticket, "GET", "/v2/servicedesk/tickets/{ticketId}", Some(ServiceDesk)),
        (PatchTicket, "PATCH", "/v2/servicedesk/tickets/{ticketId}", Some(ServiceDesk)),
        (TicketNotes, "GET", "/v2/servicedesk/tickets/{ticketId}/notes", Some(ServiceDesk)),
        (PostTicketNote, "POST", "/v2/servicedesk/tickets/{ticketId}/notes", Some(ServiceDesk)),
    ]
};

/// An endpoint and what stood in its placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) route: Route,
    pub(crate) placeholder: String,
}

impl Route {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(route, ..)| *route)
    }

    /// Method and path, such as `POST /v2/finance/contracts/recurringservices/{contractId}/services`.
    #[must_use]
    pub fn template(self) -> String {
        self.row().map(|(_, method, path, _)| format!("{method} {path}")).unwrap_or_default()
    }

    /// Whether it is asked for without a token.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Authenticate | Self::RefreshToken)
    }

    /// Whether its body is a form and carries secrets.
    pub(crate) fn takes_form(self) -> bool {
        self.is_open()
    }

    /// Whether a request counts as a write where faults are planned: one of units, of a ticket, or of a note.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::PostServices | Self::PostTicket | Self::PatchTicket | Self::PostTicketNote)
    }

    /// The right it needs.
    pub(crate) fn right(self) -> Option<Right> {
        self.row().and_then(|(.., right)| *right)
    }

    /// The endpoint of a request, without regard to case, as the web framework behind the API routes.
    pub(crate) fn find(method: &str, path: &str) -> Result<Found, Refusal> {
        let mut known = false;
        for (route, verb, template, _) in &TABLE {
            if let Some(placeholder) = matched(template, path) {
                if *verb == method {
                    return Ok(Found { route: *route, placeholder });
                }
                known = true;
            }
        }
        Err(if known { Refusal::MethodNotAllowed } else { Refusal::NoSuchPath })
    }

    fn row(self) -> Option<&'static (Self, &'static str, &'static str, Option<Right>)> {
        TABLE.iter().find(|(route, ..)| *route == self)
    }
}

/// What stands in the placeholder (empty if there is none), if the path is of the template.
fn matched(template: &str, path: &str) -> Option<String> {
    let mut placeholder = String::new();
    let mut sent = path.trim_end_matches('/').split('/');
    for wanted in template.split('/') {
        let sent = sent.next()?;
        if wanted.starts_with('{') {
            // Every placeholder but the table name is a number.
            if sent.is_empty() || (wanted != "{tableName}" && sent.parse::<i64>().is_err()) {
                return None;
            }
            sent.clone_into(&mut placeholder);
        } else if !wanted.eq_ignore_ascii_case(sent) {
            return None;
        }
    }
    sent.next().is_none().then_some(placeholder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_wins_over_a_placeholder_and_case_does_not_matter() {
        let found = |method, path| Route::find(method, path).map(|found| (found.route, found.placeholder));
        assert_eq!(found("GET", "/v2/admin/finance/services/lookup"), Ok((Route::ServicesLookup, String::new())));
        assert_eq!(found("GET", "/V2/Admin/Finance/Services/5/"), Ok((Route::Service, "5".into())));
        assert_eq!(found("POST", "/v2/admin/finance/services/5"), Err(Refusal::MethodNotAllowed));
        assert_eq!(found("GET", "/v2/admin/finance/services/five"), Err(Refusal::NoSuchPath));
        assert_eq!(found("GET", "/api/v2/crm/accounts/lookup"), Err(Refusal::NoSuchPath));
    }

    #[test]
    fn every_endpoint_is_found_by_its_own_template() {
        for route in Route::all() {
            let template = route.template();
            let (method, path) = template.split_once(' ').unwrap();
            let path = path.split('/').map(|part| if part.starts_with('{') { "7" } else { part });
            let path = path.collect::<Vec<_>>().join("/");
            assert_eq!(Route::find(method, &path).unwrap().route, route);
        }
    }
}
