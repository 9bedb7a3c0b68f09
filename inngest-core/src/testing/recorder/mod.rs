//! [`Recorder`]: a client's requests in memory, and what a test expects of them.

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

pub use exactly::Exactly;
use expectation::{Count, Expectation};
use matcher::{Like, Matching, Typed, Wanted};
use record::{Record, Sent, View, decoded, first};
use report::Report;
pub use snapshot::Snapshot;
pub use within::{ExactlyWithin, Within};

/// What a client sent, for unit tests: no socket, no environment, and each its own.
///
/// The client is the one your program uses, with every rule in force: limits, names, dedup ids,
/// splitting, retries. Only its requests end here, and are answered as Inngest would.
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
/// Events that were accepted. One that comes again with the same Inngest id, by a retry or because its
/// batch was sent again, is still one event. Events stand in the order in which they first came, which
/// within one call is the caller's, however its requests were split and retried.
///
/// # Expectations
///
/// They are about all that was sent since the [scope](Recorder::scope) began, not about what earlier
/// expectations have left over: `one` may be asked twice. What they find is claimed, and
/// [`nothing_else`](Recorder::nothing_else) asks for the rest. One that is not met panics at its own
/// line and says what was sent instead, at which line, and in what the closest event differs.
///
/// A clone is the same recorder.
#[derive(Clone)]
pub struct Recorder {
    record: Arc<Record>,
    /// What happened up to this moment is out of its scope.
    since: u64,
}

impl Client {
    /// A client whose requests go to memory, and the [`Recorder`] that has them. It reads nothing from
    /// the environment. For other settings, see [`Recorder::builder`].
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "it is valid, and opens nothing")]
    pub fn recorder() -> (Client, Recorder) {
        let recorder = Recorder::new();
        let client = recorder.builder().build().expect("a client that needs no network");
        (client, recorder)
    }
}

impl Recorder {
    /// A recorder that no client has yet.
    #[must_use]
    pub fn new() -> Recorder {
        Recorder { record: Arc::new(Record::new()), since: 0 }
    }

    /// Configures a client that sends to this recorder. Several may.
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

    /// The one event of `E`.
    ///
    /// # Panics
    ///
    /// There is none, or more than one, or it does not decode as `E`.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "most tests ask only whether it is there")]
    pub fn one<E>(&self) -> Event<E>
    where
        E: InngestEvent + DeserializeOwned,
    {
        met(self.expect(Count::One, Typed::<E>::new()).and_then(|found| first(&found)))
    }

    /// The one event of `E` for which `matches` says so.
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
    /// There is none, or more than one, or an event of its name does not decode as `E`.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "most tests ask only whether it is there")]
    pub fn one_matching<E, F>(&self, matches: F) -> Event<E>
    where
        E: InngestEvent + DeserializeOwned,
        F: Fn(&Event<E>) -> bool,
    {
        met(self.expect(Count::One, Matching::new(matches)).and_then(|found| first(&found)))
    }

    /// Expects one event like `expected`: a payload, a reference to one, an [`Event`] envelope around
    /// either, or an enum of events.
    ///
    /// Compared is what it would be sent with: the whole payload, and of the dedup id, the version, the
    /// time, the user and the sessions those that it has. So an envelope asks for more than a payload.
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
    /// There is none, or more than one, or `expected` could not be sent itself.
    #[track_caller]
    pub fn one_like(&self, expected: impl IntoEvent) {
        met(self.expect(Count::One, Like::new(expected)));
    }

    /// Every event of `E`, in order; none is no failure.
    ///
    /// # Panics
    ///
    /// One does not decode as `E`.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "it claims them")]
    pub fn all<E>(&self) -> Vec<Event<E>>
    where
        E: InngestEvent + DeserializeOwned,
    {
        met(self.try_all())
    }

    /// Expects so many events of what is asked for next: `sent.exactly(2).of::<E>()`.
    pub fn exactly(&self, number: usize) -> Exactly {
        Exactly { recorder: self.clone(), number }
    }

    /// Expects no event of `E`.
    ///
    /// # Panics
    ///
    /// There is one.
    #[track_caller]
    pub fn none<E: InngestEvent>(&self) {
        met(self.expect(Count::Exactly(0), Typed::<E>::new()));
    }

    /// Expects that earlier expectations have claimed every event.
    ///
    /// # Panics
    ///
    /// There is one that none has.
    #[track_caller]
    pub fn nothing_else(&self) {
        let view = self.view();
        let unclaimed: Vec<Sent> = view.sent.iter().filter(|sent| !sent.claimed).cloned().collect();
        if unclaimed.is_empty() {
            return;
        }
        let claimed = view.sent.len() - unclaimed.len();
        let head = match unclaimed.len() {
            1 => "expected nothing else, found 1 event".to_owned(),
            more => format!("expected nothing else, found {more} events"),
        };
        let mut report = Report::new(format!("{head} beside {claimed} that were expected"));
        report.sent("sent and not expected", &unclaimed);
        report.data("in detail", &unclaimed.iter().collect::<Vec<_>>());
        panic!("{}", report.into_text());
    }

    /// A recorder of what comes after this point. What is claimed in it is claimed here, too; faults are
    /// shared.
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
        Recorder { record: Arc::clone(&self.record), since: self.record.moment() }
    }

    /// Expectations that wait, of code that sends in the background:
    /// `sent.within(Duration::from_secs(1)).one::<E>().await`.
    ///
    /// They are met as soon as there are enough events, and fail when the time is over or there are too
    /// many; those that ask for none or for all wait until the time is over. The time is tokio's, so on a
    /// paused clock nothing is waited for in earnest.
    pub fn within(&self, time: Duration) -> Within {
        Within { recorder: self.clone(), time }
    }

    /// What was sent, for a snapshot: `insta::assert_json_snapshot!(sent.snapshot())`.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(&self.view().sent)
    }

    /// Misbehaves at the next request. Called several times, at one request after the other; a retry is
    /// a request, too.
    ///
    /// There is no socket, so some faults are told in the nearest words:
    /// [`drop_before_reading`](Fault::drop_before_reading) is a connection refused, every other broken
    /// connection is one that broke before the answer came, and of
    /// [`answer_of_bytes`](Fault::answer_of_bytes) no more than a MiB is made.
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

    /// Misbehaves at each of the next `times` requests.
    #[expect(clippy::needless_pass_by_value, reason = "reads as `fail_next` does")]
    pub fn fail_next_n(&self, times: usize, fault: Fault) {
        self.record.faults.queue(times, &fault);
    }

    /// Asks `rule` at every request for which [`fail_next`](Recorder::fail_next) has nothing. It
    /// replaces the rule before, and may not itself set one.
    pub fn fault_when(&self, rule: impl FnMut(&ReceivedRequest) -> Option<Fault> + Send + 'static) {
        self.record.faults.set_request_rule(Box::new(rule));
    }

    /// Asks `rule` about every event of a request for which there is no other fault; the first event
    /// with a fault decides. The time of an event that was sent without one is 0. It replaces the rule
    /// before, and may not itself set one.
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

    /// Rejects one event whenever it comes: the one before which `index` others come from now on, so
    /// that the next is 0. The others of its request are accepted.
    pub fn reject_nth(&self, index: usize) {
        self.record.reject_nth(index);
    }

    /// Forgets the faults and the rejections to come.
    pub fn clear_faults(&self) {
        self.record.faults.clear();
        self.record.reject_none();
    }

    fn view(&self) -> View {
        self.record.view(self.since)
    }

    fn expect<W: Wanted>(&self, count: Count, wanted: W) -> Result<Vec<Sent>, String> {
        self.check(&Expectation { count, wanted, within: None })
    }

    /// What an expectation finds is claimed.
    fn check<W: Wanted>(&self, expectation: &Expectation<W>) -> Result<Vec<Sent>, String> {
        let found = expectation.check(&self.view())?;
        self.record.claim(&found);
        Ok(found)
    }

    fn try_all<E>(&self) -> Result<Vec<Event<E>>, String>
    where
        E: InngestEvent + DeserializeOwned,
    {
        let mut found = self.view().sent;
        found.retain(|sent| sent.event.name == E::NAME);
        self.record.claim(&found);
        decoded(&found)
    }
}

/// What an expectation found; where it was not met, the test ends here.
#[track_caller]
fn met<T>(outcome: Result<T, String>) -> T {
    match outcome {
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
