//! Functions that events start, and what became of each run.

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

/// How long a dedup id is remembered, from its first event.
const DEDUP_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// How often Inngest runs a failed function again, if the function does not say.
const RETRIES: u32 = 4;

/// A function's body: what [`EventApi::on`](super::EventApi::on) takes. Every
/// `Fn(Event<E>) -> impl Future<Output: RunOutput>` is one.
pub trait Handler<E>: Fn(Event<E>) -> <Self as Handler<E>>::Future + Send + Sync + 'static {
    /// What the function returns.
    type Future: Future<Output: RunOutput> + Send + 'static;
}

impl<E, F, R> Handler<E> for F
where
    F: Fn(Event<E>) -> R + Send + Sync + 'static,
    R: Future<Output: RunOutput> + Send + 'static,
{
    type Future = R;
}

/// What a function may return: nothing, or a `Result` whose error fails the attempt. Small values
/// pass, too, and are ignored.
pub trait RunOutput {
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

/// `!`, what a function returns that never does, has no stable name.
type Never = <fn() -> ! as Returning>::Output;

#[doc(hidden)]
pub trait Returning {
    type Output;
}

impl<T> Returning for fn() -> T {
    type Output = T;
}

/// One run of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Run {
    /// The function's name.
    pub function: String,
    /// The Inngest id of the event that started it.
    pub event_id: EventId,
    /// That event's name.
    pub event_name: String,
    /// What it was deduplicated by: the event's own id, or else its Inngest id.
    pub dedup_id: String,
    /// How far it has come.
    pub state: RunState,
    /// How often the function has been begun: 0 while it is scheduled, 1 if it succeeds at once.
    pub attempts: u32,
    /// What the attempts that failed said, in order.
    pub errors: Vec<String>,
}

/// How far a [`Run`] has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunState {
    /// The event's time is in the future, and so is the first attempt.
    Scheduled,
    /// The function has not returned yet, or is about to be tried again.
    Running,
    /// The function has returned.
    Done,
    /// The event's data did not fit the function's type, or the function returned an error or
    /// panicked at every attempt: the last reason.
    Failed(String),
}

/// Why an attempt failed.
pub(super) struct Failure {
    reason: String,
    /// Whether another attempt may come to something else.
    again: bool,
}

type Outcome = Result<(), Failure>;
type Attempt = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;
type Begin = Box<dyn Fn(Arc<StoredEvent>) -> Attempt + Send + Sync>;

struct Trigger {
    function: String,
    event: &'static str,
    begin: Begin,
}

/// A run that is to be attempted; what comes of it is reported to [`Functions::finish`].
pub(super) struct Started {
    pub(super) run: usize,
    pub(super) retries: u32,
    pub(super) attempt: Attempt,
}

#[derive(Default)]
pub(super) struct Functions {
    triggers: Vec<Trigger>,
    /// How often a function is retried, where a test says so.
    retries: HashMap<String, u32>,
    /// When a function was first started for a dedup id.
    first: HashMap<(String, String), i64>,
    /// The runs whose time has not come, by that time and in order of acceptance.
    scheduled: BTreeMap<(i64, usize), Started>,
    runs: Vec<Run>,
    /// The runs that were forgotten: the others' numbers go on from there.
    forgotten: usize,
}

impl Functions {
    pub(super) fn register<E, H>(&mut self, function: String, handler: H)
    where
        E: InngestEvent + DeserializeOwned + Send + 'static,
        H: Handler<E>,
    {
        let handler = Arc::new(handler);
        let begin: Begin = Box::new(move |event| {
            let handler = Arc::clone(&handler);
            Arc::new(move || Box::pin(attempt(Arc::clone(&handler), Arc::clone(&event))))
        });
        self.triggers.retain(|known| (&known.function, known.event) != (&function, E::NAME));
        self.triggers.push(Trigger { function, event: E::NAME, begin });
    }

    pub(super) fn is_registered(&self, function: &str) -> bool {
        self.triggers.iter().any(|trigger| trigger.function == function)
    }

    pub(super) fn set_retries(&mut self, function: String, retries: u32) {
        self.retries.insert(function, retries);
    }

    /// Schedules the runs of an event for the event's time. Says whether there are any.
    pub(super) fn schedule(&mut self, event: &Arc<StoredEvent>, now: i64) -> bool {
        let mut any = false;
        for trigger in self.triggers.iter().filter(|trigger| trigger.event == event.name) {
            let dedup_id = event.effective_dedup_id().to_owned();
            let key = (trigger.function.clone(), dedup_id.clone());
            if self.first.get(&key).is_some_and(|first| now - first < DEDUP_MILLIS) {
                continue;
            }
            self.first.insert(key, now);
            let run = self.forgotten + self.runs.len();
            self.runs.push(Run {
                function: trigger.function.clone(),
                event_id: event.id.clone(),
                event_name: event.name.clone(),
                dedup_id,
                state: RunState::Scheduled,
                attempts: 0,
                errors: Vec::new(),
            });
            let retries = self.retries.get(&trigger.function).copied().unwrap_or(RETRIES);
            let attempt = (trigger.begin)(Arc::clone(event));
            // A time in the past is none to go by: what came first runs first.
            let time = event.ts.max(now);
            self.scheduled.insert((time, run), Started { run, retries, attempt });
            any = true;
        }
        any
    }

    /// The runs whose time has come.
    pub(super) fn due(&mut self, now: i64) -> Vec<Started> {
        let later = self.scheduled.split_off(&(now.saturating_add(1), 0));
        let due = std::mem::replace(&mut self.scheduled, later);
        for started in due.values() {
            if let Some(run) = self.run(started.run) {
                run.state = RunState::Running;
                run.attempts = 1;
            }
        }
        due.into_values().collect()
    }

    /// What an attempt came to, with so many retries left. Says whether there is to be another.
    pub(super) fn finish(&mut self, run: usize, outcome: Outcome, retries: u32) -> bool {
        let again = outcome.as_ref().is_err_and(|failure| failure.again && retries > 0);
        if let Some(run) = self.run(run) {
            run.attempts += u32::from(again);
            run.state = match outcome {
                Ok(()) => RunState::Done,
                Err(Failure { reason, .. }) => {
                    run.errors.push(reason.clone());
                    if again { RunState::Running } else { RunState::Failed(reason) }
                }
            };
        }
        again
    }

    /// A run by its number, if it has not been forgotten.
    fn run(&mut self, run: usize) -> Option<&mut Run> {
        run.checked_sub(self.forgotten).and_then(|run| self.runs.get_mut(run))
    }

    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Forgets the runs, but not what was deduplicated by.
    pub(super) fn clear(&mut self) {
        self.forgotten += self.runs.len();
        self.runs.clear();
    }
}

async fn attempt<E, H>(handler: Arc<H>, event: Arc<StoredEvent>) -> Outcome
where
    E: InngestEvent + DeserializeOwned + Send + 'static,
    H: Handler<E>,
{
    let event = event.decode_for_function::<E>().map_err(|error| Failure {
        reason: format!(
            "the data of `{}` does not decode as `{}`: {error}",
            E::NAME,
            short_name::<E>()
        ),
        again: false,
    })?;
    let finished = AssertUnwindSafe(async { (*handler)(event).await.into_result() }).catch_unwind();
    let result =
        finished.await.unwrap_or_else(|panic| Err(format!("panicked: {}", message(&*panic))));
    result.map_err(|reason| Failure { reason, again: true })
}

/// A type's name without the modules it is in.
pub(super) fn short_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let modules = name.split('<').next().unwrap_or(name);
    &name[modules.rfind("::").map_or(0, |at| at + 2)..]
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
