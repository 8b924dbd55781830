//! The routes of runs: who may see what, and what is refused and how.

use integration::msp::{Customer, Msp, Run, Setup};
use integration::{Answer, PARTNER};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;

async fn msp() -> (Msp, Run) {
    let msp = Setup::of([Customer::named("acme").line("edr", 100).line("itdr", 7)]).start().await;
    msp.push(&[("acme", "edr", 10), ("acme", "itdr", 8)]).await;
    let run = msp.run("apply").await;
    assert_eq!(json!(run.results()), json!({"acme/edr": "held fall_guard", "acme/itdr": "updated"}));
    (msp, run)
}

fn start(msp: &Msp) -> String {
    format!("/v1/connections/{}/runs", msp.connection)
}

#[tokio::test]
async fn another_partners_runs_are_not_there() {
    let (msp, run) = msp().await;
    let (id, lines, approve) =
        (format!("/v1/runs/{}", run.id), format!("/v1/runs/{}/lines", run.id), format!("/v1/runs/{}/approve", run.id));
    let as_other =
        async |method: Method, path: &str, body: Option<Value>| msp.call_as("suedwind", method, path, body).await;
    for (method, path, body, code) in [
        (Method::GET, id.clone(), None, "not_found"),
        (Method::GET, lines, None, "not_found"),
        (Method::POST, approve, Some(json!({})), "not_found"),
        (Method::GET, start(&msp), None, "not_found"),
        (Method::POST, start(&msp), Some(json!({"mode": "preview"})), "not_found"),
    ] {
        let answer = as_other(method.clone(), &path, body).await;
        let problem = answer.problem();
        assert_eq!((answer.status, problem["code"].as_str()), (404, Some(code)), "{method} {path}");
        // Nor does the answer differ from that for something that nobody has.
        let nobody = path.replace(&run.id, "run_0").replace(&msp.connection, "conn_0");
        let body = (method == Method::POST)
            .then(|| json!(if path.contains("approve") { json!({}) } else { json!({"mode": "preview"}) }));
        assert_eq!(msp.call(method, &nobody, body).await.problem(), problem);
    }
    assert_eq!(msp.see(&run.id).await.view, run.view);
    assert_eq!(msp.parts.wire.asked_for(), 0);
}

#[tokio::test]
async fn each_route_asks_for_its_own_scope() {
    let (msp, run) = msp().await;
    let call = async |scopes: &[Scope], method: Method, path: &str| {
        let token = msp.parts.token(PARTNER, scopes);
        Answer::to(msp.parts.request(method, path).bearer_auth(token).json(&json!({"mode": "preview"}))).await
    };
    let (view, approve) = (format!("/v1/runs/{}", run.id), format!("/v1/runs/{}/approve", run.id));
    for (method, path, needed) in [
        (Method::GET, view.clone(), Scope::Read),
        (Method::GET, format!("{view}/lines"), Scope::Read),
        (Method::GET, start(&msp), Scope::Read),
        (Method::POST, start(&msp), Scope::Write),
        (Method::POST, approve, Scope::Write),
    ] {
        // Who may write may read; who pushes usage may do neither.
        let others = if needed == Scope::Write { vec![Scope::Read, Scope::Usage] } else { vec![Scope::Usage] };
        let refused = call(&others, method.clone(), &path).await;
        assert_eq!(refused.status, 403, "{method} {path} {}", refused.text);
        assert_eq!(Answer::to(msp.parts.request(method.clone(), &path)).await.status, 401, "{method} {path}");
        assert_ne!(call(&[needed], method.clone(), &path).await.status, 403, "{method} {path}");
    }
}

#[tokio::test]
async fn a_run_that_is_asked_for_wrongly_is_refused_and_says_why() {
    let (msp, _) = msp().await;
    let refused = async |body: Value| msp.call(Method::POST, &start(&msp), Some(body)).await.problem();
    insta::assert_json_snapshot!(refused(json!({"mode": "apply", "dry": true})).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /dry: is not a field here.",
      "errors": [
        {
          "detail": "is not a field here",
          "pointer": "/dry"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    insta::assert_json_snapshot!(refused(json!({"mode": "dry"})).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /mode: must be `preview` or `apply`.",
      "errors": [
        {
          "detail": "must be `preview` or `apply`",
          "pointer": "/mode"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    insta::assert_json_snapshot!(refused(json!({})).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /mode: is required.",
      "errors": [
        {
          "detail": "is required",
          "pointer": "/mode"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    insta::assert_json_snapshot!(refused(json!({"mode": "apply", "companies": []})).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /companies: must name 1 to 1000 companies, or be left out.",
      "errors": [
        {
          "detail": "must name 1 to 1000 companies, or be left out",
          "pointer": "/companies"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    insta::assert_json_snapshot!(refused(json!({"mode": "apply", "companies": ["a#b", ""]})).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /companies/0: must be 1 to 128 printable ASCII characters without spaces at its ends and without '#'.",
      "errors": [
        {
          "detail": "must be 1 to 128 printable ASCII characters without spaces at its ends and without '#'",
          "pointer": "/companies/0"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    assert_eq!(msp.parts.wire.asked_for(), 0);
}

#[tokio::test]
async fn a_connection_that_is_off_or_revoked_is_not_run() {
    let (msp, run) = msp().await;
    msp.patch(json!({"enabled": false})).await;
    insta::assert_json_snapshot!(msp.call(Method::POST, &start(&msp), Some(json!({"mode": "apply"}))).await.problem(), @r#"
    {
      "code": "connection_off",
      "detail": "The connection is switched off: nothing is sent to the PSA.",
      "errors": [],
      "fix": "Switch the connection on, or ask for a preview.",
      "request_id": "[request]",
      "status": 409,
      "title": "Connection off",
      "type": "/problems/connection_off"
    }
    "#);
    msp.done(Method::DELETE, &format!("/v1/connections/{}", msp.connection), None).await;
    insta::assert_json_snapshot!(msp.call(Method::POST, &start(&msp), Some(json!({"mode": "preview"}))).await.problem(), @r#"
    {
      "code": "connection_revoked",
      "detail": "The connection was revoked.",
      "errors": [],
      "fix": "Make a new connection.",
      "request_id": "[request]",
      "status": 409,
      "title": "Connection revoked",
      "type": "/problems/connection_revoked"
    }
    "#);
    let approve = msp.call(Method::POST, &format!("/v1/runs/{}/approve", run.id), Some(json!({}))).await;
    assert_eq!((approve.status, approve.json["code"].as_str()), (409, Some("connection_revoked")));
    // What was recorded stays readable.
    assert_eq!(msp.see(&run.id).await.lines, run.lines);
    assert_eq!(msp.parts.wire.asked_for(), 0);
}

#[tokio::test]
async fn cursors_and_filters_that_are_none_are_refused() {
    let (msp, run) = msp().await;
    let refused = async |path: String| msp.call(Method::GET, &path, None).await.problem();
    insta::assert_json_snapshot!(refused(format!("/v1/runs/{}/lines?cursor=abc", run.id)).await, @r#"
    {
      "code": "invalid_query",
      "detail": "The query is not valid: cursor must be the next_cursor of the same list with the same filters.",
      "errors": [
        {
          "detail": "must be the next_cursor of the same list with the same filters",
          "pointer": "?cursor"
        }
      ],
      "request_id": "[request]",
      "status": 400,
      "title": "Invalid query",
      "type": "/problems/invalid_query"
    }
    "#);
    insta::assert_json_snapshot!(refused(format!("/v1/runs/{}/lines?status=fine", run.id)).await, @r#"
    {
      "code": "invalid_query",
      "detail": "The query is not valid: status is \"fine\", and must be one of `updated`, `unchanged`, `planned`, `held`, `skipped`, `failed`, `unknown`.",
      "errors": [
        {
          "detail": "must be one of `updated`, `unchanged`, `planned`, `held`, `skipped`, `failed`, `unknown`",
          "pointer": "?status"
        }
      ],
      "request_id": "[request]",
      "status": 400,
      "title": "Invalid query",
      "type": "/problems/invalid_query"
    }
    "#);
    for query in ["limit=0", "limit=101", "limit=x", "state=held", "cursor="] {
        let problem = refused(format!("/v1/runs/{}/lines?{query}", run.id)).await;
        assert!([400, 422].contains(&problem["status"].as_u64().unwrap()), "{query}: {problem}");
        let problem = refused(format!("{}?{query}", start(&msp))).await;
        assert!([400, 422].contains(&problem["status"].as_u64().unwrap()), "{query}: {problem}");
    }
    // A cursor of one list is none of another.
    msp.ask("preview").await;
    let first = msp.done(Method::GET, &format!("{}?limit=1", start(&msp)), None).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let problem = refused(format!("/v1/runs/{}/lines?cursor={cursor}", run.id)).await;
    assert!([400, 422].contains(&problem["status"].as_u64().unwrap()), "{problem}");
}

#[tokio::test]
async fn what_can_not_be_approved_is_refused_and_says_why() {
    let (msp, run) = msp().await;
    let approve = async |run: &str, body: Value| {
        msp.call(Method::POST, &format!("/v1/runs/{run}/approve"), Some(body)).await.problem()
    };
    let done = msp.line_id("acme", "itdr");
    insta::assert_json_snapshot!(approve(&run.id, json!({"lines": [done, "1:2"]})).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid in 2 places.",
      "errors": [
        {
          "detail": "is no line of this run that waits for approval",
          "pointer": "/lines/0"
        },
        {
          "detail": "is no line of this run that waits for approval",
          "pointer": "/lines/1"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    insta::assert_json_snapshot!(approve(&run.id, json!({"line": []})).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /line: is not a field here.",
      "errors": [
        {
          "detail": "is not a field here",
          "pointer": "/line"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    insta::assert_json_snapshot!(approve(&run.id, json!({"lines": []})).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /lines: names no line: name at least one, or send {} to approve all that wait.",
      "errors": [
        {
          "detail": "names no line: name at least one, or send {} to approve all that wait",
          "pointer": "/lines"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    msp.push(&[("acme", "edr", 100), ("acme", "itdr", 8)]).await;
    let settled = msp.run("preview").await;
    insta::assert_json_snapshot!(approve(&settled.id, json!({})).await, @r#"
    {
      "code": "nothing_to_approve",
      "detail": "No line and no charge of this run waits for approval.",
      "errors": [],
      "fix": "See the run's lines and charges: those that are held or planned can be approved.",
      "request_id": "[request]",
      "status": 409,
      "title": "Nothing to approve",
      "type": "/problems/nothing_to_approve"
    }
    "#);
    let waiting = msp.ask("apply").await;
    insta::assert_json_snapshot!(approve(&waiting, json!({})).await, @r#"
    {
      "code": "run_not_ended",
      "detail": "The run has not ended yet.",
      "errors": [],
      "fix": "Wait until it has ended.",
      "request_id": "[request]",
      "status": 409,
      "title": "Run not ended",
      "type": "/problems/run_not_ended"
    }
    "#);
    assert_eq!(msp.units("acme", "edr"), 100);
}

#[tokio::test]
async fn the_same_key_asks_for_one_run() {
    let (msp, _) = msp().await;
    let token = msp.parts.token(PARTNER, &[Scope::Write]);
    let ask = async |key: &str| {
        let request = msp.parts.request(Method::POST, &start(&msp)).bearer_auth(&token).header("idempotency-key", key);
        Answer::to(request.json(&json!({"mode": "apply"}))).await
    };
    let (one, again, other) = (ask("k-1").await, ask("k-1").await, ask("k-2").await);
    assert_eq!((one.status, again.status), (202, 202));
    assert_eq!(one.text, again.text);
    assert_ne!(one.text, other.text);
    assert_eq!(one.header("location"), format!("/v1/runs/{}", one.json["run_id"].as_str().unwrap()));
    assert_eq!(msp.parts.wire.asked_for(), 2);
    msp.drain().await;
    let runs = msp.done(Method::GET, &start(&msp), None).await;
    assert_eq!(runs["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn runs_are_listed_newest_first_and_page() {
    let (msp, first) = msp().await;
    let mut expected = vec![first.id.clone()];
    for _ in 0..4 {
        msp.clock.advance(jiff::SignedDuration::from_secs(1));
        expected.insert(0, msp.run("preview").await.id);
    }
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = msp.done(Method::GET, &format!("{}?limit=2{cursor}", start(&msp)), None).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        found.extend(items.iter().map(|run| run["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn lines_page_and_filter_without_loss_over_pages_of_every_kind() {
    // 60 changed lines of one account in three job pages, and 130 unchanged ones in two packed pages.
    let names: Vec<String> = (0..60).map(|number| format!("p{number:02}")).collect();
    let busy = names.iter().fold(Customer::named("busy"), |customer, product| customer.line(product, 1));
    let quiet = ["quiet-1", "quiet-2", "quiet-3"].map(|company| {
        names.iter().take(44).fold(Customer::named(company), |customer, product| customer.line(product, 1))
    });
    let msp = Setup::of(std::iter::once(busy).chain(quiet)).start().await;
    let mut records: Vec<(&str, &str, u32)> = names.iter().map(|product| ("busy", product.as_str(), 2)).collect();
    for company in ["quiet-1", "quiet-2", "quiet-3"] {
        records.extend(names.iter().take(44).map(|product| (company, product.as_str(), 1)));
    }
    msp.push(&records).await;
    let run = msp.run("apply").await;
    assert_eq!((run.lines.len(), run.view["jobs"].as_i64(), msp.write_requests()), (192, Some(3), 60));
    let whole: Vec<String> = run.lines.iter().map(|line| line["line_id"].to_string()).collect();
    for limit in [13, 50, 99] {
        for (filter, expected) in [("", 192), ("&status=updated", 60), ("&status=unchanged", 132), ("&status=held", 0)]
        {
            let mut found = Vec::new();
            let mut cursor = String::new();
            loop {
                let path = format!("/v1/runs/{}/lines?limit={limit}{filter}{cursor}", run.id);
                let page = msp.done(Method::GET, &path, None).await;
                found.extend(page["items"].as_array().unwrap().iter().map(|line| line["line_id"].to_string()));
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(found.len(), expected, "limit {limit} {filter}");
            if filter.is_empty() {
                assert_eq!(found, whole, "limit {limit}");
            }
        }
    }
}

#[tokio::test]
async fn a_run_that_names_a_company_that_is_not_mapped_is_refused_and_names_it() {
    let msp = Setup::of([Customer::named("acme").line("edr", 1)]).start().await;
    msp.push(&[("acme", "edr", 2)]).await;
    for mode in ["apply", "preview"] {
        let body = json!({"mode": mode, "companies": ["acmee", "acme", "beta", "acmee"]});
        let problem = msp.call(Method::POST, &start(&msp), Some(body)).await.problem();
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(problem, @r#"
            {
              "code": "companies_not_mapped",
              "detail": "These companies are not mapped: acmee, beta.",
              "errors": [
                {
                  "detail": "is not mapped",
                  "pointer": "/companies/0"
                },
                {
                  "detail": "is not mapped",
                  "pointer": "/companies/2"
                },
                {
                  "detail": "is not mapped",
                  "pointer": "/companies/3"
                }
              ],
              "fix": "Map the companies first, or check how they are spelt. No run was made.",
              "request_id": "[request]",
              "status": 422,
              "title": "Companies not mapped",
              "type": "/problems/companies_not_mapped"
            }
            "#);
        }
    }
    assert_eq!(msp.parts.wire.asked_for(), 0);
    let unknown: Vec<String> = (0..25).map(|number| format!("c{number:02}")).collect();
    let body = json!({"mode": "apply", "companies": unknown});
    let problem = msp.call(Method::POST, &start(&msp), Some(body)).await.problem();
    assert!(problem["detail"].as_str().unwrap().ends_with(", c18, c19 and 5 more."), "{problem}");
    // One that is spelt as it is mapped may be named twice.
    let body = json!({"mode": "apply", "companies": ["acme", "acme"]});
    msp.done(Method::POST, &start(&msp), Some(body)).await;
    msp.drain().await;
    assert_eq!(msp.units("acme", "edr"), 2);
}

#[tokio::test]
async fn a_company_that_a_run_can_no_longer_reach_is_named_by_the_run() {
    let beta = Customer::named("beta").line("edr", 1);
    let msp = Setup::of([Customer::named("acme").line("edr", 1), beta]).start().await;
    msp.push(&[("acme", "edr", 2), ("beta", "edr", 2)]).await;
    let ask = async |mode: &str, companies: &[&str]| {
        let body = json!({"mode": mode, "companies": companies});
        msp.done(Method::POST, &start(&msp), Some(body)).await["run_id"].as_str().unwrap().to_owned()
    };
    let asked = [ask("preview", &["acme", "beta"]).await, ask("apply", &["acme", "beta"]).await];
    let alone = ask("apply", &["beta"]).await;
    let beta = format!("/v1/connections/{}/companies/beta", msp.connection);
    let mapping = msp.done(Method::GET, &beta, None).await;
    assert_eq!(msp.call(Method::DELETE, &beta, None).await.status, 204);
    msp.drain().await;
    for run in asked {
        let run = msp.see(&run).await;
        assert_eq!((run.status(), run.view["code"].as_str()), ("partial", Some("companies_not_mapped")));
        assert_eq!(run.view["explanation"], "These companies are not mapped: beta.");
        assert_eq!(run.lines.len(), 1, "{run:?}");
    }
    assert_eq!(msp.see(&alone).await.status(), "failed");
    assert_eq!((msp.units("acme", "edr"), msp.units("beta", "edr")), (2, 1));
    // It is mapped, but nothing is billed for it.
    let excluded = json!({
        "account_id": mapping["account_id"], "contract_id": mapping["contract_id"], "overrides": {"edr": {"excluded": true}}
    });
    msp.done(Method::PUT, &beta, Some(excluded)).await;
    for (companies, status) in [(&["acme", "beta"][..], "partial"), (&["beta"], "failed")] {
        let run = ask("preview", companies).await;
        msp.drain().await;
        let run = msp.see(&run).await;
        assert_eq!((run.status(), run.view["code"].as_str()), (status, Some("companies_not_mapped")));
        assert_eq!(run.view["explanation"], "No product is mapped for these companies: beta.");
    }
}

#[tokio::test]
async fn a_connection_names_its_run_while_it_goes_on_and_no_longer() {
    let msp = Setup::of([Customer::named("acme").line("edr", 1)]).start().await;
    let path = format!("/v1/connections/{}", msp.connection);
    let shown = async || {
        let (one, all) =
            (msp.done(Method::GET, &path, None).await, msp.done(Method::GET, "/v1/connections", None).await);
        let changed = msp.done(Method::PATCH, &path, Some(json!({"enabled": true}))).await;
        assert_eq!(one["current_run"], all["items"][0]["current_run"]);
        assert_eq!(one["current_run"], changed["current_run"]);
        one["current_run"].clone()
    };
    assert_eq!(shown().await, Value::Null);
    msp.push(&[("acme", "edr", 2)]).await;
    let run = msp.ask("apply").await;
    msp.plan().await;
    assert_eq!(shown().await, json!(run));
    for job in msp.jobs() {
        msp.work(&job).await.unwrap();
    }
    assert_eq!(msp.see(&run).await.status(), "succeeded");
    assert_eq!(shown().await, Value::Null);
}
