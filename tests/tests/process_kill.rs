//! A process is killed in the middle of `send_all`, and restarted with the same events.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use inngest_core::testing::{EventApi, Fault};
use inngest_tests::CheckoutCompleted;

const COUNT: usize = 3_000;
const KILLS: usize = 8;

fn import(url: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_importer"));
    command.env("INNGEST_DEV", url).env("IMPORT_COUNT", COUNT.to_string());
    command.stdout(Stdio::piped()).spawn().expect("the importer runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_dedup_id_every_function_runs_once_however_often_the_sender_is_killed() {
    let api = EventApi::start().await;
    api.on::<CheckoutCompleted>("fulfil", |_| async {});
    api.on::<CheckoutCompleted>("thank", |_| async {});
    // Slow down the server, so that the process can be killed in the middle of the call.
    api.fault_when(|_| Some(Fault::delay(Duration::from_millis(5))));
    let mut in_the_middle = 0;
    for _ in 0..KILLS {
        let before = api.requests().len();
        let mut sender = import(api.url());
        // Kill it after a random number of its 60 requests.
        let requests = before + fastrand::usize(1..60);
        while api.requests().len() < requests && sender.try_wait().expect("a child").is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        sender.kill().expect("a child");
        let status = sender.wait().expect("a child");
        in_the_middle += usize::from(!status.success());
    }
    assert!(in_the_middle >= KILLS / 2, "{in_the_middle} of {KILLS} were killed in the middle");

    let last = import(api.url()).wait_with_output().expect("a child");
    assert!(last.status.success());
    assert_eq!(String::from_utf8_lossy(&last.stdout), format!("{COUNT} accepted\n"));
    api.idle().await;
    assert!(api.events().len() > COUNT, "the killed processes sent events");
    for function in ["fulfil", "thank"] {
        let mut runs: BTreeMap<String, usize> = BTreeMap::new();
        for run in api.runs_of(function) {
            *runs.entry(run.dedup_id).or_default() += 1;
        }
        assert_eq!(runs.len(), COUNT, "{function} did not run for every event");
        assert!(runs.values().all(|times| *times == 1), "{function} ran twice for an event");
    }
}
