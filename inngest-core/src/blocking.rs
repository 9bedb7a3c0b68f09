//! A client for programs without an async runtime.
#![allow(clippy::result_large_err, reason = "an error hands the events back")]

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use futures_util::FutureExt as _;
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::batch::Batch;
use crate::client::{BatchError, ConfigError, SendError, log};
use crate::event::{EventId, IntoEvent};

type Call = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Sends events and blocks until Inngest has responded. Cheap to clone: clones share their connections and one
/// background thread with its own runtime, which ends with the last clone.
///
/// It works without a runtime and inside one. In an async function, however, it blocks the thread, and with it all
/// other tasks that the runtime would run there: use [`Client`](crate::Client) there, or
/// `tokio::task::spawn_blocking`. The first call in a task is logged as a warning.
///
/// After `fork`, create the client in the child process: a process has no copy of its parent's threads, so a call
/// there with a client of the parent would wait forever.
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
/// A hook of [`ClientBuilder::after_send`](crate::ClientBuilder::after_send) runs on the background thread. A call
/// that the hook makes with the same client would wait for itself, so its events are unsent with
/// [`RequestError::DeadlineExceeded`](crate::RequestError::DeadlineExceeded), and no hook is called for them.
///
/// # Panics
///
/// Calls panic only if the user's code does: a hook of
/// [`ClientBuilder::before_send`](crate::ClientBuilder::before_send), a payload's `Serialize`, or the HTTP client
/// given to the builder.
#[derive(Clone)]
pub struct Client {
    client: crate::Client,
    thread: Arc<Thread>,
}

impl Client {
    /// Builds a client from the environment alone: see [`Client::from_env`](crate::Client::from_env).
    pub fn from_env() -> Result<Client, ConfigError> {
        Client::new(crate::Client::from_env()?)
    }

    /// Creates a blocking client that sends with `client`. Do not use `client` elsewhere: connections shared by two
    /// runtimes break when one of them ends.
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

    /// Returns the client for this call.
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

/// A thread with a runtime, which runs the calls it is given until it is dropped.
struct Thread {
    calls: Option<UnboundedSender<Call>>,
    handle: Option<JoinHandle<()>>,
    /// Whether a call in an async task was logged.
    warned: AtomicBool,
}

impl Thread {
    fn start() -> Result<Thread, ConfigError> {
        let failed = |error| ConfigError::Thread { source: Arc::new(error) };
        let (calls, to_run) = unbounded_channel();
        let (started, start_result) = mpsc::sync_channel(1);
        // The runtime is created and dropped on the thread: dropping it inside a caller's runtime panics.
        let body = move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| started.send(Err(error)).ok());
            if let Ok(runtime) = runtime {
                started.send(Ok(())).ok();
                runtime.block_on(run(to_run));
                // Dropping the last clone does not wait for a pending DNS lookup.
                runtime.shutdown_background();
            }
        };
        let thread = thread::Builder::new().name("inngest-client".to_owned()).spawn(body);
        let thread = thread.map_err(failed)?;
        start_result.recv().unwrap_or_else(|ended| Err(io::Error::other(ended))).map_err(failed)?;
        Ok(Thread { calls: Some(calls), handle: Some(thread), warned: AtomicBool::new(false) })
    }

    fn wait_for<T: Send + 'static>(&self, call: impl Future<Output = T> + Send + 'static) -> T {
        if self.is_current() {
            return call.now_or_never().expect("a call with an expired deadline waits for nothing");
        }
        if !self.warned.load(Relaxed) && is_in_task() && !self.warned.swap(true, Relaxed) {
            log::blocking_in_task();
        }
        // The standard library's channel, since tokio's panics when it blocks inside a caller's runtime.
        let (respond, response) = mpsc::sync_channel(1);
        let call = Box::pin(async move {
            // The receiver waits below.
            drop(respond.send(call.await));
        });
        let sent = self.calls.as_ref().is_some_and(|calls| calls.send(call).is_ok());
        assert!(sent, "the thread runs while there is a client");
        response.recv().expect("the transport or the user's own HTTP client panicked")
    }

    fn is_current(&self) -> bool {
        self.handle.as_ref().is_some_and(|it| it.thread().id() == thread::current().id())
    }
}

/// Returns whether the caller is an async task. `Handle::try_current` alone would also find the threads of
/// `spawn_blocking` and `block_in_place`, which may block. Of them, tokio has a budget only for tasks: after 128
/// ready operations, a task's next one is pending, so that other tasks run.
fn is_in_task() -> bool {
    if runtime::Handle::try_current().is_err() {
        return false;
    }
    let (sender, mut receiver) = unbounded_channel();
    (0..256).any(|_| sender.send(()).is_ok() && receiver.recv().now_or_never().is_none())
}

async fn run(mut calls: UnboundedReceiver<Call>) {
    while let Some(call) = calls.recv().await {
        tokio::spawn(call);
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.calls = None;
        let is_current = self.is_current();
        if let Some(thread) = self.handle.take().filter(|_| !is_current) {
            // The thread has no calls left, and its callers have received any panic.
            drop(thread.join());
        }
    }
}
