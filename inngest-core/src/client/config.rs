//! `ClientBuilder`: options set in code, then environment variables, then defaults.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderMap;

use super::base_url::UncheckedUrl;
use super::config_error::ConfigError;
use super::environment::{DevMode, Environment};
use super::event_key::EventKey;
use super::hooks::{Hooks, SendReport, TraceContext};
use super::request::common_headers;
use super::retry::RetryPolicy;
use super::settings::Settings;
use super::transport::{HttpTransport, Transport};
use super::{Client, metrics};
use crate::batch::RequestLimits;
use crate::event::{BeforeSend, Envelope};

const CLOUD: &str = "https://inn.gs";
const DEV_SERVER: &str = "http://127.0.0.1:8288";

/// The server's limit on the number of events in one request.
const MAX_REQUEST_EVENTS: usize = 5_000;

/// The default of [`ClientBuilder::max_event_bytes`]: the Dev Server's limit.
pub(crate) const DEFAULT_MAX_EVENT_BYTES: usize = 3 * 1024 * 1024;

/// Configures a [`Client`].
///
/// An option that is not set in code is read from its environment variable, if it has one, and
/// otherwise has its default value. [`build`](ClientBuilder::build) reads the environment.
///
/// ```
/// # use std::time::Duration;
/// use inngest_core::Client;
///
/// let client = Client::builder().dev(true).timeout(Duration::from_secs(5)).build()?;
/// # Ok::<(), inngest_core::ConfigError>(())
/// ```
///
/// See [configuration](crate::guide::configuration) in the guide.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    event_key: Option<EventKey>,
    dev: Option<bool>,
    base_url: Option<UncheckedUrl>,
    env: Option<String>,
    app_name: Option<String>,
    timeout: Duration,
    connect_timeout: Duration,
    retry: RetryPolicy,
    max_event_bytes: usize,
    max_request_bytes: usize,
    max_request_events: usize,
    max_in_flight: usize,
    http_client: Option<reqwest::Client>,
    hooks: Hooks,
    #[cfg(feature = "testing")]
    transport: Option<Arc<dyn super::test_transport::Transport>>,
    read_environment: bool,
}

impl ClientBuilder {
    pub(super) fn new() -> ClientBuilder {
        ClientBuilder {
            event_key: None,
            dev: None,
            base_url: None,
            env: None,
            app_name: None,
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            retry: RetryPolicy::default(),
            max_event_bytes: DEFAULT_MAX_EVENT_BYTES,
            max_request_bytes: 512 * 1024,
            max_request_events: MAX_REQUEST_EVENTS,
            max_in_flight: 4,
            http_client: None,
            hooks: Hooks::default(),
            #[cfg(feature = "testing")]
            transport: None,
            read_environment: true,
        }
    }

    /// Sets the event key. A line break at its end is removed. Overrides `INNGEST_EVENT_KEY`.
    ///
    /// Required for Inngest Cloud; optional for a Dev Server. A key does not select Inngest Cloud: in
    /// dev mode, the events go to the Dev Server.
    pub fn event_key(mut self, key: impl Into<EventKey>) -> ClientBuilder {
        self.event_key = Some(key.into());
        self
    }

    /// Sets dev mode: whether events are sent to a Dev Server instead of Inngest Cloud. Overrides
    /// `INNGEST_DEV`, which is then not read.
    ///
    /// Default: `false`, that is, Inngest Cloud.
    pub fn dev(mut self, dev: bool) -> ClientBuilder {
        self.dev = Some(dev);
        self
    }

    /// Sets the server's URL, including its scheme, without `/e/` and the key. A path in the URL is
    /// kept.
    ///
    /// Overrides `INNGEST_EVENT_API_BASE_URL`, `INNGEST_BASE_URL` and a URL in `INNGEST_DEV`. The
    /// first of them that is set is used, in this order.
    ///
    /// Default: `https://inn.gs`, or `http://127.0.0.1:8288` in dev mode.
    pub fn base_url(mut self, url: impl Into<String>) -> ClientBuilder {
        self.base_url = Some(UncheckedUrl::new(url));
        self
    }

    /// Sets the Inngest environment, such as the name of a branch, which is sent as
    /// `x-inngest-env`. Overrides `INNGEST_ENV`.
    pub fn env(mut self, env: impl Into<String>) -> ClientBuilder {
        self.env = Some(env.into());
        self
    }

    /// Adds the application's name to the `user-agent` header of the requests.
    pub fn app_name(mut self, name: impl Into<String>) -> ClientBuilder {
        self.app_name = Some(name.into());
        self
    }

    /// Sets the timeout of one request, which must not be zero. 1 ms is added for each event in the
    /// request.
    ///
    /// Default: 10 s.
    pub fn timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.timeout = timeout;
        self
    }

    /// Sets the timeout for connecting, which must not be zero. It has no effect on a custom
    /// [`http_client`](ClientBuilder::http_client).
    ///
    /// Default: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how often requests are attempted and how long the client waits between attempts. The
    /// policy's total timeout must not be zero.
    pub fn retry(mut self, policy: RetryPolicy) -> ClientBuilder {
        self.retry = policy;
        self
    }

    /// Ignores all environment variables, including proxy settings.
    pub fn no_env(mut self) -> ClientBuilder {
        self.read_environment = false;
        self
    }

    /// Sets the maximum size of an event as JSON, in bytes, at least 1. Larger events are rejected
    /// before they are sent, with [`EventError::TooLarge`](crate::EventError::TooLarge).
    ///
    /// Default: 3 MiB, the Dev Server's limit. The limit of your plan on Inngest Cloud may be lower.
    pub fn max_event_bytes(mut self, bytes: usize) -> ClientBuilder {
        self.max_event_bytes = bytes;
        self
    }

    /// Sets the maximum size of a request's body, in bytes, at least 1. Batches are split accordingly;
    /// a larger event is sent alone.
    ///
    /// Default: 512 KiB.
    pub fn max_request_bytes(mut self, bytes: usize) -> ClientBuilder {
        self.max_request_bytes = bytes;
        self
    }

    /// Sets the maximum number of events in a request, from 1 to 5,000, the server's limit.
    ///
    /// Default: 5,000.
    pub fn max_request_events(mut self, events: usize) -> ClientBuilder {
        self.max_request_events = events;
        self
    }

    /// Sets the maximum number of requests of one call that are in flight at once, at least 1. With
    /// more than 1, the order of the requests is undefined.
    ///
    /// Default: 4.
    pub fn max_in_flight(mut self, requests: usize) -> ClientBuilder {
        self.max_in_flight = requests;
        self
    }

    /// Sets the HTTP client, and with it the proxies, the certificates and the connection pool.
    ///
    /// Configure it not to follow redirects. Otherwise it can post the events to another URL. A response from
    /// another URL is an [`InvalidResponse`](crate::RequestError::InvalidResponse) error.
    pub fn http_client(mut self, client: reqwest::Client) -> ClientBuilder {
        self.http_client = Some(client);
        self
    }

    /// Sets a transport that replaces the network, for tests on a paused clock.
    #[cfg(feature = "testing")]
    pub fn transport(mut self, transport: impl super::test_transport::Transport) -> ClientBuilder {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Adds a hook that is called with each event's name and envelope before the event is
    /// serialized, and may change the envelope. Hooks run in the order they were added.
    ///
    /// The hook is called on the calling thread by [`Client::send`](crate::Client::send),
    /// [`Client::send_all`](crate::Client::send_all), a publisher's `publish`, `try_publish` and
    /// `publish_all`, and an outbox of the client when an event is enqueued. It is not called for the
    /// events of a [`Batch`](crate::Batch), which are serialized when they are pushed, before the
    /// batch is passed to a client.
    ///
    /// A panic in a hook propagates to the caller of `send`, and nothing of that call is sent.
    ///
    /// ```
    /// # use inngest_core::Client;
    /// let builder = Client::builder().before_send(|name, envelope| {
    ///     if name.starts_with("storefront/") {
    ///         envelope.session("region", "eu-west-1");
    ///     }
    /// });
    /// ```
    pub fn before_send(
        mut self,
        hook: impl Fn(&'static str, &mut Envelope) + Send + Sync + 'static,
    ) -> ClientBuilder {
        self.hooks.before.push(BeforeSend(Arc::new(hook)));
        self
    }

    /// Adds a hook that is called once per event with its outcome, not once per attempt. Hooks run
    /// in the order they were added.
    ///
    /// The hook is called before the call's future completes. With a publisher, it is called before
    /// the event's receipt resolves: when the event is delivered, when it fails, or when the publisher
    /// ends before it has delivered the event. It is not called for the events of a canceled call, nor
    /// for an event that `publish` returns in an error because the queue is full or the publisher
    /// accepts no more events.
    ///
    /// The hook must not block. A panic in it is caught and logged, and has no other effect.
    ///
    /// ```
    /// # use inngest_core::Client;
    /// let builder = Client::builder().after_send(|report| {
    ///     if let Some(error) = report.outcome.error_type() {
    ///         eprintln!("{} was not accepted: {error}", report.name);
    ///     }
    /// });
    /// ```
    pub fn after_send(
        mut self,
        hook: impl Fn(&SendReport<'_>) + Send + Sync + 'static,
    ) -> ClientBuilder {
        self.hooks.after.push(Arc::new(hook));
        self
    }

    /// Sets a hook that returns the headers `traceparent` and `tracestate` of the requests, so that
    /// the functions' runs belong to the caller's trace.
    ///
    /// `context` is called by `send`, `send_all` and `send_batch`, inside the call's span, and its
    /// headers are sent with every request of the call. A publisher calls it when an event is
    /// published, and sends the headers with a batch only if they are the same for all of the batch's
    /// events. An outbox calls it when an event is enqueued. An invalid header is logged and not sent.
    /// A panic is caught and logged.
    ///
    /// ```
    /// # use inngest_core::Client;
    /// # fn current_traceparent() -> Option<String> { None }
    /// let builder = Client::builder().trace_context(|| current_traceparent());
    /// ```
    pub fn trace_context(mut self, context: impl TraceContext) -> ClientBuilder {
        self.hooks.trace_context = Some(Arc::new(context));
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError`] if an option or an environment variable is invalid.
    pub fn build(self) -> Result<Client, ConfigError> {
        let environment = Environment { enabled: self.read_environment };
        let dev = match self.dev {
            Some(enabled) => DevMode { enabled, url: None },
            None => DevMode::parse(environment.get("INNGEST_DEV")?)?,
        };
        let base = self.base(environment, &dev)?;
        let key = self.key(environment, dev.enabled)?;
        let endpoint = key.endpoint(&base)?;
        let headers = self.headers(environment)?;
        let limits = self.limits()?;
        self.check_timeouts()?;
        #[cfg(feature = "testing")]
        let scripted = self.transport.map(Transport::Scripted);
        #[cfg(not(feature = "testing"))]
        let scripted = None;
        let transport = match (scripted, self.http_client) {
            (Some(scripted), _) => scripted,
            (None, Some(client)) => Transport::Http(HttpTransport { client }),
            (None, None) => Transport::Http(HttpTransport::new(
                &endpoint,
                self.connect_timeout,
                self.read_environment,
            )?),
        };
        metrics::describe();
        Ok(Client(Arc::new(Settings {
            transport,
            endpoint,
            headers,
            key,
            base,
            timeout: self.timeout,
            retry: self.retry,
            max_event_bytes: self.max_event_bytes,
            limits,
            max_in_flight: self.max_in_flight,
            hooks: self.hooks,
        })))
    }

    /// Returns the base URL, from the first of its sources that is set.
    fn base(&self, environment: Environment, dev: &DevMode) -> Result<Url, ConfigError> {
        let (url, origin) = if let Some(url) = &self.base_url {
            (url.clone(), "`base_url`")
        } else if let Some(url) = environment.get("INNGEST_EVENT_API_BASE_URL")? {
            (UncheckedUrl::new(url), "`INNGEST_EVENT_API_BASE_URL`")
        } else if let Some(url) = environment.get("INNGEST_BASE_URL")? {
            (UncheckedUrl::new(url), "`INNGEST_BASE_URL`")
        } else if let Some(url) = &dev.url {
            (UncheckedUrl::new(url), "`INNGEST_DEV`")
        } else if dev.enabled {
            (UncheckedUrl::new(DEV_SERVER), "the Dev Server's URL")
        } else {
            (UncheckedUrl::new(CLOUD), "Inngest Cloud's URL")
        };
        url.check(origin)
    }

    /// Returns the event key, or a placeholder if a Dev Server needs none.
    fn key(&self, environment: Environment, dev: bool) -> Result<EventKey, ConfigError> {
        let key = match &self.event_key {
            Some(key) => Some(key.clone()),
            None => environment.get("INNGEST_EVENT_KEY")?.map(EventKey::from),
        };
        match key {
            Some(key) => key.check().map(|()| key),
            None if dev => Ok(EventKey::none()),
            None => Err(ConfigError::MissingKey),
        }
    }

    /// Returns the headers of every request.
    fn headers(&self, environment: Environment) -> Result<HeaderMap, ConfigError> {
        let env = match &self.env {
            Some(env) => Some(env.clone()),
            None => environment.get("INNGEST_ENV")?,
        };
        common_headers(self.app_name.as_deref(), env.as_deref())
    }

    /// Returns the limits of one request, after checking all numeric options.
    fn limits(&self) -> Result<RequestLimits, ConfigError> {
        let in_range = |option, value: usize, max: usize| {
            if (1..=max).contains(&value) {
                return Ok(());
            }
            let range = if max == usize::MAX { "at least 1".into() } else { format!("1 to {max}") };
            let problem = format!("it is {value}, but must be {range}");
            Err(ConfigError::InvalidOption { option, problem })
        };
        in_range("max_request_events", self.max_request_events, MAX_REQUEST_EVENTS)?;
        in_range("max_request_bytes", self.max_request_bytes, usize::MAX)?;
        in_range("max_event_bytes", self.max_event_bytes, usize::MAX)?;
        in_range("max_in_flight", self.max_in_flight, usize::MAX)?;
        Ok(RequestLimits { events: self.max_request_events, bytes: self.max_request_bytes })
    }

    fn check_timeouts(&self) -> Result<(), ConfigError> {
        for (option, subject, timeout, default) in [
            ("timeout", "it", self.timeout, 10),
            ("connect_timeout", "it", self.connect_timeout, 5),
            ("retry", "its `total_timeout`", self.retry.total_timeout, 60),
        ] {
            if timeout.is_zero() {
                let problem = format!(
                    "{subject} is zero, which leaves no time to send; write a longer one, such as the \
                     default of `Duration::from_secs({default})`"
                );
                return Err(ConfigError::InvalidOption { option, problem });
            }
        }
        Ok(())
    }
}
