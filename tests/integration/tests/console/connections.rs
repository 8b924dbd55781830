//! A connection on its pages: made, looked at, set, tested, rotated, revoked; by whom it concerns and nobody else.

use integration::PARTNER;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use simulators::autotask::{ApiUser, Entity, Right, SAMPLE_INTEGRATION_CODE, SAMPLE_SECRET, SAMPLE_USERNAME};

use crate::connected::{Connected, STRANGER, fill};
use crate::filling::filled;

const NEW: &str = "/console/connections/new?psa=autotask";
const TO: &str = "/console/connections/new";

const TYPED: [(&str, &str); 5] = [
    ("name", "Our <Autotask>"),
    ("time_zone", "Europe/Berlin"),
    ("username", SAMPLE_USERNAME),
    ("secret", SAMPLE_SECRET),
    ("integration_code", SAMPLE_INTEGRATION_CODE),
];

fn page(id: &str, end: &str) -> String {
    format!("/console/connections/{id}{end}")
}

async fn all(c: &Connected) -> Vec<Value> {
    c.see("/v1/connections").await["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_psa_is_connected_and_left_switched_off_and_a_form_that_is_sent_twice_makes_one() {
    let c = Connected::start().await;
    let mut anna = c.anna().await;
    let form = anna.get(NEW).await;
    assert!(form.text.contains(r#"<option value="UTC" selected>"#), "UTC stands there where nobody has chosen");
    let (csrf, once) =
        (form.after(r#"name="csrf" value=""#).to_owned(), form.after(r#"name="once" value=""#).to_owned());
    let fields = [&TYPED[..], &[("csrf", csrf.as_str()), ("once", &once), ("psa", "autotask"), ("off", "on")]].concat();
    let made = anna.post(TO, &fields).await;
    let again = anna.post(TO, &fields).await;
    assert_eq!((made.status, again.status), (303, 303), "{}", made.text);
    assert_eq!(made.location(), again.location());

    let connections = all(&c).await;
    assert_eq!(connections.len(), 1);
    let connection = &connections[0];
    assert_eq!((&connection["enabled"], &connection["time_zone"]), (&json!(false), &json!("Europe/Berlin")));
    let next = anna.get(made.location()).await;
    assert!(next.text.contains("It is switched off. Map products"), "{}", next.text);
    assert!(next.text.contains("Our &lt;Autotask&gt;") && !next.text.contains("Our <Autotask>"));
    assert!(!next.text.contains(SAMPLE_SECRET) && !next.text.contains(SAMPLE_INTEGRATION_CODE));
}

#[tokio::test]
async fn what_the_psa_refuses_is_told_with_its_reason_and_keeps_what_was_typed_but_for_secrets() {
    let user = ApiUser::full().without(Entity::Contracts, Right::Query);
    let c = Connected::with(user, |options| options).await;
    let mut anna = c.anna().await;
    let refused = fill(&mut anna, NEW, TO, &TYPED).await;
    assert_eq!(refused.status, 422);
    for said in ["the user may not: read contracts", "give the API user a security level", "Our &lt;Autotask&gt;"] {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
    assert!(refused.text.contains(&format!(r#"value="{SAMPLE_USERNAME}""#)));
    assert!(refused.text.contains(r#"<option value="Europe/Berlin" selected>"#));
    assert!(!refused.text.contains(SAMPLE_SECRET) && !refused.text.contains(SAMPLE_INTEGRATION_CODE));
    assert_eq!(all(&c).await, Vec::<Value>::new());
}

#[tokio::test]
async fn faults_stand_at_their_fields() {
    let c = Connected::start().await;
    let mut anna = c.anna().await;
    let refused = fill(&mut anna, NEW, TO, &[("time_zone", "UTC"), ("username", "u")]).await;
    assert_eq!(refused.status, 422);
    for said in ["Name must be 1 to 200 characters", "Secret is required", "Tracking identifier is required"] {
        assert!(refused.text.contains(&format!(r#"<p class="fault">{said}"#)), "{said}: {}", refused.text);
    }
    assert!(!refused.text.contains("User name is required"));
}

#[tokio::test]
async fn the_overview_shows_what_the_api_says_and_revoking_says_how_much_is_mapped() {
    let c = Connected::start().await;
    let id = c.connect().await;
    let mut anna = c.anna().await;
    assert!(anna.get(&page(&id, "")).await.text.contains("Map products first"));
    c.map(&id).await;
    let overview = anna.get(&page(&id, "")).await;
    for said in ["</a> are mapped.", "22 Nov 2026, 02:00", "every day at 02:00", "123456"] {
        assert!(overview.text.contains(said), "{said}: {}", overview.text);
    }
    let counts = c.see(&format!("/v1/connections/{id}/mappings")).await;
    assert_eq!(counts, json!({ "products": 1, "charges": 0, "companies": 1 }));

    let confirm = anna.get(&page(&id, "/revoke")).await;
    assert!(confirm.text.contains("1 product and 1 company are mapped on it"), "{}", confirm.text);
    assert_eq!(c.see(&format!("/v1/connections/{id}")).await["status"], "active", "looking revokes nothing");
    let revoked = fill(&mut anna, &page(&id, "/revoke"), &page(&id, "/revoke"), &[]).await;
    assert_eq!(revoked.status, 303);
    assert_eq!(c.see(&format!("/v1/connections/{id}")).await["status"], "revoked");
    let after = anna.get(revoked.location()).await;
    assert!(after.text.contains("stays readable") && !after.text.contains("Sync now"), "{}", after.text);
    assert_eq!(c.see(&format!("/v1/connections/{id}/mappings")).await["companies"], 1);
}

#[tokio::test]
async fn switching_says_first_what_follows() {
    let c = Connected::start().await;
    let id = c.connect().await;
    c.map(&id).await;
    let mut anna = c.anna().await;
    let (at, of) = (page(&id, "/switch"), format!("/v1/connections/{id}"));
    for (said, enabled) in
        [("the units of 1 product and 1 company stay as they are", false), ("From then on it is synced", true)]
    {
        let confirm = anna.get(&at).await;
        assert!(confirm.text.contains(said), "{}", confirm.text);
        assert_eq!(fill(&mut anna, &at, &at, &[]).await.status, 303);
        assert_eq!(c.see(&of).await["enabled"], enabled);
    }
}

#[tokio::test]
async fn a_policy_is_saved_whole_and_a_wrong_number_keeps_what_was_typed() {
    let c = Connected::start().await;
    let id = c.connect().await;
    let mut anna = c.anna().await;
    let (at, of) = (page(&id, "/policy"), format!("/v1/connections/{id}"));
    let before = c.see(&of).await["policy"].clone();
    let typed = [
        ("effective_date.rises", "today"),
        ("effective_date.falls", "period_start"),
        ("guards.fall_percent", "10"),
        ("guards.fall_units", "2"),
        ("guards.rise_percent", "200"),
        ("guards.rise_units", "20"),
        ("guards.price_percent", "50"),
        ("guards.charge_percent", "50"),
        ("guards.charge_amount", "500"),
        ("drift", "overwrite"),
        ("approval", "first_run"),
        ("budget_percent", "60"),
        ("stale_after_hours", "48"),
        ("markup.services", "12.5"),
        ("markup.products", ""),
        ("currency", ""),
        ("billing_day", "15"),
    ];
    let mut wrong = typed;
    wrong[3] = ("guards.fall_units", "many");
    wrong[11] = ("budget_percent", "101");
    let refused = fill(&mut anna, &at, &at, &wrong).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains(r#"value="many""#) && refused.text.contains(r#"value="12.5""#), "{}", refused.text);
    assert!(refused.text.contains(r#"<p class="fault">Share of the PSA's hourly requests, in % "#), "{}", refused.text);
    assert_eq!(c.see(&of).await["policy"], before);

    let saved = fill(&mut anna, &at, &at, &typed).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let policy = c.see(&of).await["policy"].clone();
    let expected = json!({
        "effective_date": { "rises": "today", "falls": "period_start" },
        "guards": { "fall_percent": 10, "fall_units": 2, "rise_percent": 200, "rise_units": 20, "price_percent": 50,
            "charge_percent": 50, "charge_amount": 500 },
        "drift": "overwrite", "approval": "first_run", "shadow": false, "budget_percent": 60, "stale_after_hours": 48,
        "provision_services": false, "markup": { "services": "12.5", "products": null }, "currency": null, "billing_day": 15,
    });
    assert_eq!(policy, expected);
    let overview = anna.get(saved.location()).await;
    assert!(overview.text.contains("The first run waits for you."), "{}", overview.text);
}

#[tokio::test]
async fn a_page_that_was_open_for_long_takes_back_nothing_that_others_have_set_meanwhile() {
    let c = Connected::start().await;
    let id = c.connect().await;
    let mut anna = c.anna().await;
    let of = format!("/v1/connections/{id}");
    let (policy, settings) = (page(&id, "/policy"), page(&id, "/settings"));
    let open = [anna.get(&policy).await, anna.get(&settings).await];
    let others = json!({ "policy": { "shadow": true, "guards": { "fall_units": 1 } }, "time_zone": "Asia/Tokyo" });
    c.done(Method::PATCH, &of, others).await;

    for (seen, at, field, typed) in
        [(&open[0], &policy, "markup.services", "12.5"), (&open[1], &settings, "name", "North")]
    {
        let mut fields = filled(seen, at);
        fields.insert(field.to_owned(), typed.to_owned());
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        // Sent twice, it is the same.
        for _ in 0..2 {
            let saved = anna.post(at, &fields).await;
            assert_eq!(saved.status, 303, "{}", saved.text);
        }
    }
    let now = c.see(&of).await;
    assert_eq!((&now["policy"]["shadow"], &now["policy"]["guards"]["fall_units"]), (&json!(true), &json!(1)));
    assert_eq!(
        (&now["policy"]["markup"]["services"], &now["policy"]["guards"]["fall_percent"]),
        (&json!("12.5"), &json!(30))
    );
    assert_eq!((&now["name"], &now["time_zone"]), (&json!("North"), &json!("Asia/Tokyo")));
    // And a form in which nothing was changed changes nothing.
    for at in [&policy, &settings] {
        let seen = anna.get(at).await;
        let fields = filled(&seen, at);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(anna.post(at, &fields).await.status, 303, "{at}");
    }
    let after = c.see(&of).await;
    assert_eq!((&after["policy"], &after["name"]), (&now["policy"], &now["name"]));
}

#[tokio::test]
async fn name_schedule_and_invoice_day_are_set() {
    let c = Connected::start().await;
    let id = c.connect().await;
    let mut anna = c.anna().await;
    let (at, of) = (page(&id, "/settings"), format!("/v1/connections/{id}"));
    let weekly = [
        ("name", "North"),
        ("time_zone", "America/New_York"),
        ("frequency", "weekly"),
        ("hour", "5"),
        ("weekday", "friday"),
        ("day", "3"),
        ("invoice.frequency", "monthly"),
        ("invoice.hour", "8"),
        ("invoice.weekday", "monday"),
        ("invoice.day", "1"),
    ];
    let mut nameless = weekly;
    nameless[0] = ("name", " ");
    let refused = fill(&mut anna, &at, &at, &nameless).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains(r#"<option value="friday" selected>"#), "{}", refused.text);
    assert_eq!(fill(&mut anna, &at, &at, &weekly).await.status, 303);
    let now = c.see(&of).await;
    assert_eq!((&now["name"], &now["time_zone"]), (&json!("North"), &json!("America/New_York")));
    assert_eq!(now["schedule"], json!({ "frequency": "weekly", "hour": 5, "weekday": "friday" }));
    assert_eq!(now["invoice"], json!({ "frequency": "monthly", "hour": 8, "day": 1 }));
    let mut unstated = weekly;
    unstated[6] = ("invoice.frequency", "");
    assert_eq!(fill(&mut anna, &at, &at, &unstated).await.status, 303);
    assert_eq!(c.see(&of).await["invoice"], Value::Null);
}

#[tokio::test]
async fn a_test_shows_each_right_and_comes_as_a_part_where_a_part_is_asked_for() {
    let c = Connected::start().await;
    let id = c.connect().await;
    let mut anna = c.anna().await;
    let (at, to) = (page(&id, ""), page(&id, "/test"));
    let tested = fill(&mut anna, &at, &to, &[]).await;
    assert_eq!(tested.status, 200);
    let rights = c.done(Method::POST, &format!("/v1/connections/{id}/test"), Value::Null).await;
    for right in rights["rights"].as_array().unwrap() {
        let name = right["name"].as_str().unwrap();
        assert!(tested.text.contains(&format!("<td>{name}</td>")), "{name}: {}", tested.text);
    }
    assert!(tested.text.contains("<html"));
    let csrf = tested.after(r#"name="csrf" value=""#).to_owned();
    let body = format!("csrf={csrf}");
    let part = anna.send(Method::POST, &to, |request| {
        request.header("hx-request", "true").header("content-type", "application/x-www-form-urlencoded").body(body)
    });
    let part = part.await;
    assert!(part.text.starts_with("<section id=\"test\"") && part.text.contains("What was tried"), "{}", part.text);
}

#[tokio::test]
async fn credentials_that_fail_leave_the_old_ones() {
    let c = Connected::start().await;
    let id = c.connect().await;
    let mut anna = c.anna().await;
    let at = page(&id, "/credentials");
    let wrong = [("username", SAMPLE_USERNAME), ("secret", "wrong-7d1"), ("integration_code", SAMPLE_INTEGRATION_CODE)];
    let refused = fill(&mut anna, &at, &at, &wrong).await;
    assert!((400..500).contains(&refused.status), "{}", refused.status);
    assert!(!refused.text.contains("wrong-7d1") && refused.text.contains(SAMPLE_USERNAME), "{}", refused.text);
    assert_eq!(c.see(&format!("/v1/connections/{id}")).await["status"], "active");
    assert_eq!(fill(&mut anna, &at, &at, &TYPED).await.status, 303);
}

#[tokio::test]
async fn preflight_asks_the_psa_only_when_it_is_told_to() {
    let c = Connected::start().await;
    let id = c.connect().await;
    c.map(&id).await;
    let mut anna = c.anna().await;
    let checks = anna.get(&page(&id, "/preflight")).await;
    assert_eq!((checks.status, checks.text.contains("As far as is known the PSA takes the credentials.")), (200, true));
    let asks = format!(r#"<a href="{}">Name and schedule"#, page(&id, "/settings"));
    assert!(checks.text.contains("to decide") && checks.text.contains(&asks), "{}", checks.text);
    assert!(!checks.text.contains("connection's `invoice`"), "{}", checks.text);
    let mapped = anna.get(&page(&id, "/preflight/mappings")).await;
    assert!(mapped.text.contains("usage") && mapped.text.contains("acme"), "{}", mapped.text);
}

#[tokio::test]
async fn nobody_reaches_another_partners_connection_or_changes_it_without_the_right_or_from_elsewhere() {
    let c = Connected::start().await;
    let id = c.connect().await;
    let before = c.see(&format!("/v1/connections/{id}")).await;
    let pages = [
        "",
        "/settings",
        "/policy",
        "/switch",
        "/credentials",
        "/preflight",
        "/preflight/mappings",
        "/revoke",
        "/findings",
    ];
    let forms = ["/settings", "/policy", "/switch", "/credentials", "/test", "/revoke"];

    let mut stranger = c.person(STRANGER, &[Scope::Read, Scope::Write]).await;
    let csrf = stranger.get(NEW).await.after(r#"name="csrf" value=""#).to_owned();
    for end in pages {
        let seen = stranger.get(&page(&id, end)).await;
        assert_eq!((seen.status, seen.text.contains("Nordwind")), (404, false), "{end}");
    }
    for end in forms {
        assert_eq!(stranger.post(&page(&id, end), &[("csrf", csrf.as_str())]).await.status, 404, "{end}");
    }

    let mut reader = c.person(PARTNER, &[Scope::Read]).await;
    let home = reader.get(&page(&id, "")).await;
    assert!(!home.text.contains("Sync now") && !home.text.contains("Revoke the connection"), "{}", home.text);
    let csrf = home.after(r#"name="csrf" value=""#).to_owned();
    let mut anna = c.anna().await;
    for end in forms {
        assert!(!reader.get(&page(&id, end)).await.text.contains("class=\"danger\""), "{end}");
        assert_eq!(reader.post(&page(&id, end), &[("csrf", csrf.as_str())]).await.status, 403, "{end}");
        assert_eq!(anna.post(&page(&id, end), &[("wanted", "off")]).await.status, 400, "{end}");
        assert_eq!(anna.post(&page(&id, end), &[("csrf", csrf.as_str())]).await.status, 400, "{end}");
    }
    assert_eq!(anna.post(TO, &TYPED).await.status, 400);
    assert_eq!(c.see(&format!("/v1/connections/{id}")).await, before);
    assert_eq!(all(&c).await.len(), 1);
}
