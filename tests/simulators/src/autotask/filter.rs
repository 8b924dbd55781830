//! Query filters: reading them from JSON, and testing rows against them.
//!
//! Owns operators, groups and comparisons. Two traps of the real API are kept on purpose: a condition with an unknown operator
//! is dropped in silence (so it matches everything), and an unknown field is a 500.
//! Comparing follows the database behind it: text without regard to case, and null matches nothing but `notExist`.

use std::cmp::Ordering;
use std::collections::HashSet;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::cell::{Cell, day_and_seconds, decimal};
use super::errors::Refusal;
use super::schema::{Field, Kind, Row};

/// A filter over rows of one entity.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    All(Vec<Self>),
    Any(Vec<Self>),
    /// A test on the field at a place in the entity's list.
    Test(usize, Test),
}

/// A test on one field.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Compare(Comparison, Operand),
    In {
        values: Values,
        negated: bool,
    },
    Text(Part, String),
    Exists(bool),
    /// Matches no row, as a text against a long id does.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Start,
    End,
    Anywhere,
}

/// A value a field is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Int(i64),
    Amount(Decimal),
    Text(String),
    Flag(bool),
    /// A day and the seconds into it.
    Day(Date, i64),
    Null,
}

/// A list of values; whole numbers are kept as a set because lists of 500 ids meet tens of thousands of rows.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    Ints(HashSet<i64>),
    Others(Vec<Operand>),
}

enum Operator {
    Compare(Comparison),
    In { negated: bool },
    Text(Part),
    Exists(bool),
}

/// Autotask's limit on OR conditions, where each value of an `in` list counts.
const MAX_CONDITIONS: usize = 500;

impl Filter {
    /// Reads the `filter` array of a query. The conditions of the outermost list must all hold.
    pub(crate) fn read<R: Row>(filter: &[Value]) -> Result<Self, Refusal> {
        let mut conditions = 0;
        let filter = Self::All(read_list::<R>(filter, false, &mut conditions)?);
        if conditions > MAX_CONDITIONS { Err(Refusal::TooManyConditions) } else { Ok(filter) }
    }

    /// Whether a row passes. Costs are null to a user who cannot read them.
    pub(crate) fn passes<R: Row>(&self, row: &R, reads_costs: bool) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.passes(row, reads_costs)),
            Self::Any(parts) => parts.iter().any(|part| part.passes(row, reads_costs)),
            Self::Test(place, test) => R::FIELDS.get(*place).is_some_and(|field| {
                let cell = if field.is_cost && !reads_costs { Cell::Null } else { (field.get)(row) };
                test.passes(&cell)
            }),
        }
    }

    /// The whole numbers a field must be one of for a row to pass, if the filter says so. Used to look rows up by index.
    pub(crate) fn required(&self, place: usize) -> Option<Vec<i64>> {
        match self {
            Self::All(parts) => parts.iter().find_map(|part| part.required(place)),
            Self::Test(at, Test::Compare(Comparison::Equal, Operand::Int(id))) if *at == place => Some(vec![*id]),
            Self::Test(at, Test::In { values: Values::Ints(ids), negated: false }) if *at == place => {
                Some(ids.iter().copied().collect())
            }
            Self::Any(_) | Self::Test(..) => None,
        }
    }

    /// The id all matching rows lie above, if the filter says so. The id is the first field of every entity.
    pub(crate) fn above(&self) -> Option<i64> {
        match self {
            Self::All(parts) => parts.iter().filter_map(Self::above).max(),
            Self::Test(0, Test::Compare(Comparison::Greater, Operand::Int(id))) => Some(*id),
            Self::Test(0, Test::Compare(Comparison::GreaterOrEqual, Operand::Int(id))) => Some(id.saturating_sub(1)),
            Self::Any(_) | Self::Test(..) => None,
        }
    }
}

fn read_list<R: Row>(list: &[Value], within_or: bool, conditions: &mut usize) -> Result<Vec<Filter>, Refusal> {
    let mut parts = Vec::new();
    for item in list {
        let object = item.as_object().ok_or_else(|| unexpected(item))?;
        parts.extend(read_one::<R>(object, within_or, conditions)?);
    }
    Ok(parts)
}

fn read_one<R: Row>(
    object: &Map<String, Value>,
    within_or: bool,
    conditions: &mut usize,
) -> Result<Option<Filter>, Refusal> {
    let op = key(object, "op").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    if op == "and" || op == "or" {
        let or = op == "or";
        let items = key(object, "items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let parts = read_list::<R>(items, within_or || or, conditions)?;
        // A group of which nothing is left says nothing.
        return Ok(match parts.len() {
            0 => None,
            _ if or => Some(Filter::Any(parts)),
            _ => Some(Filter::All(parts)),
        });
    }
    let Some(name) = key(object, "field").and_then(Value::as_str) else {
        return Ok(None);
    };
    let place = R::place(name).ok_or_else(|| Refusal::UnknownField { field: name.to_owned(), entity: R::SINGULAR })?;
    let Some(operator) = operator(&op) else {
        return Ok(None);
    };
    let field = &R::FIELDS[place];
    let value = key(object, "value").unwrap_or(&Value::Null);
    let test = read_test(field, &operator, value)?;
    *conditions += match &test {
        Test::In { negated: false, .. } => value.as_array().map_or(1, Vec::len),
        _ if within_or => 1,
        _ => 0,
    };
    Ok(Some(Filter::Test(place, test)))
}

/// `ne`, `noteExist` and the like are no operators.
fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        "eq" => Operator::Compare(Comparison::Equal),
        "noteq" => Operator::Compare(Comparison::Unequal),
        "gt" => Operator::Compare(Comparison::Greater),
        "gte" => Operator::Compare(Comparison::GreaterOrEqual),
        "lt" => Operator::Compare(Comparison::Less),
        "lte" => Operator::Compare(Comparison::LessOrEqual),
        "beginswith" => Operator::Text(Part::Start),
        "endswith" => Operator::Text(Part::End),
        "contains" => Operator::Text(Part::Anywhere),
        "exist" => Operator::Exists(true),
        "notexist" => Operator::Exists(false),
        "in" => Operator::In { negated: false },
        "notin" => Operator::In { negated: true },
        _ => return None,
    })
}

fn read_test<R>(field: &Field<R>, operator: &Operator, value: &Value) -> Result<Test, Refusal> {
    Ok(match operator {
        Operator::Exists(wanted) => Test::Exists(*wanted),
        Operator::Text(part) => Test::Text(*part, text_of(value).to_lowercase()),
        Operator::Compare(comparison) => match operand(field, value)? {
            Some(operand) => Test::Compare(*comparison, operand),
            None => Test::Never,
        },
        Operator::In { negated } => {
            let list = value.as_array().ok_or_else(|| unexpected(value))?;
            let mut operands = Vec::with_capacity(list.len());
            for value in list {
                operands.extend(operand(field, value)?);
            }
            let ints: Option<HashSet<i64>> = operands
                .iter()
                .map(|operand| if let Operand::Int(number) = operand { Some(*number) } else { None })
                .collect();
            Test::In { values: ints.map_or(Values::Others(operands), Values::Ints), negated: *negated }
        }
    })
}

/// A value as the field's type; none where the comparison can match no row.
fn operand<R>(field: &Field<R>, value: &Value) -> Result<Option<Operand>, Refusal> {
    let conversion = |kind| Refusal::Conversion { value: text_of(value), kind };
    if value.is_null() {
        return if field.kind == Kind::Boolean { Err(unexpected(value)) } else { Ok(Some(Operand::Null)) };
    }
    Ok(Some(match field.kind {
        Kind::Long => match whole(value) {
            Some(number) => Operand::Int(number),
            None => return Ok(None),
        },
        Kind::Integer | Kind::Short => Operand::Int(whole(value).ok_or_else(|| conversion("int"))?),
        Kind::Decimal => Operand::Amount(decimal(value).ok_or_else(|| conversion("decimal"))?),
        Kind::String => Operand::Text(text_of(value).to_lowercase()),
        Kind::Boolean => Operand::Flag(value.as_bool().ok_or_else(|| unexpected(value))?),
        Kind::DateTime => {
            let (day, seconds) = value.as_str().and_then(day_and_seconds).ok_or_else(|| conversion("datetime"))?;
            Operand::Day(day, seconds)
        }
    }))
}

impl Test {
    fn passes(&self, cell: &Cell<'_>) -> bool {
        match self {
            Self::Never => false,
            Self::Exists(wanted) => (*cell != Cell::Null) == *wanted,
            Self::Text(part, wanted) => match cell {
                Cell::Text(text) => {
                    let text = text.to_lowercase();
                    match part {
                        Part::Start => text.starts_with(wanted),
                        Part::End => text.ends_with(wanted),
                        Part::Anywhere => text.contains(wanted),
                    }
                }
                _ => false,
            },
            Self::In { .. } if *cell == Cell::Null => false,
            Self::In { values, negated } => {
                let found = match (values, cell) {
                    (Values::Ints(ids), Cell::Int(id)) => ids.contains(id),
                    (Values::Ints(_), _) => false,
                    (Values::Others(operands), cell) => {
                        operands.iter().any(|operand| order(cell, operand) == Some(Ordering::Equal))
                    }
                };
                found != *negated
            }
            Self::Compare(comparison, operand) => order(cell, operand).is_some_and(|order| match comparison {
                Comparison::Equal => order.is_eq(),
                Comparison::Unequal => order.is_ne(),
                Comparison::Greater => order.is_gt(),
                Comparison::GreaterOrEqual => order.is_ge(),
                Comparison::Less => order.is_lt(),
                Comparison::LessOrEqual => order.is_le(),
            }),
        }
    }
}

fn order(cell: &Cell<'_>, operand: &Operand) -> Option<Ordering> {
    match (cell, operand) {
        (Cell::Int(cell), Operand::Int(operand)) => Some(cell.cmp(operand)),
        (Cell::Amount(cell), Operand::Amount(operand)) => Some(cell.cmp(operand)),
        (Cell::Text(cell), Operand::Text(operand)) => Some(cell.to_lowercase().as_str().cmp(operand)),
        (Cell::Flag(cell), Operand::Flag(operand)) => Some(cell.cmp(operand)),
        (Cell::Day(cell), Operand::Day(day, seconds)) => Some(cell.cmp(day).then(0.cmp(seconds))),
        _ => None,
    }
}

/// A key of a JSON object without regard to case.
pub(crate) fn key<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

pub(crate) fn unexpected(value: &Value) -> Refusal {
    Refusal::UnexpectedCharacter(text_of(value).chars().next().map_or_else(|| "\"".to_owned(), String::from))
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
