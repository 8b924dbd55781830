//! From rows of cells to mappings: each cell read as what it is, each row checked by itself and against the others.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as ValueError, StrDeserializer};
use shared::domain::ids::{AccountId, CompanyId, ContractId, ProductKey, ServiceId};
use shared::domain::policy::WhenAbsent;
use shared::domain::rule::{Commitment, Rule};
use shared::domain::units::{InvalidUnits, Units};
use shared::store::mappings::{Decimals, Override, Price};

use super::columns::{Column, PRICE, RULE, Type};
use super::faults::SheetFaults;
use super::read::Row;
use crate::companies::MAX_OVERRIDES;

/// What a file says. Rows with a fault of their own are left out.
#[derive(Debug, Default)]
pub(super) struct File {
    pub products: BTreeMap<ProductKey, ProductRow>,
    pub companies: BTreeMap<CompanyId, CompanyRow>,
}

#[derive(Debug)]
pub(super) struct ProductRow {
    pub row: u64,
    /// Left empty only where the mapping on record says how the service is made.
    pub service_id: Option<ServiceId>,
    pub rule: Rule,
    pub price: Option<Price>,
}

#[derive(Debug)]
pub(super) struct CompanyRow {
    pub row: u64,
    pub account_id: AccountId,
    pub contract_id: ContractId,
    pub when_absent: WhenAbsent,
    pub overrides: BTreeMap<ProductKey, Override>,
    /// The rows of the overrides.
    pub rows: BTreeMap<ProductKey, u64>,
}

impl File {
    /// What `rows` say.
    pub fn of(rows: &[Row], faults: &mut SheetFaults) -> Self {
        let mut file = Self::default();
        let mut named = Named::default();
        let mut overrides = Vec::new();
        for row in rows {
            let mut cells = Cells { row, faults, sound: true };
            match cells.kind() {
                None => (),
                Some(Type::Product) => file.product(&mut cells, &mut named),
                Some(Type::Company) => file.company(&mut cells, &mut named),
                Some(Type::Override) => overrides.extend(an_override(&mut cells, &mut named)),
            }
        }
        for (row, company, product, different) in overrides {
            match file.companies.get_mut(&company) {
                Some(mapping) if mapping.overrides.len() == MAX_OVERRIDES => {
                    let detail = format!("a company may have at most {MAX_OVERRIDES} overrides");
                    faults.cell(row, Column::Company, detail);
                }
                Some(mapping) => {
                    mapping.rows.insert(product.clone(), row);
                    mapping.overrides.insert(product, different);
                }
                // Its own row is there, and has faults of its own.
                None if named.companies.contains_key(&company) => (),
                None => faults.cell(row, Column::Company, NO_COMPANY_ROW),
            }
        }
        file
    }

    fn product(&mut self, cells: &mut Cells<'_>, named: &mut Named) {
        let product = cells.id::<ProductKey>(Column::Product);
        let service_id = cells.parsed::<ServiceId>(Column::ServiceId);
        let rule = cells.rule().unwrap_or_default();
        let price = cells.price();
        let row = cells.row.number;
        if product.is_none() && service_id.is_none() {
            // Of what product nothing is on record, nothing is known that would stand in its place.
            cells.id::<ServiceId>(Column::ServiceId);
        }
        if let Some(product) = &product {
            cells.first(Column::Product, &mut named.products, product.clone());
        }
        if let (true, Some(product)) = (cells.sound, product) {
            self.products.insert(product, ProductRow { row, service_id, rule, price });
        }
    }

    fn company(&mut self, cells: &mut Cells<'_>, named: &mut Named) {
        let company = cells.id::<CompanyId>(Column::Company);
        let account = cells.id::<AccountId>(Column::AccountId);
        let contract = cells.id::<ContractId>(Column::ContractId);
        let when_absent = cells.word(Column::WhenAbsent, "keep, zero or hold").unwrap_or_default();
        let row = cells.row.number;
        if let Some(company) = &company {
            cells.first(Column::Company, &mut named.companies, company.clone());
        }
        if let (true, Some(company), Some(account_id), Some(contract_id)) = (cells.sound, company, account, contract) {
            let (overrides, rows) = (BTreeMap::new(), BTreeMap::new());
            self.companies.insert(company, CompanyRow { row, account_id, contract_id, when_absent, overrides, rows });
        }
    }
}

const NO_COMPANY_ROW: &str = "has no row of type company in this file: include it, a company is given with all of its \
                              overrides";

/// The rows on which names stand first.
#[derive(Default)]
struct Named {
    products: BTreeMap<ProductKey, u64>,
    companies: BTreeMap<CompanyId, u64>,
    overrides: BTreeMap<(CompanyId, ProductKey), u64>,
}

type OverrideRow = (u64, CompanyId, ProductKey, Override);

fn an_override(cells: &mut Cells<'_>, named: &mut Named) -> Option<OverrideRow> {
    let company = cells.id::<CompanyId>(Column::Company);
    let product = cells.id::<ProductKey>(Column::Product);
    let different = Override {
        contract_id: cells.parsed(Column::ContractId),
        service_id: cells.parsed(Column::ServiceId),
        rule: cells.rule(),
        price: cells.price(),
        excluded: cells.flag(Column::Excluded),
        opening_units: cells.units(Column::OpeningUnits),
    };
    let (company, product) = (company?, product?);
    cells.first(Column::Product, &mut named.overrides, (company.clone(), product.clone()));
    cells.sound.then_some((cells.row.number, company, product, different))
}

/// The cells of one row, and whether they are sound so far.
struct Cells<'a> {
    row: &'a Row,
    faults: &'a mut SheetFaults,
    sound: bool,
}

impl Cells<'_> {
    fn fault(&mut self, column: Column, detail: impl Into<String>) {
        self.sound = false;
        self.faults.cell(self.row.number, column, detail);
    }

    /// What the row is about, with nothing in it that rows of the kind have not.
    fn kind(&mut self) -> Option<Type> {
        let name = self.row.text(Column::Type).to_ascii_lowercase();
        let Some(kind) = Type::ALL.into_iter().find(|kind| kind.name() == name) else {
            self.fault(Column::Type, "must be product, company or override");
            return None;
        };
        for column in Column::ALL.into_iter().filter(|column| !kind.has(*column)) {
            if !self.row.text(column).is_empty() {
                self.fault(column, format!("must be empty in a row of type {}", kind.name()));
            }
        }
        Some(kind)
    }

    fn filled(&self, column: Column) -> Option<&str> {
        Some(self.row.text(column)).filter(|text| !text.is_empty())
    }

    fn taken<T, E: Display>(&mut self, column: Column, read: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        match self.filled(column).map(read)? {
            Ok(value) => Some(value),
            Err(error) => {
                let detail = error.to_string();
                self.fault(column, detail);
                None
            }
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, column: Column) -> Option<T> {
        self.taken(column, str::parse)
    }

    /// An id that must be there.
    fn id<T: FromStr<Err: Display>>(&mut self, column: Column) -> Option<T> {
        if self.filled(column).is_none() {
            self.fault(column, "is required");
        }
        self.parsed(column)
    }

    fn units(&mut self, column: Column) -> Option<Units> {
        self.taken(column, |text| {
            // "+5" is a number for Rust and a slip of the sender for us.
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i64>().ok().filter(|_| digits).ok_or(InvalidUnits)?.try_into()
        })
    }

    /// One of a few words, as JSON has them.
    fn word<T: DeserializeOwned>(&mut self, column: Column, words: &str) -> Option<T> {
        self.taken(column, |text| {
            let lower = text.to_ascii_lowercase();
            T::deserialize(StrDeserializer::<ValueError>::new(&lower)).map_err(|_| format!("must be {words}"))
        })
    }

    /// Spreadsheets write TRUE for true.
    fn flag(&mut self, column: Column) -> bool {
        let flag = self.taken(column, |text| match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("must be true, false or empty"),
        });
        flag.unwrap_or_default()
    }

    /// The rule, where anything of one is there.
    fn rule(&mut self) -> Option<Rule> {
        RULE.iter().find(|column| self.filled(**column).is_some())?;
        let rule = Rule {
            counting: self
                .word(Column::Counting, "latest, high_water_mark, period_close or average")
                .unwrap_or_default(),
            exclude: self.units(Column::Exclude).unwrap_or_default(),
            minimum: self.units(Column::Minimum).unwrap_or_default(),
            commitment: self.commitment(),
            maximum: self.units(Column::Maximum),
            rounding: self.word(Column::Rounding, "up, nearest or down").unwrap_or_default(),
        };
        self.contradict(rule.contradictions());
        Some(rule)
    }

    fn commitment(&mut self) -> Option<Commitment> {
        let both = [Column::CommitmentUnits, Column::CommitmentUntil];
        let filled = both.map(|column| self.filled(column).is_some());
        if filled[0] != filled[1] {
            let missing = if filled[0] { Column::CommitmentUntil } else { Column::CommitmentUnits };
            self.fault(missing, "is required: a commitment has units and a last day");
        }
        let units = self.units(Column::CommitmentUnits);
        let until = self.taken(Column::CommitmentUntil, |text| {
            text.parse::<Date>().map_err(|_| "must be a day such as 2027-06-30")
        });
        Some(Commitment { units: units?, until: until? })
    }

    fn price(&mut self) -> Option<Price> {
        let unit_cost = self.word(Column::UnitCost, "from_usage, fixed or none");
        let fixed = self.parsed(Column::Fixed);
        let markup_percent = self.parsed(Column::MarkupPercent);
        let unit_price = self.word(Column::UnitPrice, "markup or keep").unwrap_or_default();
        let decimals = self.taken(Column::Decimals, |text| {
            let digits = text.parse::<u32>().map_err(|_| "must be from 0 to 4")?;
            Decimals::try_from(digits)
        });
        let currency = self.parsed(Column::Currency);
        let named = PRICE.iter().any(|column| self.filled(*column).is_some());
        if self.filled(Column::UnitCost).is_none() && named {
            self.fault(Column::UnitCost, "is required where a price is given");
        }
        let price = Price { unit_cost: unit_cost?, fixed, markup_percent, unit_price, decimals, currency };
        self.contradict(price.contradictions());
        Some(price)
    }

    /// Contradictions are told of fields, which are columns here.
    fn contradict(&mut self, found: Vec<(&'static str, &'static str)>) {
        for (field, detail) in found {
            self.fault(Column::named(field).unwrap_or(Column::Type), detail);
        }
    }

    /// A name may stand in one row only.
    fn first<T: Ord>(&mut self, column: Column, named: &mut BTreeMap<T, u64>, name: T) {
        match named.get(&name).copied() {
            Some(first) => self.fault(column, format!("is in row {first} already")),
            None => drop(named.insert(name, self.row.number)),
        }
    }
}

impl File {
    /// Every contract that it names.
    pub fn contracts(&self) -> BTreeSet<ContractId> {
        self.companies.values().flat_map(CompanyRow::contracts).map(|(_, contract)| contract.clone()).collect()
    }

    /// Every service that it names, with the rows in which it does.
    pub fn services(&self) -> BTreeMap<ServiceId, Vec<u64>> {
        let of_products =
            self.products.values().filter_map(|product| Some((product.row, product.service_id.as_ref()?)));
        let of_overrides = self.companies.values().flat_map(CompanyRow::services);
        let mut named: BTreeMap<ServiceId, Vec<u64>> = BTreeMap::new();
        for (row, service) in of_products.chain(of_overrides) {
            named.entry(service.clone()).or_default().push(row);
        }
        named
    }
}

impl CompanyRow {
    /// The contracts that it names, with their rows.
    pub fn contracts(&self) -> impl Iterator<Item = (u64, &ContractId)> {
        std::iter::once((self.row, &self.contract_id)).chain(
            self.overrides
                .iter()
                .filter_map(|(product, different)| Some((self.row_of(product), different.contract_id.as_ref()?))),
        )
    }

    fn services(&self) -> impl Iterator<Item = (u64, &ServiceId)> {
        self.overrides
            .iter()
            .filter_map(|(product, different)| Some((self.row_of(product), different.service_id.as_ref()?)))
    }

    /// The row of a product's override.
    pub fn row_of(&self, product: &ProductKey) -> u64 {
        self.rows.get(product).copied().unwrap_or(self.row)
    }
}
