//! The columns of the file, and which of them a row of each type has.

/// A column. They are written in this order, and read in any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Type,
    Company,
    Product,
    AccountId,
    ContractId,
    ServiceId,
    WhenAbsent,
    Excluded,
    OpeningUnits,
    Counting,
    Exclude,
    Minimum,
    CommitmentUnits,
    CommitmentUntil,
    Maximum,
    Rounding,
    UnitCost,
    Fixed,
    MarkupPercent,
    UnitPrice,
    Decimals,
    Currency,
}

/// The columns of a price.
pub(super) const PRICE: [Column; 6] =
    [Column::UnitCost, Column::Fixed, Column::MarkupPercent, Column::UnitPrice, Column::Decimals, Column::Currency];

/// The columns of a rule.
pub(super) const RULE: [Column; 7] = [
    Column::Counting,
    Column::Exclude,
    Column::Minimum,
    Column::CommitmentUnits,
    Column::CommitmentUntil,
    Column::Maximum,
    Column::Rounding,
];

impl Column {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Type,
        Self::Company,
        Self::Product,
        Self::AccountId,
        Self::ContractId,
        Self::ServiceId,
        Self::WhenAbsent,
        Self::Excluded,
        Self::OpeningUnits,
        Self::Counting,
        Self::Exclude,
        Self::Minimum,
        Self::CommitmentUnits,
        Self::CommitmentUntil,
        Self::Maximum,
        Self::Rounding,
        Self::UnitCost,
        Self::Fixed,
        Self::MarkupPercent,
        Self::UnitPrice,
        Self::Decimals,
        Self::Currency,
    ];

    /// The name in the header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Company => "company",
            Self::Product => "product",
            Self::AccountId => "account_id",
            Self::ContractId => "contract_id",
            Self::ServiceId => "service_id",
            Self::WhenAbsent => "when_absent",
            Self::Excluded => "excluded",
            Self::OpeningUnits => "opening_units",
            Self::Counting => "counting",
            Self::Exclude => "exclude",
            Self::Minimum => "minimum",
            Self::CommitmentUnits => "commitment_units",
            Self::CommitmentUntil => "commitment_until",
            Self::Maximum => "maximum",
            Self::Rounding => "rounding",
            Self::UnitCost => "unit_cost",
            Self::Fixed => "fixed",
            Self::MarkupPercent => "markup_percent",
            Self::UnitPrice => "unit_price",
            Self::Decimals => "decimals",
            Self::Currency => "currency",
        }
    }

    /// The column of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    /// Where it is written.
    pub fn place(self) -> usize {
        Self::ALL.iter().position(|column| *column == self).unwrap_or_default()
    }
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Product,
    Company,
    Override,
}

impl Type {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 3] = [Self::Product, Self::Company, Self::Override];

    /// What the first column says.
    pub fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Company => "company",
            Self::Override => "override",
        }
    }

    /// Whether a row of it may have something in `column`.
    pub fn has(self, column: Column) -> bool {
        use Column as C;
        let of_both = RULE.contains(&column) || PRICE.contains(&column);
        let own: &[Column] = match self {
            Self::Product => &[C::Product, C::ServiceId],
            Self::Company => &[C::Company, C::AccountId, C::ContractId, C::WhenAbsent],
            Self::Override => &[C::Company, C::Product, C::ContractId, C::ServiceId, C::Excluded, C::OpeningUnits],
        };
        column == C::Type || own.contains(&column) || (of_both && self != Self::Company)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_their_names_and_stand_where_they_are_written() {
        for (place, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!((Column::named(column.name()), column.place()), (Some(column), place));
            assert!(Type::ALL.iter().any(|kind| kind.has(column)), "{column:?} is of no row");
        }
    }
}
