//! An import counts as a whole or not at all: whoever dies in it, and whoever comes at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use integration::Answer;
use integration::msp::sheet::{counts, file, row};
use integration::msp::strikes::Passing;
use integration::msp::{Customer, Msp, Setup, Strike, Strikes};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use shared::domain::ids::{ConnectionId, PartnerId};
use shared::faults::{Hook, Point, Side, Struck};
use shared::store::mappings::{Everything, IMPORT_TERM, Import, Mappings};

/// So many companies are mapped before, and so many after: in pieces and transactions of their own.
const BEFORE: usize = 30;
const AFTER: usize = 60;
/// Of those, so many are large.
const LARGE: usize = 4;

/// What an import of all comes to where none of it is there.
const MADE: [u64; 3] = [(AFTER - BEFORE) as u64, BEFORE as u64 + 1, 0];

/// Worlds at once.
const AT_ONCE: usize = 2;

/// Whether all of the import is there, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    All,
    Nothing,
}

/// Whoever comes next. None may see half an import, and each applies one that was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Export,
    List,
    Get,
    Put,
    Delete,
    Import,
    Plan,
}

const EACH: [Next; 7] = [Next::Export, Next::List, Next::Get, Next::Put, Next::Delete, Next::Import, Next::Plan];

async fn world(strikes: &Arc<Strikes>) -> Msp {
    let acme = Customer::named("acme").line("edr", 40).unmapped();
    Setup::of([acme]).faults(strikes.clone()).start().await
}

fn company(number: usize, when_absent: &str) -> String {
    row(&[
        ("type", "company"),
        ("company", &format!("c{number:03}")),
        ("account_id", "1001"),
        ("contract_id", "29680001"),
        ("when_absent", when_absent),
    ])
}

fn first() -> String {
    file(&(0..BEFORE).map(|number| company(number, "keep")).collect::<Vec<_>>())
}

/// Changes each company and makes more, some of them large: more than one piece holds.
fn second() -> String {
    let product = row(&[("type", "product"), ("product", "edr"), ("service_id", "501"), ("minimum", "3")]);
    let overrides = (0..LARGE).flat_map(|number| {
        (0..100).map(move |product| {
            let (company, product) = (format!("c{number:03}"), format!("product-{product:0>118}"));
            let cells = [("type", "override"), ("company", &company), ("product", &product), ("service_id", "501")];
            row(&[&cells[..], &[("contract_id", "29680001"), ("minimum", "5")]].concat())
        })
    });
    file(
        &std::iter::once(product)
            .chain((0..AFTER).map(|number| company(number, "zero")))
            .chain(overrides)
            .collect::<Vec<_>>(),
    )
}

/// What the rows in the store come to. Half an import is a fault, and so is a mapping without its history.
async fn came(msp: &Msp) -> Result<Came, String> {
    let rows = msp.parts.rows().await;
    let of = |part: &str| rows.iter().filter(|(key, _)| key.contains(part)).collect::<Vec<_>>();
    let companies = of(" \"COMPANY#c");
    let current: Vec<_> = companies.iter().filter(|(key, _)| !key.contains("#HISTORY")).collect();
    let history = companies.len() - current.len();
    let zero = current.iter().filter(|(_, row)| row["when_absent"]["S"] == "zero").count();
    let minimum = of(" \"PRODUCT#edr\"").iter().any(|(_, row)| row["rule"]["M"]["minimum"]["N"] == "3");
    let large = current.iter().filter(|(_, row)| row["overrides"]["M"].as_object().is_some_and(|all| all.len() == 100));
    match (current.len(), zero, minimum, large.count(), history) {
        (BEFORE, 0, false, 0, BEFORE) => Ok(Came::Nothing),
        (AFTER, AFTER, true, LARGE, all) if all == AFTER + BEFORE => Ok(Came::All),
        half => Err(format!("half an import: {half:?}")),
    }
}

/// Does what comes next. Something else is changed by it at most.
async fn next(msp: &Msp, next: Next) -> Answer {
    let path = format!("/v1/connections/{}", msp.connection);
    let other = json!({"service_id": "501"});
    match next {
        Next::Export => msp.call(Method::GET, &format!("{path}/mappings.csv"), None).await,
        Next::List => msp.call(Method::GET, &format!("{path}/companies"), None).await,
        Next::Get => msp.call(Method::GET, &format!("{path}/companies/c000"), None).await,
        Next::Put => msp.call(Method::PUT, &format!("{path}/products/other"), Some(other)).await,
        Next::Delete => msp.call(Method::DELETE, &format!("{path}/products/other"), None).await,
        Next::Import => {
            msp.import(file(&[row(&[("type", "product"), ("product", "other"), ("service_id", "501")])])).await
        }
        Next::Plan => {
            msp.ask("preview").await;
            msp.plan().await;
            msp.call(Method::GET, &format!("{path}/runs"), None).await
        }
    }
}

/// One world: an import that is struck, and what comes after it. Answers what is wrong with it, and what became of the import.
async fn live(strikes: &Arc<Strikes>, after: Next) -> Result<Came, String> {
    let msp = world(strikes).await;
    assert_eq!(msp.imported(first()).await[0], BEFORE as u64);
    strikes.arm(true);
    let answer = msp.import(second()).await;
    strikes.arm(false);
    let killed = strikes.revive();
    let missed: Vec<String> = strikes.missed().iter().map(ToString::to_string).collect();
    if !missed.is_empty() {
        return Err(format!("{missed:?} were not passed"));
    }
    // Whoever changes something may be told to wait until the import's time is over; who reads is never stopped.
    let mut then = next(&msp, after).await;
    if then.status == 409 && then.json["code"] == "import_under_way" {
        if came(&msp).await? != Came::Nothing {
            return Err("an import is said to be under way and has changed something".to_owned());
        }
        msp.clock.advance(IMPORT_TERM + SignedDuration::from_secs(1));
        then = next(&msp, after).await;
    }
    let expected = if after == Next::Delete { 404 } else { 200 };
    if then.status != expected && then.status != 201 {
        return Err(format!("{after:?} was answered {} {}", then.status, then.text));
    }
    let came = came(&msp).await?;
    if answer.status == 200 && came != Came::All || !killed && answer.status == 409 && came != Came::Nothing {
        return Err(format!("the import was answered {} and came to {came:?}", answer.status));
    }
    // It can be sent again, and all of it is there then, with one version more and nothing left behind.
    msp.clock.advance(IMPORT_TERM + SignedDuration::from_secs(1));
    let again = counts(&msp.import(second()).await);
    let expected = if came == Came::All { [0, 0, AFTER as u64 + 1] } else { MADE };
    if again != expected {
        return Err(format!("the same file again came to {again:?}"));
    }
    let now = self::came(&msp).await?;
    // The pieces of a dead import go with the next one that has something to change.
    msp.imported(file(&[row(&[("type", "product"), ("product", "last"), ("service_id", "501")])])).await;
    let left: Vec<String> = msp.parts.rows().await.into_keys().filter(|key| key.contains("CHUNK#")).collect();
    if now != Came::All || !left.is_empty() {
        return Err(format!("in the end it came to {now:?} and left {left:?}"));
    }
    Ok(came)
}

fn on_its_own<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn struck_at_any_write_an_import_is_there_as_a_whole_or_not_at_all() {
    let strikes = Strikes::none();
    on_its_own(async { assert_eq!(live(&strikes, Next::Export).await, Ok(Came::All)) });
    let points = strikes.passed();
    let names: BTreeMap<String, usize> = points.iter().fold(BTreeMap::new(), |mut names, passing| {
        *names.entry(passing.point.to_string()).or_default() += 1;
        names
    });
    let needed = [
        ("store.put IMPORT", 3),
        ("store.put CHUNK", 2),
        ("store.transact ACT+COMPANY+PRODUCT", 1),
        ("store.transact ACT+COMPANY", 1),
        ("store.delete CHUNK", 2),
    ];
    for (effect, times) in needed {
        for side in ["before", "after"] {
            assert_eq!(names.get(&format!("{effect} {side}")), Some(&times), "{effect} {side}: {names:?}");
        }
    }
    let both = [Strike::Kill, Strike::Fail];
    let worlds: Vec<(&Passing, Strike, Next)> = points
        .iter()
        .flat_map(|passing| both.map(|strike| (passing, strike)))
        .enumerate()
        // Whoever comes next takes turns; after a death that left the gate in a new state everybody does.
        .flat_map(|(number, (passing, strike))| {
            let point = (passing.point.effect.as_str(), passing.point.side, strike);
            let at_the_gate = point == ("store.put IMPORT", Side::After, Strike::Kill);
            let turn = number % EACH.len();
            let those = if at_the_gate { &EACH[..] } else { &EACH[turn..=turn] };
            those.iter().map(move |next| (passing, strike, *next)).collect::<Vec<_>>()
        })
        .collect();
    let (turn, came, wrong) = (AtomicUsize::new(0), Mutex::new([0, 0]), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((passing, strike, next)) = worlds.get(turn.fetch_add(1, Ordering::SeqCst)) {
                    let strikes = Strikes::at(std::slice::from_ref(*passing), *strike);
                    match on_its_own(live(&strikes, *next)) {
                        Ok(found) => came.lock().unwrap()[usize::from(found == Came::All)] += 1,
                        Err(why) => {
                            wrong.lock().unwrap().push(format!("{strike:?} at {passing}, then {next:?}: {why}"))
                        }
                    }
                }
            });
        }
    });
    let (wrong, [nothing, all]) = (wrong.into_inner().unwrap(), came.into_inner().unwrap());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(nothing > 0 && all > 0, "{nothing} worlds without the import, {all} with it");
    println!(
        "import: {} points ({} distinct), killed or failed at each, in {} worlds: all of it in {all}, none of it in {nothing}",
        points.len(),
        names.len(),
        worlds.len(),
    );
}

fn place(msp: &Msp) -> (Mappings, PartnerId, ConnectionId) {
    let mappings = Mappings::new(msp.parts.table.clone());
    (mappings, integration::PARTNER.parse().unwrap(), msp.connection.parse().unwrap())
}

/// An import that has begun and does not go on.
async fn begun(msp: &Msp) -> Import {
    let (mappings, partner, connection) = place(msp);
    mappings.begin_import(&partner, &connection, msp.clock.time()).await.unwrap().unwrap()
}

async fn everything(msp: &Msp) -> Everything {
    let (mappings, partner, connection) = place(msp);
    mappings.everything(&partner, &connection).await.unwrap()
}

#[tokio::test]
async fn while_an_import_is_staged_changes_are_refused_and_reads_are_not() {
    let msp = world(&Strikes::none()).await;
    assert_eq!(msp.imported(first()).await[0], BEFORE as u64);
    let path = format!("/v1/connections/{}", msp.connection);
    let import = begun(&msp).await;
    let body = json!({"account_id": "1001", "contract_id": "29680001", "when_absent": "hold"});
    let calls = [
        (Method::PUT, format!("{path}/companies/c000"), Some(body.clone())),
        (Method::PUT, format!("{path}/companies/new"), Some(body.clone())),
        (Method::DELETE, format!("{path}/companies/c000"), None),
        (Method::DELETE, format!("{path}/products/edr"), None),
        (Method::PUT, format!("{path}/products/edr"), Some(json!({"service_id": "501"}))),
    ];
    for (method, path, body) in &calls {
        let refused = msp.call(method.clone(), path, body.clone()).await;
        assert_eq!((refused.status, &refused.problem()["code"]), (409, &json!("import_under_way")), "{path}");
    }
    assert_eq!(msp.import(second()).await.problem()["code"], "import_under_way");
    let unchanged = msp.export().await;
    assert_eq!(
        msp.imported(unchanged.clone()).await,
        [0, 0, BEFORE as u64 + 1],
        "nothing to change, nobody to wait for"
    );
    assert_eq!(Answer::to(msp.importing("?dry_run=true", second())).await.status, 200);
    assert_eq!(came(&msp).await, Ok(Came::Nothing));
    // Another connection is not stopped.
    let other = msp.connect("Europe/Berlin").await;
    msp.map_product(&other, "edr", json!({"service_id": "501"})).await;

    import.give_up().await.unwrap();
    assert_eq!(msp.call(Method::PUT, &calls[0].1, Some(body)).await.status, 200);
}

#[tokio::test]
async fn an_import_whose_time_is_over_changes_nothing_any_more() {
    let msp = world(&Strikes::none()).await;
    msp.imported(first()).await;
    let late = begun(&msp).await;
    let stored = late.stored().await.unwrap();
    msp.clock.advance(IMPORT_TERM + SignedDuration::from_secs(1));
    msp.map_product(&msp.connection, "edr", json!({"service_id": "501", "rule": {"minimum": 8}})).await;
    let mut wanted = stored.clone();
    wanted.products[0].rule.minimum = 9.try_into().unwrap();
    assert!(!late.carry_out(&stored, wanted.clone()).await.unwrap());
    assert_eq!(everything(&msp).await.products[0].rule.minimum.get(), 8);
    // Nor one that another import came in the place of.
    let late = begun(&msp).await;
    let stored = late.stored().await.unwrap();
    msp.clock.advance(IMPORT_TERM + SignedDuration::from_secs(1));
    assert_eq!(counts(&msp.import(second()).await), MADE);
    let answer = late.carry_out(&stored, wanted).await;
    assert!(!matches!(answer, Ok(true)), "{answer:?}");
    assert_eq!(came(&msp).await, Ok(Came::All));
}

#[tokio::test]
async fn imports_and_changes_at_the_same_time_each_count_as_a_whole() {
    let msp = world(&Strikes::none()).await;
    msp.imported(first()).await;
    let path = format!("/v1/connections/{}/companies", msp.connection);
    let all = |word: &str| file(&(0..BEFORE).map(|number| company(number, word)).collect::<Vec<_>>());
    let mut outcomes = BTreeSet::new();
    for round in 0..6 {
        let words = if round % 2 == 0 { ["zero", "hold"] } else { ["hold", "keep"] };
        let imports = words.map(|word| tokio::spawn(Answer::to(msp.importing("", all(word)))));
        let body = json!({"account_id": "1001", "contract_id": "29680001", "when_absent": "keep"});
        let other = format!("{path}/other{round}");
        let putting = msp.call(Method::PUT, &other, Some(body));
        let exporting = msp.export();
        let (put, seen) = tokio::join!(putting, exporting);
        let mut taken = Vec::new();
        for (import, word) in imports.into_iter().zip(words) {
            let answer = import.await.unwrap();
            match answer.status {
                200 => taken.push(word),
                _ => assert_eq!(answer.problem()["code"], "import_under_way"),
            }
        }
        assert!(!taken.is_empty(), "nobody got through");
        assert!(put.status == 201 || put.problem()["code"] == "import_under_way", "{}", put.text);
        outcomes.insert((taken.len(), put.status));
        for text in [seen, msp.export().await] {
            let of_imports = text.lines().filter(|line| line.starts_with("company,c"));
            let words: BTreeSet<&str> = of_imports.filter_map(|line| line.split(',').nth(6)).collect();
            assert_eq!(words.len(), 1, "half an import is seen: {words:?}");
        }
        let word = everything(&msp).await.companies[0].when_absent;
        let word = serde_json::to_value(word).unwrap();
        assert!(taken.iter().any(|taken| word == *taken), "{word} of {taken:?}");
    }
    println!("imports taken of two, and what a single change was answered: {outcomes:?}");
    let versions = msp.parts.rows().await;
    for (key, row) in versions.iter().filter(|(key, _)| key.contains("#HISTORY") && key.contains("COMPANY#c000#V#")) {
        let version = row["mapping"]["M"]["version"]["N"].as_str().unwrap().parse::<u32>().unwrap();
        assert!(key.ends_with(&format!("#V#{version:06}\"")), "{key}");
    }
}

/// Holds the first of some writes back until it is told to let it go.
struct Held {
    effect: &'static str,
    reached: tokio::sync::mpsc::UnboundedSender<()>,
    let_go: Mutex<Option<mpsc::Receiver<()>>>,
}

impl Hook for Held {
    fn pass(&self, point: &Point) -> Result<(), Struck> {
        if point.effect == self.effect && point.side == Side::Before {
            let first = self.let_go.lock().unwrap().take();
            if let Some(let_go) = first {
                self.reached.send(()).unwrap();
                // Others go on meanwhile, those that were to run on this thread as well.
                tokio::task::block_in_place(|| let_go.recv().unwrap());
            }
        }
        Ok(())
    }
}

/// A world in which the first write of a kind is held back; hears when it is, and tells it to go on.
async fn holding(effect: &'static str) -> (Msp, tokio::sync::mpsc::UnboundedReceiver<()>, mpsc::Sender<()>) {
    let (reached, is_reached) = tokio::sync::mpsc::unbounded_channel();
    let (go, let_go) = mpsc::channel();
    let held = Arc::new(Held { effect, reached, let_go: Mutex::new(Some(let_go)) });
    let acme = Customer::named("acme").line("edr", 40).unmapped();
    (Setup::of([acme]).faults(held).start().await, is_reached, go)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_that_was_let_in_before_an_import_began_does_not_slip_in_behind_it() {
    for method in [Method::PUT, Method::DELETE] {
        let (msp, mut is_reached, go) = holding("store.transact ACT+COMPANY+IMPORT").await;
        let first_of_all = msp.import(first()).await;
        assert_eq!(first_of_all.status, 200, "{}", first_of_all.text);
        let before = msp.export().await;
        let token = msp.parts.token(integration::PARTNER, &[shared::api::auth::Scope::Write]);
        let path = format!("/v1/connections/{}/companies/c000", msp.connection);
        let body = json!({"account_id": "1001", "contract_id": "29680001", "when_absent": "hold"});
        let request = msp.parts.request(method.clone(), &path).bearer_auth(token).json(&body);
        let changing = tokio::spawn(Answer::to(request));
        is_reached.recv().await.unwrap();
        // It has seen the gate open, and its write is about to leave.
        let import = begun(&msp).await;
        let stored = import.stored().await.unwrap();
        go.send(()).unwrap();
        let refused = changing.await.unwrap();
        assert_eq!(refused.problem()["code"], "import_under_way", "{method}");
        let mut wanted = stored.clone();
        wanted.products[0].rule.minimum = 9.try_into().unwrap();
        assert!(import.carry_out(&stored, wanted).await.unwrap());
        assert_eq!(msp.export().await, before.replace("latest,0,0,", "latest,0,9,"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_removed_after_an_import_is_not_brought_back_by_one_that_still_applies_it() {
    let (msp, mut is_reached, go) = holding("store.transact ACT+COMPANY").await;
    let importing = tokio::spawn(Answer::to(msp.importing("", first())));
    is_reached.recv().await.unwrap();

    // Whoever reads applies all of it, that of the one which is held back as well; then all of it is removed.
    let path = format!("/v1/connections/{}/companies", msp.connection);
    assert_eq!(msp.export().await.lines().count(), BEFORE + 2);
    for number in 0..BEFORE {
        msp.done(Method::DELETE, &format!("{path}/c{number:03}"), None).await;
    }
    let removed = msp.export().await;
    go.send(()).unwrap();
    assert_eq!(counts(&importing.await.unwrap()), [BEFORE as u64, 0, 0]);
    assert_eq!(msp.export().await, removed);
}
