//! Every behaviour of Autotask that nobody has confirmed in public, as a switch.
//!
//! The defaults are the likeliest answers. A client that is right under each setting is right whichever one is true, so
//! tests turn them; the demo leaves them alone. Confirmed behaviour has no switch and lives where it belongs.
//! All of them can be read and changed while the simulator runs, also over HTTP (`/__sim/switches`).

use serde::{Deserialize, Serialize};

use super::picklists::Picklists;

/// The unconfirmed behaviours, each with its likeliest setting as the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// What an adjustment dated into an approved-and-posted period meets.
    pub posted_period: PostedPeriod,
    /// What an adjustment that brings a line to zero units meets. Negative totals are always refused.
    pub zero_units: Verdict,
    /// What an adjustment on a contract that is not active meets.
    pub inactive_contract: Verdict,
    /// What a request over the hourly threshold is answered.
    pub over_threshold: Excess,
    /// What a request over the thread limit is answered.
    pub over_threads: Excess,
    /// How date-only fields print.
    pub date_form: DateForm,
    /// Where the earlier part of a split period ends.
    pub split_end: SplitEnd,
    /// Whether a part of a period carries the whole price or its share of days.
    pub split_price: SplitPrice,
    /// What `GET` on the next page of a `POST` query is answered.
    pub get_after_post_query: GetAfterPost,
    /// The status of a permission refusal: 500 as seen, or 403 as documented.
    pub permission_status: u16,
    /// The status an inactive user's request meets (401 or 500).
    pub inactive_user_status: u16,
    /// Whether `PATCH` of a contract service's `unitCost` takes effect.
    pub patch_unit_cost: Effect,
    /// Whether `adjustedUnitCost` of an adjustment takes effect.
    pub adjusted_unit_cost: Effect,
    /// Whether `PATCH` of a ticket stays as it is, or a workflow rule undoes it in silence.
    pub patch_ticket: Effect,
    /// Whether a person's edit in the web pages uses up its date, so that an adjustment on the same one is a duplicate.
    pub edits_use_their_date: bool,
    /// The numbers and labels of the picklists that differ from tenant to tenant.
    pub picklists: Picklists,
    /// Units of a service that is put on a contract: 0 or 1.
    pub new_line_units: i64,
    /// Whether the cost and the price that a service is put on a contract with take effect.
    pub new_line_prices: Effect,
    /// What a charge with a price, a cost or a quantity below zero meets.
    pub negative_charge: Verdict,
    /// What a charge dated before its contract begins or after it ends meets.
    pub charge_outside_contract: Verdict,
    /// Whether a write of a row answers the row's id, or null as adjustments do.
    pub written_ids: Naming,
    /// Whether answers slow down with usage and concurrency as published (from 5,000 requests, and from 3 at once).
    pub latency: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            posted_period: PostedPeriod::Accept,
            zero_units: Verdict::Accept,
            inactive_contract: Verdict::Accept,
            over_threshold: Excess::TooManyRequests { retry_after_s: Some(60) },
            over_threads: Excess::TooManyRequests { retry_after_s: None },
            date_form: DateForm::MidnightUtc,
            split_end: SplitEnd::DayBefore,
            split_price: SplitPrice::Whole,
            get_after_post_query: GetAfterPost::MethodNotAllowed,
            permission_status: 500,
            inactive_user_status: 401,
            patch_unit_cost: Effect::Applied,
            adjusted_unit_cost: Effect::Applied,
            patch_ticket: Effect::Applied,
            edits_use_their_date: true,
            picklists: Picklists::Seen,
            new_line_units: 0,
            new_line_prices: Effect::Applied,
            negative_charge: Verdict::Accept,
            charge_outside_contract: Verdict::Accept,
            written_ids: Naming::Named,
            latency: false,
        }
    }
}

/// An adjustment into an approved-and-posted period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostedPeriod {
    /// It is taken, and the part after its date is billed anew, in proportion. What the web pages do.
    Accept,
    /// It is refused with the text the web pages use for moving a contract's end into a posted period.
    Reject,
}

/// Taken or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The request takes effect.
    Accept,
    /// The request is refused with 500 and a text.
    Reject,
}

/// Whether a value that is sent has an effect. The answer is a success either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It does.
    Applied,
    /// It is dropped in silence.
    Ignored,
}

/// What a successful write of a row answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// The row's id.
    Named,
    /// `{"itemId": null}`.
    Null,
}

/// The answer to a request over a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excess {
    /// 429, with `Retry-After` if a number of seconds is given.
    TooManyRequests {
        /// Seconds to wait.
        retry_after_s: Option<u32>,
    },
    /// 500 with the limit's text in `errors`.
    ServerError,
}

/// How a date-only field prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateForm {
    /// `2026-11-01T00:00:00Z`
    MidnightUtc,
    /// `2026-11-01T00:00:00.000Z`
    MidnightUtcFraction,
    /// `2026-11-01T13:00:00Z`, as an old recording shows.
    AfternoonUtc,
    /// `2026-11-01T00:00:00`
    NoZone,
}

/// Where the earlier part of a split period ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitEnd {
    /// On the day before the effective date.
    DayBefore,
    /// On the effective date itself, so the two parts share a day.
    SameDay,
}

/// What the extended price of a part of a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitPrice {
    /// Units times the unit price, whatever the number of days.
    Whole,
    /// The same, times the part's share of the period's days, rounded to four places.
    ByDays,
}

/// `GET` on a page that began with `POST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GetAfterPost {
    /// 405, as two teams saw.
    MethodNotAllowed,
    /// 200 and no rows, as another did.
    EmptyPage,
}
