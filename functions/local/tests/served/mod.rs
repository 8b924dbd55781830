//! The built program as a child process of a test: `tallyline serve` on a free port, called over HTTP, ended as a test likes.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use simulators::autotask::Autotask;

/// The program, to be called with `arguments`.
pub fn tallyline(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallyline"));
    command.args(arguments).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// Calls it and waits for its end.
pub fn run(arguments: &[&str]) -> Output {
    tallyline(arguments).output().unwrap()
}

/// What it said on standard error.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A token of partner `p` with every scope that a partner has, signed with the data folder's key.
pub fn token(data: &Path) -> String {
    let scopes = ["--scope", "tallyline/read", "tallyline/write", "tallyline/usage"];
    let output = run(&[&["token", "--data", data.to_str().unwrap(), "--partner", "p"], &scopes[..]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// `tallyline serve` on a free port, until it is dropped.
pub struct Served {
    child: Child,
    base: String,
    client: reqwest::Client,
}

impl Served {
    /// Starts it on a data folder, with Autotask at a simulator.
    pub fn start(data: &Path, psa: &Autotask, more: &[&str]) -> Self {
        let base = format!("autotask={}", psa.base());
        let arguments =
            [&["serve", "--data", data.to_str().unwrap(), "--port", "0", "--psa-base", &base], more].concat();
        let mut child = tallyline(&arguments).env("RUST_LOG", "error").stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let base = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_else(|| panic!("{line}"));
        let base = base.to_owned();
        // Read on, so that the process never waits for us.
        std::thread::spawn(move || said.read_to_string(&mut String::new()));
        Self { child, base, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// Ends it at once, as a power cut does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and answers its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let sent = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code()
    }

    /// Sends a request that must succeed.
    pub async fn call(&self, token: &str, method: &str, path: &str, body: &Value) -> Value {
        let request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.base)).bearer_auth(token);
        let answer = request.json(body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Waits for the end of a run.
    pub async fn ended(&self, token: &str, run: &str) -> Value {
        for _ in 0..2_000 {
            let found = self.call(token, "GET", run, &Value::Null).await;
            if !found["finished_at"].is_null() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{run} does not end")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Ended already, most often.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
