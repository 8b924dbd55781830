//! Each way in which a mapping may fail to fill a form, and what is said of it.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{FieldRule, FieldValue, TicketField, TicketForm, TicketMapping};

fn field(id: &str, label: &str, required: bool, values: &[(&str, &str)]) -> TicketField {
    let value = |(id, label): &(&str, &str)| FieldValue {
        id: (*id).to_owned(),
        label: (*label).to_owned(),
        is_default: false,
        parent: None,
    };
    TicketField {
        id: id.to_owned(),
        label: label.to_owned(),
        required,
        values: values.iter().map(value).collect(),
        depends_on: None,
    }
}

/// Priority and status are required; a resource needs a role, the category "Alert" an issue, and every ticket a queue or a
/// resource. Sub-issues belong to an issue.
fn form() -> TicketForm {
    let mut sub_issue =
        field("subIssueType", "Sub-issue", false, &[("11", "Outage"), ("21", "Virus"), ("22", "Phish")]);
    sub_issue.depends_on = Some("issueType".to_owned());
    for value in &mut sub_issue.values {
        value.parent = value.id.get(..1).map(str::to_owned);
    }
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    TicketForm {
        fields: vec![
            field("status", "Status", true, &[("1", "New"), ("5", "Complete")]),
            field("priority", "Priority", true, &[("1", "High"), ("2", "Low")]),
            field("queueID", "Queue", false, &[("8", "Monitoring")]),
            field("resource", "Resource", false, &[("40", "Ann"), ("41", "Bob")]),
            field("role", "Role", false, &[("50", "Engineer")]),
            field("category", "Category", false, &[("3", "Standard"), ("4", "Alert")]),
            field("issueType", "Issue", false, &[("1", "Network"), ("2", "Malware")]),
            sub_issue,
            field("site", "Site", false, &[]),
        ],
        rules: vec![
            FieldRule::AnyOf(vec![names(&["queueID"]), names(&["resource", "role"])]),
            FieldRule::Together(names(&["resource", "role"])),
            FieldRule::Needs { field: "category".into(), value: "4".into(), needs: names(&["issueType", "status"]) },
        ],
    }
}

/// The faults of a mapping whose defaults fill the form, but for what `changes` says.
fn told(changes: Value) -> String {
    let mut mapping = json!({"defaults": {"status": "1", "priority": "2", "queueID": "8"}});
    for (part, content) in changes.as_object().unwrap() {
        match (part.as_str(), content) {
            ("defaults", Value::Object(fields)) => {
                for (id, value) in fields {
                    mapping["defaults"].as_object_mut().unwrap().remove(id);
                    if !value.is_null() {
                        mapping["defaults"][id] = value.clone();
                    }
                }
            }
            _ => mapping[part] = content.clone(),
        }
    }
    let mapping: TicketMapping = serde_json::from_value(mapping).unwrap();
    let faults = mapping.check(&form());
    faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.words)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_mapping_that_fills_the_form_has_no_faults() {
    assert_eq!(told(json!({})), "");
    let whole = json!({
        "defaults": {"queueID": null, "resource": "40", "role": "50", "category": "4", "issueType": "2"},
        "by_severity": {"critical": {"priority": "1"}},
        "by_kind": {"phishing": {"subIssueType": "22"}, "outage": {"issueType": "1", "subIssueType": "11"}},
    });
    assert_eq!(told(whole), "");
}

#[test]
fn every_missing_field_is_named_at_once_with_what_may_be_chosen() {
    let empty = TicketMapping::default().check(&form());
    let told: Vec<String> = empty.iter().map(|fault| format!("{}: {}", fault.pointer, fault.words)).collect();
    assert_snapshot!(told.join("\n"), @"
    /defaults/status: is required: Status (status), one of 1 (New), 5 (Complete)
    /defaults/priority: is required: Priority (priority), one of 1 (High), 2 (Low)
    /defaults: must fill Queue (queueID), one of 8 (Monitoring); or Resource (resource), one of 40 (Ann), 41 (Bob) and Role (role), one of 50 (Engineer)
    ");
}

#[test]
fn a_field_of_every_ticket_is_missing_though_each_override_has_it() {
    let told = told(json!({"defaults": {"priority": null}, "by_severity": {"critical": {"priority": "1"}}}));
    assert_snapshot!(told, @"/defaults/priority: is required: Priority (priority), one of 1 (High), 2 (Low)");
}

#[test]
fn unknown_fields_and_values_are_told_wherever_they_stand() {
    let told = told(json!({
        "defaults": {"nothing": "1", "status": "9", "site": "Main"},
        "by_severity": {"very/high": {"priority": ""}},
        "by_kind": {"malware": {"subIssueType": "99"}},
    }));
    assert_snapshot!(told, @"
    /defaults/nothing: is no field that every ticket of this PSA has
    /defaults/site: must be the id of a choice of Site (site), for which there is nothing to choose from
    /defaults/status: must be the id of a choice of Status (status), one of 1 (New), 5 (Complete)
    /by_severity/very~1high/priority: must be the id of a choice of Priority (priority), one of 1 (High), 2 (Low)
    /by_kind/malware/subIssueType: must be the id of a choice of Sub-issue (subIssueType), one of 11 (Outage), 21 (Virus), 22 (Phish)
    ");
}

#[test]
fn what_depends_on_another_field_fits_it() {
    let told = told(json!({"defaults": {"issueType": "1", "subIssueType": "21"}}));
    assert_snapshot!(told, @"/defaults/subIssueType: must fit what /defaults/issueType says: Sub-issue (subIssueType), one of 11 (Outage)");
}

#[test]
fn what_depends_on_another_field_needs_it() {
    let told = told(json!({"by_kind": {"malware": {"subIssueType": "21"}}}));
    assert_snapshot!(told, @"/by_kind/malware/issueType: is required beside Sub-issue (subIssueType): Issue (issueType), one of 1 (Network), 2 (Malware)");
}

#[test]
fn an_override_that_takes_away_what_the_defaults_build_upon_says_the_rest_anew() {
    let told = told(json!({
        "defaults": {"issueType": "2", "subIssueType": "21"}, "by_kind": {"outage": {"issueType": "1"}},
    }));
    assert_snapshot!(told, @"/by_kind/outage/subIssueType: must fit what /by_kind/outage/issueType says: Sub-issue (subIssueType), one of 11 (Outage)");
}

#[test]
fn overrides_that_are_right_alone_and_not_together_are_found() {
    let told = told(json!({
        "defaults": {"issueType": "2"},
        "by_severity": {"critical": {"issueType": "1"}},
        "by_kind": {"malware": {"subIssueType": "21"}},
    }));
    assert_snapshot!(told, @"/by_kind/malware/subIssueType: must fit what /by_severity/critical/issueType says: Sub-issue (subIssueType), one of 11 (Outage)");
}

#[test]
fn fields_that_go_together_are_asked_for_where_one_of_them_stands() {
    let told = told(json!({"by_severity": {"critical": {"resource": "40"}}}));
    assert_snapshot!(told, @"/by_severity/critical/role: is required beside Resource (resource): Role (role), one of 50 (Engineer)");
}

#[test]
fn what_a_value_needs_is_asked_for_beside_it_and_what_every_ticket_needs_only_once() {
    let told = told(json!({"defaults": {"status": null}, "by_kind": {"outage": {"category": "4"}}}));
    assert_snapshot!(told, @"
    /defaults/status: is required: Status (status), one of 1 (New), 5 (Complete)
    /by_kind/outage/issueType: is required where Category (category) is 4 (Alert): Issue (issueType), one of 1 (Network), 2 (Malware)
    ");
}

#[test]
fn names_that_no_alert_can_have_and_too_many_of_them_are_refused() {
    let long = "x".repeat(65);
    let odd = told(json!({"by_severity": {" high": {}, "": {}, "a\nb": {}, long: {}, "high": {}}}));
    assert_eq!(odd.matches("must be named by 1 to 64 characters on one line").count(), 4, "{odd}");
    let many: Value = (0..51).map(|kind| (format!("k{kind}"), json!({}))).collect::<serde_json::Map<_, _>>().into();
    assert_snapshot!(told(json!({"by_kind": many})), @"/by_kind: may tell at most 50 apart");
}

#[test]
fn many_choices_are_counted_and_not_listed() {
    let choices: Vec<(String, String)> = (0..11).map(|id| (id.to_string(), format!("Choice {id}"))).collect();
    let choices: Vec<(&str, &str)> = choices.iter().map(|(id, label)| (id.as_str(), label.as_str())).collect();
    let form =
        TicketForm { fields: vec![field("type", "Type", true, &choices), field("x", "X", true, &[])], rules: vec![] };
    let words: Vec<String> = TicketMapping::default().check(&form).into_iter().map(|fault| fault.words).collect();
    assert_snapshot!(words.join("\n"), @"
    is required: Type (type), one of its 11 choices
    is required: X (x), for which there is nothing to choose from
    ");
}
