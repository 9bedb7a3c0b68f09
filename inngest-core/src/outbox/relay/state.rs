//! The state that the workers of a relay share, and its transitions. Pure: the clock and random
//! numbers are passed in.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::settlement::Effect;
use crate::client::{Outage, Pace, RequestError, RetryPolicy};
use crate::outbox::log;
use crate::outbox::report::RelayReport;
use crate::outbox::store::{ClaimedBatch, Part};

/// After this many consecutive invalid responses, the relay stalls.
const MAX_INVALID: u32 = 3;
/// After this many consecutive failures, a drain ends.
const MAX_DRAIN_FAILURES: u32 = 3;
const FIRST_PROBE: Duration = Duration::from_secs(1);
const MAX_PROBE_WAIT: Duration = Duration::from_secs(60);

pub(super) struct State {
    pace: Pace,
    outage: Outage,
    stall: Option<Stall>,
    /// Consecutive invalid responses.
    invalid: u32,
    /// Consecutive attempts that failed.
    failures: u32,
    names: RefusedNames,
    /// Batches that are claimed and not settled.
    in_flight: usize,
    /// The events in them.
    events_in_flight: u64,
    max_in_flight: usize,
    /// For a drain: the batches that it has tried, each once.
    tried: HashSet<i64>,
    /// For a drain: the number of events in each half of a batch that it has not claimed yet, by the
    /// seed and the first place.
    halves: HashMap<([u8; 16], u32), u64>,
    /// For a drain: how often it claimed a batch that it had tried. Then no untried batch is due.
    claimed_again: u32,
    pub(super) report: RelayReport,
}

/// Why the relay sends nothing but probes.
#[derive(Debug)]
struct Stall {
    reason: String,
    since: Instant,
    probes: u32,
    next_probe: Instant,
}

/// What a worker does next.
#[derive(Debug, PartialEq)]
pub(super) enum NextClaim {
    /// Claims a batch.
    Claim {
        /// Whether pending events are claimed before a batch that is due.
        pending_first: bool,
    },
    /// Waits until another batch is settled.
    WaitForSettlement,
    /// Waits until this time.
    WaitUntil(Instant),
}

impl State {
    pub(super) fn new(policy: RetryPolicy, max_in_flight: usize) -> State {
        State {
            pace: Pace::new(policy),
            outage: Outage::default(),
            stall: None,
            invalid: 0,
            failures: 0,
            names: RefusedNames::default(),
            in_flight: 0,
            events_in_flight: 0,
            max_in_flight,
            tried: HashSet::new(),
            halves: HashMap::new(),
            claimed_again: 0,
            report: RelayReport::default(),
        }
    }

    /// Returns whether a batch may be claimed now. While requests fail, the batches are sent one at
    /// a time.
    pub(super) fn next_claim(&self, now: Instant) -> NextClaim {
        let max =
            if self.stall.is_some() { 1 } else { self.pace.max_in_flight(self.max_in_flight) };
        if self.in_flight >= max {
            return NextClaim::WaitForSettlement;
        }
        let next_probe = self.stall.as_ref().map(|stall| stall.next_probe);
        let until = self.pace.paused_until(now).max(next_probe.filter(|probe| *probe > now));
        match until {
            Some(until) => NextClaim::WaitUntil(until),
            // Batches that fail repeatedly become due repeatedly. After every second failure, new events
            // are tried first, since they may be accepted.
            None => NextClaim::Claim { pending_first: self.failures % 2 == 1 },
        }
    }

    /// Returns whether a drain ends instead of claiming another batch.
    pub(super) fn ends_drain(&self) -> bool {
        self.stall.is_some() || self.failures >= MAX_DRAIN_FAILURES || self.claimed_again > 1
    }

    /// Returns whether a drain has claimed a batch again. It then claims pending events only.
    pub(super) fn has_claimed_again(&self) -> bool {
        self.claimed_again > 0
    }

    /// Returns whether a drain tries the batch for the first time.
    pub(super) fn first_try(&mut self, claimed: &ClaimedBatch) -> bool {
        if let Some(first) = claimed.events.first() {
            self.halves.remove(&(claimed.seed, first.place));
        }
        let first = self.tried.insert(claimed.lease.batch);
        self.claimed_again += u32::from(!first);
        first
    }

    /// Allows a drain to claim a batch again, since it is divided into `halves`. Until these are claimed,
    /// their events count as left.
    pub(super) fn halved(&mut self, claimed: &ClaimedBatch, halves: &[Part]) {
        self.tried.remove(&claimed.lease.batch);
        for places in halves.iter().map(|half| &half.places) {
            if let Some(first) = places.first() {
                self.halves.insert((claimed.seed, *first), places.len() as u64);
            }
        }
    }

    /// Records that a batch with `events` events was claimed.
    pub(super) fn claimed(&mut self, events: u64) {
        self.in_flight += 1;
        self.events_in_flight += events;
    }

    /// Records that a claimed batch was settled, or could not be settled.
    pub(super) fn finished(&mut self, events: u64) {
        self.in_flight -= 1;
        self.events_in_flight -= events;
    }

    /// Returns the report, in which events in flight, and events of halves that a drain did not try,
    /// count as left.
    pub(super) fn report(&self) -> RelayReport {
        let halves: u64 = self.halves.values().sum();
        RelayReport { left: self.report.left + self.events_in_flight + halves, ..self.report }
    }

    /// Returns whether the last requests succeeded, or there were none.
    pub(super) fn others_succeed(&self) -> bool {
        !self.pace.is_failing() && self.stall.is_none() && self.invalid == 0
    }

    /// Returns the wait after `failures` failures.
    pub(super) fn backoff(&self, failures: u32, random: f64) -> Duration {
        // A claimed batch has at least one attempt, unless another program changed its row.
        self.pace.backoff(failures.max(1), random)
    }

    /// Returns why the relay is stalled, if it is.
    pub(super) fn stall_reason(&self) -> Option<String> {
        self.stall.as_ref().map(|stall| stall.reason.clone())
    }

    /// Returns the names whose refusals the relay keeps track of.
    pub(super) fn names(&mut self) -> &mut RefusedNames {
        &mut self.names
    }

    /// Adapts the pace and the stall to the effect of an attempt that started at `started`.
    pub(super) fn apply(&mut self, effect: &Effect, started: Instant, now: Instant, random: f64) {
        match effect {
            Effect::Success | Effect::NotSent | Effect::TooLarge => {}
            _ => self.failures += 1,
        }
        match effect {
            Effect::Success => self.succeed(started),
            Effect::Failure(error) => {
                if error.retry_after().is_some() {
                    self.failures = MAX_DRAIN_FAILURES;
                }
                self.fail(error, started, now, random);
                self.probe_failed(error, started, now);
            }
            Effect::KeyRefused(error) => self.stall(error, started, now),
            Effect::Invalid(error) => {
                self.invalid += 1;
                if self.invalid >= MAX_INVALID || self.stall.is_some() {
                    self.stall(error, started, now);
                } else {
                    self.fail(error, started, now, random);
                }
            }
            Effect::NotSent | Effect::Suspected | Effect::TooLarge => {}
        }
    }

    /// Slows the pace down after a failure.
    fn fail(&mut self, error: &RequestError, started: Instant, now: Instant, random: f64) {
        self.pace.failed(started, now, error.retry_after(), random);
        let until = self.pace.paused_until(now);
        self.outage.failed(error, until.map_or(Duration::ZERO, |until| until - now));
    }

    fn succeed(&mut self, started: Instant) {
        self.pace.succeeded(started);
        if !self.pace.is_failing() {
            self.outage.end();
        }
        self.invalid = 0;
        self.failures = 0;
        // A request that started before the stall does not show that its cause is gone.
        if self.stall.as_ref().is_some_and(|stall| started >= stall.since) {
            self.stall = None;
            log::no_longer_stalled();
        }
    }

    /// Stalls the relay, or schedules the next probe if it is stalled.
    fn stall(&mut self, error: &Arc<RequestError>, started: Instant, now: Instant) {
        let reason = error.to_string();
        if let Some(stall) = &mut self.stall {
            stall.reason = reason;
            self.probe_failed(error, started, now);
        } else {
            log::stalled(&reason, FIRST_PROBE);
            let next_probe = now + FIRST_PROBE;
            self.stall = Some(Stall { reason, since: now, probes: 0, next_probe });
        }
    }

    /// Schedules the next probe of a stalled relay: after 1, 2, 4 .. 60 s.
    fn probe_failed(&mut self, error: &RequestError, started: Instant, now: Instant) {
        if let Some(stall) = self.stall.as_mut().filter(|stall| started >= stall.since) {
            stall.probes += 1;
            let wait = FIRST_PROBE.saturating_mul(2_u32.saturating_pow(stall.probes));
            let wait = wait.min(MAX_PROBE_WAIT);
            stall.next_probe = now + wait;
            log::still_stalled(&error.to_string(), wait);
        }
    }
}

/// The event names that the server refused with 403. The key can have a list of allowed names, but a
/// 403 can also be about the key. A name counts as refused for good if an event of another name was
/// accepted after the first refusal, and the name is then refused again. The accepting attempt must
/// have started after the first refusal: an earlier one does not show that the key is still valid.
#[derive(Default)]
pub(super) struct RefusedNames {
    /// The start of the last attempt by which an event was accepted.
    accepted: Option<Instant>,
    /// When each name was first refused.
    refused: HashMap<&'static str, Instant>,
}

impl RefusedNames {
    /// Records that an event of each of `names` was accepted by an attempt that started at `started`.
    pub(super) fn accept(&mut self, names: impl Iterator<Item = &'static str>, started: Instant) {
        for name in names {
            self.accepted = self.accepted.max(Some(started));
            if self.refused.is_empty() {
                break;
            }
            self.refused.remove(name);
        }
    }

    /// Records that the server refused `name`. Returns whether it is refused for good.
    pub(super) fn refuse(&mut self, name: &'static str, now: Instant) -> bool {
        let refused_at = *self.refused.entry(name).or_insert(now);
        self.accepted > Some(refused_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::store::Lease;

    const SECOND: Duration = Duration::from_secs(1);

    fn refused() -> Effect {
        Effect::KeyRefused(Arc::new(RequestError::KeyRefused {
            status: 401,
            message: String::new(),
        }))
    }

    fn invalid() -> Effect {
        let problem = "a page".to_owned();
        Effect::Invalid(Arc::new(RequestError::InvalidResponse { status: 200, problem }))
    }

    fn failure(retry_after: Option<Duration>) -> Effect {
        let message = String::new();
        Effect::Failure(Arc::new(RequestError::Unavailable { status: 503, message, retry_after }))
    }

    fn state() -> State {
        State::new(RetryPolicy::default(), 4)
    }

    #[test]
    fn a_stalled_relay_probes_with_one_batch_after_1_2_4_up_to_60_seconds() {
        let mut state = state();
        let mut now = Instant::now();
        state.apply(&refused(), now, now, 0.0);
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            let next_probe = now + SECOND * seconds;
            assert_eq!(state.next_claim(now), NextClaim::WaitUntil(next_probe));
            now = next_probe;
            assert!(matches!(state.next_claim(now), NextClaim::Claim { .. }));
            state.claimed(1);
            assert_eq!(state.next_claim(now), NextClaim::WaitForSettlement);
            state.apply(&refused(), now, now, 0.0);
            state.finished(1);
        }
        let started = now - SECOND * 1_000;
        state.apply(&Effect::Success, started, now, 0.0);
        assert!(state.stall_reason().is_some(), "it started before the stall");
        state.apply(&Effect::NotSent, now, now, 0.0);
        assert!(state.stall_reason().is_some(), "nothing was sent");
        state.apply(&Effect::Success, now, now, 0.0);
        assert_eq!(state.stall_reason(), None);
        assert_eq!(state.next_claim(now), NextClaim::Claim { pending_first: false });
    }

    #[test]
    fn three_invalid_responses_in_a_row_stall() {
        let now = Instant::now();
        let mut state = state();
        for effect in [invalid(), invalid(), Effect::Success, invalid(), invalid()] {
            state.apply(&effect, now, now, 0.0);
            assert_eq!(state.stall_reason(), None);
        }
        assert!(!state.others_succeed());
        state.apply(&invalid(), now, now, 0.0);
        assert!(state.stall_reason().is_some_and(|reason| reason.contains("a page")));
    }

    #[test]
    fn while_requests_fail_new_events_and_due_batches_take_turns() {
        let mut state = state();
        let mut now = Instant::now();
        for pending_first in [true, false, true] {
            state.apply(&failure(None), now, now, 0.0);
            now += SECOND * 60;
            assert_eq!(state.next_claim(now), NextClaim::Claim { pending_first });
        }
    }

    #[test]
    fn a_drain_ends_after_a_stall_a_retry_after_three_failures_or_batches_that_it_tried() {
        let now = Instant::now();
        let ends_after = |effects: &[Effect]| {
            let mut state = state();
            for effect in effects {
                state.apply(effect, now, now, 0.0);
            }
            state.ends_drain()
        };
        assert!(ends_after(&[refused()]));
        assert!(ends_after(&[failure(Some(Duration::ZERO))]));
        assert!(ends_after(&[failure(None), Effect::Suspected, failure(None)]));
        assert!(!ends_after(&[failure(None), failure(None), Effect::Success, failure(None)]));
        assert!(!ends_after(&[Effect::TooLarge, Effect::TooLarge, Effect::TooLarge]));
        let batch = |batch| ClaimedBatch {
            lease: Lease { batch, ..Lease::default() },
            seed: [1; 16],
            events: Vec::new(),
            attempts: 1,
            crashes: 0,
            lease_expired: false,
            ambiguous_for: None,
        };
        let (one, two) = (batch(1), batch(2));
        let mut state = state();
        assert!(state.first_try(&one) && state.first_try(&two));
        state.halved(&one, &[]);
        assert!(state.first_try(&one) && !state.has_claimed_again());
        assert!(!state.first_try(&one) && state.has_claimed_again() && !state.ends_drain());
        assert!(!state.first_try(&two) && state.ends_drain());
    }

    #[test]
    fn events_in_flight_are_left_until_they_are_settled() {
        let mut state = state();
        state.claimed(5);
        state.claimed(2);
        state.report.delivered += 2;
        state.finished(2);
        let report = state.report();
        assert_eq!((report.delivered, report.left), (2, 5));
    }

    #[test]
    fn a_name_is_refused_for_good_after_a_later_attempt_with_another_name() {
        let start = Instant::now();
        let mut names = RefusedNames::default();
        names.accept(["a"].into_iter(), start);
        assert!(!names.refuse("b", start + SECOND));
        assert!(!names.refuse("b", start + SECOND * 2), "the key may be refused");
        names.accept(["a"].into_iter(), start + SECOND);
        assert!(!names.refuse("b", start + SECOND * 3), "it started before the refusal had come");
        names.accept(["a"].into_iter(), start + SECOND * 4);
        assert!(names.refuse("b", start + SECOND * 5));
        assert!(!names.refuse("c", start + SECOND * 5), "another name");
        names.accept(["b"].into_iter(), start + SECOND * 6);
        assert!(!names.refuse("b", start + SECOND * 7), "it was accepted meanwhile");
    }
}
