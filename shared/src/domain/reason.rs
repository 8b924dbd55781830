//! Why a line was not simply written: a stable code, what happened in words, and how to put it right.
//!
//! The codes, and the repair step of each, are data in one table. PSA errors bring a code and a repair step of their own.

use serde::{Deserialize, Serialize};

use super::line::LineStatus;

/// A code with its explanation and its repair step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable name, `snake_case`.
    pub code: String,
    /// What happened, with the names and numbers of this case.
    pub explanation: String,
    /// What to do about it; empty where nothing has to be done.
    pub fix: String,
}

impl Reason {
    /// A reason with the code's own repair step.
    #[must_use]
    pub fn new(code: Code, explanation: String) -> Self {
        Self { code: code.as_str().to_owned(), explanation, fix: code.fix().to_owned() }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $text:literal $status:ident $fix:literal)*) => {
        /// Every code that the plan itself gives.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $name),*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What a line with this code ends as.
            #[must_use]
            pub fn status(self) -> LineStatus {
                match self { $(Self::$name => LineStatus::$status),* }
            }

            /// The repair step.
            #[must_use]
            pub fn fix(self) -> &'static str {
                match self { $(Self::$name => $fix),* }
            }
        }
    };
}

codes! {
    /// The PSA shows no such contract.
    ContractNotFound "contract_not_found" Failed "Choose an existing contract for this company, or let the API user see it."
    /// It belongs to another account.
    ContractOfAnotherAccount "contract_of_another_account" Failed "Map the company to the account that the contract bills, or choose one of its own contracts."
    /// It is of another kind.
    ContractNotRecurring "contract_not_recurring" Failed "Choose a recurring service contract; only those carry units."
    /// It is switched off.
    ContractInactive "contract_inactive" Failed "Activate the contract in the PSA, or choose another."
    /// It is over.
    ContractEnded "contract_ended" Failed "Choose the contract that follows it, or move its end date in the PSA."
    /// A contract that is written ends soon.
    ContractExpiring "contract_expiring" Unchanged "Renew the contract in the PSA and map its companies to the new one, or move its end date: nothing is written once it has ended."
    /// Its successor is written in its place.
    ContractRenewed "contract_renewed" Unchanged "Map its companies to the new contract, so that nothing has to be concluded."
    /// It has not begun.
    ContractNotStarted "contract_not_started" Skipped "Nothing: the line is written once the contract has begun."
    /// The contract lacks the service.
    ServiceNotOnContract "service_not_on_contract" Failed "Add the service to the contract in the PSA, or map the product to a service that is on it. Or set provision_services in the policy: it is then added once you have approved it."
    /// The contract lacks the service, and it is added once a person agrees.
    ServiceToBeAdded "service_to_be_added" Held "Approve the line to have the service put on the contract; or add it in the PSA by hand."
    /// The catalogue lacks the service, and it is made once a person agrees.
    ServiceToBeMade "service_to_be_made" Held "Approve the line to have the service made and put on the contract; or make it in the PSA by hand, by exactly this name."
    /// The catalogue lacks the service, and nobody has it made.
    ServiceNotInCatalogue "service_not_in_catalogue" Failed "Make the service in the PSA by exactly this name, or map the product to another. Or set provision_services in the policy: it is then made once you have approved it."
    /// It may not be put on contracts.
    ServiceInactive "service_inactive" Failed "Make the service active in the PSA, or map the product to another."
    /// Several services have its name.
    ServiceNameAmbiguous "service_name_ambiguous" Failed "Name the service_id in the product's mapping, or make the services that are not used inactive in the PSA."
    /// It was there, and somebody has taken it away.
    ServiceGone "service_gone" Failed "Put it back in the PSA by hand: what was there once is never made again. Or exclude the product for the company, or map it to another service."
    /// The PSA called it made and does not show it.
    ServiceUnexplained "service_unexplained" Unknown "Look it up in the PSA. If it is not there, add it by hand, by exactly this name: the next run then goes on with it."
    /// The contract has the service twice.
    ServiceTwiceOnContract "service_twice_on_contract" Failed "Remove one of the two lines in the PSA, or map the product to another service."
    /// No count was ever received.
    UsageMissing "usage_missing" Skipped "Send a usage snapshot that names this company and product, or exclude the product for it."
    /// No count yet in the period that the rule looks at.
    UsageNotInPeriod "usage_not_in_period" Skipped "Nothing: the line is written with the first count of the period."
    /// Only incomplete snapshots speak for fewer units.
    UsageIncomplete "usage_incomplete" Held "Send a complete snapshot: counts are never lowered because data may be missing."
    /// No complete snapshot has come for too long.
    UsageStale "usage_stale" Held "Find out why the source sends no complete snapshots. Approve the line if the count is right all the same, or widen stale_after_hours in the policy."
    /// The company is absent and its mapping says to wait.
    CompanyAbsent "company_absent" Held "Say how many there are: send a complete snapshot that names the company (0 is a count). Or set its when_absent: keep stays at the last count, zero takes its units off."
    /// Two feeds of one line have different rules.
    RulesDiffer "rules_differ" Failed "Give the products that share this line the same rule."
    /// The sum is larger than any count believed.
    UsageTooLarge "usage_too_large" Failed "Check the source: the feeds of this line add up to more than ten million."
    /// A fall beyond the guard.
    FallGuard "fall_guard" Held "Check the count with the vendor; then approve the line, or widen the guard."
    /// A rise beyond the guard.
    RiseGuard "rise_guard" Held "Check the count with the vendor; then approve the line, or widen the guard."
    /// Companies were unmapped from the line.
    FeedsFewer "feeds_fewer" Held "Approve the line if the companies that were unmapped are not billed on it any more."
    /// Units that we set stand on a line that nothing is counted for any more.
    LineWithoutFeed "line_without_feed" Held "Take the units off the contract in the PSA, or map a company to it again; then resolve the finding."
    /// Usage or metered charges of a company that is mapped to no account.
    CompanyNotMapped "company_not_mapped" Held "Map the company to its account and contract; suggestions may know it. Resolve the finding if it is not billed by intention."
    /// Usage of a product that is mapped to no service.
    ProductNotMapped "product_not_mapped" Held "Map the product to a service; or resolve the finding if it is not billed by intention."
    /// Metered charges of a product that no connection maps.
    ChargesNotMapped "charges_not_mapped" Held "Map the charges of the product: PUT /v1/connections/{id}/charges/{product}, on a connection whose PSA takes charges. Or resolve the finding if they are not billed by intention."
    /// The PSA bills units of a mapped product that was never counted for the company.
    LineWithoutUsage "line_without_usage" Held "Take the units off the contract if the product is not used there; or have the source count the company, or exclude the product for it."
    /// The API user sees prices and no costs.
    CostsHidden "costs_hidden" Held "Give the API user a security level that may read costs: with this one, costs that are written are silently left as they are."
    /// A customer is invoiced in another currency than most.
    CurrencyDiffers "currency_differs" Held "Check that the unit costs and prices of this product are meant in the customer's currency."
    /// The usage says no unit cost.
    CostMissing "cost_missing" Held "Send unit_cost with the usage of this product, give its mapping a fixed unit cost, or set unit_cost to none."
    /// The feeds of one line say different unit costs.
    CostsDiffer "costs_differ" Held "One line has one unit cost: have the source say the same for each of its products, give them a fixed unit cost, or map them to services of their own."
    /// Money in one currency would be written on a contract in another.
    CurrencyMismatch "currency_mismatch" Failed "Amounts are never converted. Of units: send costs in the contract's currency, give the mapping a fixed unit cost in it, or set unit_cost to none. Of metered charges: send the records again in the customer's currency, or with an amount of 0."
    /// Money in a stated currency, and a contract whose currency the PSA does not say.
    CurrencyUnknown "currency_unknown" Held "State the PSA's currency in the connection's policy, or send costs without a currency: they are then taken to be in that of the contract."
    /// The PSA shows no prices of the line.
    PricesNotShown "prices_not_shown" Held "Let the API user read the services on contracts; prices are compared before they are written."
    /// The PSA took a change of prices and does not show it.
    PricesNotTaken "prices_not_taken" Failed "Give the API user a security level that may read and write costs, or set the price in the PSA by hand; then resolve the finding, and it is sent again."
    /// A unit cost or unit price changes too much.
    PriceGuard "price_guard" Held "Check the cost with the vendor; then approve the line, or widen price_percent in the guards."
    /// Someone edited the line's prices.
    PriceDrift "price_drift" Held "Find out who edited the contract's prices; then approve the line, or set the drift policy to overwrite."
    /// A company, product or billing code of a charge is not mapped as it should be, or its records contradict each other.
    ChargeUnclear "charge_unclear" Failed "Look at the charge in the PSA and at its records here; put right what the explanation names."
    /// Somebody edited a charge of ours, or took it away.
    ChargeDrift "charge_drift" Held "Find out who edited the charge, or took it away. To have it stand as its records say, approve the charge, or resolve the finding: then the next run brings it there from what the PSA shows. While the finding is open nothing is written. The drift policy overwrite undoes edits by itself, and never makes again what is gone."
    /// What stands of a charge changes too much.
    ChargeGuard "charge_guard" Held "Check the usage with the vendor; then approve the charge, or widen charge_percent and charge_amount in the guards."
    /// The PSA took a charge and does not show its amounts.
    ChargeNotTaken "charge_not_taken" Failed "Give the API user a security level that may read and write costs, or set the amounts in the PSA by hand; then resolve the finding, and they are written again."
    /// A charge was renamed after it was billed.
    ChargeNameBilled "charge_name_billed" Unchanged "Nothing: what is billed is not renamed."
    /// Records of a charge that stands are not to be found any more.
    ChargeRecordsMissing "charge_records_missing" Held "Map the companies and products of this charge again, or take it away in the PSA by hand: a charge is never lowered because data is missing."
    /// Usage of before the day from which charges are made.
    ChargeBeforeStart "charge_before_start" Skipped "Nothing, or set an earlier from in the mapping of the charge."
    /// The billing period is not over yet.
    ChargeWaits "charge_waits" Skipped "Nothing: it is charged once its billing period is over. To have it charged while the period runs, set when to as_reported."
    /// A charge was billed since it was looked at last, and its markup was changed.
    ChargeBilledMeanwhile "charge_billed_meanwhile" Skipped "Nothing: the next run goes by the markup with which it was billed."
    /// A write of an earlier run had to be settled first.
    WriteSettledFirst "write_settled_first" Skipped "Nothing: the next run goes on, within the hour."
    /// Companies that share a contract have markups that differ.
    ChargeMarkupsDiffer "charge_markups_differ" Failed "Give the companies that share the contract the same markup for this product, or contracts of their own."
    /// Another connection writes the charge.
    ChargeOfAnotherConnection "charge_of_another_connection" Failed "Remove the mapping of the charge from one of the two connections."
    /// The PSA shows one reference twice.
    ChargeTwice "charge_twice" Failed "Delete one of the two in the PSA; then resolve the finding."
    /// Someone edited the line.
    Drift "drift" Held "Find out who edited the contract. Approve the line to set the target; to keep what they set, give the company a rule of its own for the product (minimum, maximum), or correct the usage. Resolving the finding takes the PSA's number as the starting point, and the next run sets the target."
    /// A person took this very change back.
    Reversed "reversed" Held "A change in this direction was reversed by a person, so none is made until one is approved: approve the line if the new count is right."
    /// What a reversal would take back is not the last word on the line any more.
    ChangedSince "changed_since" Skipped "Look at the line's later changes: reverse the later run first, or set the units in the PSA by hand."
    /// The run to be reversed has made no change there.
    NothingToReverse "nothing_to_reverse" Skipped "Nothing: that run made no change on this line."
    /// The line changes again later.
    LaterChange "later_change" Held "Remove the later change in the PSA, or wait until it is in force."
    /// There is no day left for a change.
    NoDateLeft "no_date_left" Held "Every day up to the end of the contract is posted or already adjusted: change the units in the PSA by hand."
    /// The contract ends before its next period.
    NoPeriodAhead "no_period_ahead" Skipped "Nothing, or extend the contract: by the policy the change counts from the next billing period."
    /// The rows do not cover the day.
    NoUnitsOnDate "no_units_on_date" Failed "Check the line in the PSA: it has no units row for the day from which the change would count."
    /// An earlier write is not settled yet.
    WriteUnsettled "write_unsettled" Unknown "Nothing: the next run reads the PSA and settles it."
    /// An earlier write's outcome contradicts what the PSA shows.
    WriteUnexplained "write_unexplained" Unknown "Compare the line in the PSA with its history here, put it right by hand, then resolve the finding."
    /// The PSA's rows of the line make no sense to us.
    LineUnreadable "line_unreadable" Failed "Look at the line's units in the PSA, and tell us what they show."
    /// The PSA took our change for another than it was meant as.
    TakenOtherwise "taken_otherwise" Failed "Nothing: the next change of the line puts it right. If it stays, set the units in the PSA by hand."
    /// What a change does in the PSA has to be learnt from another line first.
    ChangeDeferred "change_deferred" Skipped "Nothing: the next run goes on. What a change does in the PSA is learnt from one rise, which is read back before anything else is sent."
    /// The PSA shows no units, and nobody has stated them.
    OpeningUnitsNeeded "opening_units_needed" Held "State the line's units as opening_units of this product in the company's mapping."
    /// The PSA shows no units, and somebody else has changed the line.
    UnitsChangedElsewhere "units_changed_elsewhere" Held "Look the line's units up in the PSA and state them anew as opening_units in the company's mapping: take the old number out first if it is the same."
    /// The PSA shows no units, and they were stated while a change of ours was under way.
    StatedTooEarly "stated_too_early" Held "Look the line's units up in the PSA and state them anew as opening_units in the company's mapping: take the old number out first if it is the same."
    /// The PSA shows no units, and companies that share the line state different numbers.
    OpeningUnitsDiffer "opening_units_differ" Failed "State the same opening_units in every mapping that shares the line: all the units that it carries, not one company's part."
    /// The PSA shows no units, and whether it made our last change can't be told.
    WriteUnclear "write_unclear" Held "Look the line's units up in the PSA and state them anew as opening_units in the company's mapping: take the old number out first if it is the same. Then resolve the finding."
    /// A newer run has decided the line.
    Superseded "superseded" Skipped "Nothing: a newer run decides it."
    /// Another connection writes it.
    LineOfAnotherConnection "line_of_another_connection" Failed "Remove the mapping from one of the two connections."
    /// The hour's requests are used up.
    BudgetExhausted "budget_exhausted" Skipped "Nothing: the next run goes on. Raise budget_percent if other integrations leave room."
    /// The PSA is left alone for a while.
    CircuitOpen "psa_circuit_open" Skipped "Nothing: the next run goes on."
    /// The connection was switched off or revoked after the run began.
    ConnectionOff "connection_off" Skipped "Switch the connection on, then sync again."
    /// Its settings are of a newer version.
    SettingsNotUnderstood "settings_not_understood" Failed "Deploy the newer version of Tallyline again; or send the settings that are named anew, which replaces what it has stored."
    /// The mapping is of a newer version.
    MappingNotUnderstood "mapping_not_understood" Failed "Deploy the newer version of Tallyline again; or send the mapping that is named anew, which replaces what it has stored."
    /// The job waited so long that its counts may be out of date.
    JobTooOld "job_too_old" Skipped "Nothing: the next run decides anew."
    /// The companies that a run was limited to are not mapped.
    CompaniesNotMapped "companies_not_mapped" Failed "Map the companies first, or check how they are spelt."
    /// An alert of a company that is mapped to no account.
    AlertCompanyNotMapped "alert_company_not_mapped" Held "Map the company to its account, or name a catch_all_account_id in the ticket mapping; then POST /v1/alerts/retry."
    /// An alert of a partner who has no ticket mapping.
    TicketsNotMapped "tickets_not_mapped" Held "Say how tickets are filled in: PUT /v1/connections/{id}/ticket-mapping; then POST /v1/alerts/retry."
    /// The connection that an alert's ticket is on is off or revoked.
    AlertConnectionOff "alert_connection_off" Held "Switch the connection on; then POST /v1/alerts/retry. Where it is gone for good, send the alert's dedupe_key with forget: its ticket is then opened on another connection."
    /// The PSA refused a ticket, or a note on one.
    TicketRefused "ticket_refused" Failed "Put right what the PSA says, in the ticket mapping or in the PSA; then POST /v1/alerts/retry."
    /// The PSA called a ticket made and does not show it.
    TicketNotShown "ticket_not_shown" Unknown "Look for the ticket in the PSA, and let the API user see it; then POST /v1/alerts/retry. It is never opened a second time by itself: if it is not there, send the alert's dedupe_key with forget."
    /// What was sent for an alert was neither confirmed nor shown, several times in a row.
    TicketUnanswered "ticket_unanswered" Unknown "See in the PSA whether its service desk works and the API user may write there; then POST /v1/alerts/retry."
    /// A ticket whose alert is over was not completed.
    TicketNotCompleted "ticket_not_completed" Failed "Complete the ticket in the PSA by hand, and see which rule or workflow keeps it open; or set on_resolve to note in the ticket mapping."
    /// A ticket whose alert has come back is still completed.
    TicketNotReopened "ticket_not_reopened" Failed "Open the ticket again in the PSA by hand, and see which rule or workflow keeps it completed."
    /// An alert was tried to the end of all tries.
    AlertGivenUp "alert_given_up" Failed "Test the connection and repair what is wrong with it; then POST /v1/alerts/retry."
    /// It was tried to the end of all tries.
    GivenUp "given_up" Failed "Look into the log for what failed; then sync again."
    /// An earlier refusal makes more requests pointless or harmful.
    Stopped "stopped" Skipped "Repair what stopped the run, then sync again."
    /// The policy says to wait.
    ApprovalNeeded "approval_needed" Held "Look at the change, then approve the line or charge. Approving a whole run approves what its guards hold as well."
    /// The connection is in shadow mode.
    Shadow "shadow" Planned "Nothing: shadow mode never writes."
}

impl Code {
    /// The code of this name. PSA errors have codes of their own, which are not among these.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|code| code.as_str() == name).copied()
    }

    /// Whether it is a code of alerts: no run says anything of what they find.
    #[must_use]
    pub fn is_of_alerts(self) -> bool {
        matches!(
            self,
            Self::AlertCompanyNotMapped
                | Self::TicketsNotMapped
                | Self::AlertConnectionOff
                | Self::TicketRefused
                | Self::TicketNotShown
                | Self::TicketUnanswered
                | Self::TicketNotCompleted
                | Self::TicketNotReopened
                | Self::AlertGivenUp
        )
    }

    /// Whether a person may wave the change through; every other reason asks for something to be put right.
    #[must_use]
    pub fn approvable(self) -> bool {
        matches!(
            self,
            Self::FallGuard
                | Self::RiseGuard
                | Self::FeedsFewer
                | Self::UsageStale
                | Self::Drift
                | Self::ChargeDrift
                | Self::ChargeGuard
                | Self::PriceGuard
                | Self::PriceDrift
                | Self::Reversed
                | Self::ApprovalNeeded
                | Self::ServiceToBeAdded
                | Self::ServiceToBeMade
        )
    }

    /// The status that belongs to a reason of the plan. A reason that came from elsewhere failed.
    #[must_use]
    pub fn status_of(reason: &Reason) -> LineStatus {
        Self::ALL.iter().find(|code| code.as_str() == reason.code).map_or(LineStatus::Failed, |code| code.status())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_a_repair_step() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(!code.fix().is_empty(), "{code:?}");
        }
    }

    #[test]
    fn a_code_whose_repair_step_is_an_approval_can_be_approved() {
        for code in Code::ALL {
            let told_to = code.fix().to_lowercase().contains("approve ");
            assert_eq!(code.approvable(), told_to, "{code:?}: {}", code.fix());
            assert!(!code.approvable() || code.status() == LineStatus::Held, "{code:?}");
            assert_eq!(Code::named(code.as_str()), Some(*code));
        }
        assert_eq!(Code::named("psa_unavailable"), None);
    }

    #[test]
    fn a_code_decides_what_its_line_ends_as() {
        for code in Code::ALL {
            assert_eq!(Code::status_of(&Reason::new(*code, String::new())), code.status());
        }
        let of_a_psa = Reason { code: "autotask_error".into(), explanation: String::new(), fix: String::new() };
        assert_eq!(Code::status_of(&of_a_psa), LineStatus::Failed);
    }
}
