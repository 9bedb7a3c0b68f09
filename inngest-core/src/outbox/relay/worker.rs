//! The workers of a relay: each claims a batch, sends it and settles it, again and again.
//!
//! The lock of the state is never held across an `.await`. The lock `turn` is held while a worker
//! waits for events, so that an idle relay polls the database with one worker, not with all.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::attempt::Attempt;
use super::database::{Database, in_time};
use super::options::{Mode, RelayOptions};
use super::settlement::{
    AttemptContext, Decision, Effect, after_attempt, before_attempt, cancel, release,
};
use super::state::{NextClaim, State};
use crate::client::{Client, OutboxGauges, Outcome, RequestError, SendOutcome, log as client_log};
use crate::outbox::dead::DeadEvent;
use crate::outbox::error::RelayError;
use crate::outbox::log;
use crate::outbox::report::RelayReport;
use crate::outbox::store::{ClaimRequest, ClaimedBatch, Settled, Settlement, Store};

/// How often the gauges are set.
const GAUGE_INTERVAL: Duration = Duration::from_secs(15);

/// The phase of the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Phase {
    Running,
    /// They claim no more batches, and send and settle the claimed ones.
    Closing,
    /// They also cancel their requests.
    Canceling,
}

/// Why events stay in the outbox, for the report.
#[derive(Clone, Copy)]
enum Kept {
    /// They were not sent, since the relay is closed.
    Released,
    /// The attempt failed or was canceled.
    Failed,
    /// A drain has counted them already, or tries them again.
    Counted,
}

/// The tasks of a relay. Dropping it aborts them.
pub(super) struct Workers<S> {
    relay: Arc<Shared<S>>,
    tasks: JoinSet<()>,
    gauges: JoinSet<()>,
}

struct Shared<S> {
    client: Client,
    database: Database<S>,
    options: RelayOptions,
    mode: Mode,
    phase: watch::Sender<Phase>,
    state: Mutex<State>,
    /// The turn to claim, with the receiver of the calls of `Outbox::wake`.
    turn: tokio::sync::Mutex<watch::Receiver<u64>>,
    /// Notified when a batch was settled.
    settled: Notify,
}

impl<S: Store> Workers<S> {
    pub(super) fn spawn(
        client: &Client,
        store: S,
        wake: watch::Receiver<u64>,
        options: RelayOptions,
        mode: Mode,
    ) -> Workers<S> {
        let policy = client.retry_policy();
        let in_flight = options.in_flight;
        let relay = Arc::new(Shared {
            // The relay does the retries: in a call that retries, the lease of the batch could end.
            client: client.with_retry(policy.max_attempts(1)),
            database: Database::new(store),
            options,
            mode,
            phase: watch::Sender::new(Phase::Running),
            state: Mutex::new(State::new(policy, in_flight)),
            turn: tokio::sync::Mutex::new(wake),
            settled: Notify::new(),
        });
        let mut workers = Workers { relay, tasks: JoinSet::new(), gauges: JoinSet::new() };
        for _ in 0..in_flight {
            let relay = Arc::clone(&workers.relay);
            workers.tasks.spawn(async move { relay.work().await });
        }
        if cfg!(feature = "metrics") && mode == Mode::Run {
            let relay = Arc::clone(&workers.relay);
            workers.gauges.spawn(async move { relay.set_gauges().await });
        }
        workers
    }

    /// Waits until all workers have ended.
    pub(super) async fn join(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    pub(super) fn stop_claiming(&self) {
        self.relay.phase.send_replace(Phase::Closing);
    }

    pub(super) fn cancel_requests(&self) {
        self.relay.phase.send_replace(Phase::Canceling);
    }

    /// Ends the wait of an idle relay.
    pub(super) fn look_now(&self) {
        self.relay.settled.notify_one();
    }

    pub(super) fn report(&self) -> RelayReport {
        self.relay.state().report()
    }

    /// Returns the result of a drain.
    pub(super) fn drained(&self) -> Result<RelayReport, RelayError> {
        match self.relay.database.first_error() {
            Some(error) => Err(error.into()),
            None => Ok(self.report()),
        }
    }

    pub(super) fn store(&self) -> &S {
        &self.relay.database.store
    }

    pub(super) fn stall_reason(&self) -> Option<String> {
        self.relay.state().stall_reason()
    }

    pub(super) fn dead_letter_after(&self) -> Duration {
        self.relay.options.dead_letter_after
    }
}

impl<S: Store> Shared<S> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits until the relay has reached `phase`.
    async fn reached(&self, phase: Phase) {
        // The error of a dropped sender is impossible, since `self` owns the sender.
        drop(self.phase.subscribe().wait_for(|current| *current >= phase).await);
    }

    async fn work(&self) {
        while let Some(claimed) = self.next_batch().await {
            let (lease, events) = (claimed.lease, claimed.events.len());
            log::claimed(lease, events, claimed.attempts);
            if claimed.lease_expired {
                log::lease_expired(lease, claimed.crashes);
            }
            self.process(claimed).await;
            self.state().finished(count(events));
            self.settled.notify_one();
        }
    }

    /// Waits for a batch and claims it. Returns `None` if the worker ends.
    async fn next_batch(&self) -> Option<ClaimedBatch> {
        let mut wake = self.turn.lock().await;
        loop {
            if self.phase() > Phase::Running {
                return None;
            }
            let next = self.next_claim()?;
            let pending_first = match next {
                NextClaim::Claim { pending_first } => pending_first,
                NextClaim::WaitForSettlement => {
                    self.wait(&mut wake, false, Duration::MAX).await;
                    continue;
                }
                NextClaim::WaitUntil(until) => {
                    self.wait(&mut wake, false, until - Instant::now()).await;
                    continue;
                }
            };
            wake.mark_unchanged();
            let limits = (self.options.batch_events, self.options.batch_bytes);
            let request = ClaimRequest::new(limits, self.options.lease, pending_first);
            match self.database.run(self.database.store.claim(&request)).await {
                Ok(Some(claimed)) => {
                    self.state().claimed(count(claimed.events.len()));
                    return Some(claimed);
                }
                Ok(None) | Err(_) if self.mode == Mode::Drain => return None,
                Ok(None) => {
                    let interval = self.options.poll_interval(fastrand::f64());
                    self.wait(&mut wake, true, interval).await;
                }
                Err(backoff) => self.wait(&mut wake, false, backoff).await,
            }
        }
    }

    /// Returns the next step of the worker whose turn it is, or `None` if the worker ends.
    fn next_claim(&self) -> Option<NextClaim> {
        let state = self.state();
        let next = state.next_claim(Instant::now());
        if self.mode == Mode::Run {
            return Some(next);
        }
        let ends = state.ends_drain() || self.database.first_error().is_some();
        match next {
            _ if ends => None,
            // A drain waits for no backoff.
            NextClaim::WaitUntil(_) | NextClaim::Claim { .. } => {
                Some(NextClaim::Claim { pending_first: state.has_claimed_again() })
            }
            NextClaim::WaitForSettlement => Some(next),
        }
    }

    /// Waits for `duration`. Ends early if the relay is closed, if a batch is settled or, if
    /// `wakeable`, if `Outbox::wake` is called.
    async fn wait(&self, wake: &mut watch::Receiver<u64>, wakeable: bool, duration: Duration) {
        let closing = pin!(self.reached(Phase::Closing));
        let settled = pin!(self.settled.notified());
        let woken = pin!(async {
            // An error means that the last `Outbox` was dropped, so `wake` is not called any more.
            if !wakeable || wake.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        });
        let event = select(closing, select(settled, woken));
        if duration == Duration::MAX {
            event.await;
        } else {
            drop(timeout(duration, event).await);
        }
    }

    /// Sends a claimed batch, unless it must not be sent now, and settles it.
    async fn process(&self, claimed: ClaimedBatch) {
        if let Some((settlement, kept)) = self.before_attempt(&claimed) {
            self.settle(&claimed, settlement, kept, &[]).await;
            return;
        }
        let random = fastrand::f64();
        let others_succeed = self.state().others_succeed();
        let attempt = Attempt::new(&claimed);
        let started = Instant::now();
        let Some(mut outcomes) = self.send(&claimed, &attempt).await else {
            let unambiguous = claimed.ambiguous_for.is_none() && attempt.is_unambiguous(&[]);
            self.settle(&claimed, cancel(&claimed, unambiguous), Kept::Failed, &[]).await;
            return;
        };
        self.judge_names(&attempt, &mut outcomes, started);
        let unambiguous = claimed.ambiguous_for.is_none() && attempt.is_unambiguous(&outcomes);
        let Decision { settlement, effect } = {
            let state = self.state();
            let backoff = |failures| state.backoff(failures, random);
            let context = AttemptContext { others_succeed, backoff: &backoff, random };
            after_attempt(&claimed, &outcomes, unambiguous, &context)
        };
        self.state().apply(&effect, started, Instant::now(), fastrand::f64());
        let (delivered, dead) = (settlement.delivered.len(), settlement.dead.len());
        log::responded(claimed.lease, delivered, dead, outcomes.len() - delivered - dead);
        let kept = self.note_parts(&claimed, &settlement, &effect);
        self.settle(&claimed, settlement, kept, &reports(&attempt, &outcomes)).await;
    }

    /// Returns the settlement of a claimed batch that must not be sent now, or `None` if it can be sent.
    fn before_attempt(&self, claimed: &ClaimedBatch) -> Option<(Settlement, Kept)> {
        if self.phase() > Phase::Running {
            return Some((release(claimed), Kept::Released));
        }
        if self.mode == Mode::Drain && !self.state().first_try(claimed) {
            return Some((release(claimed), Kept::Counted));
        }
        let dead_letter_after = self.options.dead_letter_after;
        let settlement = before_attempt(claimed, dead_letter_after, fastrand::f64())?;
        log_parts(&settlement, "its lease expired several times");
        let is_halved = settlement.parts.len() > 1;
        let kept = if is_halved { self.due_again(claimed, &settlement) } else { Kept::Failed };
        Some((settlement, kept))
    }

    /// Sends the batch, and extends its lease during the request. Returns `None` if the request was
    /// canceled.
    async fn send(&self, claimed: &ClaimedBatch, attempt: &Attempt) -> Option<Vec<Outcome>> {
        let canceled = pin!(self.reached(Phase::Canceling));
        let renewals = pin!(self.renew(claimed));
        let call = pin!(attempt.send(&self.client));
        match select(call, select(canceled, renewals)).await {
            Either::Left((outcomes, _)) => Some(outcomes),
            Either::Right(_) => None,
        }
    }

    /// Extends the lease every third of its length. Never returns.
    async fn renew(&self, claimed: &ClaimedBatch) {
        let length = self.options.lease;
        loop {
            sleep(length / 3).await;
            let renewed = in_time(self.database.store.renew(claimed.lease, length)).await;
            if let Ok(false) = renewed {
                log::lease_lost(claimed.lease);
                // The request is not canceled, since the server may already have accepted the events.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Turns the refusal of an event's name into a rejection if the name is refused for good.
    fn judge_names(&self, attempt: &Attempt, outcomes: &mut [Outcome], started: Instant) {
        let mut state = self.state();
        let events = || attempt.names.iter().copied().zip(&*outcomes);
        let accepted = events().filter(|(_, outcome)| matches!(outcome, Outcome::Accepted(_)));
        state.names().accept(accepted.map(|(name, _)| name), started);
        for (index, (name, outcome)) in attempt.names.iter().zip(outcomes).enumerate() {
            let Outcome::Unsent(cause) = &*outcome else { continue };
            if let RequestError::KeyRefused { status: 403, .. } = &**cause {
                if state.names().refuse(name, Instant::now()) {
                    if let Some(rejection) = attempt.reject_name(index, cause) {
                        *outcome = rejection;
                    }
                }
            }
        }
    }

    /// Logs what happens to the events that stay in the outbox after an attempt.
    fn note_parts(&self, claimed: &ClaimedBatch, settlement: &Settlement, effect: &Effect) -> Kept {
        match effect {
            Effect::TooLarge => log_parts(settlement, "the request was too large for the server"),
            Effect::Suspected => log_parts(settlement, "it keeps failing while others succeed"),
            _ => {}
        }
        let is_due = matches!(effect, Effect::TooLarge);
        if is_due { self.due_again(claimed, settlement) } else { Kept::Failed }
    }

    /// Allows a drain to try the halves of a batch at once.
    fn due_again(&self, claimed: &ClaimedBatch, settlement: &Settlement) -> Kept {
        if self.mode == Mode::Run {
            return Kept::Failed;
        }
        self.state().halved(claimed, &settlement.parts);
        Kept::Counted
    }

    /// Counts the events that stay in the outbox. Before this call, they count as in flight.
    fn count_kept(&self, settlement: &Settlement, kept: Kept) {
        let events: u64 = settlement.parts.iter().map(|part| count(part.places.len())).sum();
        let ends = self.mode == Mode::Drain || self.phase() > Phase::Running;
        match kept {
            Kept::Released => self.state().report.released += events,
            Kept::Failed if ends => self.state().report.left += events,
            Kept::Failed | Kept::Counted => {}
        }
    }

    /// Records `settlement` in the database, then reports the outcomes of the events.
    async fn settle(
        &self,
        claimed: &ClaimedBatch,
        settlement: Settlement,
        kept: Kept,
        reports: &[(&'static str, SendOutcome<'_>)],
    ) {
        log::settling(claimed.lease);
        match self.database.settle(&settlement, self.options.lease, self.mode).await {
            Some(Settled::Recorded(dead)) => {
                log::settled(claimed.lease);
                let mut state = self.state();
                state.report.delivered += count(settlement.delivered.len());
                state.report.dead += count(settlement.dead.len());
                drop(state);
                self.report(&dead, reports);
            }
            Some(Settled::LeaseLost) => log::lease_lost(claimed.lease),
            None => {}
        }
        self.count_kept(&settlement, kept);
    }

    /// Reports outcomes to the hooks and metrics of the client, and dead events to `on_dead`.
    fn report(&self, dead: &[DeadEvent], reports: &[(&'static str, SendOutcome<'_>)]) {
        let expired = dead.iter().filter(|event| event.is_expired());
        let expired =
            expired.map(|event| (crate::event::intern(&event.name), SendOutcome::Expired));
        self.client.report_outcomes(reports.iter().copied().chain(expired));
        for event in dead {
            log::died(event);
            if let Some(hook) = &self.options.on_dead {
                if catch_unwind(AssertUnwindSafe(|| hook(event))).is_err() {
                    client_log::hook_panicked("on_dead");
                }
            }
        }
    }

    /// Sets the gauges of the outbox periodically. Never returns.
    async fn set_gauges(&self) {
        loop {
            if let Ok(counts) = in_time(self.database.store.counts()).await {
                let age = counts.oldest.and_then(|oldest| oldest.elapsed().ok());
                let pending = counts.pending + counts.sealed;
                OutboxGauges::set(pending, age.unwrap_or_default(), counts.dead);
            }
            sleep(GAUGE_INTERVAL).await;
        }
    }
}

/// Returns the final outcomes, each with the event's name.
fn reports<'a>(attempt: &Attempt, outcomes: &'a [Outcome]) -> Vec<(&'static str, SendOutcome<'a>)> {
    let events = attempt.names.iter().copied().zip(outcomes.iter().map(Outcome::as_send_outcome));
    let is_final = |outcome: &SendOutcome<'_>| match outcome {
        SendOutcome::Unsent(cause) => matches!(cause, Some(RequestError::InDoubt { .. })),
        _ => true,
    };
    events.filter(|(_, outcome)| is_final(outcome)).collect()
}

/// Logs that a batch is halved, or that its only event is retried alone.
fn log_parts(settlement: &Settlement, reason: &str) {
    match &*settlement.parts {
        [part] => log::isolated(settlement.lease, reason, part.due_in),
        [] => {}
        parts => {
            let events = parts.iter().map(|part| part.places.len()).sum();
            log::split(settlement.lease, events, reason);
        }
    }
}

fn count(events: usize) -> u64 {
    u64::try_from(events).unwrap_or(u64::MAX)
}
