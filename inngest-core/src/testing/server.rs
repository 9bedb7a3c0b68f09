//! The server: what happens to a request.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::answer::{self, Answer, Body};
use super::body;
use super::fault::{Distortion, Fault, Faults, Instead, Kind};
use super::functions::{Functions, Started};
use super::keys::{Keys, percent_decoded};
use super::lock;
use super::request::{ReceivedRequest, Requests};
use super::seed::Ids;
use super::store::{Store, StoredEvent};
use crate::event::EventId;

/// What the connections and the test share.
pub(super) struct Server {
    pub(super) state: Mutex<State>,
    pub(super) requests: Requests,
    pub(super) faults: Faults,
    pub(super) keys: Mutex<Keys>,
    /// Told when events have been stored.
    pub(super) stored: watch::Sender<()>,
    /// How many runs are under way.
    pub(super) running: watch::Sender<usize>,
    /// How many milliseconds the clock is ahead of the machine's.
    ahead: AtomicI64,
    /// The functions' tasks; none once the test has ended.
    tasks: Mutex<Option<JoinSet<()>>>,
    /// Where they run, whichever thread moves the clock.
    runtime: Handle,
}

/// What a request brings, read but not accepted.
struct Arrived {
    events: Vec<StoredEvent>,
    /// What is wrong with the event behind them.
    error: Option<String>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) functions: Functions,
}

impl Server {
    /// A server in the runtime it is made in.
    pub(super) fn new() -> Server {
        Server {
            state: Mutex::default(),
            requests: Requests::default(),
            faults: Faults::default(),
            keys: Mutex::default(),
            stored: watch::Sender::new(()),
            running: watch::Sender::new(0),
            ahead: AtomicI64::new(0),
            tasks: Mutex::new(Some(JoinSet::new())),
            runtime: Handle::current(),
        }
    }

    /// Ends the functions that are running, and starts no more.
    pub(super) fn end(&self) {
        drop(lock(&self.tasks).take());
    }

    pub(super) fn advance(self: &Arc<Server>, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let ahead = self.ahead.load(Ordering::Relaxed).saturating_add(millis);
        self.ahead.store(ahead, Ordering::Relaxed);
        self.run_due();
    }

    fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        now.saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    pub(super) async fn handle(
        self: Arc<Server>,
        request: Request<Incoming>,
    ) -> io::Result<Response<Body>> {
        let (parts, body) = request.into_parts();
        let queued = self.faults.next();
        if let Some(Fault { kind: Kind::DropBeforeReading, delay, .. }) = queued {
            self.requests.push(ReceivedRequest::new(&parts, Bytes::new()));
            wait(delay).await;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let body = read_body(body).await;
        let request = ReceivedRequest::new(&parts, body.clone());
        let by_request = queued.or_else(|| self.faults.by_request(&request));
        self.requests.push(request);
        let arrived = self.read(&parts, &body);
        let fault = by_request.or_else(|| {
            arrived.as_ref().ok().and_then(|arrived| self.faults.by_event(&arrived.events))
        });
        match fault {
            None => Ok(self.answer(arrived).into_response()),
            Some(fault) => {
                wait(fault.delay).await;
                self.misbehave(fault, arrived).await
            }
        }
    }

    async fn misbehave(
        self: Arc<Server>,
        fault: Fault,
        mut arrived: Result<Arrived, Answer>,
    ) -> io::Result<Response<Body>> {
        match fault.kind {
            // A rule decides when the body has been read already.
            Kind::DropBeforeReading => Err(io::ErrorKind::ConnectionAborted.into()),
            Kind::Distorted(distortion) => {
                if let (Distortion::FailAt { index, error }, Ok(arrived)) =
                    (&distortion, &mut arrived)
                {
                    arrived.fail_at(*index, error);
                }
                let mut answer = self.answer(arrived);
                if let Answer::Ids { ids, .. } = &mut answer {
                    distortion.distort(ids);
                }
                let response = answer.into_response();
                Ok(match distortion {
                    Distortion::Cut => answer::cut(response).await,
                    _ => response,
                })
            }
            Kind::Instead(instead) => {
                if fault.accepts {
                    self.answer(arrived);
                }
                match instead {
                    Instead::Hang => std::future::pending().await,
                    Instead::Drop => Err(io::ErrorKind::ConnectionAborted.into()),
                    Instead::Spaces(bytes) => Ok(answer::spaces(bytes)),
                    Instead::Answer { status, headers, body } => {
                        Ok(answer::of_fault(status, headers, body))
                    }
                }
            }
        }
    }

    /// A request's events, or what it is answered that brings none.
    fn read(&self, parts: &Parts, body: &[u8]) -> Result<Arrived, Answer> {
        let key = match parts.uri.path().strip_prefix("/e/") {
            None => return Err(Answer::Page),
            Some("") => return Err(Answer::NoKey),
            Some(key) if key.contains('/') => return Err(Answer::Page),
            Some(_) if parts.method != Method::POST => return Err(Answer::WrongMethod),
            Some(key) => percent_decoded(key),
        };
        lock(&self.keys).check_key(&key)?;
        let now = self.now();
        let seed = parts.headers.get("x-inngest-event-id-seed");
        let seed = seed.and_then(|seed| seed.to_str().ok());
        let ids = Ids::new(seed, u64::try_from(now).unwrap_or(0));
        let read = body::read(body);
        let stored = |(index, event)| StoredEvent::new(event, EventId::new(&ids.id(index)), now);
        let events: Vec<_> = read.good.into_iter().enumerate().map(stored).collect();
        lock(&self.keys).check_events(&key, &events)?;
        Ok(Arrived { events, error: read.error })
    }

    fn answer(self: &Arc<Server>, arrived: Result<Arrived, Answer>) -> Answer {
        arrived.map_or_else(|answer| answer, |arrived| self.accept(arrived))
    }

    /// Stores events and starts their functions.
    fn accept(self: &Arc<Server>, arrived: Arrived) -> Answer {
        let now = self.now();
        let mut ids = Vec::with_capacity(arrived.events.len());
        let mut state = lock(&self.state);
        for event in arrived.events {
            ids.push(event.id.as_str().to_owned());
            let event = Arc::new(event);
            if state.functions.schedule(&event, now) && event.ts > now {
                self.spawn(Arc::clone(self).run_due_in(event.ts.abs_diff(now)));
            }
            state.store.push(event);
        }
        drop(state);
        self.run_due();
        self.stored.send_replace(());
        // Go's list has room for the first id from the beginning.
        if ids.is_empty() {
            ids.push(String::new());
        }
        Answer::Ids { ids, error: arrived.error }
    }

    /// Starts the runs whose time has come.
    fn run_due(self: &Arc<Server>) {
        // Under the lock, so that nobody sees them running and not counted.
        let mut state = lock(&self.state);
        for started in state.functions.due(self.now()) {
            self.running.send_modify(|running| *running += 1);
            self.spawn(Arc::clone(self).run(started));
        }
    }

    async fn run_due_in(self: Arc<Server>, millis: u64) {
        // A millisecond more, since both clocks count whole ones.
        tokio::time::sleep(Duration::from_millis(millis + 1)).await;
        self.run_due();
    }

    /// Attempts a run until it succeeds or its retries are used up. Inngest waits in between; here
    /// there is nothing to wait for.
    async fn run(self: Arc<Server>, started: Started) {
        let mut retries = started.retries;
        loop {
            let outcome = (started.attempt)().await;
            if !lock(&self.state).functions.finish(started.run, outcome, retries) {
                break;
            }
            retries -= 1;
        }
        self.running.send_modify(|running| *running -= 1);
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(tasks) = lock(&self.tasks).as_mut() {
            while tasks.try_join_next().is_some() {}
            tasks.spawn_on(task, &self.runtime);
        }
    }
}

impl Arrived {
    /// Makes the event at `index` one that the server fails at.
    fn fail_at(&mut self, index: usize, error: &str) {
        if index < self.events.len() {
            self.events.truncate(index);
            self.error = Some(error.to_owned());
        }
    }
}

async fn wait(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

/// What came of the body, if it broke off: the server reads a stream and takes the events that are
/// whole.
async fn read_body(mut body: Incoming) -> Bytes {
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Some(data) = frame.data_ref() {
            bytes.extend_from_slice(data);
        }
    }
    bytes.into()
}
