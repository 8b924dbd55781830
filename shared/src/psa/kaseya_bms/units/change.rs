//! Changing a line's units: remembered first, then posted, once.
//!
//! What is about to be sent is noted before it leaves, together with the line's rows as they are: from these two the next
//! observation tells whether it was taken, even where this process has died. A change that surely was not taken is noted so.

use jiff::SignedDuration;
use serde_json::{Number, Value, json};

use super::notes::{self, Answered, LineNote, Pending, Semantics, SemanticsNote, Trial, Written};
use super::{SeenLine, Stored, Units, line_of};
use crate::domain::line::LineKey;
use crate::psa::kaseya_bms::client::{Ask, Client};
use crate::psa::kaseya_bms::envelope::Success;
use crate::psa::kaseya_bms::errors;
use crate::psa::kaseya_bms::service_lines::ServiceLine;
use crate::psa::kaseya_bms::template::Template;
use crate::psa::notebook::Note;
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
    let at = pending.at;
    let says = LineNote { pending: Some(pending), changed_at: Some(at), ..found.note.says.clone() };
    let noted = units.note(&line, &found, says).await.map_err(WriteError::NotSent)?;
    if client.clock.now().duration_since(began) > NOTED_WITHIN {
        return Err(units.not_taken(&line, noted, WriteError::NotSent(errors::noted_too_late())).await);
    }
    match client.write(&request.ask()).await {
        Ok(success) => {
            if let Some(answered) = answered(success) {
                units.seen().answered.insert(line.clone(), (at, answered.clone()));
                units.note_answer(&line, noted, answered).await;
            }
            Ok(())
        }
        Err(error @ WriteError::Unknown(_)) => Err(error),
        Err(error) => Err(units.not_taken(&line, noted, error).await),
    }
}

/// What BMS says of the service that was posted; none where it names no row.
fn answered(success: Success) -> Option<Answered> {
    let row = success.row(Template::ContractServices).ok()?;
    Some(Answered { id: row.reference("id", Template::ContractServices).ok()?, units: row.whole("units") })
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
        self.seen().semantics = written.stored().ok_or_else(errors::not_learnt_yet)?;
        Ok(())
    }

    /// Notes what is about to be sent.
    async fn note(&self, line: &LineKey, found: &SeenLine, says: LineNote) -> Result<Stored<LineNote>, PsaError> {
        match notes::write_line(self.notebook.as_ref(), line, found.note.note.as_ref(), says).await {
            Written::Is(written) => {
                self.keep(line, &written);
                Ok(written)
            }
            Written::Overtaken => Err(errors::overtaken()),
            Written::Unknown => Err(errors::not_noted()),
        }
    }

    /// Notes that a change was not taken, so that nothing that is seen later is taken for it.
    async fn not_taken(&self, line: &LineKey, noted: Stored<LineNote>, error: WriteError) -> WriteError {
        let says = LineNote { pending: None, ..noted.says };
        self.rewrite(line, noted.note.as_ref(), says).await;
        error
    }

    /// Notes what BMS answered: whoever reads the line next, and whenever, knows our row from everybody else's.
    async fn note_answer(&self, line: &LineKey, noted: Stored<LineNote>, answered: Answered) {
        let pending = noted.says.pending.map(|pending| Pending { answered: Some(answered), ..pending });
        let says = LineNote { pending, ..noted.says };
        self.rewrite(line, noted.note.as_ref(), says).await;
    }

    async fn rewrite(&self, line: &LineKey, read: Option<&Note>, says: LineNote) {
        let written = notes::write_line(self.notebook.as_ref(), line, read, says).await;
        if let Some(written) = written.stored() {
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
        let begun = found.rows.iter().filter(|row| row.effective.is_none_or(|from| from <= change.effective));
        let like = begun.max_by_key(|row| (row.effective, row.number())).ok_or_else(errors::not_observed)?;
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
