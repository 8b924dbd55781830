//! The endpoints that are called, as method and path template: BMS counts requests by them.
//!
//! Templates are those of the V2 specification. A new call of the connector is a line here.

use reqwest::Method;

/// An endpoint template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "`Template::path` says what each one is")]
pub enum Template {
    Authenticate,
    RefreshToken,
    UserInfo,
    AccountsSummary,
    AccountSummary,
    Locations,
    ContractsLookup,
    ContractsSummary,
    ServicesSearch,
    RelatedServices,
    ContractServices,
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

impl Template {
    /// The path up to the placeholder, and what follows it. Without a placeholder nothing does.
    #[must_use]
    pub fn path(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Authenticate => ("/v2/security/authenticate", &[]),
            Self::RefreshToken => ("/v2/security/refreshtoken", &[]),
            Self::UserInfo => ("/v2/security/userinfo", &[]),
            Self::AccountsSummary | Self::AccountSummary => ("/v2/crm/accounts/summary", &[]),
            Self::Locations => ("/v2/crm/accounts", &["locations", "lookup"]),
            Self::ContractsLookup => ("/v2/finance/contracts/lookup", &[]),
            Self::ContractsSummary => ("/v2/finance/contracts/summary", &[]),
            Self::ServicesSearch => ("/v2/admin/finance/services/search", &[]),
            Self::RelatedServices => ("/v2/admin/finance/services", &["relatedservices", "search"]),
            Self::ContractServices => ("/v2/finance/contracts/recurringservices", &["services"]),
            Self::BulkUpdate => ("/v2/admin/finance/services", &["relatedservices", "bulkupdate"]),
            Self::BackgroundJob => ("/v2/admin/finance/services", &["backgroundjob"]),
            Self::JobStatus => ("/v2/system/schedulerJobs", &["status"]),
            Self::InvoiceDetails => ("/v2/finance/invoices/details", &[]),
            Self::Statuses => ("/v2/system/statuses/lookup", &[]),
            Self::Priorities => ("/v2/system/priorities/lookup", &[]),
            Self::Queues => ("/v2/system/queues/lookup", &[]),
            Self::IssueTypes => ("/v2/system/issuetypes/lookup", &[]),
            Self::IssueSubTypes => ("/v2/system/issuetypes", &["issuesubtypes", "lookup"]),
            Self::Assignees => ("/v2/hr/assignees/lookup", &[]),
            Self::LookupTable => ("/v2/system/lookup", &[]),
            Self::TenantLookupTable => ("/v2/system/tenantlookup", &[]),
            Self::PostTicket | Self::Ticket | Self::PatchTicket => ("/v2/servicedesk/tickets", &[]),
            Self::SearchTickets => ("/v2/servicedesk/tickets/search", &[]),
            Self::TicketNotes | Self::PostTicketNote => ("/v2/servicedesk/tickets", &["notes"]),
        }
    }

    /// Its method. Searches are POSTed.
    #[must_use]
    pub fn method(self) -> Method {
        match self {
            Self::Authenticate
            | Self::RefreshToken
            | Self::ServicesSearch
            | Self::RelatedServices
            | Self::ContractServices
            | Self::BulkUpdate
            | Self::InvoiceDetails
            | Self::PostTicket
            | Self::SearchTickets
            | Self::PostTicketNote => Method::POST,
            Self::PatchTicket => Method::PATCH,
            _ => Method::GET,
        }
    }

    /// What it is called in errors.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Authenticate | Self::RefreshToken => "the log-in",
            Self::UserInfo => "the user's details",
            Self::AccountsSummary | Self::AccountSummary => "accounts",
            Self::Locations => "an account's locations",
            Self::ContractsLookup | Self::ContractsSummary => "contracts",
            Self::ServicesSearch => "services",
            Self::ContractServices => "the services of a contract",
            Self::RelatedServices | Self::BulkUpdate => "the contracts of a service",
            Self::BackgroundJob | Self::JobStatus => "a background job",
            Self::InvoiceDetails => "the items of invoices",
            Self::Statuses => "ticket statuses",
            Self::Priorities => "ticket priorities",
            Self::Queues => "ticket queues",
            Self::IssueTypes | Self::IssueSubTypes => "issue types",
            Self::Assignees => "the people whom tickets may be given to",
            Self::LookupTable | Self::TenantLookupTable => "a list of choices",
            Self::PostTicket | Self::SearchTickets | Self::Ticket | Self::PatchTicket => "tickets",
            Self::TicketNotes | Self::PostTicketNote => "the notes of a ticket",
        }
    }

    /// Whether it is of tickets and not of what is billed.
    pub(super) fn is_of_tickets(self) -> bool {
        matches!(
            self,
            Self::PostTicket
                | Self::SearchTickets
                | Self::Ticket
                | Self::PatchTicket
                | Self::TicketNotes
                | Self::PostTicketNote
        )
    }

    /// Whether the answer may come without the envelope, as the specification declares it for one account alone.
    pub(super) fn may_be_bare(self) -> bool {
        self == Self::AccountSummary
    }
}
