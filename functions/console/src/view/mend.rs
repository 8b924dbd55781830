//! Where what is wrong is put right, where a page of ours does it.

use shared::domain::reason::Code;

use crate::client::told::finding::Finding;
use crate::client::{path, with_query};

/// The address of the page, and what a person does there. `company` and `product` are those that it is about; empty where it is
/// about none.
pub(crate) fn at(connection: &str, code: &str, company: &str, product: &str) -> Option<(String, &'static str)> {
    let of = |room: &str, what: &str| {
        let room = path(&["console", "connections", connection, room, what]);
        (!what.is_empty()).then_some(room)
    };
    let (place, label) = match Code::named(code)? {
        Code::CompanyNotMapped | Code::AlertCompanyNotMapped => (of("companies", company), "Map the company"),
        Code::ProductNotMapped => (of("products", product), "Map the product"),
        Code::ChargesNotMapped => (of("charges", product), "Map its charges"),
        Code::ContractNotFound
        | Code::ContractOfAnotherAccount
        | Code::ContractNotRecurring
        | Code::ContractInactive
        | Code::ContractEnded
        | Code::ContractExpiring
        | Code::ContractRenewed => (of("companies", company), "Choose another contract"),
        Code::CompanyAbsent
        | Code::OpeningUnitsNeeded
        | Code::OpeningUnitsDiffer
        | Code::UnitsChangedElsewhere
        | Code::StatedTooEarly
        | Code::WriteUnclear => (of("companies", company), "The company's mapping"),
        Code::ServiceNotOnContract
        | Code::ServiceNotInCatalogue
        | Code::ServiceInactive
        | Code::ServiceNameAmbiguous
        | Code::ServiceTwiceOnContract
        | Code::CostMissing
        | Code::CostsDiffer
        | Code::RulesDiffer => (of("products", product), "The product's mapping"),
        Code::TicketsNotMapped
        | Code::TicketRefused
        | Code::TicketNotShown
        | Code::TicketUnanswered
        | Code::TicketNotCompleted
        | Code::TicketNotReopened
        | Code::AlertGivenUp => (Some(path(&["console", "connections", connection, "tickets"])), "Tickets"),
        Code::AlertConnectionOff => (Some(path(&["console", "connections", connection])), "The connection"),
        Code::UsageMissing | Code::UsageIncomplete | Code::UsageStale if !product.is_empty() => {
            (Some(with_query("/console/usage", &[("product", Some(product))])), "Its usage")
        }
        _ => return None,
    };
    Some((place?, label))
}

/// The same of what was found.
pub(crate) fn finding(connection: &str, finding: &Finding) -> Option<(String, &'static str)> {
    if Code::named(&finding.code).is_some_and(Code::approvable) {
        return Some((path(&["console", "runs", &finding.run_id]), "Approve in its sync"));
    }
    let about = |subject: &Option<String>| subject.clone().unwrap_or_default();
    at(connection, &finding.code, &about(&finding.company), &about(&finding.product))
}

/// What to do, without the API's own requests: what they do stands behind buttons of the page Tickets.
pub(crate) fn words(fix: &str) -> String {
    fix.replace(": PUT /v1/connections/{id}/ticket-mapping", "")
        .replace("POST /v1/alerts/retry", "try the alerts again on the page Tickets")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_to_the_page_of_the_company_or_product_that_it_is_about() {
        let at = |code, company, product| super::at("conn_1", code, company, product);
        assert_eq!(
            at("contract_ended", "acme", "edr"),
            Some(("/console/connections/conn_1/companies/acme".to_owned(), "Choose another contract")),
        );
        assert_eq!(
            at("product_not_mapped", "", "edr"),
            Some(("/console/connections/conn_1/products/edr".to_owned(), "Map the product")),
        );
        assert_eq!(
            at("tickets_not_mapped", "", ""),
            Some(("/console/connections/conn_1/tickets".to_owned(), "Tickets"))
        );
        assert_eq!(at("usage_stale", "x", "a b"), Some(("/console/usage?product=a+b".to_owned(), "Its usage")));
    }

    #[test]
    fn what_to_do_about_alerts_is_told_without_requests_of_the_api() {
        for code in Code::ALL.iter().filter(|code| code.is_of_alerts()) {
            let told = words(code.fix());
            assert!(!told.contains("/v1/") && !told.contains("POST") && !told.contains("PUT"), "{code:?}: {told}");
        }
        assert_eq!(
            words(Code::TicketsNotMapped.fix()),
            "Say how tickets are filled in; then try the alerts again on the page Tickets."
        );
    }

    #[test]
    fn leads_nowhere_where_no_page_of_ours_helps() {
        for (code, company, product) in [
            ("costs_hidden", "x", "edr"),
            ("contract_ended", "", "edr"),
            ("usage_stale", "x", ""),
            ("unheard_of", "x", "edr"),
        ] {
            assert_eq!(at("conn_1", code, company, product), None, "{code}");
        }
    }
}
