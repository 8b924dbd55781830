//! Credentials: in the secret store and at the vendor, and nowhere else.

use integration::{Answer, logs};
use reqwest::Method;
use serde_json::{Value, json};

use super::bench::{BLIND, HUNTRESS, KEY, SECRET, body, credentials, pull, set_up, start};

#[tokio::test]
async fn credentials_show_in_no_answer_no_log_line_and_no_row() {
    let (h, huntress) = start().await;
    let mut answers = String::new();
    let mut ask = async |method: Method, path: &str, body: Value| {
        let answer = Answer::to(h.signed(method, path).json(&body)).await;
        answers.push_str(&format!("{answer:?}\n"));
        answer.status
    };
    let with = |credentials: Value| json!({ "credentials": credentials, "products": { "agents": "edr" } });
    // Refused by the vendor, and as input in every way in which serde would repeat a value.
    for given in
        [credentials(BLIND), json!(SECRET), json!([SECRET]), json!({ "key": [SECRET] }), json!({ "secret": SECRET })]
    {
        assert_eq!(ask(Method::PUT, HUNTRESS, with(given)).await, 422);
    }
    let odd = json!({ "products": { "agents": [SECRET] }, "schedule": SECRET, "time_zone": SECRET, "filters": { "nfr_company": [SECRET] } });
    assert_eq!(ask(Method::PUT, HUNTRESS, odd).await, 422);
    assert_eq!(ask(Method::PUT, HUNTRESS, with(credentials(KEY))).await, 201);
    assert_eq!(ask(Method::POST, &format!("{HUNTRESS}/pull"), json!({})).await, 202);
    pull(&h, &huntress).await;
    for path in [HUNTRESS, "/v1/sources", "/v1/usage"] {
        assert_eq!(ask(Method::GET, path, json!({})).await, 200);
    }
    let logged = logs::text();
    assert!(logged.contains("a pull ended"), "the log is there");
    let mut files = Vec::new();
    let folders = [h.data().to_owned(), h.data().join("secrets")];
    for file in folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(Result::unwrap) {
        if file.file_type().unwrap().is_file() {
            files.extend(std::fs::read(file.path()).unwrap());
        }
    }
    let files = String::from_utf8_lossy(&files);
    assert!(files.contains("SOURCE#huntress"), "the row is there");
    for canary in [KEY, SECRET, BLIND] {
        for (place, text) in [("log", logged.as_str()), ("files", &*files), ("answers", answers.as_str())] {
            assert!(!text.contains(canary), "{canary} is in the {place}");
        }
    }
}

#[tokio::test]
async fn a_secret_that_can_not_be_kept_leaves_no_source() {
    let (h, _huntress) = start().await;
    let (folder, away) = (h.data().join("secrets"), h.data().join("away"));
    std::fs::rename(&folder, &away).unwrap();
    let answer = h.put(HUNTRESS, body()).await;
    assert_eq!((answer.status, answer.problem()["code"].as_str()), (503, Some("unavailable")));
    assert_eq!(h.get(HUNTRESS).await.status, 404);
    std::fs::rename(&away, &folder).unwrap();
    set_up(&h).await;
}
