//! [`EventApi`]: the server as a test uses it.

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
use super::lock::lock;
use super::request::ReceivedRequest;
use super::server::Server;
use super::store::{EventType, StoredEvent};
use crate::client::Client;
use crate::event::{Event, InngestEvent};

/// An Event API in this process: a real HTTP server on a loopback port that responds as Inngest's Dev
/// Server does, stores what it receives and runs functions.
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
/// It needs a tokio runtime with time and I/O enabled, and runs in the one that started it. Dropping it
/// closes its port and its connections, and aborts its functions.
///
/// It keeps every request and every event in memory; [`clear`](EventApi::clear) removes them. It responds with 413
/// to a request whose body is larger than [`max_body_bytes`](EventApi::max_body_bytes), and closes the connection of
/// a client that is slower than [`read_timeout`](EventApi::read_timeout).
///
/// # Where it differs from Inngest
///
/// - A failed function is retried at once; Inngest waits, with increasing delays. A function whose event
///   does not decode as its type is not retried, since every attempt would fail.
/// - Inngest's handling of keys with an allow list is not open source, so two details are assumptions: the
///   403 of [`accept_only_events`](EventApi::accept_only_events), and that the whole request is refused.
/// - JSON nested more than 127 levels deep and escaped halves of surrogate pairs are errors.
/// - Form-encoded bodies are not supported.
///
/// See [testing](crate::guide::testing) in the guide.
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
    /// Panics if no port is free, or outside of a tokio runtime.
    pub async fn start() -> EventApi {
        match EventApi::bind((Ipv4Addr::LOCALHOST, 0)).await {
            Ok(api) => api,
            Err(error) => panic!("the Event API cannot listen on 127.0.0.1: {error}"),
        }
    }

    /// Starts a server at an address, such as `"127.0.0.1:8288"`.
    ///
    /// # Errors
    ///
    /// Returns an error if the address is in use, or is not an address of this machine.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<EventApi> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let listener = Arc::new(Listener::new(listener));
        let server = Arc::new(Server::new());
        let task = tokio::spawn(serve(Arc::clone(&listener), Arc::clone(&server))).abort_handle();
        let url = format!("http://{}", reachable(address));
        Ok(EventApi { server, listener, task, address, url })
    }

    /// Returns the base URL, such as `http://127.0.0.1:49152`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns a client for this server, in dev mode. It reads nothing from the environment. For other
    /// settings, pass [`url`](EventApi::url) to a builder.
    ///
    /// # Panics
    ///
    /// Panics if no HTTP client can be built.
    #[must_use]
    pub fn client(&self) -> Client {
        let client = Client::builder().no_env().dev(true).base_url(self.url()).build();
        client.expect("a client of a loopback address")
    }

    /// Registers a function: `handler` runs for events of `E`, once for each dedup id within 24 hours. An
    /// event without a dedup id is deduplicated by its Inngest id.
    ///
    /// One event can start several functions, and one function can be registered for several events. Dedup
    /// ids are tracked per function name. Registering a function again for the same event replaces the
    /// handler.
    ///
    /// An event with a time in the future starts its functions when this server's clock reaches that time;
    /// see [`advance`](EventApi::advance).
    ///
    /// An attempt fails if the function returns an error or panics, or if the data does not decode as `E`.
    /// A failed attempt is retried at once, up to 4 times or as set by [`retries`](EventApi::retries),
    /// unless the data does not decode. [`runs`](EventApi::runs) returns the results.
    pub fn on<E>(&self, name: impl Into<String>, handler: impl Handler<E>)
    where
        E: InngestEvent + DeserializeOwned + Send + 'static,
    {
        lock(&self.server.state).functions.register(name.into(), handler);
    }

    /// Sets the number of retries of a function, for events accepted from now on. The default is 4, as in
    /// Inngest.
    ///
    /// # Panics
    ///
    /// Panics if no function of this name is registered.
    #[track_caller]
    pub fn retries(&self, function: &str, retries: u32) {
        let mut state = lock(&self.server.state);
        let registered = state.functions.is_registered(function);
        if registered {
            state.functions.set_retries(function.to_owned(), retries);
        }
        drop(state);
        assert!(registered, "no function named `{function}` is registered");
    }

    /// Waits until no function is running or about to be retried.
    ///
    /// The functions of an accepted event count as running before the sender receives the response.
    /// Functions that become due by [`advance`](EventApi::advance) count as running before `advance`
    /// returns. This method does not wait for functions that are scheduled for the future.
    pub async fn idle(&self) {
        // This fails only after the server is dropped, which `self` prevents.
        self.server.running.subscribe().wait_for(|running| *running == 0).await.ok();
    }

    /// Returns every run of every function, in the order of the events.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        lock(&self.server.state).functions.runs().to_vec()
    }

    /// Returns the runs of one function.
    #[must_use]
    pub fn runs_of(&self, function: &str) -> Vec<Run> {
        let state = lock(&self.server.state);
        state.functions.runs().iter().filter(|run| run.function == function).cloned().collect()
    }

    /// Returns every accepted event, in order. As in Inngest, this includes events that start no function
    /// because their dedup id is a duplicate.
    #[must_use]
    pub fn events(&self) -> Vec<StoredEvent> {
        lock(&self.server.state).store.all()
    }

    /// Waits for the event at `index` of [`events`](EventApi::events), and returns it. Use it for senders
    /// that do not report when they have finished.
    ///
    /// The wait has no time limit; wrap it in `tokio::time::timeout`.
    pub async fn wait_for_event(&self, index: usize) -> StoredEvent {
        let mut stored = self.server.stored.subscribe();
        loop {
            let event = lock(&self.server.state).store.get(index);
            match event {
                Some(event) => return event,
                // This fails only after the server is dropped, which `self` prevents.
                None => stored.changed().await.unwrap_or_default(),
            }
        }
    }

    /// Returns the events with the name of `E`, decoded, in order.
    ///
    /// # Panics
    ///
    /// Panics if one of them does not decode as `E`; the message contains the event's data. For events that
    /// may not decode, use [`StoredEvent::decode`].
    #[must_use]
    #[track_caller]
    pub fn events_of<E: InngestEvent + DeserializeOwned>(&self) -> Vec<Event<E>> {
        let events = lock(&self.server.state).store.of_type::<E>();
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

    /// Returns the names and versions of the stored events with their counts, sorted.
    #[must_use]
    pub fn event_types(&self) -> Vec<EventType> {
        lock(&self.server.state).store.types()
    }

    /// Returns every request received, in order, whatever the response was.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.server.requests.all()
    }

    /// Removes the requests, events and runs.
    ///
    /// Dedup ids are kept, as are functions, faults and keys. Functions that are running or scheduled
    /// continue.
    pub fn clear(&self) {
        self.server.requests.clear();
        let mut state = lock(&self.server.state);
        state.store.clear();
        state.functions.clear();
    }

    /// Accepts only these keys from now on, and responds with 401 to others. By default, any key is accepted.
    pub fn accept_only_keys<K: Into<String>>(&self, keys: impl IntoIterator<Item = K>) {
        let keys = keys.into_iter().map(Into::into).collect();
        lock(&self.server.keys).accept_only(keys);
    }

    /// Gives `key` an allow list of event names.
    ///
    /// From now on, the server responds with 403 to a request with this key that has an event of any other
    /// name, and accepts none of its events. This does not add `key` to the accepted keys of
    /// [`accept_only_keys`](EventApi::accept_only_keys).
    pub fn accept_only_events<N: Into<String>>(
        &self,
        key: impl Into<String>,
        names: impl IntoIterator<Item = N>,
    ) {
        let names = names.into_iter().map(Into::into).collect();
        lock(&self.server.keys).accept_only_events(key.into(), names);
    }

    /// Sets the maximum size of a request's body. The default is 32 MiB, which is far more than this crate's client
    /// sends by default: 512 KiB, or one event of 3 MiB.
    ///
    /// The server responds to a larger request with 413, as documented for Inngest Cloud, and accepts none of its
    /// events. It reads the body to the end, but does not keep it.
    pub fn max_body_bytes(&self, bytes: usize) {
        lock(&self.server.limits).body_bytes = bytes;
    }

    /// Sets how long a client may take to send the headers of a request, and then again to send its body. The
    /// default is 30 s.
    ///
    /// The server closes the connection of a slower client, and responds with 408 before that if the headers have
    /// arrived. It also closes a connection on which no request starts for that long. The timeout applies to
    /// connections that are opened from now on.
    pub fn read_timeout(&self, timeout: Duration) {
        lock(&self.server.limits).read_timeout = timeout;
    }

    /// Applies `fault` to the next request, of any method and path. Several calls apply to successive
    /// requests.
    pub fn fail_next(&self, fault: Fault) {
        self.fail_next_n(1, fault);
    }

    /// Applies `fault` to each of the next `times` requests.
    #[expect(clippy::needless_pass_by_value, reason = "consistent with `fail_next`")]
    pub fn fail_next_n(&self, times: usize, fault: Fault) {
        self.server.faults.queue(times, &fault);
    }

    /// Calls `rule` for every request without a fault from [`fail_next`](EventApi::fail_next), and applies
    /// the fault it returns.
    ///
    /// This replaces the previous rule. A rule must not set or clear rules itself, which would deadlock.
    pub fn fault_when(&self, rule: impl FnMut(&ReceivedRequest) -> Option<Fault> + Send + 'static) {
        self.server.faults.set_request_rule(Box::new(rule));
    }

    /// Calls `rule` for the valid events of every request without a fault from
    /// [`fail_next`](EventApi::fail_next) or [`fault_when`](EventApi::fault_when), and applies the first fault
    /// it returns to the request. [`Fault::refuse`] and [`Fault::fail_at`] count from that event.
    ///
    /// This replaces the previous rule. A rule must not set or clear rules itself, which would deadlock.
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

    /// Removes all faults and rules.
    pub fn clear_faults(&self) {
        self.server.faults.clear();
    }

    /// Moves this server's clock forward, which initially agrees with the machine's clock.
    ///
    /// Functions that become due are started before it returns. Once 24 hours have passed, a dedup id starts
    /// its functions again.
    pub fn advance(&self, time: Duration) {
        self.server.advance(time);
    }
}

impl Drop for EventApi {
    fn drop(&mut self) {
        self.listener.close();
        self.task.abort();
        self.server.shut_down();
    }
}

impl fmt::Debug for EventApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventApi").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Returns the address at which clients reach a server that listens on `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
