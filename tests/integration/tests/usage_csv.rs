//! Usage as CSV files: what is taken, and where each fault is.

use integration::{Answer, Harness};
use reqwest::Method;
use serde_json::json;

const ABOUT: &str = "snapshot_id=s1&as_of=2026-11-20T12:00:00Z&complete=true";
const HEADER: &str = "company,company_name,product,quantity,unit_cost";

async fn upload(h: &Harness, about: &str, text: impl Into<reqwest::Body>) -> Answer {
    let request = h
        .signed(Method::POST, &format!("/v1/usage/snapshots.csv?{about}"))
        .header("content-type", "text/csv; charset=utf-8");
    Answer::to(request.body(text)).await
}

/// Nothing of the file was stored.
async fn refused(h: &Harness, answer: Answer) -> serde_json::Value {
    assert_eq!(h.get("/v1/usage").await.json["items"], json!([]));
    assert_eq!(h.get("/v1/usage/snapshots/s1").await.status, 404);
    answer.problem()
}

#[tokio::test]
async fn a_file_is_the_same_snapshot_as_its_json() {
    let h = Harness::start().await;
    // As a spreadsheet writes it: byte order mark, its own order of columns, quotes, CRLF, an empty line.
    let text = "\u{feff}product,quantity,company,unit_cost,company_name\r\n\
        edr,42,acme,1.10,\"Acme, \"\"The\"\" Company\"\r\n\
        \r\n\
        edr, 7 ,bolt,,Bolt GmbH\r\n\
        ,,,,\r\n";
    let answer = upload(&h, ABOUT, text).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let body = json!({"as_of": "2026-11-20T12:00:00Z", "complete": true, "records": [
        {"company": "acme", "company_name": "Acme, \"The\" Company", "product": "edr", "quantity": 42, "unit_cost": "1.10"},
        {"company": "bolt", "company_name": "Bolt GmbH", "product": "edr", "quantity": 7},
    ]});
    let same = h.put("/v1/usage/snapshots/s1", body).await;
    assert_eq!((same.status, &same.json), (200, &answer.json));
    assert_eq!(upload(&h, ABOUT, text).await.status, 200);
    let european = text.replace(',', ";").replace("Acme; ", "Acme, ");
    assert_eq!(upload(&h, ABOUT, european).await.status, 200);
    let differs = upload(&h, ABOUT, text.replace("42", "43")).await;
    assert_eq!(differs.problem()["code"], "snapshot_differs");
    insta::assert_json_snapshot!(h.get("/v1/usage").await.json, @r#"
    {
      "items": [
        {
          "as_of": "2026-11-20T12:00:00Z",
          "company": "acme",
          "company_name": "Acme, \"The\" Company",
          "complete": true,
          "product": "edr",
          "quantity": 42,
          "snapshot_id": "s1",
          "unit_cost": "1.10"
        },
        {
          "as_of": "2026-11-20T12:00:00Z",
          "company": "bolt",
          "company_name": "Bolt GmbH",
          "complete": true,
          "product": "edr",
          "quantity": 7,
          "snapshot_id": "s1"
        }
      ],
      "next_cursor": null
    }
    "#);
}

#[tokio::test]
async fn the_unit_cost_may_be_left_out_as_a_column() {
    let h = Harness::start().await;
    let answer = upload(&h, ABOUT, "company,company_name,product,quantity\nacme,Acme,edr,42\n").await;
    assert_eq!((answer.status, &answer.json["records"]), (201, &json!(1)));
    let empty = upload(&h, "snapshot_id=s2&as_of=2026-11-20T12:00:00Z&complete=false", HEADER).await;
    assert_eq!((empty.status, &empty.json["records"], &empty.json["complete"]), (201, &json!(0), &json!(false)));
}

#[tokio::test]
async fn the_account_in_the_psa_may_be_named_and_is_told_with_the_counts() {
    let h = Harness::start().await;
    let text = "account_id,company,company_name,product,quantity\n1001,acme,Acme,edr,42\n,bolt,Bolt,edr,7\n";
    assert_eq!(upload(&h, ABOUT, text).await.status, 201);
    let counts = h.get("/v1/usage").await.json;
    assert_eq!([&counts["items"][0]["account_id"], &counts["items"][1]["account_id"]], [&json!("1001"), &json!(null)]);
    let bad = upload(&h, "snapshot_id=s2&as_of=2026-11-20T12:00:00Z&complete=true", text.replace("1001", "10#1")).await;
    assert_eq!(bad.problem()["errors"][0]["pointer"], "/rows/2/account_id");
}

#[tokio::test]
async fn every_fault_is_told_with_its_row_and_column_and_nothing_is_stored() {
    let h = Harness::start().await;
    let text = format!(
        "{HEADER}\n\
        acme,Acme,edr,42,1.10\n\
        a#b,,edr,-1,1e3\n\
        bolt,Bolt,,1.5,\n\
        \n\
        core,\"two\nlines\",edr,+5,-1\n\
        acme,Acme again,edr,1,\n\
        dune,Dune,edr,10000001,\n\
        echo,Echo,edr\n"
    );
    insta::assert_json_snapshot!(refused(&h, upload(&h, ABOUT, text).await).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid in 12 places.",
      "errors": [
        {
          "detail": "row 3, column company: must be 1 to 128 printable ASCII characters without spaces at its ends and without '#'",
          "pointer": "/rows/3/company"
        },
        {
          "detail": "row 3, column company_name: must be 1 to 200 characters without control characters",
          "pointer": "/rows/3/company_name"
        },
        {
          "detail": "row 3, column quantity: must be a whole number from 0 to 10000000",
          "pointer": "/rows/3/quantity"
        },
        {
          "detail": "row 3, column unit_cost: must be a decimal text such as \"12.50\": not negative, at most 6 digits after the point",
          "pointer": "/rows/3/unit_cost"
        },
        {
          "detail": "row 4, column product: must be 1 to 128 printable ASCII characters without spaces at its ends and without '#'",
          "pointer": "/rows/4/product"
        },
        {
          "detail": "row 4, column quantity: must be a whole number from 0 to 10000000",
          "pointer": "/rows/4/quantity"
        },
        {
          "detail": "row 6, column company_name: must be 1 to 200 characters without control characters",
          "pointer": "/rows/6/company_name"
        },
        {
          "detail": "row 6, column quantity: must be a whole number from 0 to 10000000",
          "pointer": "/rows/6/quantity"
        },
        {
          "detail": "row 6, column unit_cost: must be a decimal text such as \"12.50\": not negative, at most 6 digits after the point",
          "pointer": "/rows/6/unit_cost"
        },
        {
          "detail": "row 8: counts the same company and product as row 2",
          "pointer": "/rows/8"
        },
        {
          "detail": "row 9, column quantity: must be a whole number from 0 to 10000000",
          "pointer": "/rows/9/quantity"
        },
        {
          "detail": "row 10: has 3 columns where the header has 5",
          "pointer": "/rows/10"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
}

#[tokio::test]
async fn a_header_that_does_not_fit_is_told_column_by_column() {
    let h = Harness::start().await;
    let text = "company,name,quantity,quantity\nacme,Acme,1,2\n";
    insta::assert_json_snapshot!(refused(&h, upload(&h, ABOUT, text).await).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid in 4 places.",
      "errors": [
        {
          "detail": "row 1: column number 2 is none of company, company_name, product, quantity, unit_cost, account_id, currency, kind, meter, description, period_from, period_to, amount, unit_price",
          "pointer": "/rows/1/1"
        },
        {
          "detail": "row 1, column quantity: is there twice",
          "pointer": "/rows/1/quantity"
        },
        {
          "detail": "row 1, column company_name: is missing",
          "pointer": "/rows/1/company_name"
        },
        {
          "detail": "row 1, column product: is missing",
          "pointer": "/rows/1/product"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    let empty = refused(&h, upload(&h, ABOUT, "").await).await;
    assert_eq!(empty["errors"].as_array().unwrap().len(), 4, "{empty}");
}

#[tokio::test]
async fn what_is_said_about_the_file_is_checked_as_well() {
    let h = Harness::start().await;
    let row = format!("{HEADER}\nacme,Acme,edr,42,\n");
    for (about, status, pointer) in [
        ("as_of=2026-11-20T12:00:00Z&complete=true", 400, "?snapshot_id"),
        ("snapshot_id=s1&complete=true", 400, "?as_of"),
        ("snapshot_id=s1&as_of=2026-11-20T12:00:00Z", 400, "?complete"),
        ("snapshot_id=s1&as_of=2026-11-20T12:00:00Z&complete=perhaps", 400, "?complete"),
        ("snapshot_id=s1&as_of=2026-11-20T12:00:00Z&complete=true&more=1", 400, "?more"),
        ("snapshot_id=a%23b&as_of=2026-11-20T12:00:00Z&complete=true", 422, "?snapshot_id"),
        ("snapshot_id=s1&as_of=yesterday&complete=true", 422, "?as_of"),
        ("snapshot_id=s1&as_of=2026-11-22T12:00:00Z&complete=true", 422, "?as_of"),
    ] {
        let problem = refused(&h, upload(&h, about, row.clone()).await).await;
        assert_eq!(
            (&problem["status"], problem["errors"][0]["pointer"].as_str()),
            (&json!(status), Some(pointer)),
            "{about}: {problem}"
        );
    }
}

#[tokio::test]
async fn what_is_no_csv_file_is_refused() {
    let h = Harness::start().await;
    let typed = h
        .signed(Method::POST, &format!("/v1/usage/snapshots.csv?{ABOUT}"))
        .header("content-type", "application/json")
        .body("[]");
    insta::assert_json_snapshot!(refused(&h, Answer::to(typed).await).await, @r#"
    {
      "code": "not_csv",
      "detail": "Send the body as text/csv.",
      "errors": [],
      "request_id": "[request]",
      "status": 415,
      "title": "Not csv",
      "type": "/problems/not_csv"
    }
    "#);
    let mut bytes = format!("{HEADER}\nacme,Acme,edr,42,\nbolt,").into_bytes();
    bytes.extend([0xFF, 0xFE, b',', b'\n']);
    insta::assert_json_snapshot!(refused(&h, upload(&h, ABOUT, bytes).await).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /rows/3: row 3: is not UTF-8.",
      "errors": [
        {
          "detail": "row 3: is not UTF-8",
          "pointer": "/rows/3"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
}

#[tokio::test]
async fn more_rows_than_one_request_carries_are_refused() {
    let h = Harness::start().await;
    let row = |n: usize| format!("c{n},Company,edr,1,\n");
    let text: String = std::iter::once(format!("{HEADER}\n")).chain((0..5_001).map(row)).collect();
    insta::assert_json_snapshot!(refused(&h, upload(&h, ABOUT, text).await).await, @r#"
    {
      "code": "too_many_records",
      "detail": "A request carries at most 5000 records; this one has 5001.",
      "errors": [
        {
          "detail": "must have at most 5000 entries",
          "pointer": "/rows"
        }
      ],
      "fix": "Send the snapshot in parts and seal it.",
      "request_id": "[request]",
      "status": 422,
      "title": "Too many records",
      "type": "/problems/too_many_records"
    }
    "#);
}
