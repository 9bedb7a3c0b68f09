//! A random story: events are enqueued, relays start and are killed, the server, the database and the
//! clock fail; in the end everything is repaired.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use inngest_core::RetryPolicy;
use inngest_core::outbox::{Ids, Outbox, Relay, RelayBuilder};
use inngest_core::testing::outbox_store::{Defect, ScriptedStore, StoreFault};
use inngest_tests::{CheckoutCompleted, ItemViewed};
use tokio::time::{Instant, sleep, timeout};

use crate::server::{Rules, Server, Weather};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What may happen in a story.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent of each other")]
struct Plot {
    /// Only connections fail. No relay is killed, and the database and the clock work.
    only_connections: bool,
    /// The story lasts for days instead of minutes.
    is_long: bool,
    /// The percentage of failing calls to the database.
    store_faults: u8,
    kills: bool,
    clock_jumps: bool,
    clock_is_set_back: bool,
    checkouts: bool,
}

/// A story and what came of it.
pub(crate) struct Outcome {
    pub(crate) server: Server,
    pub(crate) store: ScriptedStore,
    /// The committed events, each with its time by the clock of the database.
    pub(crate) committed: BTreeMap<u64, SystemTime>,
    /// The events that were put back with fresh ids, and how often.
    pub(crate) fresh: BTreeMap<u64, usize>,
    /// The committed rows that are no events.
    pub(crate) invalid_rows: usize,
    /// How often the hook `on_dead` was called for each dead event.
    pub(crate) died: BTreeMap<i64, usize>,
    pub(crate) only_connections: bool,
    pub(crate) clock_is_set_back: bool,
    /// Whether every ambiguity was caused by a response of the server.
    pub(crate) ambiguity_is_seen: bool,
}

struct Run {
    rng: Rng,
    plot: Plot,
    server: Server,
    store: ScriptedStore,
    outbox: Outbox,
    relays: Vec<Relay<ScriptedStore>>,
    next_number: u32,
    committed: BTreeMap<u64, SystemTime>,
    fresh: BTreeMap<u64, usize>,
    invalid_rows: usize,
    died: Arc<Mutex<BTreeMap<i64, usize>>>,
    has_refused_the_key: bool,
    /// Whether a relay was closed before its requests had ended.
    has_closed_early: bool,
}

pub(crate) async fn run(seed: u64, defect: Option<Defect>) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    // Seeds the jitter of the client and of the relays.
    fastrand::seed(seed);
    let only_connections = rng.u8(..8) == 0;
    let plot = Plot {
        only_connections,
        is_long: rng.u8(..6) == 0,
        store_faults: if only_connections { 0 } else { *rng.choice(&[0, 0, 5, 30]).expect("one") },
        kills: !only_connections && rng.bool(),
        clock_jumps: !only_connections && rng.u8(..4) == 0,
        clock_is_set_back: rng.bool(),
        checkouts: !only_connections && rng.bool(),
    };
    let rules = Rules {
        bad_every: if only_connections { 0 } else { *rng.choice(&[0, 0, 3, 7]).expect("one") },
        poison_every: if only_connections { 0 } else { *rng.choice(&[0, 0, 5, 11]).expect("one") },
        refuses_checkouts: plot.checkouts && rng.bool(),
        refuses_lost: rng.u8(..4) == 0,
        max_events: *rng.choice(&[1_000, 1_000, 4, 1]).expect("one"),
        max_delay: *rng.choice(&[0, 300, 12_000]).expect("one"),
    };
    let store = ScriptedStore::new();
    if let Some(defect) = defect {
        store.break_by(defect);
    }
    let server = Server::new(rules, store.handle(), rng.fork());
    let mut run = Run {
        plot,
        outbox: Outbox::new(),
        server,
        store,
        relays: Vec::new(),
        next_number: 1,
        committed: BTreeMap::new(),
        fresh: BTreeMap::new(),
        invalid_rows: 0,
        died: Arc::default(),
        has_refused_the_key: false,
        has_closed_early: false,
        rng,
    };
    run.faults().await;
    run.others_are_not_held_up().await;
    run.recovery().await;
    run.outcome()
}

impl Run {
    fn enqueue(&mut self) {
        for _ in 0..self.rng.usize(1..8) {
            let number = self.next_number;
            self.next_number += 1;
            let is_checkout = self.plot.checkouts && self.rng.u8(..4) == 0;
            let event = if is_checkout {
                self.outbox.prepare(CheckoutCompleted::of(&number.to_string()))
            } else {
                let note = "x".repeat(self.rng.usize(..120));
                self.outbox.prepare(ItemViewed { number, note })
            };
            let event = event.expect("a valid event");
            match self.rng.u8(..8) {
                // The transaction is rolled back.
                0 => {}
                1 if !self.plot.only_connections => {
                    self.store.insert("no.event", b"no JSON", None);
                    self.invalid_rows += 1;
                }
                _ => {
                    self.store.enqueue(&event);
                    self.committed.insert(u64::from(number), self.store.now());
                }
            }
        }
        if self.rng.bool() {
            self.outbox.wake();
        }
    }

    /// Returns the builder of a relay with random options and a connection of its own.
    fn relay(&mut self) -> RelayBuilder<ScriptedStore> {
        let handle = self.store.handle();
        let (percent, mut rng) = (self.plot.store_faults, self.rng.fork());
        handle.fail_by(move |_| {
            if rng.u8(..100) >= percent {
                return None;
            }
            let slow = StoreFault::Slow(Duration::from_millis(rng.u64(..20_000)));
            let (before, after) = (StoreFault::FailBefore, StoreFault::FailAfter);
            let faults =
                [before, before, after, slow, StoreFault::HangBefore, StoreFault::HangAfter];
            rng.choice(faults)
        });
        self.healthy_relay(handle)
    }

    fn healthy_relay(&mut self, handle: ScriptedStore) -> RelayBuilder<ScriptedStore> {
        let rng = &mut self.rng;
        let retry = RetryPolicy::default().total_timeout(SECOND * 50);
        // A long story with short waits would be mostly failing requests.
        let retry = retry.max_backoff(if self.plot.is_long { MINUTE * 10 } else { SECOND * 30 });
        let builder = self.server.builder().retry(retry).max_request_events(rng.usize(1..9));
        let builder =
            builder.max_request_bytes(rng.usize(100..2_000)).max_in_flight(rng.usize(1..4));
        let client = builder.build().expect("a client");
        let poll = if self.plot.is_long { MINUTE..=MINUTE * 2 } else { SECOND..=SECOND * 5 };
        let died = Arc::clone(&self.died);
        let relay = self.outbox.relay(&client, handle).poll(poll).batch_events(rng.usize(1..9));
        let relay = relay.in_flight(rng.usize(1..5)).lease(SECOND * rng.u32(1..61));
        relay.on_dead(move |event| {
            *died.lock().expect("no panic").entry(event.id).or_default() += 1;
        })
    }

    async fn faults(&mut self) {
        for _ in 0..self.rng.usize(5..30) {
            match self.rng.u8(..12) {
                0..3 => self.enqueue(),
                3 | 4 if self.relays.len() < 3 => {
                    if let Ok(Ok(relay)) = timeout(MINUTE, self.relay().start()).await {
                        self.relays.push(relay);
                    }
                }
                5 if !self.relays.is_empty() => self.end_relay().await,
                6 => self.drain().await,
                7 | 8 => self.change_weather(),
                9 if self.plot.clock_jumps => self.jump(),
                10 => self.requeue().await,
                _ => self.pass_time().await,
            }
            if self.rng.bool() {
                self.pass_time().await;
            }
        }
    }

    async fn pass_time(&mut self) {
        let millis = match self.rng.u8(..10) {
            0..4 => self.rng.u64(..50),
            4..8 => self.rng.u64(..20_000),
            8 => self.rng.u64(..200_000),
            _ if self.plot.is_long => self.rng.u64(..20 * 3_600_000),
            _ => self.rng.u64(..2_000_000),
        };
        sleep(Duration::from_millis(millis)).await;
    }

    async fn end_relay(&mut self) {
        let index = self.rng.usize(..self.relays.len());
        let relay = self.relays.swap_remove(index);
        if self.plot.kills && self.rng.bool() {
            drop(relay);
            return;
        }
        let deadlines = [0, 1, 100, 5_000, 100_000];
        // A request that is canceled is ambiguous, as is one whose relay could not settle in time.
        let deadlines = if self.plot.only_connections { &deadlines[4..] } else { &deadlines };
        let deadline = Duration::from_millis(*self.rng.choice(deadlines).expect("one"));
        self.has_closed_early |= deadline < MINUTE;
        let started = Instant::now();
        relay.close(deadline).await;
        assert!(started.elapsed() <= deadline + Duration::from_millis(2), "closed too late");
    }

    async fn drain(&mut self) {
        let drain = self.relay().drain();
        if self.plot.kills {
            let limit = Duration::from_millis(self.rng.u64(..60_000));
            drop(timeout(limit, drain).await);
        } else {
            // A call to the database or the server can hang.
            drop(timeout(HOUR, drain).await.expect("a drain ends"));
        }
    }

    fn change_weather(&mut self) {
        let bad = [
            Weather::Mixed(30),
            Weather::Mixed(60),
            Weather::Mixed(90),
            Weather::Unreachable,
            Weather::Status(503),
            Weather::Status(500),
            Weather::Status(401),
            Weather::Status(404),
            Weather::RetryAfter(429, self.rng.u64(..90)),
            Weather::RetryAfter(503, self.rng.u64(..90)),
            Weather::Hang,
            Weather::Lost,
            Weather::Page,
        ];
        let mut weather = *self.rng.choice(&bad).expect("one");
        if self.plot.only_connections {
            weather = Weather::Unreachable;
        } else if self.rng.u8(..4) == 0 {
            weather = Weather::Fair;
        } else if !self.plot.checkouts && !self.has_refused_the_key && self.rng.u8(..8) == 0 {
            // Refusals of the key with 403 that come and go are taken for refusals of names.
            self.has_refused_the_key = true;
            weather = Weather::Status(403);
        }
        self.server.set_weather(weather);
    }

    fn jump(&mut self) {
        let by = SECOND * self.rng.u32(..5 * 3_600);
        if self.plot.clock_is_set_back && self.rng.bool() {
            self.store.set_back(by);
        } else {
            self.store.advance(by);
        }
    }

    async fn requeue(&mut self) {
        let dead = self.store.dead();
        if dead.is_empty() || self.relays.is_empty() {
            return;
        }
        let event = &dead[self.rng.usize(..dead.len())];
        let ids = if self.rng.bool() { Ids::Keep } else { Ids::Fresh };
        let body = serde_json::from_slice(&event.body).ok();
        let number = body.map(|body| crate::server::number(&body));
        let relay = &self.relays[self.rng.usize(..self.relays.len())];
        // If the answer is lost, it may have been put back.
        let requeued = timeout(MINUTE, relay.requeue([event.id], ids)).await;
        let may_be_back = !matches!(requeued, Ok(Ok(0)));
        if let (true, Ids::Fresh, Some(number)) = (may_be_back, ids, number) {
            *self.fresh.entry(number).or_default() += 1;
        }
    }

    /// Waits until `is_done`, for at most `limit`.
    async fn wait(&self, limit: Duration, what: &str, is_done: impl Fn(&Run) -> bool) {
        let started = Instant::now();
        while !is_done(self) {
            if started.elapsed() >= limit {
                let (pending, batches) = (self.store.pending(), self.store.batches());
                panic!("{what}: {pending:?}, {batches:?}, {:?}", self.server.rules);
            }
            sleep(SECOND * 5).await;
        }
    }

    /// With nothing but poison events, the others are delivered.
    async fn others_are_not_held_up(&mut self) {
        if self.server.rules.poison_every == 0 || self.server.rules.refuses_checkouts {
            return;
        }
        self.server.set_weather(Weather::Fair);
        self.relays.clear();
        let handle = self.store.handle();
        let relay = self.healthy_relay(handle).start().await.expect("a relay");
        self.wait(HOUR * 3, "held up", |run| {
            let batches = run.store.batches();
            let bodies = batches.iter().flat_map(|batch| &batch.bodies);
            let open = bodies.filter_map(|body| serde_json::from_slice(body).ok());
            let open: Vec<u64> = open.map(|event| crate::server::number(&event)).collect();
            run.store.pending().is_empty() && open.iter().all(|it| run.server.is_poison(*it))
        })
        .await;
        self.relays.push(relay);
    }

    /// When all faults have ended, every event is delivered or dead within an hour, the longest wait
    /// of an isolated event, and some minutes.
    async fn recovery(&mut self) {
        self.server.heal();
        let survivors = std::mem::take(&mut self.relays);
        if self.rng.bool() {
            drop(survivors);
        }
        let handle = self.store.handle();
        let relay = self.healthy_relay(handle).start().await.expect("a relay");
        let limit = HOUR + MINUTE * 10;
        self.wait(limit, "not delivered", |run| run.store.open() == 0).await;
        // What is left of a relay's work after its last settlement.
        sleep(MINUTE).await;
        relay.close(MINUTE).await;
    }

    fn outcome(self) -> Outcome {
        Outcome {
            server: self.server,
            died: std::mem::take(&mut *self.died.lock().expect("no panic")),
            committed: self.committed,
            fresh: self.fresh,
            invalid_rows: self.invalid_rows,
            only_connections: self.plot.only_connections,
            clock_is_set_back: self.plot.clock_jumps && self.plot.clock_is_set_back,
            ambiguity_is_seen: !self.plot.kills
                && !self.has_closed_early
                && self.plot.store_faults == 0
                && !self.plot.clock_jumps,
            store: self.store,
        }
    }
}
