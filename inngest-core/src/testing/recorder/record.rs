//! The record of a recorder: every event that arrived, in order, and whether it was accepted.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex};

use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::super::fault_rules::FaultRules;
use super::super::functions::short_name;
use super::super::lock::lock;
use super::super::store::StoredEvent;
use crate::event::EventError;
use crate::event::{Event, EventId, InngestEvent};

/// State shared by the clones of a recorder and its clients.
pub(super) struct Record {
    state: Mutex<RecordState>,
    pub(super) faults: FaultRules,
    /// Notified after events have been accepted.
    accepted: watch::Sender<()>,
}

#[derive(Default)]
struct RecordState {
    events: Vec<RecordedEvent>,
    /// The index in `events` of each Inngest id: an event that arrives again is the same event.
    indexes: HashMap<EventId, usize>,
    /// The indexes in `events`, future ones included, of the events to reject whenever they arrive.
    rejected: BTreeSet<usize>,
    client_rejections: Vec<ClientRejection>,
    /// A logical clock. It advances with every change, so that a scope can select the changes after its start.
    clock: u64,
}

struct RecordedEvent {
    sent: SentEvent,
    status: EventStatus,
    /// When the status was set.
    since: u64,
}

enum EventStatus {
    Accepted,
    /// Holds the reason.
    NotAccepted(String),
}

/// One event, in the form that expectations use.
#[derive(Clone)]
pub(super) struct SentEvent {
    index: usize,
    /// Its `ts` is 0 if it was sent without one.
    pub(super) event: Arc<StoredEvent>,
    pub(super) line: SourceLine,
    pub(super) claimed: bool,
}

/// An event that the client rejected before sending.
#[derive(Clone)]
pub(super) struct ClientRejection {
    pub(super) error: String,
    pub(super) line: SourceLine,
    since: u64,
}

/// The line that passed an event to the client.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct SourceLine(pub(super) &'static Location<'static>);

/// The events of a scope, copied at one moment, for expectations to check.
#[derive(Default)]
pub(super) struct ScopeView {
    /// The events accepted in the scope.
    pub(super) sent: Vec<SentEvent>,
    /// The events accepted before the scope.
    pub(super) sent_before: Vec<SentEvent>,
    /// The events that arrived and were not accepted, and why.
    pub(super) not_accepted: Vec<(SentEvent, String)>,
    pub(super) client_rejections: Vec<ClientRejection>,
}

impl Record {
    pub(super) fn new() -> Record {
        let (accepted, _) = watch::channel(());
        Record { state: Mutex::default(), faults: FaultRules::default(), accepted }
    }

    /// Records events that arrived, and returns their indexes in the record.
    pub(super) fn add_arrived(&self, events: Vec<StoredEvent>, lines: &[SourceLine]) -> Vec<usize> {
        let mut state = lock(&self.state);
        let since = state.advance_clock();
        let indexes = events.into_iter().zip(lines).map(|(event, line)| {
            if let Some(index) = state.indexes.get(&event.id) {
                return *index;
            }
            let index = state.events.len();
            state.indexes.insert(event.id.clone(), index);
            let sent = SentEvent { index, event: Arc::new(event), line: *line, claimed: false };
            let status = EventStatus::NotAccepted("no response".to_owned());
            state.events.push(RecordedEvent { sent, status, since });
            index
        });
        indexes.collect()
    }

    pub(super) fn mark_accepted(&self, indexes: &[usize]) {
        self.set_status(indexes, || EventStatus::Accepted);
        self.accepted.send_replace(());
    }

    /// Marks events as not accepted, except those that were accepted before.
    pub(super) fn mark_not_accepted(&self, indexes: &[usize], reason: &str) {
        self.set_status(indexes, || EventStatus::NotAccepted(reason.to_owned()));
    }

    /// Marks the first event as refused with `error`, and the others as following it.
    pub(super) fn mark_stopped(&self, indexes: &[usize], error: &str) {
        if let Some((refused, following)) = indexes.split_first() {
            self.mark_not_accepted(&[*refused], &format!("400: {error}"));
            self.mark_not_accepted(following, "after an event that was not accepted");
        }
    }

    fn set_status(&self, indexes: &[usize], status: impl Fn() -> EventStatus) {
        let mut state = lock(&self.state);
        let since = state.advance_clock();
        for index in indexes {
            let event = &mut state.events[*index];
            if matches!(event.status, EventStatus::NotAccepted(_)) {
                event.status = status();
                event.since = since;
            }
        }
    }

    pub(super) fn add_client_rejection(&self, error: &EventError, line: SourceLine) {
        let mut state = lock(&self.state);
        let since = state.advance_clock();
        state.client_rejections.push(ClientRejection { error: error.to_string(), line, since });
    }

    /// Rejects, whenever it arrives, the new event that arrives after `nth` other new ones.
    pub(super) fn reject_nth(&self, nth: usize) {
        let mut state = lock(&self.state);
        let index = state.events.len() + nth;
        state.rejected.insert(index);
    }

    pub(super) fn clear_rejections(&self) {
        lock(&self.state).rejected.clear();
    }

    /// Returns the position in `indexes` of the first event to reject.
    pub(super) fn first_rejected(&self, indexes: &[usize]) -> Option<usize> {
        let state = lock(&self.state);
        indexes.iter().position(|index| state.rejected.contains(index))
    }

    pub(super) fn claim<'a>(&self, sent: impl IntoIterator<Item = &'a SentEvent>) {
        let mut state = lock(&self.state);
        for sent in sent {
            state.events[sent.index].sent.claimed = true;
        }
    }

    pub(super) fn clock(&self) -> u64 {
        lock(&self.state).clock
    }

    /// Returns a copy of the changes since the time `start` of the clock. It is a copy, so that a test's closures
    /// can use the recorder while they check it.
    pub(super) fn view(&self, start: u64) -> ScopeView {
        let state = lock(&self.state);
        let mut view = ScopeView::default();
        for event in &state.events {
            let sent = event.sent.clone();
            match &event.status {
                EventStatus::Accepted if event.since > start => view.sent.push(sent),
                EventStatus::Accepted => view.sent_before.push(sent),
                EventStatus::NotAccepted(reason) if event.since > start => {
                    view.not_accepted.push((sent, reason.clone()));
                }
                EventStatus::NotAccepted(_) => {}
            }
        }
        let rejections = state.client_rejections.iter();
        view.client_rejections = rejections.filter(|it| it.since > start).cloned().collect();
        view
    }

    /// Subscribes to notifications of accepted events.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.accepted.subscribe()
    }
}

impl RecordState {
    fn advance_clock(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

impl SentEvent {
    /// Decodes the event's data as `E`. The error is the text of a failure.
    pub(super) fn decode<E: InngestEvent + DeserializeOwned>(&self) -> Result<Event<E>, String> {
        self.event.decode().map_err(|error| {
            let version = self.event.version.as_deref();
            let version = version.map(|v| format!(", version `{v}`")).unwrap_or_default();
            format!(
                "`{}`{version}, sent at {}, does not decode as `{}`: {error}\nits data is {}",
                E::NAME,
                self.line,
                short_name::<E>(),
                self.event.data,
            )
        })
    }
}

pub(super) fn decode_all<E>(found: &[SentEvent]) -> Result<Vec<Event<E>>, String>
where
    E: InngestEvent + DeserializeOwned,
{
    found.iter().map(SentEvent::decode).collect()
}

/// Decodes the first event of a list that is not empty.
pub(super) fn decode_first<E>(found: &[SentEvent]) -> Result<Event<E>, String>
where
    E: InngestEvent + DeserializeOwned,
{
    found.first().map_or_else(|| unreachable!("one event was found"), SentEvent::decode)
}

impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file(), self.0.line())
    }
}
