//! Functions that events start, and what became of each run.

use std::any::Any;
use std::collections::HashMap;
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

/// What a function may return: nothing, or a `Result` whose error fails the run. Small values pass,
/// too, and are ignored.
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
}

/// How far a [`Run`] has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunState {
    /// The function has not returned yet.
    Running,
    /// The function has returned.
    Done,
    /// The event's data did not fit the function's type, or the function returned an error or
    /// panicked: the reason.
    Failed(String),
}

type Outcome = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
type Start = Arc<dyn Fn(Arc<StoredEvent>) -> Outcome + Send + Sync>;

struct Trigger {
    function: String,
    event: &'static str,
    start: Start,
}

/// A run that has been decided on; its outcome is reported to [`Functions::finish`].
pub(super) struct Started {
    pub(super) run: usize,
    pub(super) outcome: Outcome,
}

#[derive(Default)]
pub(super) struct Functions {
    triggers: Vec<Trigger>,
    /// When a function was first started for a dedup id.
    first: HashMap<(String, String), i64>,
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
        let start: Start = Arc::new(move |event| {
            let handler = Arc::clone(&handler);
            Box::pin(run(handler, event))
        });
        self.triggers.retain(|known| (&known.function, known.event) != (&function, E::NAME));
        self.triggers.push(Trigger { function, event: E::NAME, start });
    }

    /// The runs that an event starts.
    pub(super) fn start(&mut self, event: &Arc<StoredEvent>, now: i64) -> Vec<Started> {
        let mut started = Vec::new();
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
                state: RunState::Running,
            });
            started.push(Started { run, outcome: (trigger.start)(Arc::clone(event)) });
        }
        started
    }

    pub(super) fn finish(&mut self, run: usize, outcome: Result<(), String>) {
        let run = run.checked_sub(self.forgotten).and_then(|run| self.runs.get_mut(run));
        if let Some(run) = run {
            run.state = outcome.map_or_else(RunState::Failed, |()| RunState::Done);
        }
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

async fn run<E, H>(handler: Arc<H>, event: Arc<StoredEvent>) -> Result<(), String>
where
    E: InngestEvent + DeserializeOwned + Send + 'static,
    H: Handler<E>,
{
    let event = event.decode_for_function::<E>().map_err(|error| {
        format!("the data of `{}` does not decode as `{}`: {error}", E::NAME, short_name::<E>())
    })?;
    let finished = AssertUnwindSafe(async { (*handler)(event).await.into_result() }).catch_unwind();
    finished.await.unwrap_or_else(|panic| Err(format!("panicked: {}", message(&*panic))))
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
