//! What a recorder keeps: every event that came, in order, and what became of it.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex};

use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::super::fault::Faults;
use super::super::functions::short_name;
use super::super::lock;
use super::super::store::StoredEvent;
use crate::event::EventError;
use crate::event::{Event, EventId, InngestEvent};

/// What the clones of a recorder and its clients share.
pub(super) struct Record {
    state: Mutex<State>,
    pub(super) faults: Faults,
    /// Told when events are accepted.
    accepted: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    /// Where in `entries` the event of an id stands: one that comes again is the same event.
    places: HashMap<EventId, usize>,
    /// Where events stand, or will stand, that are rejected whenever they come.
    rejected: BTreeSet<usize>,
    refused: Vec<Refused>,
    /// Counts what happened, so that a scope knows what happened after it began.
    moment: u64,
}

struct Entry {
    sent: Sent,
    fate: Fate,
    /// When its fate was decided.
    moment: u64,
}

enum Fate {
    Accepted,
    /// And why not.
    NotAccepted(String),
}

/// One event, as an expectation sees it.
#[derive(Clone)]
pub(super) struct Sent {
    place: usize,
    /// Its `ts` is 0 if it was sent without.
    pub(super) event: Arc<StoredEvent>,
    pub(super) line: Line,
    pub(super) claimed: bool,
}

/// An event that the client did not send, for a fault of its own.
#[derive(Clone)]
pub(super) struct Refused {
    pub(super) error: String,
    pub(super) line: Line,
    moment: u64,
}

/// Where an event was given to the client.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Line(pub(super) &'static Location<'static>);

/// All that expectations look at, at one time.
#[derive(Default)]
pub(super) struct View {
    /// What was accepted in the scope.
    pub(super) sent: Vec<Sent>,
    /// What was accepted before it.
    pub(super) before: Vec<Sent>,
    /// What came and was not accepted, and why.
    pub(super) not_accepted: Vec<(Sent, String)>,
    pub(super) refused: Vec<Refused>,
}

impl Record {
    pub(super) fn new() -> Record {
        let (accepted, _) = watch::channel(());
        Record { state: Mutex::default(), faults: Faults::default(), accepted }
    }

    /// Notes events that came, and says where they stand.
    pub(super) fn arrive(&self, events: Vec<StoredEvent>, lines: &[Line]) -> Vec<usize> {
        let mut state = lock(&self.state);
        let moment = state.tick();
        let places = events.into_iter().zip(lines).map(|(event, line)| {
            if let Some(place) = state.places.get(&event.id) {
                return *place;
            }
            let place = state.entries.len();
            state.places.insert(event.id.clone(), place);
            let sent = Sent { place, event: Arc::new(event), line: *line, claimed: false };
            let fate = Fate::NotAccepted("no answer".to_owned());
            state.entries.push(Entry { sent, fate, moment });
            place
        });
        places.collect()
    }

    pub(super) fn accept(&self, places: &[usize]) {
        self.decide(places, || Fate::Accepted);
        self.accepted.send_replace(());
    }

    /// An event that was accepted before stays so.
    pub(super) fn not_accept(&self, places: &[usize], why: &str) {
        self.decide(places, || Fate::NotAccepted(why.to_owned()));
    }

    fn decide(&self, places: &[usize], fate: impl Fn() -> Fate) {
        let mut state = lock(&self.state);
        let moment = state.tick();
        for place in places {
            let entry = &mut state.entries[*place];
            if matches!(entry.fate, Fate::NotAccepted(_)) {
                entry.fate = fate();
                entry.moment = moment;
            }
        }
    }

    pub(super) fn refuse(&self, error: &EventError, line: Line) {
        let mut state = lock(&self.state);
        let moment = state.tick();
        state.refused.push(Refused { error: error.to_string(), line, moment });
    }

    /// Rejects the event before which `index` others come from now on.
    pub(super) fn reject_nth(&self, index: usize) {
        let mut state = lock(&self.state);
        let place = state.entries.len() + index;
        state.rejected.insert(place);
    }

    pub(super) fn reject_none(&self) {
        lock(&self.state).rejected.clear();
    }

    /// The first of these that is to be rejected, by its index among them.
    pub(super) fn first_rejected(&self, places: &[usize]) -> Option<usize> {
        let state = lock(&self.state);
        places.iter().position(|place| state.rejected.contains(place))
    }

    pub(super) fn claim<'a>(&self, sent: impl IntoIterator<Item = &'a Sent>) {
        let mut state = lock(&self.state);
        for sent in sent {
            state.entries[sent.place].sent.claimed = true;
        }
    }

    /// The moment at which a scope begins.
    pub(super) fn moment(&self) -> u64 {
        lock(&self.state).moment
    }

    /// What happened after `since`. A copy, since a test's closures that look at it may ask for more.
    pub(super) fn view(&self, since: u64) -> View {
        let state = lock(&self.state);
        let mut view = View::default();
        for entry in &state.entries {
            let sent = entry.sent.clone();
            match &entry.fate {
                Fate::Accepted if entry.moment > since => view.sent.push(sent),
                Fate::Accepted => view.before.push(sent),
                Fate::NotAccepted(why) if entry.moment > since => {
                    view.not_accepted.push((sent, why.clone()));
                }
                Fate::NotAccepted(_) => {}
            }
        }
        let refused = state.refused.iter().filter(|refused| refused.moment > since);
        view.refused = refused.cloned().collect();
        view
    }

    pub(super) fn accepted(&self) -> watch::Receiver<()> {
        self.accepted.subscribe()
    }
}

impl State {
    fn tick(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }
}

impl Sent {
    /// The event as its type, or a text that says why it is not.
    pub(super) fn decode<E: InngestEvent + DeserializeOwned>(&self) -> Result<Event<E>, String> {
        self.event.decode().map_err(|error| {
            format!(
                "`{}`, sent at {}, does not decode as `{}`: {error}\nits data is {}",
                E::NAME,
                self.line,
                short_name::<E>(),
                self.event.data,
            )
        })
    }
}

pub(super) fn decoded<E>(found: &[Sent]) -> Result<Vec<Event<E>>, String>
where
    E: InngestEvent + DeserializeOwned,
{
    found.iter().map(Sent::decode).collect()
}

/// The first of what is known to be at least one.
pub(super) fn first<E>(found: &[Sent]) -> Result<Event<E>, String>
where
    E: InngestEvent + DeserializeOwned,
{
    found.first().map_or_else(|| unreachable!("an expectation of one is met"), Sent::decode)
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file(), self.0.line())
    }
}
