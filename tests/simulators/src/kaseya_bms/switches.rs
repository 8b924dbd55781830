//! Every behaviour of Kaseya BMS that nobody has confirmed in public, as a switch.
//!
//! Where nobody knows, the default is the reading that hurts a careless client most. A client that is right under each
//! setting is right whichever one is true, so tests turn them. Numbers (limits, lives, counts) are `limits`'.
//! All of them can be read and changed while the simulator runs, also over HTTP (`/__sim/switches`).

use serde::{Deserialize, Serialize};

/// The unconfirmed behaviours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    // Writing units.
    /// What posting a service that the contract already carries does.
    pub line_semantics: LineSemantics,
    /// Whether negative units are refused.
    pub refuses_negative: bool,
    /// Whether a service is refused on a contract that has been deactivated.
    pub refuses_inactive_contract: bool,
    /// Whether an effective date outside the contract's days is refused.
    pub refuses_outside_contract: bool,
    /// What a cost or price that is not sent becomes.
    pub missing_price: MissingPrice,
    /// Whether a bulk update passes over lines with `excludeFromContractBulkUpdates`.
    pub bulk_updates_skip_excluded: bool,
    /// Whether a bulk update's job ends as failed and changes nothing.
    pub jobs_fail: bool,

    // Reading.
    /// How contract types are spelt, in answers and in the filter.
    pub contract_type: TypeSpelling,
    /// How contract statuses are spelt, in answers and in the filter.
    pub contract_status: StatusSpelling,
    /// Whether a contract past its end goes on to say that it is active.
    pub ended_contracts_say_active: bool,
    /// How a filter on a name, type or status matches.
    pub text_filter: TextFilter,
    /// What a page size over the maximum meets.
    pub oversized_page: OversizedPage,

    // Refusing.
    /// Whether a refused request is answered 200 with `success: false` instead of 400. Log-ins, throttling and unknown
    /// paths keep their own statuses.
    pub fails_in_200: bool,
    /// The status of a refused log-in: 400, 401, or 200 with `success: false`.
    pub refused_login_status: u16,
    /// The status of a request over the hourly limit: 429 or 403.
    pub throttled_status: u16,
    /// Seconds in `Retry-After` of such an answer; no such header is documented.
    pub retry_after_s: Option<u32>,
    /// The status of a missing permission.
    pub permission_status: u16,
    /// The status of an unknown id.
    pub unknown_id_status: u16,
    /// Whether a one-time code is refused the second time.
    pub refuses_reused_codes: bool,

    // The wire.
    /// How member names are spelt in answers.
    pub casing: Casing,
    /// Whether one account's summary comes without the envelope, as the specification declares it.
    pub bare_account_summary: bool,
    /// How the details of tickets and notes come back.
    pub ticket_text: TicketText,
    /// Whether lists of tickets show their details.
    pub lists_show_details: bool,
    /// Whether a ticket that is opened again keeps the date on which it was completed.
    pub reopened_stay_dated: bool,
    /// How far the clock in instants without a zone is from UTC, in minutes. Dates are not moved.
    pub stamp_offset_minutes: i32,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            line_semantics: LineSemantics::Adds,
            refuses_negative: false,
            refuses_inactive_contract: false,
            refuses_outside_contract: false,
            missing_price: MissingPrice::Zero,
            bulk_updates_skip_excluded: true,
            jobs_fail: false,
            contract_type: TypeSpelling::Words,
            contract_status: StatusSpelling::Active,
            ended_contracts_say_active: false,
            text_filter: TextFilter::Contains,
            oversized_page: OversizedPage::Clamp,
            fails_in_200: false,
            refused_login_status: 400,
            throttled_status: 429,
            retry_after_s: None,
            permission_status: 403,
            unknown_id_status: 404,
            refuses_reused_codes: false,
            casing: Casing::Camel,
            bare_account_summary: false,
            ticket_text: TicketText::Html,
            lists_show_details: true,
            reopened_stay_dated: true,
            stamp_offset_minutes: 0,
        }
    }
}

/// What posting a service again does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineSemantics {
    /// It makes a second line, so that the units sent come on top.
    Adds,
    /// It keeps the line's id and replaces its units, amounts and effective date.
    Replaces,
}

/// A cost or price that is not sent. Both are plain numbers in the specification, so absence reads as zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingPrice {
    /// Nothing is charged.
    Zero,
    /// The catalogue's is taken.
    Catalogue,
}

/// How a contract's type is spelt. The words are those of the product's own pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypeSpelling {
    /// `Recurring Services`
    Words,
    /// `Recurring Service`
    Singular,
    /// `RecurringServices`
    OneWord,
}

/// How a contract's status is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusSpelling {
    /// `Active`, `Inactive`, `Expired`
    Active,
    /// `Activated`, `Deactivated`, `Expired`, after the names of the calls.
    Activated,
    /// `ACTIVE`, `INACTIVE`, `EXPIRED`
    Capitals,
}

/// How a text filter matches, without regard to case either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextFilter {
    /// The text is somewhere in the value.
    Contains,
    /// The text is the value.
    Exact,
}

impl TextFilter {
    /// Whether a value passes a filter.
    pub(crate) fn hits(self, value: &str, wanted: &str) -> bool {
        let (value, wanted) = (value.to_lowercase(), wanted.to_lowercase());
        match self {
            Self::Contains => value.contains(&wanted),
            Self::Exact => value == wanted,
        }
    }
}

/// A page size over the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OversizedPage {
    /// The maximum is used in silence, so a full page looks like a short one.
    Clamp,
    /// It is refused.
    Refuse,
}

/// How member names are spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Casing {
    /// `totalRecords`, as clients of the live service read it.
    Camel,
    /// `TotalRecords`, as the specification has it.
    Pascal,
}

/// How a text of many lines that was sent comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketText {
    /// As it was sent.
    AsSent,
    /// With the line ends of Windows.
    Crlf,
    /// As the product's editor for formatted text has it: each line in an element of its own.
    Html,
}

impl TicketText {
    /// A text as it is shown.
    pub(crate) fn shown(self, sent: &str) -> String {
        match self {
            Self::AsSent => sent.to_owned(),
            Self::Crlf => sent.lines().collect::<Vec<_>>().join("\r\n"),
            Self::Html => sent.lines().map(|line| format!("<div>{}</div>", as_html(line))).collect(),
        }
    }
}

fn as_html(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replacen(' ', "&nbsp;", 1)
}
