//! An outbox in memory with scripted faults, for the tests of the relay.

mod tables;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use tables::{PendingRow, Tables};
use tokio::time::{Instant, sleep};

use super::lock::lock;
use crate::outbox::store::{
    ClaimRequest, ClaimedBatch, Counts, Lease, Protocol, Settled, Settlement, Store,
};
use crate::outbox::{DeadEvent, Ids, OutboxEvent, StoreError};

/// An outbox in memory, which behaves as a database does. Clones share the tables, the clock and the
/// faults; [`handle`](ScriptedStore::handle) returns a store as another process would have it.
///
/// Its clock follows tokio's clock, plus what [`advance`](ScriptedStore::advance) and
/// [`set_back`](ScriptedStore::set_back) have added.
#[derive(Clone)]
pub struct ScriptedStore {
    database: Arc<Database>,
    faults: Arc<Mutex<Faults>>,
}

struct Database {
    start: Instant,
    /// The time at `start`.
    epoch: Mutex<SystemTime>,
    tables: Mutex<Tables>,
    history: Mutex<Vec<(Instant, StoreCall)>>,
    schema_version: Mutex<i32>,
}

#[derive(Default)]
struct Faults {
    next: VecDeque<(StoreCall, StoreFault)>,
    rule: Option<Rule>,
}

type Rule = Box<dyn FnMut(StoreCall) -> Option<StoreFault> + Send>;

/// An operation of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreCall {
    /// The version of the tables is read.
    SchemaVersion,
    /// A batch is claimed.
    Claim,
    /// A lease is extended.
    Renew,
    /// A batch is settled.
    Settle,
    /// The events are counted.
    Counts,
    /// Dead events are read.
    DeadEvents,
    /// Dead events are put back.
    Requeue,
    /// Dead events are deleted.
    PurgeDead,
}

/// The failure of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// It fails and has no effect.
    FailBefore,
    /// It has its effect, and the response is lost.
    FailAfter,
    /// It waits for this duration before it has its effect, and again after it.
    Slow(Duration),
    /// It never returns and has no effect.
    HangBefore,
    /// It has its effect, and never returns.
    HangAfter,
}

/// A defect of a store, to show that the tests detect it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A batch that is claimed again gets a new seed, so that its events have new ids.
    NewSeedForEachClaim,
    /// Each claim records the time of the first attempt with an unknown outcome anew.
    ForgetsAmbiguity,
    /// A released or failed batch is lost.
    LosesKeptEvents,
}

/// A sealed batch as it is in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRow {
    /// The id of the row.
    pub id: i64,
    /// The seed of the ids.
    pub seed: [u8; 16],
    /// Whether a relay has claimed the batch and not settled it.
    pub is_leased: bool,
    /// The time until the lease ends or the batch is claimed again.
    pub due_in: Duration,
    /// The number of attempts.
    pub attempts: u32,
    /// The number of failures that the batch may have caused.
    pub crashes: u32,
    /// The time since the first attempt with an unknown outcome.
    pub ambiguous_for: Option<Duration>,
    /// The last error.
    pub last_error: Option<String>,
    /// The places of the events.
    pub places: Vec<u32>,
    /// The events as JSON.
    pub bodies: Vec<Vec<u8>>,
}

impl ScriptedStore {
    /// Creates an empty outbox. Its clock starts at the current time.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it starts a clock")]
    pub fn new() -> ScriptedStore {
        let database = Database {
            start: Instant::now(),
            epoch: Mutex::new(SystemTime::now()),
            tables: Mutex::default(),
            history: Mutex::default(),
            schema_version: Mutex::new(crate::outbox::sql::VERSION),
        };
        ScriptedStore { database: Arc::new(database), faults: Arc::default() }
    }

    /// Returns another connection to the same tables, with faults of its own.
    #[must_use]
    pub fn handle(&self) -> ScriptedStore {
        ScriptedStore { database: Arc::clone(&self.database), faults: Arc::default() }
    }

    /// Makes the next operation of this kind fail.
    pub fn fail_next(&self, call: StoreCall, fault: StoreFault) {
        lock(&self.faults).next.push_back((call, fault));
    }

    /// Makes each operation fail with the fault that `rule` returns for it. Replaces the previous rule.
    pub fn fail_by(&self, rule: impl FnMut(StoreCall) -> Option<StoreFault> + Send + 'static) {
        lock(&self.faults).rule = Some(Box::new(rule));
    }

    /// Ends all faults of this handle.
    pub fn heal(&self) {
        *lock(&self.faults) = Faults::default();
    }

    /// Sets a defect of the store.
    pub fn break_by(&self, defect: Defect) {
        self.tables().defect = Some(defect);
    }

    /// Sets the version of the tables.
    pub fn set_schema_version(&self, version: i32) {
        *lock(&self.database.schema_version) = version;
    }

    /// Returns the time of the store's clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        *lock(&self.database.epoch) + self.database.start.elapsed()
    }

    /// Sets the clock forward.
    pub fn advance(&self, by: Duration) {
        *lock(&self.database.epoch) += by;
    }

    /// Sets the clock back.
    pub fn set_back(&self, by: Duration) {
        *lock(&self.database.epoch) -= by;
    }

    /// Inserts an event, in a transaction that is committed.
    pub fn enqueue(&self, event: &OutboxEvent) {
        self.insert(event.name(), event.body(), event.traceparent());
    }

    /// Inserts a row, which need not be an event.
    pub fn insert(&self, name: &str, body: &[u8], traceparent: Option<&str>) {
        let row = PendingRow {
            name: name.to_owned(),
            body: body.to_owned(),
            traceparent: traceparent.map(str::to_owned),
            created_at: self.now(),
        };
        self.tables().insert(row);
    }

    /// Changes the seed of a sealed batch, as another program could.
    pub fn set_seed(&self, batch: i64, seed: [u8; 16]) {
        self.tables().set_seed(batch, seed);
    }

    /// Returns the names of the events that are not sealed.
    #[must_use]
    pub fn pending(&self) -> Vec<String> {
        self.tables().pending_names()
    }

    /// Returns the sealed batches.
    #[must_use]
    pub fn batches(&self) -> Vec<BatchRow> {
        let now = self.now();
        self.tables().batch_rows(now)
    }

    /// Returns the dead events.
    #[must_use]
    pub fn dead(&self) -> Vec<DeadEvent> {
        self.tables().dead_events(0, usize::MAX)
    }

    /// Returns the number of events that are neither deleted nor dead.
    #[must_use]
    pub fn open(&self) -> u64 {
        let counts = self.tables().counts(self.now());
        counts.pending + counts.sealed
    }

    /// Returns the operations so far, with the time since the outbox was created.
    #[must_use]
    pub fn history(&self) -> Vec<(Duration, StoreCall)> {
        let history = lock(&self.database.history);
        history.iter().map(|(at, call)| (*at - self.database.start, *call)).collect()
    }

    /// Returns the invalid operations of relays: settlements that do not match their batches.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.tables().violations.clone()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        lock(&self.database.tables)
    }

    /// Runs a transaction, with the fault that is scripted for it.
    async fn run<T>(
        &self,
        call: StoreCall,
        transaction: impl FnOnce(&mut Tables, SystemTime) -> T + Send,
    ) -> Result<T, StoreError> {
        lock(&self.database.history).push((Instant::now(), call));
        let fault = self.next_fault(call);
        match fault {
            Some(StoreFault::FailBefore) => return Err(failure()),
            Some(StoreFault::HangBefore) => std::future::pending::<()>().await,
            Some(StoreFault::Slow(delay)) => sleep(delay).await,
            _ => {}
        }
        let now = self.now();
        let result = transaction(&mut self.tables(), now);
        match fault {
            Some(StoreFault::FailAfter) => return Err(failure()),
            Some(StoreFault::HangAfter) => std::future::pending::<()>().await,
            Some(StoreFault::Slow(delay)) => sleep(delay).await,
            _ => {}
        }
        Ok(result)
    }

    fn next_fault(&self, call: StoreCall) -> Option<StoreFault> {
        let mut faults = lock(&self.faults);
        if let Some(index) = faults.next.iter().position(|(it, _)| *it == call) {
            return faults.next.remove(index).map(|(_, fault)| fault);
        }
        faults.rule.as_mut().and_then(|rule| rule(call))
    }
}

impl Store for ScriptedStore {}

impl Protocol for ScriptedStore {
    async fn schema_version(&self) -> Result<i32, StoreError> {
        let version = *lock(&self.database.schema_version);
        self.run(StoreCall::SchemaVersion, |_, _| version).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Option<ClaimedBatch>, StoreError> {
        self.run(StoreCall::Claim, |tables, now| tables.claim(request, now)).await
    }

    async fn renew(&self, lease: Lease, length: Duration) -> Result<bool, StoreError> {
        self.run(StoreCall::Renew, |tables, now| tables.renew(lease, length, now)).await
    }

    async fn settle(&self, settlement: &Settlement) -> Result<Settled, StoreError> {
        self.run(StoreCall::Settle, |tables, now| tables.settle(settlement, now)).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.run(StoreCall::Counts, |tables, now| tables.counts(now)).await
    }

    async fn dead_events(&self, after: i64, limit: u32) -> Result<Vec<DeadEvent>, StoreError> {
        let limit = limit as usize;
        self.run(StoreCall::DeadEvents, |tables, _| tables.dead_events(after, limit)).await
    }

    async fn requeue(&self, dead: &[i64], ids: Ids, max_age: Duration) -> Result<u64, StoreError> {
        self.run(StoreCall::Requeue, |tables, now| tables.requeue(dead, ids, max_age, now)).await
    }

    async fn purge_dead(&self, older_than: Duration, limit: u32) -> Result<u64, StoreError> {
        let limit = limit as usize;
        self.run(StoreCall::PurgeDead, |tables, now| tables.purge_dead(older_than, limit, now))
            .await
    }
}

impl fmt::Debug for ScriptedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedStore").field("batches", &self.batches()).finish_non_exhaustive()
    }
}

fn failure() -> StoreError {
    StoreError::Connection(Arc::new(std::io::Error::other("a scripted fault")))
}
