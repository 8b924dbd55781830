//! A person edits the contract between two observations: it is shown with the new units, or as not known, never wrong.
//!
//! What a PSA shows to nobody is named in [`Bench::UNSEEN`].

use jiff::civil::date;

use crate::bench::Bench;
use crate::changing::{learn, reach};
use crate::office::{long_window, number, pair, stated};
use crate::settings::{Reading, everywhere};
use crate::world::{END, START, TODAY, UNITS, World};

contract!(an_edit_is_shown_or_the_units_are_not_known, an_edit_after_a_lost_write_is_shown_or_the_units_are_not_known);

async fn an_edit_is_shown_or_the_units_are_not_known<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, World::cases(600), |office| async move {
        if !office.setting.matters {
            return 0;
        }
        learn(&office, "sees").await;
        let mut tried = 0;
        for edit in P::edits() {
            // Of a line that was only ever read, of one that we have raised, and of one that we have lowered.
            for ours in [None, Some(46), Some(34)] {
                let line = office.fresh_line();
                let (contract, service) = (number(&line.contract), number(&line.service));
                let asked = stated([(contract, service, UNITS)]);
                let told = office.connector("sees").observe(&asked, long_window()).await.expect("an observation");
                assert!(told.lines.contains_key(&pair(&line)), "{told:?}");
                let day = date(2026, 11, 10);
                let written = match ours {
                    Some(target) => reach(&office, &line, day, target, "sees").await,
                    None => 0,
                };
                (edit.make)(&office.psa, contract, service, if written > 0 { day } else { START });
                office.clock.advance(jiff::SignedDuration::from_mins(9));
                let told = office.connector("sees").observe(&asked, long_window()).await.expect("an observation");
                let days = [TODAY, date(2026, 12, 9), date(2026, 12, 21), END];
                if P::UNSEEN.contains(&edit.name) {
                    let seen = told.lines.get(&pair(&line)).expect("it looks as it did");
                    let shown = seen.timeline.at(TODAY).map(|units| i64::from(units.get()));
                    assert_ne!(shown, office.held(&line, TODAY), "{} is seen after all", edit.name);
                } else {
                    // Beyond the contract's end nobody bills.
                    let days: Vec<_> = days.into_iter().filter(|day| office.held(&line, *day).is_some()).collect();
                    office.assert_honest(&told, &line, &days, &format!("{}, after {ours:?}", edit.name));
                }
                tried += 1;
            }
        }
        tried
    })
    .await;
}

async fn an_edit_after_a_lost_write_is_shown_or_the_units_are_not_known<P: Bench>(of: Reading) {
    use integration::msp::{Effect, Mishap};
    everywhere::<P, _>(of, World::cases(600), |office| async move {
        if !office.setting.matters {
            return 0;
        }
        learn(&office, "loses").await;
        let mut tried = 0;
        for edit in P::edits().iter().filter(|edit| !P::UNSEEN_AFTER_A_LOST_WRITE.contains(&edit.name)) {
            for effect in [Effect::Made, Effect::NotMade] {
                for target in [46, 34] {
                    office.begin();
                    let line = office.fresh_line();
                    let (contract, service) = (number(&line.contract), number(&line.service));
                    let asked = stated([(contract, service, UNITS)]);
                    let psa = office.connector("loses");
                    let told = psa.observe(&asked, long_window()).await.expect("an observation");
                    let day = date(2026, 11, 10);
                    let wanted = crate::office::change(&told, &line, day, target);
                    office.psa.forget();
                    office.psa.strike(1, Mishap::Reset(effect));
                    psa.change_units(&wanted).await.expect_err("its answer is lost");
                    (edit.make)(&office.psa, contract, service, day);
                    let days = [TODAY, date(2026, 12, 9), END];
                    let days: Vec<_> = days.into_iter().filter(|day| office.held(&line, *day).is_some()).collect();
                    for minutes in [0, 7] {
                        office.clock.advance(jiff::SignedDuration::from_mins(minutes));
                        let told = office.connector("loses").observe(&asked, long_window()).await;
                        let when = format!("{} after {effect:?} to {target}, {minutes} minutes on", edit.name);
                        office.assert_honest(&told.expect("an observation"), &line, &days, &when);
                    }
                    tried += 1;
                }
            }
        }
        tried
    })
    .await;
}
