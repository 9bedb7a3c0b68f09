//! [`EventApi`]: what a test sees of the server.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::task::AbortHandle;

use super::fault::Fault;
use super::functions::{Handler, Run, short_name};
use super::listener::{Listener, serve};
use super::lock;
use super::request::ReceivedRequest;
use super::server::Server;
use super::store::{EventType, StoredEvent};
use crate::client::Client;
use crate::event::{Event, InngestEvent};

/// An Event API in this process: a real HTTP server on a loopback port that answers as Inngest's Dev
/// Server does, keeps what it receives and runs functions.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use inngest_core::testing::EventApi;
/// use inngest_core::{Event, InngestEvent};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, InngestEvent)]
/// #[inngest(name = "storefront/coupon.applied", id = "coupon-applied-{code}")]
/// struct CouponApplied {
///     code: String,
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let api = EventApi::start().await;
/// api.on("thank", |event: Event<CouponApplied>| async move {
///     println!("{} was applied", event.data.code);
/// });
///
/// let client = api.client();
/// let coupon = CouponApplied { code: "SPRING".into() };
/// client.send(&coupon).await?;
/// client.send(&coupon).await?;
/// api.idle().await;
///
/// assert_eq!(api.events_of::<CouponApplied>().len(), 2);
/// assert_eq!(api.runs_of("thank").len(), 1);
/// # Ok::<(), inngest_core::SendError>(())
/// # })?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It needs a tokio runtime with time and I/O enabled, and lives in the one that started it. When it
/// is dropped, its port is closed, and its connections and functions are ended.
///
/// It keeps every request and every event in memory; [`clear`](EventApi::clear) forgets them.
///
/// # Where it differs from Inngest
///
/// - A failed function is tried again at once: Inngest waits, longer from one time to the next. One whose
///   event does not decode as its type is not tried again, since nothing can come of it.
/// - What is not open source is a guess: the 403 of [`accept_only_events`](EventApi::accept_only_events),
///   and that such a request is refused as a whole.
/// - JSON nested more than 127 levels deep and escaped halves of surrogate pairs are errors.
/// - Form-encoded bodies are not read.
pub struct EventApi {
    server: Arc<Server>,
    listener: Arc<Listener>,
    task: AbortHandle,
    address: SocketAddr,
    url: String,
}

impl EventApi {
    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// There is no free port, or no tokio runtime.
    pub async fn start() -> EventApi {
        match EventApi::bind((Ipv4Addr::LOCALHOST, 0)).await {
            Ok(api) => api,
            Err(error) => panic!("the Event API found no free port on 127.0.0.1: {error}"),
        }
    }

    /// Starts a server at an address, such as `"127.0.0.1:8288"`.
    ///
    /// # Errors
    ///
    /// The address is in use, or is none of this machine.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<EventApi> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let listener = Arc::new(Listener::new(listener));
        let server = Arc::new(Server::new());
        let task = tokio::spawn(serve(Arc::clone(&listener), Arc::clone(&server))).abort_handle();
        let url = format!("http://{}", reachable(address));
        Ok(EventApi { server, listener, task, address, url })
    }

    /// The base URL, such as `http://127.0.0.1:49152`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address it listens at.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client of this server, in dev mode, that reads nothing from the environment. For other
    /// settings, give [`url`](EventApi::url) to a builder.
    ///
    /// # Panics
    ///
    /// No HTTP client can be built.
    #[must_use]
    pub fn client(&self) -> Client {
        let client = Client::builder().no_env().dev(true).base_url(self.url()).build();
        client.expect("a client of a loopback address")
    }

    /// Registers a function: `handler` runs for events of `E`, once for each dedup id within 24 hours.
    /// An event without a dedup id has its Inngest id for one.
    ///
    /// Several functions may take one event, and a function several events: dedup ids are kept apart by
    /// the function's name. The same function for the same event again replaces the handler.
    ///
    /// An event with a time in the future starts its functions when this server's clock gets there; see
    /// [`advance`](EventApi::advance).
    ///
    /// A function fails if the data does not decode as `E`, if it returns an error or if it panics. It
    /// is then tried again, at once, up to 4 times or as [`retries`](EventApi::retries) says. What came
    /// of it is in [`runs`](EventApi::runs).
    pub fn on<E>(&self, name: impl Into<String>, handler: impl Handler<E>)
    where
        E: InngestEvent + DeserializeOwned + Send + 'static,
    {
        lock(&self.server.state).functions.register(name.into(), handler);
    }

    /// Sets how often a function is tried again when it fails, for the events to come: 4 times if
    /// nothing is said, as at Inngest.
    ///
    /// # Panics
    ///
    /// No function of this name has been registered.
    #[track_caller]
    pub fn retries(&self, function: &str, retries: u32) {
        let mut state = lock(&self.server.state);
        let registered = state.functions.is_registered(function);
        if registered {
            state.functions.set_retries(function.to_owned(), retries);
        }
        drop(state);
        assert!(registered, "there is no function `{function}`");
    }

    /// Waits until all functions are done: none is running, and none will be tried again. Those that
    /// accepted events start have been started when the sender gets the answer, and those whose time
    /// has come when [`advance`](EventApi::advance) returns. Those whose time has not come are not
    /// waited for.
    pub async fn idle(&self) {
        // An error would mean that the server is gone, which this holds.
        self.server.running.subscribe().wait_for(|running| *running == 0).await.ok();
    }

    /// Every run of every function, in the order of the events.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        lock(&self.server.state).functions.runs().to_vec()
    }

    /// The runs of one function.
    #[must_use]
    pub fn runs_of(&self, function: &str) -> Vec<Run> {
        let state = lock(&self.server.state);
        state.functions.runs().iter().filter(|run| run.function == function).cloned().collect()
    }

    /// Every event accepted, in order. Those that start nothing, since their dedup id was seen before,
    /// are among them, as Inngest stores them.
    #[must_use]
    pub fn events(&self) -> Vec<StoredEvent> {
        lock(&self.server.state).store.all()
    }

    /// The event at `index` of [`events`](EventApi::events), as soon as there is one: for senders that
    /// do not tell when they are done.
    ///
    /// It waits for as long as it takes; put `tokio::time::timeout` around it.
    pub async fn wait_for_event(&self, index: usize) -> StoredEvent {
        let mut stored = self.server.stored.subscribe();
        loop {
            let event = lock(&self.server.state).store.get(index);
            match event {
                Some(event) => return event,
                // An error would mean that the server is gone, which this holds.
                None => stored.changed().await.unwrap_or_default(),
            }
        }
    }

    /// The events with the name of `E`, decoded, in order.
    ///
    /// # Panics
    ///
    /// One of them does not decode as `E`; the message has its data. To look at events that may not,
    /// use [`StoredEvent::decode`].
    #[must_use]
    #[track_caller]
    pub fn events_of<E: InngestEvent + DeserializeOwned>(&self) -> Vec<Event<E>> {
        let events = lock(&self.server.state).store.of::<E>();
        let mut decoded = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            match event.decode() {
                Ok(event) => decoded.push(event),
                Err(error) => panic!(
                    "event {number} of {count} named `{name}` does not decode as `{type_name}`: {error}\n\
                     its id is {id}, its data is {data:#}",
                    number = index + 1,
                    count = events.len(),
                    name = E::NAME,
                    type_name = short_name::<E>(),
                    id = event.id,
                    data = event.data,
                ),
            }
        }
        decoded
    }

    /// The names and versions of the events stored, with their counts, sorted.
    #[must_use]
    pub fn event_types(&self) -> Vec<EventType> {
        lock(&self.server.state).store.types()
    }

    /// Every request received, in order, whatever was answered.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.server.requests.all()
    }

    /// Forgets requests, events and runs. The dedup ids seen stay seen; functions, faults and keys
    /// stay, and functions that are running or scheduled go on.
    pub fn clear(&self) {
        self.server.requests.clear();
        let mut state = lock(&self.server.state);
        state.store.clear();
        state.functions.clear();
    }

    /// From now on accepts only these keys, and answers 401 to others. At first, it accepts any.
    pub fn accept_only_keys<K: Into<String>>(&self, keys: impl IntoIterator<Item = K>) {
        let keys = keys.into_iter().map(Into::into).collect();
        lock(&self.server.keys).accept_only(keys);
    }

    /// From now on accepts with `key` only events of these names, as a key with an allow list does, and
    /// answers 403 to a request with others among its events, of which it accepts none. It does not
    /// make `key` one that is accepted.
    pub fn accept_only_events<N: Into<String>>(
        &self,
        key: impl Into<String>,
        names: impl IntoIterator<Item = N>,
    ) {
        let names = names.into_iter().map(Into::into).collect();
        lock(&self.server.keys).accept_only_events(key.into(), names);
    }

    /// Misbehaves at the next request, of any method and path. Called several times, at one request
    /// after the other.
    pub fn fail_next(&self, fault: Fault) {
        self.fail_next_n(1, fault);
    }

    /// Misbehaves at each of the next `times` requests.
    #[expect(clippy::needless_pass_by_value, reason = "reads as `fail_next` does")]
    pub fn fail_next_n(&self, times: usize, fault: Fault) {
        self.server.faults.queue(times, &fault);
    }

    /// Asks `rule` at every request for which [`fail_next`](EventApi::fail_next) has nothing. It
    /// replaces the rule before, and may not itself set one.
    pub fn fault_when(&self, rule: impl FnMut(&ReceivedRequest) -> Option<Fault> + Send + 'static) {
        self.server.faults.set_request_rule(Box::new(rule));
    }

    /// Asks `rule` at every event that could be accepted, for requests at which neither
    /// [`fail_next`](EventApi::fail_next) nor [`fault_when`](EventApi::fault_when) has anything. The first
    /// fault is the request's, and [`Fault::refuse`] and [`Fault::fail_at`] break it at that event. It
    /// replaces the rule before, and may not itself set one.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use inngest_core::testing::{EventApi, Fault};
    ///
    /// let api = EventApi::start().await;
    /// api.fault_when_event(|event| (event.data["sum"] == 0).then(|| Fault::refuse("nothing to pay")));
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn fault_when_event(
        &self,
        rule: impl FnMut(&StoredEvent) -> Option<Fault> + Send + 'static,
    ) {
        self.server.faults.set_event_rule(Box::new(rule));
    }

    /// Forgets the faults to come.
    pub fn clear_faults(&self) {
        self.server.faults.clear();
    }

    /// Moves this server's clock, at first the machine's, forward: by 24 hours, and dedup ids run again.
    /// Functions whose time has come then are started before it returns.
    pub fn advance(&self, time: Duration) {
        self.server.advance(time);
    }
}

impl Drop for EventApi {
    fn drop(&mut self) {
        self.listener.close();
        self.task.abort();
        self.server.end();
    }
}

impl fmt::Debug for EventApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventApi").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Where to reach what listens at `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
