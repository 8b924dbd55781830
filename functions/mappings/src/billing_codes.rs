//! Whether the PSA can account for the charges of a mapping: whether it takes any, and has the billing code that is named.

use shared::api::{Fault, Problem};
use shared::psa::{BillingCode, BillingCodeKind, Connector, charges};

/// Looks for the one active billing code for material that is called `name`, which stands at `pointer`.
///
/// # Errors
/// 422 with the PSA's own code: it takes no charges from us, or has no such billing code, only one that is not active, or
/// several; or what else the PSA said.
pub(crate) async fn exists(psa: &dyn Connector, name: &str, pointer: &str) -> Result<(), Problem> {
    charges::taken_by(psa).await?;
    let codes = psa.billing_codes(BillingCodeKind::Material).await?;
    let named = BillingCode::named(&codes, name);
    let fault = || vec![Fault::new(pointer, "must be the name of one active billing code for material")];
    named.map(drop).map_err(|error| Problem::from(error).faults(fault()))
}
