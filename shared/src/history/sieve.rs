//! What is asked for, and what of the history passes. What can be told from a row of the journal is told before anything
//! that it names is fetched.

use jiff::Timestamp;

use super::about::Named;
use super::entry::Kind;
use super::tell::Told;
use crate::domain::charge::ChargeLine;
use crate::domain::ids::{CompanyId, ProductKey};
use crate::domain::line::LineKey;
use crate::store::connections::{Connection, ConnectionAct};
use crate::store::journal::{Act, What};
use crate::store::mappings::{ChargeMapping, CompanyMapping, Mapping, ProductMapping, StoredTicketMapping};
use crate::store::{StoreError, Table};

/// What of a history is asked for; all of it where nothing is named.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Only what is about this company.
    pub company: Option<CompanyId>,
    /// Only what is about this product.
    pub product: Option<ProductKey>,
    /// Only what is about this line.
    pub line: Option<LineKey>,
    /// Only what is about this charge.
    pub charge: Option<ChargeLine>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
    /// Only entries of this kind.
    pub kind: Option<Kind>,
}

/// [`Asked`], with what the mappings tell about it.
#[derive(Debug)]
pub(super) struct Sieve {
    pub asked: Asked,
    /// `None` where neither company nor product is asked for.
    pub named: Option<Named>,
}

impl Sieve {
    pub async fn of(table: &Table, of: &Connection, asked: Asked) -> Result<Self, StoreError> {
        let (company, product) = (asked.company.as_ref(), asked.product.as_ref());
        let named = match (company, product) {
            (None, None) => None,
            _ => Some(Named::by(table, of, company, product).await?),
        };
        Ok(Self { asked, named })
    }

    /// Whether only what is about something is asked for.
    pub fn is_about_something(&self) -> bool {
        self.asked.line.is_some() || self.asked.charge.is_some() || self.named.is_some()
    }

    /// Whether most rows may be left out.
    pub fn is_fine(&self) -> bool {
        self.is_about_something() || self.asked.kind.is_some()
    }

    /// So many rows are looked up at once: where most don't pass, a few at a time would cost a request each.
    pub fn rows_at_least(&self) -> usize {
        if self.is_fine() { 50 } else { 0 }
    }

    pub fn wants_acts(&self) -> bool {
        self.asked.kind.is_none_or(|kind| kind != Kind::UnitsChanged && !kind.is_of_charges())
    }

    pub fn wants_changes(&self) -> bool {
        self.wants_lines() || self.wants_charges()
    }

    fn wants_lines(&self) -> bool {
        self.asked.kind.is_none_or(|kind| kind == Kind::UnitsChanged)
    }

    fn wants_charges(&self) -> bool {
        self.asked.kind.is_none_or(Kind::is_of_charges)
    }

    /// Whether a row of the journal may come to an entry that passes.
    pub fn may_pass(&self, act: &Act) -> bool {
        let kinds: &[Kind] = match &act.what {
            What::Connection(changed) => &[kind_of(changed.act)],
            What::Mapping { mapping, .. } => &kinds_of(mapping),
            What::Run { whole: true, .. } => &[Kind::Run],
            What::Run { .. } => &[Kind::Run, Kind::Approval, Kind::Reversal],
            What::Resolved(_) => &[Kind::FindingResolved],
        };
        self.asked.kind.is_none_or(|kind| kinds.contains(&kind))
            && (!self.is_about_something() || self.may_be_about(&act.what))
    }

    fn may_be_about(&self, what: &What) -> bool {
        let Asked { company, product, line, charge, .. } = &self.asked;
        match what {
            What::Connection(_) | What::Run { whole: true, .. } => false,
            What::Run { .. } | What::Resolved(_) => true,
            What::Mapping { mapping, .. } => {
                let of_company = mapping.strip_prefix(CompanyMapping::PREFIX);
                let of_product = product_of(mapping);
                let same = |asked: Option<&str>, of: &str| asked.is_none_or(|asked| asked == of);
                line.is_none()
                    && charge.is_none()
                    && (of_company.is_some_and(|of| same(company.as_ref().map(CompanyId::as_str), of))
                        || of_product
                            .is_some_and(|of| company.is_none() && same(product.as_ref().map(ProductKey::as_str), of)))
            }
        }
    }

    /// Whether a change of `line` may pass, before the change itself is seen.
    pub fn may_pass_of(&self, line: &LineKey) -> bool {
        let Asked { company, line: asked, charge, .. } = &self.asked;
        // A company's lines may be on a contract that no mapping names: one that followed on another. Services stay.
        let of_product = |named: &Named| company.is_some() || named.services.contains(&line.service);
        self.wants_lines()
            && charge.is_none()
            && asked.as_ref().is_none_or(|asked| asked == line)
            && self.named.as_ref().is_none_or(of_product)
    }

    /// Whether a write of `charge` may pass, before the write itself is seen.
    pub fn may_pass_of_charge(&self, charge: &ChargeLine) -> bool {
        let Asked { product, line, charge: asked, .. } = &self.asked;
        self.wants_charges()
            && line.is_none()
            && asked.as_ref().is_none_or(|asked| asked == charge)
            && product.as_ref().is_none_or(|product| *product == charge.key.product)
    }

    /// Whether an entry passes.
    pub fn keeps(&self, told: &Told) -> bool {
        let Asked { line, charge, from, to, kind, .. } = &self.asked;
        kind.is_none_or(|kind| kind == told.entry.kind)
            && from.is_none_or(|from| from <= told.entry.at)
            && to.is_none_or(|to| told.entry.at < to)
            && line.as_ref().is_none_or(|line| told.lines.contains(line))
            && charge.as_ref().is_none_or(|charge| told.charges.contains(charge))
            && self.named.as_ref().is_none_or(|named| self.is_named(told, named))
    }

    fn is_named(&self, told: &Told, named: &Named) -> bool {
        let Asked { company, product, .. } = &self.asked;
        let by_name = company.as_ref().is_none_or(|company| told.companies.contains(company))
            && product.as_ref().is_none_or(|product| told.products.contains(product));
        let of_charge = |charge: &ChargeLine| {
            company.is_some()
                && product.as_ref().is_none_or(|product| *product == charge.key.product)
                && named.has_charge(charge)
        };
        // What several feed goes by the name of the first.
        by_name || told.lines.iter().any(|line| named.lines.contains(line)) || told.charges.iter().any(of_charge)
    }
}

/// The kinds of entry that the making, a change and the removal of the mapping with this sort key come to.
pub(super) fn kinds_of(mapping: &str) -> [Kind; 3] {
    if mapping.starts_with(CompanyMapping::PREFIX) {
        [Kind::CompanyMapped, Kind::CompanyChanged, Kind::CompanyUnmapped]
    } else if mapping.starts_with(ChargeMapping::PREFIX) {
        [Kind::ChargesMapped, Kind::ChargesRemapped, Kind::ChargesUnmapped]
    } else if mapping.starts_with(StoredTicketMapping::PREFIX) {
        [Kind::TicketsMapped, Kind::TicketsRemapped, Kind::TicketsUnmapped]
    } else {
        [Kind::ProductMapped, Kind::ProductChanged, Kind::ProductUnmapped]
    }
}

/// The product that the mapping with this sort key is of, or is the mapping of the charges of.
pub(super) fn product_of(mapping: &str) -> Option<&str> {
    mapping.strip_prefix(ProductMapping::PREFIX).or_else(|| mapping.strip_prefix(ChargeMapping::PREFIX))
}

/// The kind of entry that something done to a connection comes to.
pub(super) fn kind_of(act: ConnectionAct) -> Kind {
    match act {
        ConnectionAct::Created => Kind::ConnectionCreated,
        ConnectionAct::Changed => Kind::ConnectionChanged,
        ConnectionAct::CredentialsReplaced => Kind::CredentialsReplaced,
        ConnectionAct::CredentialsRejected => Kind::CredentialsRejected,
        ConnectionAct::CredentialsAccepted => Kind::CredentialsAccepted,
        ConnectionAct::Revoked => Kind::ConnectionRevoked,
    }
}
