//! The server: how a request is handled.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::body;
use super::fault::Fault;
use super::fault_plan::{FaultReply, ReadEvents};
use super::fault_rules::FaultRules;
use super::functions::{Functions, StartedRun};
use super::keys::{Keys, percent_decoded};
use super::lock::lock;
use super::request::{ReceivedRequest, Requests};
use super::response::{self, ApiResponse, ResponseBody};
use super::seed::IdSource;
use super::store::{Store, StoredEvent};
use crate::event::EventId;

/// State shared by the connections and the test.
pub(super) struct Server {
    pub(super) state: Mutex<ServerState>,
    pub(super) requests: Requests,
    pub(super) faults: FaultRules,
    pub(super) keys: Mutex<Keys>,
    pub(super) limits: Mutex<Limits>,
    /// Notified after events have been stored.
    pub(super) stored: watch::Sender<()>,
    /// The number of runs in progress.
    pub(super) running: watch::Sender<usize>,
    /// How many milliseconds this clock is ahead of the machine's.
    clock_offset: AtomicI64,
    /// The functions' tasks; `None` after [`shut_down`](Server::shut_down).
    tasks: Mutex<Option<JoinSet<()>>>,
    /// The runtime of the tasks, also if another thread moves the clock.
    runtime: Handle,
}

/// The limits of the memory and the time that a client's request can use.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) body_bytes: usize,
    /// The timeout for the headers of a request, and again for its body.
    pub(super) read_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { body_bytes: 32 * 1024 * 1024, read_timeout: Duration::from_secs(30) }
    }
}

#[derive(Default)]
pub(super) struct ServerState {
    pub(super) store: Store,
    pub(super) functions: Functions,
}

impl Server {
    /// Creates a server whose functions run in the current runtime.
    pub(super) fn new() -> Server {
        Server {
            state: Mutex::default(),
            requests: Requests::default(),
            faults: FaultRules::default(),
            keys: Mutex::default(),
            limits: Mutex::default(),
            stored: watch::Sender::new(()),
            running: watch::Sender::new(0),
            clock_offset: AtomicI64::new(0),
            tasks: Mutex::new(Some(JoinSet::new())),
            runtime: Handle::current(),
        }
    }

    /// Aborts the running functions, and starts no more.
    pub(super) fn shut_down(&self) {
        drop(lock(&self.tasks).take());
    }

    pub(super) fn advance(self: &Arc<Server>, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let offset = self.clock_offset.load(Ordering::Relaxed).saturating_add(millis);
        self.clock_offset.store(offset, Ordering::Relaxed);
        self.run_due();
    }

    fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        now.saturating_add(self.clock_offset.load(Ordering::Relaxed))
    }

    pub(super) async fn handle(
        self: Arc<Server>,
        request: Request<Incoming>,
        read_timeout: Duration,
    ) -> io::Result<Response<ResponseBody>> {
        let (parts, body) = request.into_parts();
        let queued = self.faults.take_queued();
        let unread = queued.as_ref().is_some_and(Fault::closes_before_reading);
        let limit = lock(&self.limits).body_bytes;
        let body =
            if unread { Ok(Bytes::new()) } else { read_body(body, limit, read_timeout).await };
        let read = body.as_ref().ok().cloned().unwrap_or_default();
        let received = ReceivedRequest::new(&parts, read);
        let fault = queued.or_else(|| self.faults.for_request(&received));
        self.requests.push(received);

        let (events, request) = match body.and_then(|body| self.read(&parts, &body)) {
            Ok((events, error)) => {
                let ids = events.iter().map(|event| event.id.as_str().to_owned()).collect();
                (events, Ok(ReadEvents { ids, error }))
            }
            Err(response) => (Vec::new(), Err(response)),
        };
        let fault = fault.or_else(|| self.faults.for_events(&events));
        let plan = fault.unwrap_or_else(Fault::none).apply(request);
        if !plan.delay.is_zero() {
            tokio::time::sleep(plan.delay).await;
        }
        self.accept(events.into_iter().take(plan.accepted));
        match plan.reply {
            FaultReply::Respond(response) => Ok(response.into_http()),
            FaultReply::RespondTruncated(response) => {
                Ok(response::truncated(response.into_http()).await)
            }
            FaultReply::RespondSpaces(bytes) => Ok(response::spaces(bytes)),
            FaultReply::CloseBeforeReading | FaultReply::Close => {
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            FaultReply::Hang => std::future::pending().await,
        }
    }

    /// Returns a request's events and the error in the event after them, or the response to a request
    /// without events.
    fn read(
        &self,
        parts: &Parts,
        body: &[u8],
    ) -> Result<(Vec<StoredEvent>, Option<String>), ApiResponse> {
        let key = match parts.uri.path().strip_prefix("/e/") {
            None => return Err(ApiResponse::HtmlPage),
            Some("") => return Err(ApiResponse::MissingKey),
            Some(key) if key.contains('/') => return Err(ApiResponse::HtmlPage),
            Some(_) if parts.method != Method::POST => return Err(ApiResponse::MethodNotAllowed),
            Some(key) => percent_decoded(key),
        };
        lock(&self.keys).check_key(&key)?;
        let now = self.now();
        let ids = IdSource::new(&parts.headers, u64::try_from(now).unwrap_or(0));
        let body::ParsedBody { events, error } = body::parse(body);
        let stored = |(index, event)| StoredEvent::new(event, EventId::new(&ids.id(index)), now);
        let events: Vec<_> = events.into_iter().enumerate().map(stored).collect();
        lock(&self.keys).check_events(&key, &events)?;
        Ok((events, error))
    }

    /// Stores events and starts their functions.
    fn accept(self: &Arc<Server>, events: impl Iterator<Item = StoredEvent>) {
        let now = self.now();
        let mut state = lock(&self.state);
        for event in events {
            let event = Arc::new(event);
            if state.functions.schedule(&event, now) && event.ts > now {
                self.spawn(Arc::clone(self).run_due_in(event.ts.abs_diff(now)));
            }
            state.store.push(event);
        }
        drop(state);
        self.run_due();
        self.stored.send_replace(());
    }

    /// Starts the runs that are due.
    fn run_due(self: &Arc<Server>) {
        // The lock is held, so that no run is visible as running before it is counted.
        let mut state = lock(&self.state);
        for started in state.functions.start_due(self.now()) {
            self.running.send_modify(|running| *running += 1);
            self.spawn(Arc::clone(self).run(started));
        }
    }

    async fn run_due_in(self: Arc<Server>, millis: u64) {
        // Waits one millisecond longer, since both clocks are truncated to whole milliseconds.
        tokio::time::sleep(Duration::from_millis(millis + 1)).await;
        self.run_due();
    }

    /// Attempts a run until it succeeds or its retries are used up. Inngest waits between attempts; this
    /// server retries at once.
    async fn run(self: Arc<Server>, started: StartedRun) {
        let mut retries = started.retries;
        loop {
            let result = (started.attempt)().await;
            if !lock(&self.state).functions.finish_attempt(started.number, result, retries) {
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

/// Returns the body, or the part of it that arrived before an error: Inngest reads the body as a stream,
/// and accepts the complete events of an interrupted request.
async fn read_body(
    mut body: Incoming,
    limit: usize,
    read_timeout: Duration,
) -> Result<Bytes, ApiResponse> {
    let (mut bytes, mut received) = (Vec::new(), 0_usize);
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            let Some(data) = frame.data_ref() else { continue };
            received = received.saturating_add(data.len());
            // Bytes beyond the limit are read, too, since a client that is still sending could miss the response.
            if received <= limit {
                bytes.extend_from_slice(data);
            } else {
                bytes = Vec::new();
            }
        }
    };
    let error = |status| ApiResponse::Custom { status, headers: HeaderMap::new(), body: None };
    if tokio::time::timeout(read_timeout, read).await.is_err() {
        return Err(error(StatusCode::REQUEST_TIMEOUT));
    }
    if received > limit { Err(error(StatusCode::PAYLOAD_TOO_LARGE)) } else { Ok(bytes.into()) }
}
