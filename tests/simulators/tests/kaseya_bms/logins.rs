//! Log-ins, one-time codes, tokens and the lock-out.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use simulators::clock::Clock;
use simulators::kaseya_bms::{
    BmsUser, KaseyaBms, Limits, Right, SAMPLE_API_USERNAME, SAMPLE_COMPANY_NAME, SAMPLE_PASSWORD, SAMPLE_TOTP_SECRET,
    SAMPLE_USERNAME, totp,
};

use crate::support::*;

const LOGIN: &str = "/v2/security/authenticate";
const REFRESH: &str = "/v2/security/refreshtoken";

fn begin() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

async fn with_code(sim: &KaseyaBms, code: &str) -> u16 {
    let fields = [
        ("grantType", "password"),
        ("username", SAMPLE_USERNAME),
        ("PASSWORD", SAMPLE_PASSWORD),
        ("tenant", SAMPLE_COMPANY_NAME),
        ("mfaCode", code),
    ];
    send_form(sim, LOGIN, &fields).await.0
}

async fn user_info(sim: &KaseyaBms, token: &str) -> (u16, Value) {
    read(call(sim, token, Method::GET, "/v2/security/userinfo").send().await.unwrap()).await
}

#[tokio::test]
async fn an_api_employee_logs_in_without_a_code_in_either_encoding() {
    let sim = start(tenant()).await;
    let (status, body) = log_in_as(&sim, SAMPLE_API_USERNAME, SAMPLE_PASSWORD).await;
    assert_eq!(status, 200);
    assert_eq!((&body["success"], &body["error"]), (&json!(true), &Value::Null));
    assert_eq!(body["result"]["accessTokenExpireOn"], "2026-11-20T13:00:00");
    assert_eq!(body["result"]["refreshTokenExpireOn"], "2026-11-21T12:00:00");
    let fields = [
        ("GrantType", "password"),
        ("UserName", SAMPLE_API_USERNAME),
        ("Password", SAMPLE_PASSWORD),
        ("Tenant", SAMPLE_COMPANY_NAME),
    ];
    let parts: String = fields
        .iter()
        .map(|(name, value)| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"))
        .collect();
    let request =
        http().post(format!("{}{LOGIN}", sim.base())).header("content-type", "multipart/form-data; boundary=b");
    let (status, body) = read(request.body(format!("{parts}--b--\r\n")).send().await.unwrap()).await;
    assert_eq!(status, 200, "{body}");
    let (status, body) = user_info(&sim, body["result"]["accessToken"].as_str().unwrap()).await;
    assert_eq!((status, &body["result"]["businessName"]), (200, &json!(SAMPLE_COMPANY_NAME)));
    assert!(sim.requests().iter().all(|asked| asked.body.is_null()), "no form is kept");
}

#[tokio::test]
async fn an_ordinary_employee_needs_the_code_of_the_moment() {
    let sim = start(tenant()).await;
    let now = Clock::on(TODAY).now();
    let code = |seconds| totp::code(SAMPLE_TOTP_SECRET, now + SignedDuration::from_secs(seconds)).unwrap();
    assert_eq!(with_code(&sim, &code(0)).await, 200);
    assert_eq!(with_code(&sim, &code(-30)).await, 200, "one step late");
    assert_eq!(with_code(&sim, &code(30)).await, 200, "one step early");
    assert_eq!(with_code(&sim, &code(90)).await, 400);
    assert_eq!(with_code(&sim, "").await, 400);
    assert_eq!(sim.standing(SAMPLE_USERNAME).failures_in_a_row, 2, "a missing code counts like a wrong one");
}

#[tokio::test]
async fn a_code_may_be_good_only_once() {
    let sim = start(tenant()).await;
    let code = totp::code(SAMPLE_TOTP_SECRET, Clock::on(TODAY).now()).unwrap();
    assert_eq!([with_code(&sim, &code).await, with_code(&sim, &code).await], [200, 200]);
    sim.switch(|switches| switches.refuses_reused_codes = true);
    assert_eq!(with_code(&sim, &code).await, 400);
}

#[tokio::test]
async fn an_empty_tenant_and_another_grant_are_refused_without_counting() {
    let sim = start(tenant()).await;
    let (status, body) = send_form(&sim, LOGIN, &[("GrantType", "password"), ("Tenant", "")]).await;
    assert_eq!((status, &body["error"]["message"]), (400, &json!("Tenant can't be empty")));
    assert_eq!((&body["success"], &body["result"]), (&json!(false), &Value::Null));
    assert_eq!(send_form(&sim, LOGIN, &[("GrantType", "token"), ("Tenant", "x")]).await.0, 400);
    let json = http().post(format!("{}{LOGIN}", sim.base())).json(&json!({"GrantType": "password"}));
    assert_eq!(json.send().await.unwrap().status(), 415);
    assert!(sim.login_attempts().is_empty());
}

#[tokio::test]
async fn a_refused_password_answers_as_the_switch_says() {
    let sim = start(tenant()).await;
    for status in [400, 401, 200] {
        sim.switch(|switches| switches.refused_login_status = status);
        let (found, body) = log_in_as(&sim, "nobody", "wrong").await;
        assert_eq!((found, &body["success"]), (status, &json!(false)));
    }
}

#[tokio::test]
async fn five_bad_log_ins_lock_the_user_for_thirty_minutes() {
    let (clock, hand) = Clock::by_hand(begin());
    let sim = setup(tenant()).clock(clock).start().await.unwrap();
    for _ in 0..4 {
        assert_eq!(log_in_as(&sim, SAMPLE_API_USERNAME, "wrong").await.0, 400);
    }
    assert_eq!(log_in_as(&sim, SAMPLE_API_USERNAME, SAMPLE_PASSWORD).await.0, 200, "a good one starts the count again");
    for _ in 0..5 {
        log_in_as(&sim, &SAMPLE_API_USERNAME.to_uppercase(), "wrong").await;
    }
    assert_eq!(sim.standing(SAMPLE_API_USERNAME).locked_until, Some(begin() + SignedDuration::from_mins(30)));
    hand.advance(SignedDuration::from_mins(29));
    assert_eq!(log_in_as(&sim, SAMPLE_API_USERNAME, SAMPLE_PASSWORD).await.0, 400);
    hand.advance(SignedDuration::from_mins(1));
    assert_eq!(log_in_as(&sim, SAMPLE_API_USERNAME, SAMPLE_PASSWORD).await.0, 200);
    let attempts = sim.login_attempts();
    assert_eq!(attempts.len(), 12);
    assert_eq!(attempts.iter().filter(|attempt| attempt.succeeded).count(), 2);
    assert_eq!(
        attempts.iter().filter(|attempt| attempt.locked).map(|attempt| attempt.number).collect::<Vec<_>>(),
        [11]
    );
}

#[tokio::test]
async fn the_lock_out_can_be_set() {
    let (clock, hand) = Clock::by_hand(begin());
    let limits = Limits { lock_after: 1, lock_minutes: 2, ..Limits::default() };
    let sim = setup(tenant()).clock(clock).limits(limits).start().await.unwrap();
    log_in_as(&sim, SAMPLE_API_USERNAME, "wrong").await;
    assert_eq!(log_in_as(&sim, SAMPLE_API_USERNAME, SAMPLE_PASSWORD).await.0, 400);
    hand.advance(SignedDuration::from_mins(2));
    assert_eq!(log_in_as(&sim, SAMPLE_API_USERNAME, SAMPLE_PASSWORD).await.0, 200);
}

#[tokio::test]
async fn an_expired_token_is_a_security_error_and_can_be_refreshed_once() {
    let (clock, hand) = Clock::by_hand(begin());
    let sim = setup(tenant()).clock(clock).start().await.unwrap();
    sim.set_limits(Limits { token_life_s: 900, ..Limits::default() });
    let (_, body) = log_in_as(&sim, SAMPLE_API_USERNAME, SAMPLE_PASSWORD).await;
    let (access, refresh) =
        (body["result"]["accessToken"].as_str().unwrap(), body["result"]["refreshToken"].as_str().unwrap());
    hand.advance(SignedDuration::from_secs(899));
    assert_eq!(user_info(&sim, access).await.0, 200);
    hand.advance(SignedDuration::from_secs(1));
    let (status, body) = user_info(&sim, access).await;
    let expected =
        json!({"code": 978_001, "message": "Security Error", "details": null, "stackStrace": null, "subErrors": []});
    assert_eq!((status, &body["success"], &body["error"]), (401, &json!(false), &expected));
    let fields = [("accessToken", access), ("RefreshToken", refresh)];
    let (status, body) = send_form(&sim, REFRESH, &fields).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(user_info(&sim, body["result"]["accessToken"].as_str().unwrap()).await.0, 200);
    assert_eq!(send_form(&sim, REFRESH, &fields).await.0, 401);
    assert_eq!(send_form(&sim, REFRESH, &[("AccessToken", access)]).await.0, 400);
    assert_eq!(sim.login_attempts().len(), 1, "a refresh is no log-in");
}

#[tokio::test]
async fn a_token_can_be_ended_early_and_a_password_changed() {
    let sim = start(tenant()).await;
    let token = token(&sim).await;
    sim.expire_tokens();
    assert_eq!(user_info(&sim, &token).await.0, 401);
    assert_eq!(user_info(&sim, "made-up").await.0, 401);
    sim.change_password(SAMPLE_API_USERNAME, "another");
    assert_eq!(log_in_as(&sim, SAMPLE_API_USERNAME, SAMPLE_PASSWORD).await.0, 400);
    assert_eq!(log_in_as(&sim, SAMPLE_API_USERNAME, "another").await.0, 200);
}

#[tokio::test]
async fn rights_are_needed_and_the_status_of_their_lack_is_a_switch() {
    let user = BmsUser::api_employee().without(Right::ModifyFinance);
    let stranger = BmsUser::api("stranger", "p").without(Right::ApiAccess);
    let sim = setup(tenant()).user(user).user(stranger).start().await.unwrap();
    assert_eq!(get(&sim, "/v2/finance/contracts/lookup").await.0, 200);
    assert_eq!(post_units(&sim, 1, "2026-11-01").await.0, 403);
    sim.switch(|switches| switches.permission_status = 401);
    assert_eq!(post_units(&sim, 1, "2026-11-01").await.0, 401);
    assert_eq!(log_in_as(&sim, "stranger", "p").await.0, 401);
    assert_eq!(sim.standing("stranger").failures_in_a_row, 0);
    assert!(sim.writes().is_empty());
}

#[tokio::test]
async fn instants_can_be_off_from_utc() {
    let sim = start(tenant()).await;
    sim.switch(|switches| switches.stamp_offset_minutes = -300);
    let (_, body) = log_in_as(&sim, SAMPLE_API_USERNAME, SAMPLE_PASSWORD).await;
    assert_eq!(body["result"]["accessTokenExpireOn"], "2026-11-20T08:00:00");
}
