//! Canaries: no credential and no token shows in an error, a `Debug` or a log, even where the host repeats it.

use std::fmt::Write as _;

use shared::psa::Connector as _;
use shared::psa::kaseya_bms::KaseyaBmsCredentials;
use simulators::kaseya_bms::{BmsUser, Fault, Limits, Route, Switches, When};

use crate::{Stage, all, cost, heard, ids, one_line};

fn canaries() -> KaseyaBmsCredentials {
    KaseyaBmsCredentials {
        hostname: "bms.kaseya.com".into(),
        username: "canary-user".into(),
        password: "canary-password".into(),
        company_name: "Canary Company".into(),
        totp_secret: Some("CANARYSECRET".into()),
    }
}

/// What the host would repeat: everything that was ever sent to it.
const ECHO: &str = r#"{"success":false,"error":{"code":0,
    "message":"canary-user canary-password Canary Company CANARYSECRET simulated-access-1 simulated-refresh-1"}}"#;

#[tokio::test]
async fn credentials_and_tokens_show_nowhere() {
    let odd_token = r#"{"success":true,"result":{"accessToken":"canary access\n"}}"#;
    let foreign_token = r#"{"success":true,"result":{"accessToken":"canary-access","refreshToken":"canary-refresh"}}"#;
    let mut shown = String::new();
    for (log_in, others) in [
        (None, Fault::answer(400, ECHO)),
        (None, Fault::answer(200, ECHO)),
        (None, Fault::answer(401, ECHO)),
        (None, Fault::answer(500, ECHO)),
        (None, Fault::answer(200, "simulated-access-1")),
        (None, Fault::redirect(302, "https://canary-user:canary-password@kaseya.com/")),
        (None, Fault::ResetAfter),
        (Some(Fault::answer(400, ECHO)), Fault::ResetAfter),
        (Some(Fault::answer(502, ECHO)), Fault::ResetAfter),
        (Some(Fault::answer(200, odd_token)), Fault::ResetAfter),
        (Some(Fault::answer(200, foreign_token)), Fault::ResetAfter),
    ] {
        let user = BmsUser::with_totp("canary-user", "canary-password", "CANARYSECRET");
        let world = one_line().company_name("Canary Company");
        let stage = Stage::with_users(world, Switches::default(), Limits::default(), vec![user]).await;
        for route in Route::all() {
            let fault = if route == Route::Authenticate { log_in.clone() } else { Some(others.clone()) };
            if let Some(fault) = fault {
                stage.simulator.plan_fault(When::EveryRequest(route), fault);
            }
        }
        let connector = stage.open_as(canaries());
        let discovered = stage.bms.discover(&canaries()).await.unwrap_err();
        let read = connector.accounts(&all()).await.unwrap_err();
        let joined = connector.contracts_by_id(&ids([29])).await.unwrap_err();
        let written = connector.set_unit_cost(&cost::change(&[(29, 60_001)])).await;
        let rights = connector.rights().await;
        write!(shown, "{:?} {connector:?} {:?} {rights:?} {written:?}", stage.bms, canaries()).unwrap();
        write!(shown, "{discovered} {discovered:?} {read} {read:?} {joined} {joined:?}").unwrap();
    }
    let logged = heard::text();
    for code in
        ["psa_request_refused", "psa_unavailable", "psa_credentials_rejected", "psa_redirected", "connection_lost"]
    {
        assert!(shown.contains(code), "{code}: {shown}");
    }
    assert!(logged.contains("a named host answered") && logged.contains("a named host did not answer"), "{logged}");
    for (place, text) in [("shown", shown), ("logged", logged)] {
        let text = text.to_lowercase();
        for secret in ["canary", "simulated-access", "simulated-refresh"] {
            assert!(!text.contains(secret), "{secret} was {place}: {text}");
        }
    }
}
