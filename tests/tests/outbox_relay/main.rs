//! The rules of an outbox's relay, each by name, over a scripted store on a paused clock.

mod closing;
mod database;
mod dead;
mod draining;
mod enqueue;
mod expiry;
mod leases;
mod outages;
mod poison;
mod polling;
mod stalls;

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inngest_core::outbox::{Outbox, Relay, RelayBuilder};
use inngest_core::testing::outbox_store::{BatchRow, ScriptedStore};
use inngest_core::{Client, ClientBuilder, SendOutcome};
use inngest_tests::{ItemViewed, Judge, Script, Step};
use tokio::time::sleep;

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// An outbox in memory and the client of its relays.
struct Shop {
    store: ScriptedStore,
    client: Client,
    outbox: Outbox,
}

impl Shop {
    fn new(client: Client) -> Shop {
        let outbox = Outbox::for_client(&client);
        Shop { store: ScriptedStore::new(), client, outbox }
    }

    /// Returns a shop whose requests get the responses of `steps`, and then are accepted.
    fn scripted(steps: impl IntoIterator<Item = Step>) -> (Shop, Script) {
        let script = Script::new(steps);
        (Shop::new(script.client()), script)
    }

    /// Returns a shop whose requests are judged by `judge`.
    fn judged(judge: &Judge) -> Shop {
        Shop::new(judge.client())
    }

    /// Enqueues the views `numbers`.
    fn enqueue(&self, numbers: Range<u32>) {
        for number in numbers {
            let event = self.outbox.prepare(ItemViewed::number(number)).expect("a valid event");
            self.store.enqueue(&event);
        }
    }

    /// Returns the builder of a relay, which polls once a second so that long tests are fast.
    fn relay(&self) -> RelayBuilder<ScriptedStore> {
        self.outbox.relay(&self.client, self.store.clone()).poll(SECOND..=SECOND)
    }

    async fn start(&self) -> Relay<ScriptedStore> {
        self.relay().start().await.expect("a relay")
    }

    /// Waits until every event is delivered or dead, for at most `limit`.
    async fn settled(&self, limit: Duration) {
        let settled = async {
            while self.store.open() > 0 {
                sleep((limit / 5_000).max(MILLI)).await;
            }
        };
        let waited = tokio::time::timeout(limit, settled).await;
        assert!(waited.is_ok(), "not settled: {:?}", self.store.batches());
        // The relay reports what it has recorded before it sleeps again.
        sleep(MILLI).await;
    }

    /// Returns the only sealed batch.
    fn batch(&self) -> BatchRow {
        let mut batches = self.store.batches();
        let batch = batches.pop().expect("a sealed batch");
        assert_eq!(batches, [], "one batch");
        batch
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.store.violations(), Vec::<String>::new());
        }
    }
}

/// The outcomes that were reported to the hook `after_send`.
#[derive(Clone, Default)]
struct Outcomes(Arc<Mutex<Vec<String>>>);

impl Outcomes {
    fn build(&self, builder: ClientBuilder) -> Client {
        let outcomes = Arc::clone(&self.0);
        let builder = builder.after_send(move |report| {
            let outcome = match report.outcome {
                SendOutcome::Accepted(_) => "accepted",
                SendOutcome::Rejected(_) => "rejected",
                SendOutcome::Unsent(Some(cause)) => cause.kind(),
                SendOutcome::Expired => "expired",
                _ => "other",
            };
            outcomes.lock().expect("no panic").push(outcome.to_owned());
        });
        builder.build().expect("a client")
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

/// Returns the times between consecutive requests, in whole seconds.
fn seconds_between(script: &Script) -> Vec<u64> {
    let times: Vec<Duration> = script.requests().iter().map(|request| request.elapsed).collect();
    times.windows(2).map(|pair| pair[1].saturating_sub(pair[0]).as_secs()).collect()
}
