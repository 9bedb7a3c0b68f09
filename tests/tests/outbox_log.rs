//! What an outbox's relay logs: each step of a batch, and an episode of failures once.

use std::time::Duration;

use inngest_core::outbox::Outbox;
use inngest_core::testing::outbox_store::{ScriptedStore, StoreFault};
use inngest_tests::{ItemViewed, Log, Script, Step};
use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Runs `test` on a paused clock while the log is captured.
fn with_log<F: Future<Output = ()>>(test: impl FnOnce(Log) -> F) {
    let (log, _capture) = Log::capture();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(test(log));
}

fn enqueue(outbox: &Outbox, store: &ScriptedStore, number: u32) {
    store.enqueue(&outbox.prepare(ItemViewed::number(number)).expect("a valid event"));
}

/// Waits until every event is delivered.
async fn settled(store: &ScriptedStore) {
    while store.open() > 0 {
        sleep(Duration::from_millis(10)).await;
    }
    sleep(Duration::from_millis(10)).await;
}

#[test]
fn a_failing_database_does_not_end_the_relay_and_is_logged_once_per_episode() {
    with_log(|log| async move {
        let script = Script::new([]);
        let (client, store) = (script.client(), ScriptedStore::new());
        let outbox = Outbox::for_client(&client);
        let relay = outbox.relay(&client, store.clone()).start().await.expect("a relay");
        for episode in 1..=2_u32 {
            let before = store.history().len();
            store.fail_by(|_| Some(StoreFault::FailBefore));
            sleep(HOUR).await;
            let calls = store.history().len() - before;
            assert!(calls < 1_700, "it waits up to 5 s: {calls} calls in an hour");
            enqueue(&outbox, &store, episode);
            store.heal();
            settled(&store).await;
            let warnings = log.lines("the relay cannot use the database; it retries");
            assert_eq!(warnings.len(), episode as usize, "{warnings:#?}");
            assert!(warnings[0].contains("WARN") && warnings[0].contains("a scripted fault"));
            assert_eq!(log.lines("the relay can use the database again").len(), episode as usize);
        }
        assert_eq!(script.requests().len(), 2);
        drop(relay);
    });
}

#[test]
fn a_stall_and_an_outage_are_logged_once_each() {
    with_log(|log| async move {
        let mut steps = vec![Step::status(401); 5];
        steps.push(Step::Accept);
        steps.extend(vec![Step::retry_after(503, "2"); 5]);
        let script = Script::new(steps);
        let (client, store) = (script.client(), ScriptedStore::new());
        let outbox = Outbox::for_client(&client);
        enqueue(&outbox, &store, 0);
        let relay = outbox.relay(&client, store.clone()).start().await.expect("a relay");
        settled(&store).await;
        let errors = log.lines("ERROR");
        let [error] = &*errors else { panic!("{errors:#?}") };
        assert!(error.contains("the relay is stalled") && error.contains("(401)"), "{error}");
        assert_eq!(log.lines("the relay is still stalled").len(), 4);
        assert_eq!(log.lines("the relay is no longer stalled").len(), 1);

        enqueue(&outbox, &store, 1);
        settled(&store).await;
        let warnings = log.lines("WARN");
        let [warning] = &*warnings else { panic!("{warnings:#?}") };
        assert!(warning.contains("sending to Inngest fails; events are kept"), "{warning}");
        assert_eq!(log.lines("sending to Inngest recovered").len(), 1);
        drop(relay);
    });
}

#[test]
fn each_step_of_a_batch_is_logged_without_its_data() {
    with_log(|log| async move {
        let (client, store) = (Script::new([]).client(), ScriptedStore::new());
        let outbox = Outbox::for_client(&client);
        enqueue(&outbox, &store, 43_217);
        outbox.relay(&client, store).drain().await.expect("a report");
        for step in ["claimed a batch", "sent a batch", "settles a batch", "settled a batch"] {
            let lines = log.lines(&format!("the relay {step}"));
            assert_eq!(lines.len(), 1, "{step}");
            assert!(lines[0].contains("inngest_core::outbox::log"), "{lines:?}");
        }
        assert_eq!(log.lines("43217"), Vec::<String>::new());
    });
}
