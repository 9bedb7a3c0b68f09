//! Decides what happens to the events of a claimed batch: before it is sent, and after an attempt.
//! Pure functions.

use std::sync::Arc;
use std::time::Duration;

use crate::client::{Outcome, Rejection, RequestError};
use crate::event::EventError;
use crate::outbox::dead::EXPIRED;
use crate::outbox::store::{ClaimedBatch, MAX_CRASHES, MAX_WAIT, Part, Settlement};

/// After this many attempts, a batch that may be the cause of its failures is halved even if no other
/// batch succeeds, since there may be no other batch. In an outage, the pace of the relay limits the
/// number of halves.
const MAX_ATTEMPTS_AS_A_WHOLE: u32 = 8;

/// The first wait of an isolated event. It doubles up to an hour.
const ISOLATED_BACKOFF: Duration = Duration::from_secs(1);

/// The effect of an attempt on the pace and the state of the relay.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// Each event was accepted or rejected, and at least one of them by the server.
    Success,
    /// No event was sent: each is invalid.
    NotSent,
    /// A transient failure.
    Failure(Arc<RequestError>),
    /// The batch itself probably caused the failure, so it does not slow down the others.
    Suspected,
    /// The request was too large for the server.
    TooLarge,
    /// The server refuses the key.
    KeyRefused(Arc<RequestError>),
    /// The server refuses the request as a whole, or its response is invalid.
    Invalid(Arc<RequestError>),
}

/// The circumstances of an attempt.
pub(super) struct AttemptContext<'a> {
    /// Whether requests with other batches succeeded when the batch was claimed.
    pub(super) others_succeed: bool,
    /// Returns the backoff after a number of failures.
    pub(super) backoff: &'a dyn Fn(u32) -> Duration,
    /// A random number from 0 to 1.
    pub(super) random: f64,
}

/// The decision about an attempt.
pub(super) struct Decision {
    pub(super) settlement: Settlement,
    pub(super) effect: Effect,
}

/// Returns the settlement of a batch that must not be sent now: its events have expired, or it probably
/// crashed the relays that sent it. Returns `None` if it can be sent.
pub(super) fn before_attempt(
    claimed: &ClaimedBatch,
    dead_letter_after: Duration,
    random: f64,
) -> Option<Settlement> {
    let places = || claimed.events.iter().map(|event| event.place);
    if claimed.ambiguous_for.is_some_and(|age| age >= dead_letter_after) {
        let dead = places().map(|place| (place, EXPIRED.to_owned())).collect();
        return Some(Settlement { dead, ..settlement(claimed) });
    }
    if !claimed.lease_expired || claimed.crashes < MAX_CRASHES {
        return None;
    }
    let parts = if claimed.events.len() > 1 {
        halves(&places().collect::<Vec<_>>(), Duration::ZERO, 0, MAX_CRASHES - 1)
    } else {
        vec![Part {
            places: places().collect(),
            due_in: isolated_backoff(claimed.crashes, random),
            attempts: claimed.attempts,
            crashes: claimed.crashes,
        }]
    };
    Some(Settlement { parts, ..settlement(claimed) })
}

/// Returns the settlement of a batch that was claimed and not sent. It is due at once, and the claim
/// does not count as an attempt.
pub(super) fn release(claimed: &ClaimedBatch) -> Settlement {
    let attempts = claimed.attempts.saturating_sub(1);
    due_at_once(claimed, attempts, claimed.ambiguous_for.is_none())
}

/// Returns the settlement of a batch whose request was canceled. It is due at once.
pub(super) fn cancel(claimed: &ClaimedBatch, unambiguous: bool) -> Settlement {
    let attempts = claimed.attempts.saturating_sub(u32::from(unambiguous));
    due_at_once(claimed, attempts, unambiguous)
}

fn due_at_once(claimed: &ClaimedBatch, attempts: u32, unambiguous: bool) -> Settlement {
    let part = Part {
        places: claimed.events.iter().map(|event| event.place).collect(),
        due_in: Duration::ZERO,
        attempts,
        crashes: claimed.crashes,
    };
    Settlement { parts: vec![part], unambiguous, ..settlement(claimed) }
}

/// Decides about an attempt. `outcomes` has one entry for each event of the batch, and
/// `unambiguous` is whether none of them may have been accepted without a response.
pub(super) fn after_attempt(
    claimed: &ClaimedBatch,
    outcomes: &[Outcome],
    unambiguous: bool,
    context: &AttemptContext<'_>,
) -> Decision {
    let mut settlement = Settlement { unambiguous, ..settlement(claimed) };
    let mut kept = Vec::new();
    let mut causes = Vec::new();
    for (event, outcome) in claimed.events.iter().zip(outcomes) {
        match outcome {
            Outcome::Accepted(_) => settlement.delivered.push(event.place),
            Outcome::Rejected(reason) => settlement.dead.push((event.place, dead_reason(reason))),
            Outcome::Unsent(cause) if is_verdict(cause) => {
                settlement.dead.push((event.place, cause.to_string()));
            }
            Outcome::Unsent(cause) => {
                kept.push(event.place);
                causes.push(cause);
            }
        }
    }
    let Some(cause) = causes.into_iter().max_by_key(|cause| severity(cause)) else {
        let was_sent = !outcomes.iter().all(is_invalid);
        let effect = if was_sent { Effect::Success } else { Effect::NotSent };
        return Decision { settlement, effect };
    };
    settlement.last_error = Some(cause.to_string());
    let failed_as_a_whole = kept.len() == claimed.events.len();
    let effect = match &**cause {
        RequestError::KeyRefused { .. } => Effect::KeyRefused(Arc::clone(cause)),
        RequestError::TooLarge { .. } => Effect::TooLarge,
        error if error.is_retryable() => Effect::Failure(Arc::clone(cause)),
        _ => Effect::Invalid(Arc::clone(cause)),
    };
    let may_be_cause = failed_as_a_whole && may_be_cause(&effect);
    let suspected = may_be_cause && context.others_succeed;
    let crashes = claimed.crashes + u32::from(suspected);
    let (parts, effect) = if suspected && crashes >= MAX_CRASHES {
        (suspects(&kept, claimed, crashes, context), Effect::Suspected)
    } else if may_be_cause && kept.len() > 1 && claimed.attempts >= MAX_ATTEMPTS_AS_A_WHOLE {
        (halves(&kept, (context.backoff)(1), 0, MAX_CRASHES - 1), effect)
    } else {
        (retries(kept, claimed, crashes, &effect, context), effect)
    };
    settlement.parts = parts;
    Decision { settlement, effect }
}

/// Returns whether the event was rejected without a request.
fn is_invalid(outcome: &Outcome) -> bool {
    let Outcome::Rejected(reason) = outcome else { return false };
    matches!(**reason, Rejection::Event(_))
}

/// Returns why a rejected event is dead.
fn dead_reason(rejection: &Rejection) -> String {
    match rejection {
        // The row is not an event. The text of the error itself would be about the caller's types.
        Rejection::Event(EventError::Serialize { source, .. }) => source.to_string(),
        _ => rejection.to_string(),
    }
}

/// Returns whether the server rejected an event that it may have accepted in an earlier attempt.
fn is_verdict(cause: &RequestError) -> bool {
    matches!(cause, RequestError::InDoubt { .. })
}

/// Orders the causes of a batch: the most severe one decides about the relay.
fn severity(cause: &RequestError) -> (u8, Option<Duration>) {
    let rank = match cause {
        RequestError::KeyRefused { .. } => 3,
        error if error.is_retryable() => 2,
        RequestError::TooLarge { .. } => 1,
        _ => 0,
    };
    (rank, cause.retry_after())
}

/// Returns whether the batch may be the cause of the failure. A server that sends `Retry-After`
/// reports its own state.
fn may_be_cause(effect: &Effect) -> bool {
    match effect {
        Effect::Failure(error) => error.is_ambiguous() && error.retry_after().is_none(),
        Effect::Invalid(_) => true,
        _ => false,
    }
}

/// Returns the parts of a batch that is suspected to be the cause of its failures: two halves, or
/// the single event, which has its own backoff.
fn suspects(
    kept: &[u32],
    claimed: &ClaimedBatch,
    crashes: u32,
    context: &AttemptContext<'_>,
) -> Vec<Part> {
    if kept.len() > 1 {
        return halves(kept, (context.backoff)(1), 0, MAX_CRASHES - 1);
    }
    vec![Part {
        places: kept.to_vec(),
        due_in: isolated_backoff(crashes, context.random),
        attempts: claimed.attempts,
        crashes,
    }]
}

/// Returns the parts of a batch that is sent again.
fn retries(
    kept: Vec<u32>,
    claimed: &ClaimedBatch,
    crashes: u32,
    effect: &Effect,
    context: &AttemptContext<'_>,
) -> Vec<Part> {
    let attempts = claimed.attempts;
    let (due_in, attempts) = match effect {
        Effect::TooLarge => return halves(&kept, Duration::ZERO, attempts, crashes),
        Effect::KeyRefused(_) => (Duration::ZERO, attempts.saturating_sub(1)),
        Effect::Failure(error) => {
            let backoff = (context.backoff)(attempts);
            (backoff.max(error.retry_after().unwrap_or_default()), attempts)
        }
        _ => ((context.backoff)(attempts), attempts),
    };
    vec![Part { places: kept, due_in: due_in.min(MAX_WAIT), attempts, crashes }]
}

/// Returns the two halves of a batch, or the only event.
fn halves(places: &[u32], due_in: Duration, attempts: u32, crashes: u32) -> Vec<Part> {
    let (first, second) = places.split_at(places.len().div_ceil(2));
    let part = |places: &[u32]| Part { places: places.to_vec(), due_in, attempts, crashes };
    [first, second].into_iter().filter(|places| !places.is_empty()).map(part).collect()
}

/// Returns the wait of an event that failed `crashes` times while others succeeded.
fn isolated_backoff(crashes: u32, random: f64) -> Duration {
    let doublings = crashes.saturating_sub(MAX_CRASHES).min(31);
    let half = (ISOLATED_BACKOFF * 2_u32.pow(doublings)).min(MAX_WAIT) / 2;
    half + half.mul_f64(random)
}

fn settlement(claimed: &ClaimedBatch) -> Settlement {
    Settlement { lease: claimed.lease, ..Settlement::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::store::{Lease, StoredEvent};

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn claimed(events: u32) -> ClaimedBatch {
        let event = |place| StoredEvent {
            place,
            name: "test/sent".to_owned(),
            body: b"{}".to_vec(),
            traceparent: None,
        };
        ClaimedBatch {
            lease: Lease::default(),
            seed: [1; 16],
            // After the first place was settled.
            events: (1..=events).map(event).collect(),
            attempts: 1,
            crashes: 0,
            lease_expired: false,
            ambiguous_for: None,
        }
    }

    /// Returns the number of events, the attempts and the crashes of each part.
    fn parts(settlement: &Settlement) -> Vec<(usize, u32, u32)> {
        let part = |part: &Part| (part.places.len(), part.attempts, part.crashes);
        settlement.parts.iter().map(part).collect()
    }

    #[test]
    fn a_batch_is_sent_unless_it_expired_or_its_lease_expired_three_times() {
        let before = |events, ambiguous_for, lease_expired, crashes| {
            let batch = ClaimedBatch { crashes, lease_expired, ambiguous_for, ..claimed(events) };
            before_attempt(&batch, HOUR * 23, 1.0)
        };
        assert!(before(4, None, false, 0).is_none());
        assert!(before(4, Some(HOUR * 22), true, 2).is_none());
        assert!(before(4, None, false, 3).is_none(), "it failed, and its wait has ended");
        let expired = before(2, Some(HOUR * 23), true, 9).expect("a settlement");
        assert_eq!(expired.dead, [(1, "expired".to_owned()), (2, "expired".to_owned())]);
        assert!(expired.parts.is_empty() && !expired.unambiguous);
        let halved = before(5, Some(HOUR), true, 3).expect("a settlement");
        assert_eq!(parts(&halved), [(3, 0, 2), (2, 0, 2)]);
        assert_eq!(halved.parts[1].places, [4, 5]);
        let alone = before(1, Some(HOUR), true, 4).expect("a settlement");
        assert_eq!(parts(&alone), [(1, 1, 4)]);
        assert_eq!(alone.parts[0].due_in, SECOND * 2);
    }

    #[test]
    fn the_waits_of_an_isolated_event_double_up_to_an_hour() {
        for (crashes, least, most) in [
            (0, SECOND / 2, SECOND),
            (3, SECOND / 2, SECOND),
            (4, SECOND, SECOND * 2),
            (14, SECOND * 1024, SECOND * 2048),
            (15, HOUR / 2, HOUR),
            (u32::MAX, HOUR / 2, HOUR),
        ] {
            assert_eq!(isolated_backoff(crashes, 0.0), least, "{crashes}");
            assert_eq!(isolated_backoff(crashes, 1.0), most, "{crashes}");
        }
    }

    fn unavailable(status: u16, retry_after: Option<Duration>) -> RequestError {
        RequestError::Unavailable { status, message: String::new(), retry_after }
    }

    /// Returns the decision about a batch of which no event was accepted.
    fn after(
        batch: &ClaimedBatch,
        error: RequestError,
        others_succeed: bool,
    ) -> (&'static str, Settlement) {
        let outcomes = vec![Outcome::Unsent(Arc::new(error)); batch.events.len()];
        let backoff = |failures| SECOND * failures;
        let context = AttemptContext { others_succeed, backoff: &backoff, random: 1.0 };
        let Decision { settlement, effect } = after_attempt(batch, &outcomes, false, &context);
        let effect = match effect {
            Effect::Success => "success",
            Effect::NotSent => "not sent",
            Effect::Failure(_) => "failure",
            Effect::Suspected => "suspected",
            Effect::TooLarge => "too large",
            Effect::KeyRefused(_) => "key refused",
            Effect::Invalid(_) => "invalid",
        };
        (effect, settlement)
    }

    #[test]
    fn a_failed_batch_is_kept_and_only_what_it_may_have_caused_counts_against_it() {
        let message = String::new;
        let refused = RequestError::KeyRefused { status: 401, message: message() };
        let deadline = RequestError::Timeout { after: SECOND };
        let page = RequestError::InvalidResponse { status: 200, problem: message() };
        let gateway = RequestError::Refused { status: 400, message: message() };
        // The error, the effect, and the part if others succeed: attempts, crashes, wait.
        let cases = [
            (unavailable(500, None), "failure", (2, 1, SECOND * 2)),
            (unavailable(503, Some(SECOND * 9)), "failure", (2, 0, SECOND * 9)),
            (unavailable(503, Some(HOUR * 9)), "failure", (2, 0, HOUR)),
            (unavailable(429, None), "failure", (2, 0, SECOND * 2)),
            (deadline, "failure", (2, 1, SECOND * 2)),
            (page, "invalid", (2, 1, SECOND * 2)),
            (gateway, "invalid", (2, 1, SECOND * 2)),
            (refused, "key refused", (1, 0, Duration::ZERO)),
        ];
        let batch = ClaimedBatch { attempts: 2, ..claimed(3) };
        for (error, expected, (attempts, crashes, due_in)) in cases {
            let name = error.to_string();
            let (effect, settlement) = after(&batch, error.clone(), true);
            assert_eq!(effect, expected, "{name}");
            assert_eq!(settlement.last_error.as_ref(), Some(&name));
            let places = vec![1, 2, 3];
            assert_eq!(settlement.parts, [Part { places, due_in, attempts, crashes }], "{name}");
            let (_, settlement) = after(&batch, error, false);
            assert_eq!(settlement.parts[0].crashes, 0, "{name}, as do the others");
        }
    }

    #[test]
    fn a_batch_that_keeps_failing_is_halved() {
        let error = || unavailable(500, None);
        let after = |events, attempts, crashes, others_succeed| {
            let batch = ClaimedBatch { attempts, crashes, ..claimed(events) };
            let (effect, settlement) = after(&batch, error(), others_succeed);
            (effect, parts(&settlement))
        };
        assert_eq!(after(5, 3, 2, true), ("suspected", vec![(3, 0, 2), (2, 0, 2)]));
        assert_eq!(after(1, 3, 2, true), ("suspected", vec![(1, 3, 3)]));
        // While nothing else succeeds.
        assert_eq!(after(5, 7, 2, false), ("failure", vec![(5, 7, 2)]));
        assert_eq!(after(5, 8, 0, false), ("failure", vec![(3, 0, 2), (2, 0, 2)]));
        assert_eq!(after(1, 80, 0, false), ("failure", vec![(1, 80, 0)]));
    }

    #[test]
    fn a_request_that_is_too_large_is_halved_without_a_wait() {
        let batch = ClaimedBatch { attempts: 4, crashes: 1, ..claimed(3) };
        let error = RequestError::TooLarge { message: String::new() };
        let (effect, settlement) = after(&batch, error, true);
        assert_eq!((effect, parts(&settlement)), ("too large", vec![(2, 4, 1), (1, 4, 1)]));
        assert!(settlement.parts.iter().all(|part| part.due_in.is_zero()));
    }
}
