//! A client for programs without a runtime.
#![allow(clippy::result_large_err, reason = "an error hands the events back")]

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use futures_util::FutureExt as _;
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::batch::Batch;
use crate::client::{BatchError, ConfigError, SendError};
use crate::event::{EventId, IntoEvent};

type Call = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Sends events and blocks until Inngest has answered. Cheap to clone: clones share one thread, which
/// has a runtime of its own, and their connections; it ends with the last clone.
///
/// It needs no runtime and is in the way of none: within an async function it works, but blocks the
/// thread, and with it whatever else the runtime would do there. Use [`Client`](crate::Client) there, or
/// `tokio::task::spawn_blocking`.
///
/// ```no_run
/// # fn run(event: impl inngest_core::InngestEvent) -> Result<(), Box<dyn std::error::Error>> {
/// use inngest_core::blocking::Client;
///
/// let client = Client::from_env()?;
/// let id = client.send(&event)?;
/// # Ok(())
/// # }
/// ```
///
/// A hook of [`ClientBuilder::after_send`](crate::ClientBuilder::after_send) runs on that thread. A call
/// that it makes by the same client would wait for itself: its events come back unsent, with
/// [`RequestError::DeadlineExceeded`](crate::RequestError::DeadlineExceeded), and no hook is told.
///
/// # Panics
///
/// Only with what is the user's: where a hook of
/// [`ClientBuilder::before_send`](crate::ClientBuilder::before_send) or a payload's `Serialize` does, and
/// where the HTTP client that the builder was given does.
#[derive(Clone)]
pub struct Client {
    client: crate::Client,
    thread: Arc<Thread>,
}

impl Client {
    /// A client configured by the environment alone: see [`Client::from_env`](crate::Client::from_env).
    pub fn from_env() -> Result<Client, ConfigError> {
        Client::new(crate::Client::from_env()?)
    }

    /// A client that sends by `client`, which it should have to itself: connections that two runtimes
    /// share break when one of them ends.
    ///
    /// ```no_run
    /// use inngest_core::{Client, blocking};
    ///
    /// let client = blocking::Client::new(Client::builder().dev(true).build()?)?;
    /// # Ok::<(), inngest_core::ConfigError>(())
    /// ```
    pub fn new(client: crate::Client) -> Result<Client, ConfigError> {
        Ok(Client { client, thread: Arc::new(Thread::start()?) })
    }

    /// Sends one event: see [`Client::send`](crate::Client::send).
    #[track_caller]
    pub fn send<E: IntoEvent>(&self, event: E) -> Result<EventId, SendError> {
        self.thread.wait_for(self.client().send(event))
    }

    /// Sends many events and returns their ids in order: see [`Client::send_all`](crate::Client::send_all).
    #[track_caller]
    pub fn send_all<I>(&self, events: I) -> Result<Vec<EventId>, BatchError>
    where
        I: IntoIterator,
        I::Item: IntoEvent,
    {
        self.thread.wait_for(self.client().send_all(events))
    }

    /// Sends a batch and returns its ids in order: see [`Client::send_batch`](crate::Client::send_batch).
    pub fn send_batch(&self, batch: &Batch) -> Result<Vec<EventId>, BatchError> {
        let client = self.client().into_owned();
        // The events themselves are shared, not copied.
        let batch = batch.pick(0..batch.len());
        self.thread.wait_for(async move { client.send_batch(&batch).await })
    }

    /// What this call sends by.
    fn client(&self) -> Cow<'_, crate::Client> {
        if self.thread.is_current() {
            Cow::Owned(self.client.with_expired_deadline())
        } else {
            Cow::Borrowed(&self.client)
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("blocking::Client").field(&self.client).finish()
    }
}

/// A thread with a runtime, which runs what it is given until it is dropped.
struct Thread {
    calls: Option<UnboundedSender<Call>>,
    thread: Option<JoinHandle<()>>,
}

impl Thread {
    fn start() -> Result<Thread, ConfigError> {
        let failed = |error| ConfigError::Thread { source: Arc::new(error) };
        let (calls, to_run) = unbounded_channel();
        let (tell, told) = mpsc::sync_channel(1);
        // The runtime is made and dropped in there: it must not be dropped where a caller's runs.
        let body = move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| tell.send(Err(error)).ok());
            if let Ok(runtime) = runtime {
                tell.send(Ok(())).ok();
                runtime.block_on(run(to_run));
                // Whoever drops the last clone does not wait for a look-up of a name that nobody needs.
                runtime.shutdown_background();
            }
        };
        let thread = thread::Builder::new().name("inngest-client".to_owned()).spawn(body);
        let thread = thread.map_err(failed)?;
        told.recv().unwrap_or_else(|gone| Err(io::Error::other(gone))).map_err(failed)?;
        Ok(Thread { calls: Some(calls), thread: Some(thread) })
    }

    fn wait_for<T: Send + 'static>(&self, call: impl Future<Output = T> + Send + 'static) -> T {
        if self.is_current() {
            return call.now_or_never().expect("without time it has nothing to wait for");
        }
        // The standard library's channel: tokio's panics where a runtime of the caller's would block.
        let (tell, told) = mpsc::sync_channel(1);
        let call = Box::pin(async move {
            // Who called waits below.
            drop(tell.send(call.await));
        });
        let given = self.calls.as_ref().is_some_and(|calls| calls.send(call).is_ok());
        assert!(given, "the thread runs as long as there is a client");
        told.recv().expect("the transport or an HTTP client of the user's own panicked")
    }

    fn is_current(&self) -> bool {
        self.thread.as_ref().is_some_and(|it| it.thread().id() == thread::current().id())
    }
}

async fn run(mut calls: UnboundedReceiver<Call>) {
    while let Some(call) = calls.recv().await {
        tokio::spawn(call);
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.calls = None;
        let here = self.is_current();
        if let Some(thread) = self.thread.take().filter(|_| !here) {
            // It has no calls left, and a panic there was told to who called.
            drop(thread.join());
        }
    }
}
