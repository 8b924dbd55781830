//! Changing a line's units: remembered first, then posted, once.
//!
//! What is about to be sent is noted before it leaves, together with the line's rows as they are: from these two the next
//! observation tells whether it was taken, even where this process has died. A change that surely was not taken is noted so.

use jiff::SignedDuration;
use serde_json::{Number, Value, json};

use super::notes::{self, LineNote, Pending, Semantics, SemanticsNote, Trial};
use super::{SeenLine, Stored, Units, line_of};
use crate::domain::ids::ContractServiceId;
use crate::domain::line::LineKey;
use crate::psa::kaseya_bms::client::{Ask, Client};
use crate::psa::kaseya_bms::errors;
use crate::psa::kaseya_bms::service_lines::ServiceLine;
use crate::psa::kaseya_bms::template::Template;
use crate::psa::{PsaError, UnitsChange, WriteError};

/// A change that took longer to be noted is not sent: whoever counts the time since it was decided would count too much.
const NOTED_WITHIN: SignedDuration = SignedDuration::from_secs(20);

pub(super) async fn change(units: &Units, client: &Client, change: &UnitsChange) -> Result<(), WriteError> {
    let began = client.clock.now();
    let line = line_of(change);
    let (found, semantics) = {
        let seen = units.seen();
        (seen.lines.get(&line).cloned(), seen.semantics.clone())
    };
    let found = found.ok_or_else(|| WriteError::NotSent(errors::not_observed()))?;
    let request = Request::of(change, &found, semantics.says.semantics).map_err(WriteError::NotSent)?;
    units.claim(&line, change, semantics, client).await.map_err(WriteError::NotSent)?;
    let pending = Pending {
        effective: change.effective,
        before: change.before,
        target: change.target,
        sent: request.units,
        semantics: request.semantics,
        at: client.clock.now(),
        answered: None,
    };
    let says = LineNote { pending: Some(pending), ..found.note.says.clone() };
    let noted = units.note(&line, &found, says).await.map_err(WriteError::NotSent)?;
    if client.clock.now().duration_since(began) > NOTED_WITHIN {
        return Err(units.not_taken(&line, noted, WriteError::NotSent(errors::noted_too_late())).await);
    }
    match client.write(&request.ask()).await {
        Ok(success) => {
            let row = success.row(Template::ContractServices).ok();
            let id = row.and_then(|row| row.reference("id", Template::ContractServices).ok());
            if let Some(id) = id {
                units.note_answer(&line, noted, &id).await;
                units.seen().answered.insert(line, id);
            }
            Ok(())
        }
        Err(error @ WriteError::Unknown(_)) => Err(error),
        Err(error) => Err(units.not_taken(&line, noted, error).await),
    }
}

impl Units {
    /// Takes it upon this line to show what changes do, where that is not known yet.
    async fn claim(
        &self,
        line: &LineKey,
        change: &UnitsChange,
        known: Stored<SemanticsNote>,
        client: &Client,
    ) -> Result<(), PsaError> {
        if known.says.semantics != Semantics::Unknown {
            return Ok(());
        }
        let now = client.clock.now();
        if change.delta.get() < 0 || known.says.is_held_for_another(line, now) {
            return Err(errors::not_learnt_yet());
        }
        let trial = Some(Trial { line: line.clone(), at: now });
        let says = SemanticsNote { trial, ..known.says };
        let written = notes::write_semantics(self.notebook.as_ref(), known.note.as_ref(), says).await;
        self.seen().semantics = written.ok_or_else(errors::not_learnt_yet)?;
        Ok(())
    }

    /// Notes what is about to be sent.
    async fn note(&self, line: &LineKey, found: &SeenLine, says: LineNote) -> Result<Stored<LineNote>, PsaError> {
        let written = notes::write_line(self.notebook.as_ref(), line, found.note.note.as_ref(), says).await;
        let written = written.ok_or_else(errors::not_noted)?;
        self.keep(line, &written);
        Ok(written)
    }

    /// Notes that a change was not taken, so that nothing that is seen later is taken for it.
    async fn not_taken(&self, line: &LineKey, noted: Stored<LineNote>, error: WriteError) -> WriteError {
        let says = LineNote { pending: None, ..noted.says };
        if let Some(written) = notes::write_line(self.notebook.as_ref(), line, noted.note.as_ref(), says).await {
            self.keep(line, &written);
        }
        error
    }

    /// Notes the row that BMS named, where nothing else may tell that the change was taken.
    async fn note_answer(&self, line: &LineKey, noted: Stored<LineNote>, id: &ContractServiceId) {
        let LineNote { marks, pending, .. } = &noted.says;
        let Some(pending) = pending.clone().filter(|pending| pending.may_not_show(marks)) else { return };
        let says = LineNote { pending: Some(Pending { answered: Some(id.clone()), ..pending }), ..noted.says };
        if let Some(written) = notes::write_line(self.notebook.as_ref(), line, noted.note.as_ref(), says).await {
            self.keep(line, &written);
        }
    }

    fn keep(&self, line: &LineKey, note: &Stored<LineNote>) {
        if let Some(found) = self.seen().lines.get_mut(line) {
            found.note = note.clone();
        }
    }
}

/// What is posted.
struct Request<'a> {
    change: &'a UnitsChange,
    /// The row whose name, cost and price it carries on.
    like: &'a ServiceLine,
    unit_cost: Number,
    unit_price: Number,
    units: i64,
    semantics: Semantics,
}

impl<'a> Request<'a> {
    fn of(change: &'a UnitsChange, found: &'a SeenLine, semantics: Semantics) -> Result<Self, PsaError> {
        let units = match semantics {
            Semantics::Replaces => i64::from(change.target.get()),
            Semantics::Adds | Semantics::Unknown => change.delta.get(),
        };
        // The specification takes 32 bits.
        let units = i32::try_from(units).map_err(|_| errors::too_many_units())?;
        // What is not sent may become zero, or the catalogue's: the customer's own price is carried on.
        let like =
            found.rows.iter().max_by_key(|row| (row.effective, row.number())).ok_or_else(errors::not_observed)?;
        let price = |amount: Option<rust_decimal::Decimal>| {
            let amount = amount.ok_or_else(errors::price_not_shown)?;
            amount.to_string().parse::<Number>().map_err(|_| errors::price_not_shown())
        };
        let (unit_cost, unit_price) = (price(like.unit_cost)?, price(like.unit_price)?);
        Ok(Self { change, like, unit_cost, unit_price, units: units.into(), semantics })
    }

    fn ask(&self) -> Ask {
        let mut service = json!({
            "ServiceId": self.change.service.as_str().parse::<i64>().ok(),
            "Units": self.units,
            "UnitCost": self.unit_cost,
            "UnitPrice": self.unit_price,
            "EffectiveDate": format!("{}T00:00:00", self.change.effective),
        });
        if let Some(name) = &self.like.name {
            service["ServiceName"] = Value::from(name.as_str());
        }
        Ask::about(Template::ContractServices, self.change.contract.as_str()).body(json!([service]))
    }
}
