//! Exchanges encrypted events with functions in another language: `encryption-exchange <command> <arguments>..`
//! starts a program of `tests/clients/encryption`.
//!
//! Rust sends events to an Event API, and the function receives them as they are stored; and the other way round.
//! Every difference is a panic.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use inngest_core::encryption::{Encrypted, EncryptionError, EncryptionKeys};
use inngest_core::testing::EventApi;
use inngest_core::{Client, InngestEvent};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "test/sealed")]
struct Sealed {
    clear: String,
    /// Python leaves `None` in clear.
    encrypted: Option<Encrypted<Value>>,
}

/// The keys of the programs in the steps of a rotation. The first one encrypts.
const ROTATION: [&[&str]; 4] =
    [&["an old key"], &["an old key", "kéy 2"], &["kéy 2", "an old key"], &["kéy 2"]];

/// The functions in the other language.
struct Functions {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Functions {
    fn start() -> Functions {
        let mut arguments = std::env::args_os().skip(1);
        let mut command = Command::new(arguments.next().expect("a command"));
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the command runs");
        let requests = process.stdin.take().expect("piped");
        let answers = BufReader::new(process.stdout.take().expect("piped"));
        Functions { process, requests, answers }
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.requests, "{request}").expect("the functions run");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("an answer");
        serde_json::from_str(&answer).expect("JSON")
    }

    /// Runs a function for an event with this data, and returns the data that it sees and what it returns.
    fn run(&mut self, keys: &[&str], data: &Value) -> Result<(Value, Value), String> {
        let event =
            json!({ "name": Sealed::NAME, "id": "1", "ts": 1_700_000_000_000_u64, "data": data });
        let mut answer = self.ask(&json!({ "keys": keys, "run": event }));
        if let Some(error) = answer["error"].as_str() {
            return Err(error.to_owned());
        }
        let seen = answer["seen"]["event"].take();
        assert_eq!(answer["seen"]["events"], json!([seen]), "the only event of the run");
        Ok((seen, answer["output"].take()))
    }
}

fn encryption_keys(texts: &[&str]) -> EncryptionKeys {
    let (first, fallbacks) = texts.split_first().expect("a key");
    let keys = EncryptionKeys::new(first).expect("a key");
    fallbacks.iter().fold(keys, |keys, text| keys.fallback(text).expect("a key"))
}

struct Exchange {
    api: EventApi,
    client: Client,
    functions: Functions,
}

impl Exchange {
    /// Sends an event from Rust, and returns its data as it is stored.
    async fn send(&self, keys: &[&str], value: &Value) -> Value {
        let encrypted = Some(encryption_keys(keys).encrypt(value).expect("encrypted"));
        self.client.send(Sealed { clear: "é".to_owned(), encrypted }).await.expect("accepted");
        self.api.events().pop().expect("an event").data
    }

    /// Sends an event from the other language, and returns it as Rust receives it.
    fn receive(&mut self, keys: &[&str], value: &Value) -> Sealed {
        let data = json!({ "clear": "é", "encrypted": value });
        let request = json!({ "keys": keys, "send": data, "url": self.api.url() });
        let answer = self.functions.ask(&request);
        assert_eq!(answer["ids"].as_array().map(Vec::len), Some(1), "{answer}");
        self.api.events_of::<Sealed>().pop().expect("an event").data
    }

    /// Exchanges one value in both directions.
    async fn exchange(&mut self, rust: &[&str], other: &[&str], value: &Value) {
        let data = self.send(rust, value).await;
        let (seen, output) = self.functions.run(other, &data).expect("decrypted");
        assert_eq!(seen, json!({ "clear": "é", "encrypted": value }));
        // The middleware encrypts what the function returns. That of npm leaves null in clear.
        let output: Encrypted<Value> = serde_json::from_value(output).expect("any JSON");
        match encryption_keys(rust).decrypt(&output) {
            Ok(output) => assert_eq!(&output, value),
            Err(error) => {
                assert!(
                    matches!(error, EncryptionError::NotEncrypted) && value.is_null(),
                    "{error}"
                );
            }
        }

        let sealed = self.receive(other, value);
        assert_eq!(sealed.clear, "é");
        match sealed.encrypted {
            Some(encrypted) => {
                assert_eq!(&encryption_keys(rust).decrypt(&encrypted).expect("decrypted"), value);
            }
            None => assert!(value.is_null(), "{value} is not encrypted"),
        }
        self.api.clear();
    }

    /// Passes a value to the functions and back, past the Event API with its limit of 3 MiB.
    fn exchange_directly(&mut self, keys: &[&str], value: &Value) {
        let encrypted = encryption_keys(keys).encrypt(value).expect("encrypted");
        let (seen, output) =
            self.functions.run(keys, &json!({ "encrypted": encrypted })).expect("decrypted");
        assert_eq!(&seen["encrypted"], value);
        let output: Encrypted<Value> = serde_json::from_value(output).expect("any JSON");
        assert_eq!(&encryption_keys(keys).decrypt(&output).expect("decrypted"), value);
    }

    /// Checks what the documentation says about other fields than one at the top. Returns whether a second field is
    /// decrypted.
    fn run_with_several_fields(&mut self, keys: &[&str]) -> bool {
        let encrypt =
            |value: &str| encryption_keys(keys).encrypt(&json!(value)).expect("encrypted");
        let data = json!({
            "a": encrypt("second"),
            "encrypted": encrypt("first"),
            "z": { "encrypted": encrypt("nested") },
            "list": [encrypt("listed")],
        });
        let (seen, _) = self.functions.run(keys, &data).expect("decrypted");
        assert_eq!(seen["encrypted"], "first");
        assert_eq!((&seen["z"], &seen["list"]), (&data["z"], &data["list"]), "not decrypted");
        assert!(seen["a"] == "second" || seen["a"] == data["a"], "{seen}");
        seen["a"] == "second"
    }

    async fn refuse(&mut self, rust: &[&str], other: &[&str]) {
        let value = json!({ "name": "Ada" });
        let data = self.send(rust, &value).await;
        let error = self.functions.run(other, &data).expect_err("another key");
        assert!(error.contains("decrypt") || error.contains("wrong secret key"), "{error}");
        let encrypted = self.receive(other, &value).encrypted.expect("encrypted");
        let error = encryption_keys(rust).decrypt(&encrypted).expect_err("another key");
        assert!(matches!(error, EncryptionError::WrongKey), "{error}");
    }
}

fn values() -> Vec<Value> {
    vec![
        json!(null),
        json!(""),
        json!({}),
        json!([]),
        json!(false),
        json!(0),
        json!(-9_007_199_254_740_991_i64),
        json!(2.5),
        json!("a \"quoted\" text\u{0}\u{1F}\u{7F}\u{2028}\u{FEFF}é😀"),
        json!({ "name": "Ada", "é 😀": [1, 2.5, null, true, { "deep": { "er": [[], {}] } }], "": "" }),
        json!({ "__ENCRYPTED__": false, "data": "in clear" }),
        // Nearly the 3 MiB that an event may have.
        json!({ "text": "x".repeat(2_350_000) }),
    ]
}

#[tokio::main]
async fn main() {
    let api = EventApi::start().await;
    let client = Client::builder().no_env().dev(true).base_url(api.url());
    let client = client.build().expect("a client");
    let mut exchange = Exchange { api, client, functions: Functions::start() };

    let values = values();
    for value in &values {
        exchange.exchange(ROTATION[0], ROTATION[0], value).await;
    }
    let large = json!({ "text": "0123456789abcdé".repeat(3 << 16) });
    exchange.exchange_directly(ROTATION[0], &large);
    let mut steps = 0;
    for (rust, other) in [(0, 1), (1, 0), (1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 2)] {
        exchange.exchange(ROTATION[rust], ROTATION[other], &values[9]).await;
        steps += 1;
    }
    exchange.refuse(ROTATION[0], ROTATION[3]).await;
    exchange.refuse(ROTATION[3], ROTATION[0]).await;
    exchange.refuse(&["an old key"], &["an old ke", "an old key2"]).await;

    // A ciphertext with one other character.
    let mut data = exchange.send(ROTATION[0], &values[9]).await;
    let text = data["encrypted"]["data"].as_str().expect("a text").to_owned();
    let other = if text.as_bytes()[60] == b'A' { "B" } else { "A" };
    data["encrypted"]["data"] = format!("{}{other}{}", &text[..60], &text[61..]).into();
    exchange.functions.run(ROTATION[0], &data).expect_err("a changed ciphertext");
    let fields =
        if exchange.run_with_several_fields(ROTATION[0]) { "every field" } else { "one field" };
    let values = values.len() + 1;
    println!(
        "{values} values of up to 3 MiB, {steps} steps of a rotation, both directions; it decrypts {fields} at \
         the top of the data"
    );

    let Functions { mut process, requests, .. } = exchange.functions;
    drop(requests);
    assert!(process.wait().expect("it ends").success());
}
