//! The server: connections, and what happens to a request.

use std::collections::HashSet;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::answer::{self, Answer, Body};
use super::body::{self, Events};
use super::fault::{Distortion, Fault, Faults, Instead, Kind};
use super::functions::{Functions, Started};
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
    /// The keys accepted; all of them without.
    pub(super) keys: Mutex<Option<HashSet<String>>>,
    /// How many functions are running.
    pub(super) running: watch::Sender<usize>,
    /// How many milliseconds the clock is ahead of the machine's.
    pub(super) ahead: AtomicI64,
    /// The functions' tasks; none once the test has ended.
    tasks: Mutex<Option<JoinSet<()>>>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) functions: Functions,
}

impl Server {
    pub(super) fn new() -> Server {
        Server {
            state: Mutex::default(),
            requests: Requests::default(),
            faults: Faults::default(),
            keys: Mutex::default(),
            running: watch::Sender::new(0),
            ahead: AtomicI64::new(0),
            tasks: Mutex::new(Some(JoinSet::new())),
        }
    }

    /// Ends the functions that are running, and starts no more.
    pub(super) fn end(&self) {
        drop(lock(&self.tasks).take());
    }

    fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        now.saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    async fn handle(self: Arc<Server>, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let (parts, body) = request.into_parts();
        let queued = self.faults.next();
        if let Some(Fault { kind: Kind::DropBeforeReading, delay, .. }) = queued {
            self.requests.push(ReceivedRequest::new(&parts, Bytes::new()));
            wait(delay).await;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let body = read_body(body).await;
        let request = ReceivedRequest::new(&parts, body.clone());
        let fault = queued.or_else(|| self.faults.by_rule(&request));
        self.requests.push(request);
        match fault {
            None => Ok(self.answer(&parts, &body, None).into_response()),
            Some(fault) => {
                wait(fault.delay).await;
                self.misbehave(fault, &parts, &body).await
            }
        }
    }

    async fn misbehave(
        self: Arc<Server>,
        fault: Fault,
        parts: &Parts,
        body: &Bytes,
    ) -> io::Result<Response<Body>> {
        match fault.kind {
            // A rule decides when the body has been read already.
            Kind::DropBeforeReading => Err(io::ErrorKind::ConnectionAborted.into()),
            Kind::Distorted(distortion) => {
                let fail_at = match distortion {
                    Distortion::FailAt(index) => Some(index),
                    _ => None,
                };
                let mut answer = self.answer(parts, body, fail_at);
                if let Answer::Ids { ids, .. } = &mut answer {
                    match distortion {
                        Distortion::MissingIds(count) => {
                            ids.truncate(ids.len().saturating_sub(count));
                        }
                        Distortion::EmptyIds => ids.iter_mut().for_each(String::clear),
                        Distortion::Late | Distortion::FailAt(_) | Distortion::Cut => {}
                    }
                }
                let response = answer.into_response();
                Ok(match distortion {
                    Distortion::Cut => answer::cut(response).await,
                    _ => response,
                })
            }
            Kind::Instead(instead) => {
                if fault.accepts {
                    self.answer(parts, body, None);
                }
                match instead {
                    Instead::Hang => std::future::pending().await,
                    Instead::Drop => Err(io::ErrorKind::ConnectionAborted.into()),
                    Instead::Spaces(bytes) => Ok(answer::spaces(bytes)),
                    Instead::Answer { status, headers, body } => {
                        let mut response = match body {
                            Some(body) => answer::text(status, body),
                            None => {
                                answer::error(status, status.canonical_reason().unwrap_or("Error"))
                            }
                        };
                        response.headers_mut().extend(headers);
                        Ok(response)
                    }
                }
            }
        }
    }

    fn answer(self: &Arc<Server>, parts: &Parts, body: &[u8], fail_at: Option<usize>) -> Answer {
        let key = match parts.uri.path().strip_prefix("/e/") {
            None => return Answer::Page,
            Some("") => return Answer::NoKey,
            Some(key) if key.contains('/') => return Answer::Page,
            Some(_) if parts.method != Method::POST => return Answer::WrongMethod,
            Some(key) => percent_decoded(key),
        };
        if lock(&self.keys).as_ref().is_some_and(|keys| !keys.contains(&key)) {
            return Answer::UnknownKey;
        }
        let seed = parts.headers.get("x-inngest-event-id-seed");
        let seed = seed.and_then(|seed| seed.to_str().ok());
        self.accept(body::read(body, fail_at), seed)
    }

    /// Stores events and starts their functions.
    fn accept(self: &Arc<Server>, events: Events, seed: Option<&str>) -> Answer {
        let now = self.now();
        let source = Ids::new(seed, u64::try_from(now).unwrap_or(0));
        let mut ids = Vec::with_capacity(events.good.len());
        let mut state = lock(&self.state);
        for (index, event) in events.good.into_iter().enumerate() {
            let id = source.id(index);
            let event = Arc::new(StoredEvent::new(event, EventId::new(&id), now));
            ids.push(id);
            for started in state.functions.start(&event, now) {
                self.spawn(started);
            }
            state.store.push(event);
        }
        drop(state);
        // Go's list has room for the first id from the beginning.
        if ids.is_empty() {
            ids.push(String::new());
        }
        Answer::Ids { ids, error: events.error }
    }

    fn spawn(self: &Arc<Server>, started: Started) {
        let mut tasks = lock(&self.tasks);
        let Some(tasks) = tasks.as_mut() else { return };
        while tasks.try_join_next().is_some() {}
        self.running.send_modify(|running| *running += 1);
        let server = Arc::clone(self);
        tasks.spawn(async move {
            let outcome = started.outcome.await;
            lock(&server.state).functions.finish(started.run, outcome);
            server.running.send_modify(|running| *running -= 1);
        });
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

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let escaped = match (byte, behind) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = &behind[2..];
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// A listener that can be closed from outside, at once and not only when its task is next polled.
pub(super) struct Listener(Mutex<Option<TcpListener>>);

impl Listener {
    pub(super) fn new(listener: TcpListener) -> Listener {
        Listener(Mutex::new(Some(listener)))
    }

    pub(super) fn close(&self) {
        drop(lock(&self.0).take());
    }

    /// The next connection, or none if the listener has been closed.
    async fn accept(&self) -> Option<io::Result<TcpStream>> {
        poll_fn(|context| match lock(&self.0).as_ref() {
            Some(listener) => listener
                .poll_accept(context)
                .map(|accepted| Some(accepted.map(|(stream, _)| stream))),
            None => Poll::Ready(None),
        })
        .await
    }
}

/// Serves connections until the listener is closed or the task is aborted, which ends them, too.
pub(super) async fn serve(listener: Arc<Listener>, server: Arc<Server>) {
    let mut connections = JoinSet::new();
    while let Some(accepted) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok(stream) => drop(connections.spawn(connection(stream, Arc::clone(&server)))),
            // Out of file descriptors, most likely: others may be closed soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(stream: TcpStream, server: Arc<Server>) {
    // Only a matter of speed.
    stream.set_nodelay(true).ok();
    let service = service_fn(|request| Arc::clone(&server).handle(request));
    // An error here is a client that broke off, or a fault that was asked for.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}
