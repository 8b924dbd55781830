//! Moving a contract's end.
//!
//! Owns the dropping and adding of periods that follows. Posted periods are never dropped or shortened: the real system
//! refuses that, and so does this one.

use jiff::civil::Date;

use super::errors::Refusal;
use super::switches::Switches;
use super::timeline::periods;
use super::units::UnitRow;
use super::world::{Contract, World};

impl World {
    /// Moves a contract's end. Earlier drops the periods after it and is refused if one of them has been posted; later adds
    /// periods that carry the last units on.
    pub(crate) fn move_end(&mut self, contract_id: i64, end: Date, switches: &Switches) -> Result<(), Refusal> {
        let unknown = Refusal::Reference { field: "contractID", entity: "Contract" };
        let contract = self.contracts.get(&contract_id).cloned().ok_or(unknown)?;
        if end < contract.days.start {
            return Err(Refusal::OutsideContract);
        }
        let lines = self.lines_of.get(&contract_id).cloned().unwrap_or_default();
        let posted_after = |line: &i64| self.units.of_line(*line).any(|row| row.days.end > end && row.posted.is_some());
        if lines.iter().any(posted_after) {
            return Err(Refusal::Posted);
        }
        self.units.remove(|row| row.contract_id == contract_id && row.days.start > end);
        for line in lines {
            self.units.change_line(line, |row| {
                row.days.end = row.days.end.min(end);
                row.period.end = row.period.end.min(end);
                row.reprice(switches.split_price);
            });
            self.extend(line, &contract, end, switches);
        }
        if let Some(contract) = self.contracts.get_mut(&contract_id) {
            contract.days.end = end;
        }
        Ok(())
    }

    fn extend(&mut self, line: i64, contract: &Contract, end: Date, switches: &Switches) {
        let Some(period) = contract.period else {
            return;
        };
        let Some(last) = self.units.of_line(line).next_back().cloned() else {
            return;
        };
        for whole in periods(contract.days.start, end, period) {
            if whole.contains(last.days.start) {
                self.units.change_line(line, |row| {
                    if row.id == last.id {
                        row.days.end = whole.end;
                        row.period = whole;
                        row.reprice(switches.split_price);
                    }
                });
            } else if whole.start > last.days.start {
                let mut row = UnitRow { days: whole, period: whole, posted: None, ..last.clone() };
                row.reprice(switches.split_price);
                self.units.add(row);
            }
        }
    }
}
