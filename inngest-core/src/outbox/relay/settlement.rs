//! Decides what happens to the events of a claimed batch: before it is sent, and after an attempt.
//! Pure functions.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use crate::client::{Outcome, Rejection, RequestError};
use crate::outbox::dead::EXPIRED;
use crate::outbox::store::{ClaimedBatch, MAX_CRASHES, MAX_WAIT, Part, Settlement};

/// The first wait of an isolated event. It doubles up to an hour.
const ISOLATED_BACKOFF: Duration = Duration::from_secs(1);

/// What an attempt means for the relay.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// The server gave a verdict on at least one event.
    Success,
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

/// Returns the settlement of a batch that is not sent now, if there is a reason not to: its events
/// expired, or it probably crashed the relays that sent it.
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
            Outcome::Rejected(reason) => settlement.dead.push((event.place, reason_of(reason))),
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
        return Decision { settlement, effect: Effect::Success };
    };
    settlement.last_error = Some(cause.to_string());
    let failed_as_a_whole = kept.len() == claimed.events.len();
    let effect = match &**cause {
        RequestError::KeyRefused { .. } => Effect::KeyRefused(Arc::clone(cause)),
        RequestError::TooLarge { .. } => Effect::TooLarge,
        error if error.is_retryable() => Effect::Failure(Arc::clone(cause)),
        _ => Effect::Invalid(Arc::clone(cause)),
    };
    let suspected = failed_as_a_whole && context.others_succeed && may_be_cause(&effect);
    let crashes = claimed.crashes + u32::from(suspected);
    let (parts, effect) = if suspected && crashes >= MAX_CRASHES {
        (suspects(&kept, claimed, crashes, context), Effect::Suspected)
    } else {
        (retries(kept, claimed, crashes, &effect, context), effect)
    };
    settlement.parts = parts;
    Decision { settlement, effect }
}

/// Returns why an event was rejected, with the cause.
fn reason_of(rejection: &Rejection) -> String {
    match rejection.source() {
        Some(cause) => format!("{rejection}: {cause}"),
        None => rejection.to_string(),
    }
}

/// Returns whether the error is the server's verdict on an event that may have been accepted before.
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

/// Returns the rejection of an event whose name the server refuses.
pub(super) fn name_rejection(event: &'static str, cause: &RequestError) -> Outcome {
    let message = cause.message().unwrap_or_default().to_owned();
    Outcome::Rejected(Box::new(Rejection::Server { event, status: 403, message }))
}
