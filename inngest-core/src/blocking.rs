//! A client for programs without an async runtime.
#![allow(clippy::result_large_err, reason = "an error returns the events")]

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

/// Sends events and blocks until Inngest has responded. Cheap to clone: clones share their
/// connections and one background thread with its own runtime. Dropping the last clone stops the
/// thread.
///
/// It works outside and inside of a runtime. In async code, however, it blocks the current thread
/// and every other task that the runtime would run on it: use [`Client`](crate::Client) there, or
/// `tokio::task::spawn_blocking`. The first call in an async task is logged as a warning.
///
/// After `fork`, create the client in the child process. The child has no copy of its parent's
/// threads, so a call with the parent's client would wait forever.
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
/// A hook of [`ClientBuilder::after_send`](crate::ClientBuilder::after_send) runs on the background
/// thread. Do not send from the hook with the same client: such a call would wait for itself.
/// It therefore fails at once, and its events are unsent with
/// [`RequestError::DeadlineExceeded`](crate::RequestError::DeadlineExceeded). No hook is called for them.
///
/// # Panics
///
/// Calls panic only if the user's code does: a hook of
/// [`ClientBuilder::before_send`](crate::ClientBuilder::before_send), a payload's `Serialize`, or
/// the HTTP client given to the builder.
///
/// See [cookbook](crate::guide::cookbook) in the guide.
#[derive(Clone)]
pub struct Client {
    client: crate::Client,
    thread: Arc<Thread>,
}

impl Client {
    /// Builds a client from environment variables only, as
    /// [`Client::from_env`](crate::Client::from_env) does.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError`] if a variable is invalid, or if the background thread cannot be started.
    pub fn from_env() -> Result<Client, ConfigError> {
        Client::new(crate::Client::from_env()?)
    }

    /// Creates a blocking client that sends with `client`. Do not use `client` elsewhere:
    /// connections that two runtimes share break when one of the runtimes ends.
    ///
    /// ```no_run
    /// use inngest_core::{Client, blocking};
    ///
    /// let client = blocking::Client::new(Client::builder().dev(true).build()?)?;
    /// # Ok::<(), inngest_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::Thread`] if the background thread cannot be started.
    pub fn new(client: crate::Client) -> Result<Client, ConfigError> {
        Ok(Client { client, thread: Arc::new(Thread::start()?) })
    }

    /// Sends one event and returns its id, as [`Client::send`](crate::Client::send) does.
    ///
    /// # Errors
    ///
    /// Returns [`SendError`] if the event was rejected or is unsent.
    #[track_caller]
    pub fn send<E: IntoEvent>(&self, event: E) -> Result<EventId, SendError> {
        self.thread.wait_for(self.client().send(event))
    }

    /// Sends many events and returns their ids in order, as
    /// [`Client::send_all`](crate::Client::send_all) does.
    ///
    /// # Errors
    ///
    /// Returns [`BatchError`], with the outcome of each event, unless all were accepted.
    #[track_caller]
    pub fn send_all<I>(&self, events: I) -> Result<Vec<EventId>, BatchError>
    where
        I: IntoIterator,
        I::Item: IntoEvent,
    {
        self.thread.wait_for(self.client().send_all(events))
    }

    /// Sends a batch and returns its events' ids in order, as
    /// [`Client::send_batch`](crate::Client::send_batch) does.
    ///
    /// # Errors
    ///
    /// Returns [`BatchError`], with the outcome of each event, unless all were accepted.
    pub fn send_batch(&self, batch: &Batch) -> Result<Vec<EventId>, BatchError> {
        let client = self.client().into_owned();
        // The copy shares the buffer of the events.
        let batch = batch.pick(0..batch.len());
        self.thread.wait_for(async move { client.send_batch(&batch).await })
    }

    /// Returns the client for one call. A call from a hook on the thread gets an expired deadline,
    /// since it would wait for itself.
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

/// A thread with its own runtime, which runs calls until the `Thread` is dropped.
struct Thread {
    calls: Option<UnboundedSender<Call>>,
    handle: Option<JoinHandle<()>>,
    /// Whether the warning about a call in an async task was logged.
    warned: AtomicBool,
}

impl Thread {
    fn start() -> Result<Thread, ConfigError> {
        let failed = |error| ConfigError::Thread { source: Arc::new(error) };
        let (calls, queued_calls) = unbounded_channel();
        let (started, start_result) = mpsc::sync_channel(1);
        // The runtime is created and dropped on the thread: dropping it inside a caller's runtime
        // panics.
        let body = move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| started.send(Err(error)).ok());
            if let Ok(runtime) = runtime {
                started.send(Ok(())).ok();
                runtime.block_on(run(queued_calls));
                // Dropping the last clone does not wait for a pending DNS lookup.
                runtime.shutdown_background();
            }
        };
        let thread = thread::Builder::new().name("inngest-client".to_owned()).spawn(body);
        let thread = thread.map_err(failed)?;
        start_result.recv().unwrap_or_else(|ended| Err(io::Error::other(ended))).map_err(failed)?;
        Ok(Thread { calls: Some(calls), handle: Some(thread), warned: AtomicBool::new(false) })
    }

    /// Runs `call` on the thread and returns its result.
    fn wait_for<T: Send + 'static>(&self, call: impl Future<Output = T> + Send + 'static) -> T {
        if self.is_current() {
            return call.now_or_never().expect("a call with an expired deadline waits for nothing");
        }
        if !self.warned.load(Relaxed) && is_in_task() && !self.warned.swap(true, Relaxed) {
            log::blocking_in_task();
        }
        // The standard library's channel, since tokio's panics when it blocks inside a caller's
        // runtime.
        let (respond, response) = mpsc::sync_channel(1);
        let call = Box::pin(async move {
            // This cannot fail, since the receiver waits below.
            drop(respond.send(call.await));
        });
        let sent = self.calls.as_ref().is_some_and(|calls| calls.send(call).is_ok());
        assert!(sent, "the thread runs as long as a client exists");
        response.recv().expect("the transport or the user's own HTTP client panicked")
    }

    /// Returns whether the caller runs on this thread.
    fn is_current(&self) -> bool {
        self.handle.as_ref().is_some_and(|it| it.thread().id() == thread::current().id())
    }
}

/// Returns whether the caller is an async task. `Handle::try_current` alone is not enough: it also
/// succeeds in `spawn_blocking` and `block_in_place`, where blocking is allowed. Only a task has a
/// tokio budget, by which an operation returns pending after 128 ready ones, so that other tasks
/// run. This performs 256 operations that are ready, and checks whether one of them returns
/// pending.
fn is_in_task() -> bool {
    if runtime::Handle::try_current().is_err() {
        return false;
    }
    let (sender, mut receiver) = unbounded_channel();
    (0..256).any(|_| sender.send(()).is_ok() && receiver.recv().now_or_never().is_none())
}

/// Runs each call as a task, until the channel is closed.
async fn run(mut calls: UnboundedReceiver<Call>) {
    while let Some(call) = calls.recv().await {
        tokio::spawn(call);
    }
}

impl Drop for Thread {
    /// Stops the thread and waits until it has ended.
    fn drop(&mut self) {
        // Closing the channel ends the thread's loop.
        self.calls = None;
        if self.is_current() {
            // The last clone was dropped by a hook on this thread, which cannot wait for itself.
            return;
        }
        if let Some(handle) = self.handle.take() {
            // Fails only if the thread panicked. Its callers have panicked then, too.
            drop(handle.join());
        }
    }
}
