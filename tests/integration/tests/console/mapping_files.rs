//! All mappings as a file: fetched, checked, imported; and nothing that was not checked.

use integration::msp::sheet::{file, row};
use integration::msp::{Customer, Msp, Setup};
use reqwest::Method;

use crate::browser::{Browser, Seen};
use crate::filling::anna;

async fn msp() -> Msp {
    Setup::of([Customer::named("acme").line("edr", 40)]).start().await
}

/// A form with these parts, in this order; one called `file` is a file.
async fn send(browser: &mut Browser, address: &str, parts: &[(&str, &str)]) -> Seen {
    let part = |(name, text): &(&str, &str)| {
        let file = if *name == "file" { "; filename=\"m.csv\"\r\nContent-Type: text/csv" } else { "" };
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{text}\r\n")
    };
    let body: String = parts.iter().map(part).chain(["--edge--\r\n".to_owned()]).collect();
    let kind = "multipart/form-data; boundary=edge";
    browser.send(Method::POST, address, |request| request.header("content-type", kind).body(body)).await
}

#[tokio::test]
async fn a_file_is_checked_told_and_imported_and_no_other() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let here = format!("/console/connections/{}/mappings", msp.connection);
    let page = browser.get(&here).await;
    let csrf = page.after("name=\"csrf\" value=\"").to_owned();
    let download = browser.get(&format!("{here}.csv")).await;
    assert_eq!((download.status, &download.text), (200, &msp.export().await));
    assert!(download.header("content-disposition").starts_with("attachment"));

    let (account, contract) = (msp.account("acme").to_string(), msp.contract("acme").to_string());
    let company = |absent| {
        row(&[
            ("type", "company"),
            ("company", "acme"),
            ("account_id", &account),
            ("contract_id", &contract),
            ("when_absent", absent),
        ])
    };
    let good = file(&[company("zero")]);
    let checked = send(&mut browser, &here, &[("csrf", &csrf), ("step", "check"), ("file", &good)]).await;
    assert_eq!(checked.status, 200, "{}", checked.text);
    for told in ["when_absent", "<code>keep</code> → <code>zero</code>", "Import 1 mapping"] {
        assert!(checked.text.contains(told), "{told}: {}", checked.text);
    }
    assert!(!msp.export().await.contains("zero"));

    let digest = checked.after("name=\"checked\" value=\"").to_owned();
    let other = file(&[company("hold")]);
    let refused =
        send(&mut browser, &here, &[("csrf", &csrf), ("step", "import"), ("checked", &digest), ("file", &other)]).await;
    assert!(refused.status == 422 && refused.text.contains("not the file that was checked"));
    let done =
        send(&mut browser, &here, &[("csrf", &csrf), ("step", "import"), ("checked", &digest), ("file", &good)]).await;
    assert_eq!((done.status, done.location()), (303, here.replace("/mappings", "/companies?done=imported").as_str()));
    assert!(msp.export().await.contains("zero"));

    let faulty = file(&[company("sometimes")]);
    let told = send(&mut browser, &here, &[("csrf", &csrf), ("step", "check"), ("file", &faulty)]).await;
    assert!(told.status == 422 && told.text.contains("row 2, column when_absent"), "{}", told.text);
}

#[tokio::test]
async fn nothing_of_a_file_is_read_before_its_form_has_shown_to_be_ours() {
    let msp = msp().await;
    let mut browser = anna(&msp).await;
    let here = format!("/console/connections/{}/mappings", msp.connection);
    let csrf = browser.get(&here).await.after("name=\"csrf\" value=\"").to_owned();
    let sheet = file(&[]);
    for parts in [
        vec![("file", sheet.as_str()), ("csrf", csrf.as_str())],
        vec![("csrf", "forged"), ("file", &sheet)],
        vec![("file", &sheet)],
        vec![],
    ] {
        assert_eq!(send(&mut browser, &here, &parts).await.status, 400, "{parts:?}");
    }
}
