//! What becomes of a charge, by what is known of it, what the PSA shows and what is wanted.

use jiff::civil::date;

use super::*;
use crate::domain::charge::{ChargeKey, Records};
use crate::domain::ids::ContractId;

fn money(text: &str) -> Money {
    Money::try_from(text.to_owned()).unwrap()
}

/// Terms of this cost, with a price of twice that.
fn terms(cost: &str) -> Terms {
    let cost = money(cost);
    let price = Money::new(cost.get() + cost.get());
    Terms {
        name: "Cloud".into(),
        description: "All".into(),
        date: date(2026, 11, 30),
        amounts: Amounts { cost, price },
    }
}

fn contract() -> ContractId {
    "29".parse().unwrap()
}

/// What the PSA shows of terms.
fn shown(number: u32, terms: &Terms, billed: bool) -> Shown {
    Shown {
        id: format!("{}", 500 + number).parse().unwrap(),
        contract: contract(),
        name: terms.name.clone(),
        date: terms.date,
        cost: Some(terms.amounts.cost),
        price: Some(terms.amounts.price),
        quantity: 1.into(),
        billed,
    }
}

/// A charge with pieces of these costs that were billed, or not, as (number, cost, billed).
struct Case {
    history: ChargeHistory,
    shown: BTreeMap<u32, Shown>,
    drift: Drift,
    guards: Guards,
    markup: Option<Markup>,
    approval_needed: bool,
    approved: Option<ChargeApproval>,
}

fn case(pieces: &[(u32, &str, bool)]) -> Case {
    let mut history = ChargeHistory::new("7".parse().unwrap(), date(2026, 11, 30), "c".parse().unwrap());
    let mut shows = BTreeMap::new();
    for (number, cost, billed) in pieces {
        let (asked, shown) = (terms(cost), shown(*number, &terms(cost), *billed));
        shows.insert(*number, shown.clone());
        history.pieces.push(Piece { number: *number, asked, shown });
        history.next = number + 1;
    }
    Case {
        history,
        shown: shows,
        drift: Drift::Hold,
        guards: Guards::default(),
        markup: None,
        approval_needed: false,
        approved: None,
    }
}

impl Case {
    fn decide(&self, wanted: &Terms) -> ChargeDecision {
        let key = ChargeKey { product: "azure".parse().unwrap(), meter: None, period_start: date(2026, 11, 1) };
        let facing = Facing {
            line: &ChargeLine { contract: contract(), key },
            history: &self.history,
            shown: &self.shown,
            wanted,
            drift: self.drift,
            guards: &self.guards,
            markup: self.markup,
            approval_needed: self.approval_needed,
            approved: self.approved.as_ref(),
            today: date(2026, 12, 3),
        };
        facing.decide()
    }

    /// In brief: `create 0 8.00`, `unchanged`, `charge_drift`.
    fn says(&self, wanted: &Terms) -> String {
        match self.decide(wanted) {
            ChargeDecision::Unchanged { reason: None, .. } => "unchanged".to_owned(),
            ChargeDecision::Unchanged { reason: Some(reason), .. } => format!("unchanged {}", reason.code),
            ChargeDecision::Stop(reason) => reason.code,
            ChargeDecision::Write(planned) => match planned.act {
                Act::Create(terms) => format!("create {} {} on {}", planned.number, terms.amounts.cost, terms.date),
                Act::Change { id, to } => format!("change {} {id} {}", planned.number, to.amounts.cost),
                Act::Delete { id } => format!("delete {} {id}", planned.number),
            },
        }
    }
}

#[test]
fn what_is_open_follows_and_what_is_billed_is_corrected() {
    for (pieces, wanted, expected) in [
        (&[][..], "8", "create 0 8.00 on 2026-11-30"),
        (&[], "0", "unchanged"),
        (&[(0, "8", false)], "8", "unchanged"),
        (&[(0, "8", false)], "9", "change 0 500 9.00"),
        (&[(0, "8", false)], "-1", "change 0 500 -1.00"),
        (&[(0, "8", false)], "0", "delete 0 500"),
        (&[(0, "8", true)], "8", "unchanged"),
        (&[(0, "8", true)], "9", "create 1 1.00 on 2026-12-03"),
        (&[(0, "8", true)], "0", "create 1 -8.00 on 2026-12-03"),
        (&[(0, "8", true), (1, "1", false)], "9", "unchanged"),
        (&[(0, "8", true), (1, "1", false)], "12", "change 1 501 4.00"),
        (&[(0, "8", true), (1, "1", false)], "8", "delete 1 501"),
        (&[(0, "8", true), (1, "1", true)], "8", "create 2 -1.00 on 2026-12-03"),
        // A piece that was taken away leaves its number behind.
        (&[(0, "8", true), (3, "1", true)], "10", "create 4 1.00 on 2026-12-03"),
    ] {
        assert_eq!(case(pieces).says(&terms(wanted)), expected, "{pieces:?} to {wanted}");
    }
    let mut taken_away = case(&[]);
    taken_away.history.next = 2;
    assert_eq!(taken_away.says(&terms("8")), "create 2 8.00 on 2026-11-30");
}

#[test]
fn a_name_that_is_another_is_changed_while_it_can_be() {
    let renamed = Terms { name: "Azure".into(), ..terms("8") };
    assert_eq!(case(&[(0, "8", false)]).says(&renamed), "change 0 500 8.00");
    assert_eq!(case(&[(0, "8", true)]).says(&renamed), "unchanged charge_name_billed");
    // The words under it are told in the same write, and alone they are no reason for one.
    let reworded = Terms { description: "Other".into(), date: date(2026, 12, 31), ..terms("8") };
    assert_eq!(case(&[(0, "8", false)]).says(&reworded), "unchanged");
}

#[test]
fn what_somebody_edited_waits_or_is_set_anew() {
    let edits: [fn(&mut Shown); 5] = [
        |it| it.price = Some(money("99")),
        |it| it.quantity = 2.into(),
        |it| it.name = "Other".into(),
        |it| it.date = date(2026, 12, 31),
        |it| it.cost = Some(money("7")),
    ];
    for edit in edits {
        let mut edited = case(&[(0, "8", false)]);
        edit(edited.shown.get_mut(&0).unwrap());
        assert_eq!(edited.says(&terms("8")), "charge_drift", "{edited:?}", edited = edited.shown);
        edited.drift = Drift::Overwrite;
        assert_ne!(edited.says(&terms("9")), "charge_drift");
        edited.drift = Drift::Hold;
        edited.history.forgotten = true;
        assert_eq!(edited.says(&terms("9")), "change 0 500 9.00", "a person has said to go on from there");
    }
    let mut gone = case(&[(0, "8", false)]);
    gone.shown.clear();
    assert_eq!(gone.says(&terms("8")), "charge_drift");
    gone.drift = Drift::Overwrite;
    assert_eq!(gone.says(&terms("8")), "charge_drift", "what is not found is not made again by itself");
    gone.history.forgotten = true;
    assert_eq!(gone.says(&terms("8")), "create 1 8.00 on 2026-11-30");
    // One that was moved to another contract is never doubled here.
    let mut moved = case(&[(0, "8", false)]);
    moved.shown.get_mut(&0).unwrap().contract = "30".parse().unwrap();
    assert_eq!(moved.says(&terms("8")), "charge_drift");
    moved.history.forgotten = true;
    assert_eq!(moved.says(&terms("8")), "unchanged");
    // That it is billed by now, or that its cost is shown by now, is no edit.
    let mut billed = case(&[(0, "8", false)]);
    billed.shown.get_mut(&0).unwrap().billed = true;
    assert_eq!(billed.says(&terms("8")), "unchanged");
    let mut hidden = case(&[(0, "8", false)]);
    hidden.history.pieces[0].shown.cost = None;
    assert_eq!(hidden.says(&terms("8")), "unchanged");
}

#[test]
fn a_write_that_came_in_late_is_taken_as_it_stands() {
    let mut late = case(&[]);
    late.shown.insert(0, shown(0, &terms("8"), false));
    assert_eq!(late.says(&terms("8")), "unchanged");
    assert_eq!(late.says(&terms("9")), "change 0 500 9.00");
    let ChargeDecision::Unchanged { pieces, .. } = late.decide(&terms("8")) else { panic!() };
    assert_eq!(pieces.len(), 1, "it is remembered from now on");
    // One that was taken away and stands there again is not ours to count on.
    late.history.next = 1;
    assert_eq!(late.says(&terms("8")), "charge_drift");
}

#[test]
fn amounts_that_the_psa_does_not_show_are_told_and_not_sent_again() {
    let blind = |cost: Option<Money>, billed: bool| {
        let mut case = case(&[(0, "8", billed)]);
        case.history.pieces[0].shown.cost = cost;
        case.shown.get_mut(&0).unwrap().cost = cost;
        case
    };
    for cost in [None, Some(Money::default())] {
        assert_eq!(blind(cost, false).says(&terms("8")), "unchanged charge_not_taken");
        assert_eq!(
            blind(cost, true).says(&terms("8")),
            "unchanged",
            "what is billed is not corrected for a hidden cost"
        );
        assert_eq!(blind(cost, true).says(&terms("9")), "create 1 1.00 on 2026-12-03");
        let mut again = blind(cost, false);
        again.history.forgotten = true;
        assert_eq!(again.says(&terms("8")), "change 0 500 8.00", "a person has had it written again");
    }
}

#[test]
fn a_charge_that_was_billed_blind_is_not_corrected_once_a_person_has_looked() {
    let mut blind = case(&[(0, "8", true)]);
    for shown in [&mut blind.history.pieces[0].shown, blind.shown.get_mut(&0).unwrap()] {
        shown.cost = Some(Money::default());
    }
    blind.history.forgotten = true;
    assert_eq!(blind.says(&terms("8")), "unchanged");
}

#[test]
fn a_charge_that_was_billed_meanwhile_is_not_corrected_to_a_new_markup() {
    let mut billed = case(&[(0, "8", false)]);
    billed.shown.get_mut(&0).unwrap().billed = true;
    assert_eq!(billed.says(&terms("9")), "create 1 1.00 on 2026-12-03");
    billed.markup = Some("25".parse().unwrap());
    assert_eq!(billed.says(&terms("9")), "unchanged charge_billed_meanwhile");
    let ChargeDecision::Unchanged { pieces, .. } = billed.decide(&terms("9")) else { panic!() };
    assert!(pieces[0].shown.billed, "the next run knows it");
}

#[test]
fn a_change_beyond_the_guard_waits_for_a_person() {
    let guards = Guards { charge_percent: 50, charge_amount: 500, ..Guards::default() };
    let ask = |pieces: &[(u32, &str, bool)], period_end: Date, wanted: &str| {
        let mut case = Case { guards, ..case(pieces) };
        case.history.period_end = period_end;
        case.says(&terms(wanted))
    };
    let (running, over) = (date(2026, 12, 31), date(2026, 11, 30));
    let open = [(0, "1000", false)];
    // A price of twice the cost passes the amount first.
    for (pieces, period_end, wanted, expected) in [
        (&open[..], running, "0", "charge_guard"),
        (&open, running, "499", "charge_guard"),
        (&open, running, "500", "change 0 500 500.00"),
        (&open, running, "90000", "change 0 500 90000.00"),
        (&open, over, "90000", "charge_guard"),
        (&open, over, "1500", "change 0 500 1500.00"),
        (&open, over, "1501", "charge_guard"),
        (&[(0, "1000", true)], over, "0", "charge_guard"),
        (&[(0, "200", false)], over, "0", "delete 0 500"),
        (&[], over, "90000", "create 0 90000.00 on 2026-11-30"),
    ] {
        assert_eq!(ask(pieces, period_end, wanted), expected, "{pieces:?} to {wanted}");
    }
    let mut agreed = Case { guards, ..case(&open) };
    let before = terms("1000").amounts;
    agreed.approved = Some(ChargeApproval { before, target: Amounts::default(), name: "Cloud".into() });
    assert_eq!(agreed.says(&Terms { amounts: Amounts::default(), ..terms("0") }), "delete 0 500");
}

#[test]
fn an_approval_is_of_these_amounts_and_this_name_alone() {
    let approval = |before: &str, target: &str, name: &str| {
        let amounts = |cost: &str| if cost == "0" { Amounts::default() } else { terms(cost).amounts };
        Some(ChargeApproval { before: amounts(before), target: amounts(target), name: name.into() })
    };
    let mut waits = Case { approval_needed: true, ..case(&[(0, "8", false)]) };
    assert_eq!(waits.says(&terms("9")), "approval_needed");
    assert_eq!(waits.says(&terms("8")), "unchanged");
    for (approved, expected) in [
        (approval("8", "9", "Cloud"), "change 0 500 9.00"),
        (approval("7", "9", "Cloud"), "approval_needed"),
        (approval("8", "10", "Cloud"), "approval_needed"),
        (approval("8", "9", "Azure"), "approval_needed"),
    ] {
        waits.approved = approved;
        assert_eq!(waits.says(&terms("9")), expected);
    }
    let mut edited = case(&[(0, "8", false)]);
    edited.shown.get_mut(&0).unwrap().price = Some(money("99"));
    edited.approved = Some(ChargeApproval {
        before: Amounts { cost: money("8"), price: money("99") },
        target: terms("9").amounts,
        name: "Cloud".into(),
    });
    assert_eq!(edited.says(&terms("9")), "change 0 500 9.00", "an edit is approved with what it was seen to be");
}

#[test]
fn records_are_known_again_from_their_row() {
    let key = |from: i8| super::super::RecordKey {
        company: "acme".parse().unwrap(),
        product: "azure".parse().unwrap(),
        meter: "storage".parse().unwrap(),
        from: date(2026, 11, from),
    };
    let records: Records = [key(1), key(2)].iter().collect();
    let read: Records = serde_json::from_str(&serde_json::to_string(&records).unwrap()).unwrap();
    assert_eq!(read, records);
    assert!(read.has(&key(1)) && !read.has(&key(3)));
    assert!([key(1)].iter().collect::<Records>().are_among(&records));
    assert!(![key(3)].iter().collect::<Records>().are_among(&records));
    assert!(serde_json::from_str::<Records>("\"abc\"").is_err());
}
