//! [`Recorder`]: a client's requests in memory, and a test's expectations of them.

#[cfg_attr(not(feature = "schema"), path = "no_catalog_check.rs")]
mod catalog_check;
mod diff;
mod exactly;
mod expectation;
mod matcher;
mod record;
mod report;
mod snapshot;
mod transport;
mod within;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::fault::Fault;
use super::request::ReceivedRequest;
use super::store::StoredEvent;
use crate::client::{Client, ClientBuilder};
use crate::event::{Event, InngestEvent, IntoEvent};

use catalog_check::CatalogCheck;
pub use exactly::Exactly;
use expectation::{Count, Expectation};
use matcher::{LikeMatcher, Matcher, PredicateMatcher, TypeMatcher};
use record::{Record, ScopeView, SentEvent, decode_all, decode_first};
use report::FailureReport;
pub use snapshot::Snapshot;
pub use within::{ExactlyWithin, Within};

/// Records what a client sends, for unit tests.
///
/// The client is a [`Client`] as in production, with the same limits, checks, dedup ids, splitting and
/// retries. Its requests go to the recorder instead of a socket, and the recorder responds as Inngest does.
/// The environment is not read, and recorders share no state.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use inngest_core::{Client, InngestEvent};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, InngestEvent)]
/// #[inngest(name = "storefront/coupon.redeemed", id = "coupon-redeemed-{code}")]
/// struct CouponRedeemed {
///     code: String,
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let (client, sent) = Client::recorder();
/// client.send(&CouponRedeemed { code: "XMAS".into() }).await?;
///
/// let redeemed = sent.one::<CouponRedeemed>();
/// assert_eq!(redeemed.data.code, "XMAS");
/// assert_eq!(redeemed.given_id(), Some("coupon-redeemed-XMAS"));
/// sent.nothing_else();
/// # Ok::<(), inngest_core::SendError>(())
/// # })?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What counts as sent
///
/// An event counts as sent when it is accepted. An event that arrives again with the same Inngest id, by a
/// retry or because its batch was sent again, counts once. Events are in the order in which they first
/// arrived. Within one call, this is the caller's order, also if its requests were split and retried.
///
/// # Expectations
///
/// Expectations check all events sent since the [scope](Recorder::scope) began, including events that
/// earlier expectations found: `one` can be called twice. The events they find are marked as claimed, and
/// [`nothing_else`](Recorder::nothing_else) fails if any event is unclaimed.
///
/// A failed expectation panics with the line that calls it as the location. The message lists what was sent
/// instead and from which lines, and how the closest event differs.
///
/// Clones share one record.
///
/// See [testing](crate::guide::testing) in the guide.
#[derive(Clone)]
pub struct Recorder {
    record: Arc<Record>,
    catalog: Arc<CatalogCheck>,
    /// The record's clock when the scope began.
    scope_start: u64,
}

impl Client {
    /// Creates a client whose events are recorded in memory instead of sent, and the [`Recorder`] of these
    /// events.
    ///
    /// It reads nothing from the environment. For other settings, see [`Recorder::builder`].
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "the configuration is valid, and no socket is opened"
    )]
    pub fn recorder() -> (Client, Recorder) {
        let recorder = Recorder::new();
        let client = recorder.builder().build().expect("a client without a network");
        (client, recorder)
    }
}

impl Recorder {
    /// Creates a recorder without a client; [`builder`](Recorder::builder) adds one.
    #[must_use]
    pub fn new() -> Recorder {
        Recorder { record: Arc::new(Record::new()), catalog: Arc::default(), scope_start: 0 }
    }

    /// Returns a builder for a client that sends to this recorder. One recorder can have several clients.
    ///
    /// ```
    /// use inngest_core::RetryPolicy;
    /// use inngest_core::testing::Recorder;
    ///
    /// let sent = Recorder::new();
    /// let client = sent.builder().retry(RetryPolicy::none()).max_request_events(100).build()?;
    /// # Ok::<(), inngest_core::ConfigError>(())
    /// ```
    pub fn builder(&self) -> ClientBuilder {
        Client::builder().no_env().dev(true).transport(self.clone())
    }

    /// Expects exactly one event of `E`, and returns it.
    ///
    /// In all expectations, the events of a type are the events with its name. If the type has a version, they
    /// are only the events with this version.
    ///
    /// # Panics
    ///
    /// Panics if there is none or more than one, or if it does not decode as `E`.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "many tests only check that the event exists")]
    pub fn one<E>(&self) -> Event<E>
    where
        E: InngestEvent + DeserializeOwned,
    {
        or_panic(
            self.expect(Count::One, TypeMatcher::<E>::new()).and_then(|found| decode_first(&found)),
        )
    }

    /// Expects exactly one event of `E` for which `matches` returns true, and returns it.
    ///
    /// ```
    /// # use inngest_core::{Event, InngestEvent, testing::Recorder};
    /// # use serde::{Deserialize, Serialize};
    /// # #[cfg(feature = "derive")]
    /// # fn example(sent: &Recorder) {
    /// # #[derive(Serialize, Deserialize, InngestEvent)]
    /// # #[inngest(name = "storefront/item.viewed")]
    /// # struct ItemViewed { number: u32 }
    /// let second = sent.one_matching(|view: &Event<ItemViewed>| view.data.number == 2);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there is none or more than one, or if an event with the name of `E` does not decode as `E`.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "many tests only check that the event exists")]
    pub fn one_matching<E, F>(&self, matches: F) -> Event<E>
    where
        E: InngestEvent + DeserializeOwned,
        F: Fn(&Event<E>) -> bool,
    {
        or_panic(
            self.expect(Count::One, PredicateMatcher::new(matches))
                .and_then(|found| decode_first(&found)),
        )
    }

    /// Expects exactly one event like `expected`: a payload, a reference to one, an [`Event`] envelope around
    /// either, or an enum of events.
    ///
    /// It compares the events as they are sent: the whole payload and, if `expected` has them, the dedup id,
    /// the version, the time, the user and the sessions. So an envelope can require more than a payload.
    ///
    /// ```
    /// # use inngest_core::{Event, InngestEvent, testing::Recorder};
    /// # use serde::{Deserialize, Serialize};
    /// # #[cfg(feature = "derive")]
    /// # fn example(sent: &Recorder) {
    /// # #[derive(Serialize, Deserialize, InngestEvent)]
    /// # #[inngest(name = "storefront/item.viewed")]
    /// # struct ItemViewed { number: u32 }
    /// sent.one_like(&ItemViewed { number: 2 });
    /// sent.one_like(Event::new(&ItemViewed { number: 2 }).session("visit", "v1"));
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there is none or more than one, or if `expected` cannot be sent.
    #[track_caller]
    pub fn one_like(&self, expected: impl IntoEvent) {
        or_panic(self.expect(Count::One, LikeMatcher::new(expected)));
    }

    /// Returns all events of `E`, in order, and claims them. There may be none.
    ///
    /// # Panics
    ///
    /// Panics if one does not decode as `E`.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "a test may only want to claim them")]
    pub fn all<E>(&self) -> Vec<Event<E>>
    where
        E: InngestEvent + DeserializeOwned,
    {
        or_panic(self.try_all())
    }

    /// Expects exactly `number` events, which the methods of the returned value select:
    /// `sent.exactly(2).of::<E>()`.
    pub fn exactly(&self, number: usize) -> Exactly {
        Exactly { recorder: self.clone(), number }
    }

    /// Expects no event of `E`.
    ///
    /// # Panics
    ///
    /// Panics if there is one.
    #[track_caller]
    pub fn none<E: InngestEvent>(&self) {
        or_panic(self.expect(Count::Exactly(0), TypeMatcher::<E>::new()));
    }

    /// Expects that earlier expectations have claimed every event.
    ///
    /// # Panics
    ///
    /// Panics if an event is unclaimed.
    #[track_caller]
    pub fn nothing_else(&self) {
        let view = self.view();
        or_panic(self.catalog.check(&view.sent));
        let unclaimed: Vec<SentEvent> =
            view.sent.iter().filter(|sent| !sent.claimed).cloned().collect();
        if unclaimed.is_empty() {
            return;
        }
        let claimed = view.sent.len() - unclaimed.len();
        panic!("{}", FailureReport::of_unclaimed(&unclaimed, claimed).into_text());
    }

    /// Returns a recorder of the events that are sent from now on.
    ///
    /// Events claimed in the scope are also claimed in this recorder. Faults are shared.
    ///
    /// ```
    /// # use inngest_core::{Client, InngestEvent, testing::Recorder};
    /// # use serde::{Deserialize, Serialize};
    /// # #[cfg(feature = "derive")]
    /// # async fn example(client: Client, sent: Recorder) -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Serialize, Deserialize, InngestEvent)]
    /// # #[inngest(name = "storefront/item.viewed")]
    /// # struct ItemViewed { number: u32 }
    /// client.send(&ItemViewed { number: 1 }).await?;
    /// let later = sent.scope();
    /// client.send(&ItemViewed { number: 2 }).await?;
    ///
    /// assert_eq!(later.one::<ItemViewed>().data.number, 2);
    /// assert_eq!(sent.all::<ItemViewed>().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn scope(&self) -> Recorder {
        Recorder { scope_start: self.record.clock(), ..self.clone() }
    }

    /// Returns expectations that wait up to `time`, for code that sends in the background:
    /// `sent.within(Duration::from_secs(1)).one::<E>().await`.
    ///
    /// They succeed as soon as there are enough events, and fail when the time is over or there are too
    /// many. `none` and `all` wait until the time is over. The wait uses tokio's clock, so it takes no time if
    /// the clock is paused.
    pub fn within(&self, time: Duration) -> Within {
        Within { recorder: self.clone(), time }
    }

    /// Returns the events sent as a value for snapshot tests: `insta::assert_json_snapshot!(sent.snapshot())`.
    ///
    /// It claims no event.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(&self.view().sent)
    }

    /// Applies `fault` to the next request. Several calls apply to successive requests. A retry is also a
    /// request.
    ///
    /// There is no socket, so some faults are approximated. With
    /// [`drop_before_reading`](Fault::drop_before_reading), the connection is refused. With the other faults
    /// that close the connection, it closes before the response starts. With
    /// [`answer_of_bytes`](Fault::answer_of_bytes), the body has at most 1 MiB.
    ///
    /// ```
    /// # use inngest_core::testing::{Fault, Recorder};
    /// # let sent = Recorder::new();
    /// sent.fail_next(Fault::status(429).retry_after("2"));
    /// sent.fail_next(Fault::hang());
    /// sent.fail_next(Fault::drop_before_reading());
    /// ```
    pub fn fail_next(&self, fault: Fault) {
        self.fail_next_n(1, fault);
    }

    /// Applies `fault` to each of the next `times` requests.
    #[expect(clippy::needless_pass_by_value, reason = "consistent with `fail_next`")]
    pub fn fail_next_n(&self, times: usize, fault: Fault) {
        self.record.faults.queue(times, &fault);
    }

    /// Calls `rule` for every request without a fault from [`fail_next`](Recorder::fail_next), and applies
    /// the fault it returns.
    ///
    /// This replaces the previous rule. A rule must not set or clear rules itself, which would deadlock.
    pub fn fault_when(&self, rule: impl FnMut(&ReceivedRequest) -> Option<Fault> + Send + 'static) {
        self.record.faults.set_request_rule(Box::new(rule));
    }

    /// Calls `rule` for the events of every request without another fault, and applies the first fault it
    /// returns to the request. [`Fault::refuse`] and [`Fault::fail_at`] count from that event.
    ///
    /// `ts` is 0 for an event that was sent without a time. This replaces the previous rule. A rule must not
    /// set or clear rules itself, which would deadlock.
    ///
    /// ```
    /// # use inngest_core::testing::{Fault, Recorder};
    /// # let sent = Recorder::new();
    /// sent.fault_when_event(|event| {
    ///     (event.data["code"] == "VOID").then(|| Fault::refuse("no such coupon"))
    /// });
    /// ```
    pub fn fault_when_event(
        &self,
        rule: impl FnMut(&StoredEvent) -> Option<Fault> + Send + 'static,
    ) {
        self.record.faults.set_event_rule(Box::new(rule));
    }

    /// Rejects one future event, whenever it arrives: the first new event for `index` 0, the second for 1.
    /// The other events of its request are accepted.
    pub fn reject_nth(&self, index: usize) {
        self.record.reject_nth(index);
    }

    /// Removes all faults, rules and rejections.
    pub fn clear_faults(&self) {
        self.record.faults.clear();
        self.record.clear_rejections();
    }

    /// Returns all events sent, of all types, in order. It claims no event.
    ///
    /// [`StoredEvent::decode`] also decodes types that borrow, and enums of events.
    ///
    /// ```
    /// # use inngest_core::{InngestEvent, testing::Recorder};
    /// # use serde::{Deserialize, Serialize};
    /// # #[cfg(feature = "derive")]
    /// # fn example(sent: &Recorder) -> Result<(), serde_json::Error> {
    /// #[derive(Serialize, Deserialize, InngestEvent)]
    /// #[inngest(name = "storefront/item.viewed")]
    /// struct ItemViewed<'a> {
    ///     sku: &'a str,
    /// }
    ///
    /// let events = sent.events();
    /// let first = events[0].decode::<ItemViewed>()?;
    /// assert_eq!(first.data.sku, "lamp");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn events(&self) -> Vec<StoredEvent> {
        self.view().sent.iter().map(|sent| StoredEvent::clone(&sent.event)).collect()
    }

    fn view(&self) -> ScopeView {
        self.record.view(self.scope_start)
    }

    fn expect<M: Matcher>(&self, count: Count, matcher: M) -> Result<Vec<SentEvent>, String> {
        self.check(&Expectation { count, matcher, within: None })
    }

    /// Checks an expectation, and claims the events it finds.
    fn check<M: Matcher>(&self, expectation: &Expectation<M>) -> Result<Vec<SentEvent>, String> {
        let view = self.view();
        let found = expectation.check(&view)?;
        self.catalog.check(&view.sent)?;
        self.record.claim(&found);
        Ok(found)
    }

    fn try_all<E>(&self) -> Result<Vec<Event<E>>, String>
    where
        E: InngestEvent + DeserializeOwned,
    {
        let mut found = self.view().sent;
        self.catalog.check(&found)?;
        found.retain(|sent| sent.event.is::<E>());
        self.record.claim(&found);
        decode_all(&found)
    }
}

/// Returns what an expectation found, or panics with the text of its failure.
#[track_caller]
fn or_panic<T>(result: Result<T, String>) -> T {
    match result {
        Ok(found) => found,
        Err(failure) => panic!("{failure}"),
    }
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder::new()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("sent", &self.view().sent.len()).finish_non_exhaustive()
    }
}
