//! What the demo shows, for programs and for people: of both PSAs, and of each alone.

#[expect(dead_code, reason = "the demo serves itself")]
mod served;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use served::{run, stderr, tallyline};

/// What `demo --json` prints, having ended well.
fn shown(more: &[&str]) -> Value {
    let output = run(&[&["demo", "--exit", "--json"], more].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What `demo` prints on a terminal of 100 columns, having ended well.
fn told(more: &[&str]) -> String {
    let arguments = [&["demo", "--exit", "--companies", "12"], more].concat();
    let output = tallyline(&arguments).env("COLUMNS", "100").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn lines<'a>(shown: &'a Value, psa: &str) -> Vec<&'a Value> {
    shown["lines"].as_array().unwrap().iter().filter(|line| line["psa"] == psa).collect()
}

fn with_code<'a>(lines: &[&'a Value], code: &str) -> Vec<&'a Value> {
    lines.iter().copied().filter(|line| line["code"] == code).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no count"))
}

/// What is true of the lines of every PSA, and of what its two runs cost.
fn check(shown: &Value, psa: &str) {
    let lines = lines(shown, psa);
    let count = |status: &str| lines.iter().filter(|line| line["status"] == status).count();
    let (first, second) = (&shown["first_run"]["by_psa"][psa], &shown["second_run"]["by_psa"][psa]);
    assert_eq!(first["writes"], count("updated"));
    assert!(number(&first["writes"]) > 10, "{first}");
    assert_eq!(second["writes"], 0);
    let written = &first["money"]["written"][0];
    let of = |side: &str| number(&written[side]["lines"]);
    assert!(of("rises") > 0 && of("falls") > 0, "{written}");
    assert_eq!(
        (of("rises") + of("falls"), first["money"]["planned"].clone()),
        (number(&first["writes"]), json!([written]))
    );
    assert!(number(&second["psa_requests"]) * 4 < number(&first["psa_requests"]), "{first} {second}");
    assert!(count("unchanged") > 10);
    assert_eq!(count("unknown") + count("planned") + count("skipped"), 0);
    for line in lines {
        let names: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(
            names,
            ["after", "before", "code", "company", "explanation", "money", "product", "psa", "status", "target"]
        );
        let differs = !line["before"].is_null() && !line["target"].is_null() && line["before"] != line["target"];
        assert_eq!(line["money"].is_object(), differs, "{line}");
        if line["status"] == "updated" {
            assert!(line["after"] == line["target"] && line["before"] != line["target"], "{line}");
        }
        assert_eq!(line["code"] == "", ["updated", "unchanged"].contains(&line["status"].as_str().unwrap()), "{line}");
    }
}

fn check_autotask(shown: &Value) {
    check(shown, "autotask");
    let lines = lines(shown, "autotask");
    let held = with_code(&lines, "fall_guard");
    assert_eq!(held.len(), 3);
    for line in &held {
        assert!(line["after"].is_null() && line["before"].as_u64() > line["target"].as_u64(), "{line}");
    }
    assert!(held.iter().any(|line| line["target"] == 0), "a zero is held like any other fall");
    assert_eq!(with_code(&lines, "contract_ended").len(), 3);
    assert_eq!(with_code(&lines, "service_not_on_contract").len(), 1);
    assert_eq!(with_code(&lines, "usage_incomplete").len(), 1);
}

fn check_kaseya_bms(shown: &Value) {
    check(shown, "kaseya_bms");
    let lines = lines(shown, "kaseya_bms");
    let unstated = with_code(&lines, "opening_units_needed");
    let [unstated] = unstated[..] else { panic!("{unstated:?}") };
    assert!(unstated["before"].is_null() && unstated["after"].is_null(), "{unstated}");
    assert!(unstated["explanation"].as_str().unwrap().contains(" were billed last, on "), "{unstated}");
    assert_eq!(with_code(&lines, "fall_guard").len(), 2);
    assert_eq!(with_code(&lines, "contract_ended").len(), 3);
    assert_eq!(with_code(&lines, "service_not_on_contract").len(), 1);
    let fell = |line: &&&Value| line["status"] == "updated" && line["target"].as_u64() < line["before"].as_u64();
    assert!(lines.iter().any(|line| fell(&line)), "falls go on in the run in which the first rise was the trial");
}

#[test]
fn the_demo_writes_once_in_both_psas_and_then_nothing_and_says_so_in_one_object() {
    let shown = shown(&["--companies", "24"]);
    assert_eq!(shown.as_object().unwrap().keys().collect::<Vec<_>>(), ["first_run", "lines", "second_run"]);
    for run in ["first_run", "second_run"] {
        let costs = &shown[run];
        assert_eq!(costs.as_object().unwrap().keys().collect::<Vec<_>>(), ["by_psa", "psa_requests", "writes"]);
        let by_psa = costs["by_psa"].as_object().unwrap();
        assert_eq!(by_psa.keys().collect::<Vec<_>>(), ["autotask", "kaseya_bms"]);
        for count in ["psa_requests", "writes"] {
            assert_eq!(number(&costs[count]), by_psa.values().map(|cost| number(&cost[count])).sum::<u64>(), "{costs}");
        }
    }
    assert_eq!(shown["second_run"]["writes"], 0);
    check_autotask(&shown);
    check_kaseya_bms(&shown);
    let companies = |psa| lines(&shown, psa).into_iter().map(|line| line["company"].as_str()).collect::<BTreeSet<_>>();
    assert!(companies("autotask").is_disjoint(&companies("kaseya_bms")));
    assert!(companies("autotask").len() > companies("kaseya_bms").len());
}

#[test]
fn each_psa_can_be_shown_alone_and_autotask_is_the_same_as_beside_another() {
    let autotask = shown(&["--psa", "autotask", "--companies", "24"]);
    check_autotask(&autotask);
    let both = shown(&["--companies", "24"]);
    assert_eq!(json!(lines(&autotask, "autotask")), json!(lines(&both, "autotask")));
    assert_eq!(autotask["first_run"]["by_psa"]["autotask"], both["first_run"]["by_psa"]["autotask"]);

    let bms = shown(&["--psa", "kaseya_bms", "--companies", "24"]);
    check_kaseya_bms(&bms);
    for (shown, psa) in [(&autotask, "autotask"), (&bms, "kaseya_bms")] {
        assert_eq!(lines(shown, psa).len(), shown["lines"].as_array().unwrap().len());
        assert_eq!(shown["first_run"]["by_psa"].as_object().unwrap().keys().collect::<Vec<_>>(), [psa]);
        assert_eq!(shown["first_run"]["by_psa"][psa]["writes"], shown["first_run"]["writes"]);
    }
}

#[test]
fn the_demo_can_have_its_usage_pulled_from_a_simulated_huntress() {
    let pulled = shown(&["--source", "huntress", "--companies", "24"]);
    for psa in ["autotask", "kaseya_bms"] {
        check(&pulled, psa);
    }
    let (pulled, pushed) = (lines(&pulled, "autotask"), shown(&["--psa", "autotask", "--companies", "24"]));
    // What is only in a list that broke off is no case of a pull's: its customer is in Huntress' list like the others.
    assert_eq!(with_code(&pulled, "usage_incomplete").len(), 0);
    let billed = |lines: Vec<&Value>| {
        let is_billed = |line: &&Value| ["updated", "unchanged"].contains(&line["status"].as_str().unwrap());
        let units = |line: &Value| format!("{} {}: {}", line["company"], line["product"], line["target"]);
        lines.into_iter().filter(is_billed).map(units).collect::<BTreeSet<_>>()
    };
    let (pulled, pushed) = (billed(pulled), billed(lines(&pushed, "autotask")));
    assert!(pushed.len() > 50, "{}", pushed.len());
    assert_eq!(pulled, pushed, "the same is billed whichever way it comes in");

    let text = told(&["--source", "huntress"]);
    for words in ["set up Huntress", "agents is edr", "all there are", "its last counts stand"] {
        assert!(text.contains(words), "{words} is missing:\n{text}");
    }
    assert!(!text.contains("pushed usage"), "{text}");
}

#[test]
fn the_demo_for_people_fits_the_width_that_it_is_told() {
    let text = told(&[]);
    assert!(!text.contains('\u{1b}'), "no colours where nobody sees them");
    let words =
        ["Written and read back", "Held: a person decides", "Can't be written", "second sync", "(+1)", "Next: "];
    for word in words {
        assert!(text.contains(word), "{word} is missing:\n{text}");
    }
    // What needs a person is not to be looked for below what is well.
    let place = |words: &str| text.find(words).unwrap();
    assert!(place("Held: a person decides") < place("Written and read back"), "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn the_demo_of_kaseya_bms_tells_in_words_what_it_found_out_and_what_is_to_be_stated() {
    let text = told(&["--psa", "kaseya_bms"]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!text.contains("Autotask"), "{text}");
    for words in [
        "a simulated Kaseya BMS",
        "as opening_units",
        "the first change was a trial: +1 for",
        "so this BMS adds what is posted",
        "nobody has stated it",
        "were billed last, on",
        "{\"opening_units\": …} for edr among its overrides",
    ] {
        assert!(text.contains(words), "{words} is missing:\n{text}");
    }
}
