//! Checks that a server behaves as the Event API of Inngest's Dev Server does. The suite always runs against
//! the in-process `EventApi`, and also against a real server if `INNGEST_DEV` is its URL:
//!
//! ```text
//! INNGEST_DEV=http://127.0.0.1:8288 cargo test -p inngest-tests --test conformance
//! ```
//!
//! Of a real server, only the HTTP responses are checked. The suite sends it events with names such as
//! `p/x`, with the key `test`.

mod batches;
mod disconnects;
mod order;
mod recorded;
mod seeds;

use std::fmt::Debug;
use std::io::Write;

use inngest_core::testing::EventApi;
use serde_json::{Value, json};

#[tokio::test]
async fn the_in_process_server_conforms() {
    let api = EventApi::start().await;
    let url = api.url().to_owned();
    Suite::new("EventApi, in this process", &url, Some(api)).run().await;
}

#[tokio::test]
async fn a_real_server_conforms() {
    match std::env::var("INNGEST_DEV") {
        Ok(url) if url.starts_with("http://") || url.starts_with("https://") => {
            Suite::new("a real server", &url, None).run().await;
        }
        _ => print("conformance of a real server: not run, since INNGEST_DEV is not a URL\n"),
    }
}

/// The server under test, and the results so far.
struct Suite {
    target: &'static str,
    url: String,
    /// The in-process server, whose stored events are checked too.
    api: Option<EventApi>,
    http: reqwest::Client,
    cases: usize,
    problems: Vec<String>,
}

/// The response of a server.
#[derive(Debug)]
struct Answer {
    status: u16,
    ids: Vec<String>,
    error: String,
}

impl Suite {
    fn new(target: &'static str, url: &str, api: Option<EventApi>) -> Suite {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let url = url.trim_end_matches('/').to_owned();
        Suite { target, url, api, http, cases: 0, problems: Vec::new() }
    }

    async fn run(mut self) {
        let mut lines = vec![format!("conformance of {} ({})", self.target, self.url)];
        macro_rules! section {
            ($($section:ident)*) => {$(
                let (cases, problems) = (self.cases, self.problems.len());
                $section::check(&mut self).await;
                let (cases, problems) = (self.cases - cases, self.problems.len() - problems);
                let passed = cases - problems;
                let name = stringify!($section);
                lines.push(format!("  {name:12} {passed:4} of {cases:4}"));
            )*};
        }
        section!(recorded seeds batches order disconnects);
        let passed = self.cases - self.problems.len();
        lines.push(format!(
            "  {:12} {passed:4} of {:4} as recorded and documented",
            "all", self.cases
        ));
        print(&(lines.join("\n") + "\n"));
        assert!(self.problems.is_empty(), "{}", self.problems.join("\n"));
    }

    /// Counts a case, which passes if there is no `problem`.
    fn case(&mut self, name: &str, problem: Option<String>) {
        self.cases += 1;
        self.problems.extend(problem.map(|problem| format!("{name}: {problem}")));
    }

    fn equal<T: PartialEq + Debug>(&mut self, name: &str, found: &T, expected: &T) {
        let problem = (found != expected).then(|| format!("{found:?}, not {expected:?}"));
        self.case(name, problem);
    }

    /// Posts a body, with the header of the seed if `seed` is not empty.
    async fn post(&self, body: impl Into<reqwest::Body>, seed: &str) -> Answer {
        let mut request = self.http.post(format!("{}/e/test", self.url)).body(body);
        if !seed.is_empty() {
            request = request.header("x-inngest-event-id-seed", seed);
        }
        match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                Answer::new(status, &response.text().await.unwrap_or_default())
            }
            Err(error) => Answer { status: 0, ids: Vec::new(), error: error.to_string() },
        }
    }
}

impl Answer {
    fn new(status: u16, body: &str) -> Answer {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let ids = body["ids"].as_array().into_iter().flatten().map(text).collect();
        Answer { status, ids, error: text(&body["error"]) }
    }

    /// Returns the ids, without the one empty id that the server returns if it accepted no event.
    fn accepted(&self) -> &[String] {
        if self.ids == [""] { &[] } else { &self.ids }
    }
}

/// Prints to standard error, since the test harness captures `print!`.
fn print(text: &str) {
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// Returns a valid event.
fn event(number: usize) -> Value {
    json!({ "name": "p/x", "data": { "number": number } })
}

fn batch(events: impl IntoIterator<Item = Value>) -> String {
    Value::from_iter(events).to_string()
}
