//! What a sync asks of the store: an account without a change costs no job, and one with a change at most a dozen requests.

use integration::msp::{Customer, Msp, Setup, by_operation};

/// What the job of an account with a changed line may ask of the store. Each further changed line costs one more: that it is
/// sent has to be stored before its request leaves.
const A_JOB: usize = 12;

/// Ten accounts with one line, and one with three.
async fn msp() -> Msp {
    let one = |number: u32| Customer::named(&format!("c{number:02}")).line("edr", 5);
    let three = Customer::named("three").line("edr", 5).line("itdr", 5).line("sat", 5);
    Setup::of((0..10).map(one).chain([three])).start().await
}

/// Pushes a count of 5 for every line but those in `changed`, which have 6.
async fn push(msp: &Msp, changed: &[(&str, &str)]) {
    let names: Vec<String> = (0..10).map(|number| format!("c{number:02}")).collect();
    let lines = names.iter().map(|name| (name.as_str(), "edr"));
    let lines: Vec<_> = lines.chain(["edr", "itdr", "sat"].map(|product| ("three", product))).collect();
    let counts: Vec<_> =
        lines.iter().map(|line| (line.0, line.1, if changed.contains(line) { 6 } else { 5 })).collect();
    msp.push(&counts).await;
}

/// Plans a run and does its jobs. Answers with what planning asked of the store, and what each job did.
async fn sync(msp: &Msp, name: &str) -> (Vec<String>, Vec<Vec<String>>) {
    msp.ask("apply").await;
    let _ = msp.parts.requests.take();
    msp.plan().await;
    let planning = msp.parts.requests.take();
    print(&format!("planning of {name}"), &planning);
    let mut jobs = Vec::new();
    for job in msp.jobs() {
        msp.work(&job).await.unwrap();
        let asked = msp.parts.requests.take();
        print(&format!("company job {} of {name}", jobs.len() + 1), &asked);
        jobs.push(asked);
    }
    (planning, jobs)
}

fn print(what: &str, requests: &[String]) {
    println!("{what}: {} store requests {:?}", requests.len(), by_operation(requests));
    for request in requests {
        println!("    {request}");
    }
}

#[tokio::test]
async fn an_unchanged_account_costs_no_job_and_a_changed_one_at_most_12_store_requests() {
    let msp = msp().await;
    push(&msp, &[]).await;
    // The first run remembers what it finds.
    let (_, jobs) = sync(&msp, "a first run of 11 accounts").await;
    assert!(jobs.is_empty());

    push(&msp, &[]).await;
    let (planning, jobs) = sync(&msp, "an unchanged run of 11 accounts").await;
    assert!(jobs.is_empty());

    push(&msp, &[("c03", "edr")]).await;
    let (with_a_job, jobs) = sync(&msp, "a run with 1 changed line").await;
    let [job] = jobs.as_slice() else { panic!("one job: {jobs:?}") };
    assert!(job.len() <= A_JOB, "{}", job.len());
    assert!(with_a_job.len() <= planning.len() + 3, "{} and {}", with_a_job.len(), planning.len());

    let three = [("three", "edr"), ("three", "itdr"), ("three", "sat")];
    push(&msp, &[&[("c03", "edr"), ("c04", "edr"), ("c05", "edr")][..], &three].concat()).await;
    let (_, jobs) = sync(&msp, "a run with 2 accounts of 1 and one of 3 changed lines").await;
    let [first, second, of_three] = jobs.as_slice() else { panic!("three jobs: {jobs:?}") };
    assert!(first.len() <= A_JOB && second.len() <= A_JOB, "{} and {}", first.len(), second.len());
    assert!(of_three.len() <= A_JOB + 2, "{}", of_three.len());
    assert_eq!(msp.write_requests(), 6, "that of c03 was made before");
}
