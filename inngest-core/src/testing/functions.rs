//! Functions that events start, and the state of each run.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use serde::de::DeserializeOwned;

use super::store::StoredEvent;
use crate::event::{Event, EventId, InngestEvent};

/// How long a dedup id deduplicates, from its first event.
const DEDUP_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// Inngest's default number of retries of a failed function.
const DEFAULT_RETRIES: u32 = 4;

/// The body of a function, for [`EventApi::on`](super::EventApi::on).
///
/// Implemented for every `Fn(Event<E>) -> impl Future<Output: RunOutput>`.
///
/// See [testing](crate::guide::testing) in the guide.
pub trait Handler<E>: Fn(Event<E>) -> <Self as Handler<E>>::Future + Send + Sync + 'static {
    /// The future that the function returns.
    type Future: Future<Output: RunOutput> + Send + 'static;
}

impl<E, F, R> Handler<E> for F
where
    F: Fn(Event<E>) -> R + Send + Sync + 'static,
    R: Future<Output: RunOutput> + Send + 'static,
{
    type Future = R;
}

/// A value that a function can return: `()`, or a `Result`, whose error fails the attempt. Other
/// simple values are accepted and ignored.
///
/// See [testing](crate::guide::testing) in the guide.
pub trait RunOutput {
    /// Returns the error's text if the attempt failed.
    #[doc(hidden)]
    fn into_result(self) -> Result<(), String>;
}

impl<T, E: Display> RunOutput for Result<T, E> {
    fn into_result(self) -> Result<(), String> {
        self.map(drop).map_err(|error| error.to_string())
    }
}

impl<T> RunOutput for Option<T> {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

macro_rules! ignored {
    ($($type:ty)*) => {$(
        impl RunOutput for $type {
            fn into_result(self) -> Result<(), String> {
                Ok(())
            }
        }
    )*};
}

ignored!(() bool u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64 String &'static str Never);

/// The type `!` of a function that never returns. The type has no stable name yet.
type Never = <fn() -> ! as FnOutput>::Output;

#[doc(hidden)]
pub trait FnOutput {
    type Output;
}

impl<T> FnOutput for fn() -> T {
    type Output = T;
}

/// One run of a function.
///
/// See [testing](crate::guide::testing) in the guide.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Run {
    /// The function's name.
    pub function: String,
    /// The Inngest id of the event that started the run.
    pub event_id: EventId,
    /// The name of that event.
    pub event_name: String,
    /// The id that the run is deduplicated by: the event's dedup id, or else its Inngest id.
    pub dedup_id: String,
    /// The state of the run.
    pub state: RunState,
    /// The number of attempts started: 0 while the run is scheduled, 1 if the first attempt
    /// succeeds.
    pub attempts: u32,
    /// The errors of the failed attempts, in order.
    pub errors: Vec<String>,
}

/// The state of a [`Run`].
///
/// See [testing](crate::guide::testing) in the guide.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunState {
    /// The event's time is in the future: the first attempt starts then.
    Scheduled,
    /// An attempt is in progress, or about to start.
    Running,
    /// An attempt succeeded.
    Done,
    /// The event's data does not decode as the function's type, or every attempt returned an error
    /// or panicked. Holds the error of the last attempt.
    Failed(String),
}

/// Why an attempt failed.
pub(super) struct AttemptError {
    reason: String,
    retryable: bool,
}

type AttemptResult = Result<(), AttemptError>;
type AttemptFn = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = AttemptResult> + Send>> + Send + Sync>;
type BindEvent = Box<dyn Fn(Arc<StoredEvent>) -> AttemptFn + Send + Sync>;

/// The events of one name start a function.
struct Trigger {
    function: String,
    event_name: &'static str,
    bind_event: BindEvent,
}

/// A run to attempt. The result of each attempt is passed to [`Functions::finish_attempt`].
pub(super) struct StartedRun {
    pub(super) number: usize,
    pub(super) retries: u32,
    pub(super) attempt: AttemptFn,
}

#[derive(Default)]
pub(super) struct Functions {
    triggers: Vec<Trigger>,
    /// The retries set by the test, by function.
    retries: HashMap<String, u32>,
    /// When a dedup id first started a function, by function and dedup id.
    first_starts: HashMap<(String, String), i64>,
    /// The runs that have not started, by their time and in order of acceptance.
    scheduled: BTreeMap<(i64, usize), StartedRun>,
    runs: Vec<Run>,
    /// The number of runs removed by [`clear`](Functions::clear), which is the number of the first
    /// run in `runs`.
    cleared: usize,
}

impl Functions {
    pub(super) fn register<E, H>(&mut self, function: String, handler: H)
    where
        E: InngestEvent + DeserializeOwned + Send + 'static,
        H: Handler<E>,
    {
        let handler = Arc::new(handler);
        let bind_event: BindEvent = Box::new(move |event| {
            let handler = Arc::clone(&handler);
            Arc::new(move || Box::pin(attempt(Arc::clone(&handler), Arc::clone(&event))))
        });
        self.triggers.retain(|known| (&known.function, known.event_name) != (&function, E::NAME));
        self.triggers.push(Trigger { function, event_name: E::NAME, bind_event });
    }

    pub(super) fn is_registered(&self, function: &str) -> bool {
        self.triggers.iter().any(|trigger| trigger.function == function)
    }

    pub(super) fn set_retries(&mut self, function: String, retries: u32) {
        self.retries.insert(function, retries);
    }

    /// Schedules the runs of an event for the event's time. Returns whether there are any.
    pub(super) fn schedule(&mut self, event: &Arc<StoredEvent>, now: i64) -> bool {
        let mut any = false;
        for trigger in self.triggers.iter().filter(|trigger| trigger.event_name == event.name) {
            let dedup_id = event.effective_dedup_id().to_owned();
            let key = (trigger.function.clone(), dedup_id.clone());
            if self.first_starts.get(&key).is_some_and(|first| now - first < DEDUP_MILLIS) {
                continue;
            }
            self.first_starts.insert(key, now);
            let number = self.cleared + self.runs.len();
            self.runs.push(Run {
                function: trigger.function.clone(),
                event_id: event.id.clone(),
                event_name: event.name.clone(),
                dedup_id,
                state: RunState::Scheduled,
                attempts: 0,
                errors: Vec::new(),
            });
            let retries = self.retries.get(&trigger.function).copied().unwrap_or(DEFAULT_RETRIES);
            let attempt = (trigger.bind_event)(Arc::clone(event));
            // A time in the past counts as now, so that such runs start in order of acceptance.
            let time = event.ts.max(now);
            self.scheduled.insert((time, number), StartedRun { number, retries, attempt });
            any = true;
        }
        any
    }

    /// Marks the runs due at `now` as running, and returns them.
    pub(super) fn start_due(&mut self, now: i64) -> Vec<StartedRun> {
        let later = self.scheduled.split_off(&(now.saturating_add(1), 0));
        let due = std::mem::replace(&mut self.scheduled, later);
        for started in due.values() {
            if let Some(run) = self.run_mut(started.number) {
                run.state = RunState::Running;
                run.attempts = 1;
            }
        }
        due.into_values().collect()
    }

    /// Records the result of an attempt, given the retries left. Returns whether to attempt the run
    /// again.
    pub(super) fn finish_attempt(
        &mut self,
        number: usize,
        result: AttemptResult,
        retries: u32,
    ) -> bool {
        let retry = result.as_ref().is_err_and(|error| error.retryable && retries > 0);
        if let Some(run) = self.run_mut(number) {
            run.attempts += u32::from(retry);
            run.state = match result {
                Ok(()) => RunState::Done,
                Err(AttemptError { reason, .. }) => {
                    run.errors.push(reason.clone());
                    if retry { RunState::Running } else { RunState::Failed(reason) }
                }
            };
        }
        retry
    }

    /// Returns a run by its number, unless it has been cleared.
    fn run_mut(&mut self, number: usize) -> Option<&mut Run> {
        number.checked_sub(self.cleared).and_then(|index| self.runs.get_mut(index))
    }

    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Removes the runs, but keeps the dedup ids and the scheduled attempts.
    pub(super) fn clear(&mut self) {
        self.cleared += self.runs.len();
        self.runs.clear();
    }
}

async fn attempt<E, H>(handler: Arc<H>, event: Arc<StoredEvent>) -> AttemptResult
where
    E: InngestEvent + DeserializeOwned + Send + 'static,
    H: Handler<E>,
{
    let event = event.decode_for_function::<E>().map_err(|error| AttemptError {
        reason: format!(
            "the data of `{}` does not decode as `{}`: {error}",
            E::NAME,
            short_name::<E>()
        ),
        retryable: false,
    })?;
    let attempt = AssertUnwindSafe(async { (*handler)(event).await.into_result() }).catch_unwind();
    let result =
        attempt.await.unwrap_or_else(|panic| Err(format!("panicked: {}", panic_message(&*panic))));
    result.map_err(|reason| AttemptError { reason, retryable: true })
}

/// Returns a type's name without its modules.
pub(super) fn short_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let modules = name.split('<').next().unwrap_or(name);
    &name[modules.rfind("::").map_or(0, |index| index + 2)..]
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
