//! The two things that are made: how each is looked for in the PSA, what it takes to make it, and how it is told.

use super::lacking::needs;
use super::on_contract;
use super::standing::{Found, Standing};
use crate::domain::line::LineKey;
use crate::domain::provision::Provision;
use crate::domain::reason::{Code, Reason};
use crate::ledger::Thing;
use crate::psa::provision::Called;
use crate::psa::{Connector, NewService, PsaError, Service, WriteError};

/// What is made, with what it takes.
pub(super) enum Piece<'a> {
    Service(&'a Provision),
    OnContract(LineKey),
}

/// A request that is about to be sent.
pub(super) enum Order {
    Service(Box<NewService>),
    OnContract(LineKey),
}

impl Piece<'_> {
    pub fn thing(&self) -> Thing {
        match self {
            Self::Service(provision) => Thing::Service(provision.name.clone()),
            Self::OnContract(line) => Thing::OnContract(line.clone()),
        }
    }

    pub async fn look(&self, psa: &dyn Connector) -> Result<Found, PsaError> {
        match self {
            Self::Service(provision) => Ok(match Called::of(&psa.find_services(&provision.name).await?) {
                Called::None => Found::Nothing,
                Called::One(service) => Found::One { id: service.id.to_string(), short: is_short(service, provision) },
                Called::Inactive => Found::Inactive,
                Called::Several(count) => Found::Several(count),
            }),
            Self::OnContract(line) => Ok(match on_contract(psa, line).await?.as_slice() {
                [] => Found::Nothing,
                [only] => Found::One { id: only.to_string(), short: false },
                several => Found::Several(several.len()),
            }),
        }
    }

    pub async fn order(&self, psa: &dyn Connector) -> Result<Order, PsaError> {
        let provision = match self {
            Self::Service(provision) => provision,
            Self::OnContract(line) => return Ok(Order::OnContract(line.clone())),
        };
        let (code, vendor) = needs(psa, provision).await?;
        Ok(Order::Service(Box::new(NewService {
            name: provision.name.clone(),
            vendor: vendor.map(|vendor| vendor.id),
            billing_code: code.id,
            period: provision.period,
            unit_cost: provision.cost(),
            unit_price: provision.price(),
            description: provision.description.clone().unwrap_or_default(),
        })))
    }

    /// Why it is neither used nor made.
    pub fn refused(&self, standing: Standing, found: &Found) -> Reason {
        let what = self.in_words();
        match (self, standing) {
            (Self::Service(provision), Standing::Unusable) => {
                let called = match found {
                    Found::Several(count) => Called::Several(*count),
                    _ => Called::Inactive,
                };
                called.told(&provision.name)
            }
            (Self::OnContract(_), Standing::Unusable) => {
                Reason::new(Code::ServiceTwiceOnContract, format!("The contract carries {what} more than once."))
            }
            (_, Standing::Gone) => {
                Reason::new(Code::ServiceGone, format!("{what} was made and is not there any more."))
            }
            (_, Standing::Unexplained) => {
                let explanation = format!("The PSA answered that {what} is made, and does not show it.");
                Reason::new(Code::ServiceUnexplained, explanation)
            }
            (_, Standing::Wait | Standing::There | Standing::Absent) => {
                let explanation = format!("{what} was sent to be made; it may still be on its way.");
                Reason::new(Code::WriteUnsettled, explanation)
            }
        }
    }

    pub fn in_words(&self) -> String {
        match self {
            Self::Service(provision) => format!("Service \"{}\"", provision.name),
            Self::OnContract(line) => format!("Service {} on contract {}", line.service, line.contract),
        }
    }
}

impl Order {
    pub async fn send(&self, psa: &dyn Connector) -> Result<(), WriteError> {
        match self {
            Self::Service(service) => psa.create_service(service).await.map(drop),
            // With no price of its own: the catalogue's are in the catalogue's currency, and the PSA knows the contract's.
            Self::OnContract(line) => psa.add_service(&line.contract, &line.service, None, None).await.map(drop),
        }
    }
}

/// Whether the service shows another cost or price than it was to be made with.
fn is_short(service: &Service, provision: &Provision) -> bool {
    let cost = provision.cost();
    (cost.is_some() && service.prices.cost != cost) || service.prices.price != Some(provision.price())
}
