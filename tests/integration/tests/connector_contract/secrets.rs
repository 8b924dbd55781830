//! Nothing of the credentials is in an error, whatever the PSA repeats of them.

use jiff::civil::date;
use simulators::autotask::Fault;

use crate::bench::Bench;
use crate::office::{change, long_window, number, stated, user};
use crate::settings::{Reading, everywhere};
use crate::world::{UNITS, World};

contract!(reads: no_error_holds_a_part_of_the_credentials);

fn secrets<P: Bench>() -> Vec<String> {
    let credentials = P::credentials();
    P::SECRETS.iter().map(|field| credentials[*field].as_str().expect("a text").to_lowercase()).collect()
}

fn assert_silent<P: Bench>(text: &str, when: &str) {
    let lower = text.to_lowercase();
    for secret in secrets::<P>() {
        assert!(!lower.contains(&secret), "{when}: {text}");
    }
}

async fn no_error_holds_a_part_of_the_credentials<P: Bench>(of: Reading) {
    integration::logs::keep();
    everywhere::<P, _>(of, World::cases(300), |office| async move {
        assert_silent::<P>(&format!("{:?} {:?}", user::<P>(P::credentials()), office.endpoint), "credentials");
        crate::changing::learn(&office, "hears").await;
        let psa = office.connector("hears");
        let repeated = secrets::<P>().join(" and ").to_uppercase();
        let bodies = [
            format!(r#"{{"errors":["{repeated} is wrong"],"Message":"{repeated}"}}"#),
            format!(r#"{{"success":false,"error":{{"code":0,"message":"{repeated}","subErrors":["{repeated}"]}},"result":null}}"#),
            format!("<html>{repeated}</html>"),
            format!(r#"{{"items":[{{"id":"{repeated}"}}],"result":[{{"id":"{repeated}"}}],"success":true}}"#),
        ];
        let mut tried = 0;
        // The answers are the same whatever is turned; what is done with them might not be.
        let plain = office.setting.plain;
        let statuses: &[u16] = if plain { &[200, 302, 400, 401, 403, 404, 429, 500, 503] } else { &[400, 500] };
        for status in statuses.iter().copied() {
            for body in bodies.iter().take(if plain { 4 } else { 1 }) {
                office.begin();
                let fault = Fault::answer(status, body.clone())
                    .header("content-type", "application/json")
                    .header("location", format!("http://127.0.0.1:9/?user={}", secrets::<P>()[0]));
                let line = office.fresh_line();
                let asked = stated([(number(&line.contract), number(&line.service), UNITS)]);
                let told = psa.observe(&asked, long_window()).await.expect("an observation");
                office.psa.forget();
                office.psa.strike_observation(1, fault.clone());
                office.psa.strike_observation(2, fault.clone());
                if let Err(error) = psa.observe(&asked, long_window()).await {
                    assert_silent::<P>(&format!("{error} {error:?}"), "a read");
                }
                office.begin();
                office.psa.strike_write(fault);
                let wanted = change(&told, &line, date(2026, 11, 1), UNITS + 3);
                if let Err(error) = psa.change_units(&wanted).await {
                    assert_silent::<P>(&format!("{error} {error:?}"), "a write");
                }
                tried += 2;
            }
        }
        for (who, credentials) in P::refused_users(&office.setting.switches) {
            if let Err(error) = office.registry.discover(&user::<P>(credentials)).await {
                assert_silent::<P>(&format!("{error} {error:?}"), who);
            }
        }
        tried
    })
    .await;
    assert_silent::<P>(&own_log(), "the log");
}

/// What our own code has logged, at every level.
fn own_log() -> String {
    integration::logs::text().lines().filter(|line| line.contains(" shared::")).collect::<Vec<_>>().join("\n")
}
