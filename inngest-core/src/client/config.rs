//! Where and how to send: what was said in code, then the environment, then the default.

use std::env::VarError;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

use super::error::ConfigError;
use super::hooks::Hooks;
use super::retry::RetryPolicy;
use super::transport::{Http, Transport};
use super::{Client, Inner, metrics};
use crate::batch::Limits;

const CLOUD: &str = "https://inn.gs";
const DEV_SERVER: &str = "http://127.0.0.1:8288";
/// What a Dev Server is given where no key is set, as the official SDKs do.
const NO_KEY: &str = "NO_EVENT_KEY_SET";
const SDK: &str = concat!("inngest-rust-events:v", env!("CARGO_PKG_VERSION"));

/// The server takes no more events in one request.
const MAX_REQUEST_EVENTS: usize = 5_000;

/// An event key: the secret that says which Inngest environment an event belongs to. It never prints.
#[derive(Clone)]
pub struct EventKey(String);

impl EventKey {
    /// The key `key`. Whether it can be one is checked when a client is built with it.
    pub fn new(key: impl Into<String>) -> EventKey {
        EventKey(key.into())
    }

    /// `text` without the key in it: servers and proxies like to quote the path they were asked for.
    pub(super) fn redact(&self, text: String) -> String {
        if self.0 == NO_KEY || self.0.len() < 4 { text } else { text.replace(&self.0, "***") }
    }

    /// A key is written into the URL's path as it is, so it may hold only what a path segment may.
    fn check(&self) -> Result<(), ConfigError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(c);
        let problem = if self.0.is_empty() {
            "it is empty".to_owned()
        } else if self.0 == "." || self.0 == ".." {
            "it is a step in a path".to_owned()
        } else if let Some((at, c)) = self.0.char_indices().find(|(_, c)| !allowed(*c)) {
            let what = match c {
                '\n' | '\r' => "a line break",
                c if c.is_whitespace() => "white space",
                '/' | '\\' | '?' | '#' | '%' => "a character that changes the URL",
                _ => "a character no key has",
            };
            format!("{what} at byte {at} of {}", self.0.len())
        } else {
            return Ok(());
        };
        Err(ConfigError::InvalidKey { problem })
    }
}

impl fmt::Debug for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventKey(..)")
    }
}

impl From<String> for EventKey {
    fn from(key: String) -> EventKey {
        EventKey(key)
    }
}

impl From<&str> for EventKey {
    fn from(key: &str) -> EventKey {
        EventKey(key.to_owned())
    }
}

/// Configures a [`Client`]. What is not said here comes from the environment, and then from the
/// defaults; the environment is read by [`build`](ClientBuilder::build).
///
/// ```
/// # use std::time::Duration;
/// use inngest_core::Client;
///
/// let client = Client::builder().dev(true).timeout(Duration::from_secs(5)).build()?;
/// # Ok::<(), inngest_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    event_key: Option<EventKey>,
    dev: Option<bool>,
    base_url: Option<GivenUrl>,
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
    pub(super) hooks: Hooks,
    #[cfg(feature = "testing")]
    transport: Option<Arc<dyn super::test_transport::Transport>>,
    read_environment: bool,
}

/// A URL that nobody has looked at yet.
#[derive(Clone)]
struct GivenUrl(String);

impl fmt::Debug for GivenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may hold a password.
        if self.0.contains('@') { f.write_str("..") } else { fmt::Debug::fmt(&self.0, f) }
    }
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
            max_event_bytes: 3 * 1024 * 1024,
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

    /// The event key; otherwise `INNGEST_EVENT_KEY`. Cloud mode needs one, dev mode does without.
    pub fn event_key(mut self, key: impl Into<EventKey>) -> ClientBuilder {
        self.event_key = Some(key.into());
        self
    }

    /// Whether to send to a Dev Server rather than to Inngest Cloud; otherwise `INNGEST_DEV`, which is
    /// not read at all once this is set. Default: Cloud.
    pub fn dev(mut self, dev: bool) -> ClientBuilder {
        self.dev = Some(dev);
        self
    }

    /// The server's URL, without `/e/` and the key; a path in it is kept. Otherwise
    /// `INNGEST_EVENT_API_BASE_URL`, `INNGEST_BASE_URL`, `INNGEST_DEV` where it is a URL, and then the
    /// mode's default: `https://inn.gs` or `http://127.0.0.1:8288`.
    pub fn base_url(mut self, url: impl Into<String>) -> ClientBuilder {
        self.base_url = Some(GivenUrl(url.into()));
        self
    }

    /// The Inngest environment, such as a branch's name, sent as `x-inngest-env`; otherwise
    /// `INNGEST_ENV`.
    pub fn env(mut self, env: impl Into<String>) -> ClientBuilder {
        self.env = Some(env.into());
        self
    }

    /// The application's name, added to the `user-agent` so that requests can be told apart.
    pub fn app_name(mut self, name: impl Into<String>) -> ClientBuilder {
        self.app_name = Some(name.into());
        self
    }

    /// How long one request may take, to which 1 ms for each of its events is added. Default: 10 s.
    pub fn timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.timeout = timeout;
        self
    }

    /// How long it may take to connect. Default: 5 s. Not used with an
    /// [`http_client`](ClientBuilder::http_client) of your own.
    pub fn connect_timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.connect_timeout = timeout;
        self
    }

    /// How often to try, and how long to wait in between.
    pub fn retry(mut self, policy: RetryPolicy) -> ClientBuilder {
        self.retry = policy;
        self
    }

    /// Reads no environment variable, those of proxies included.
    pub fn no_env(mut self) -> ClientBuilder {
        self.read_environment = false;
        self
    }

    /// The size of the largest event, as JSON; a larger one is rejected before it is sent. Default:
    /// 3 MiB, the Dev Server's limit.
    pub fn max_event_bytes(mut self, bytes: usize) -> ClientBuilder {
        self.max_event_bytes = bytes;
        self
    }

    /// The size of the largest request; batches are split to stay below. One larger event travels
    /// alone. Default: 512 KiB.
    pub fn max_request_bytes(mut self, bytes: usize) -> ClientBuilder {
        self.max_request_bytes = bytes;
        self
    }

    /// The most events in a request, from 1 to 5,000, the server's limit. Default: 5,000.
    pub fn max_request_events(mut self, events: usize) -> ClientBuilder {
        self.max_request_events = events;
        self
    }

    /// The most requests of one call that are under way at once, at least 1. They keep no order among
    /// them; with 1 they do. Default: 4.
    pub fn max_in_flight(mut self, requests: usize) -> ClientBuilder {
        self.max_in_flight = requests;
        self
    }

    /// Sends with an HTTP client of your own, with its proxies, certificates and pool. Let it follow no
    /// redirects: an answer from another URL than the one asked is an error.
    pub fn http_client(mut self, client: reqwest::Client) -> ClientBuilder {
        self.http_client = Some(client);
        self
    }

    /// Sends through `transport` instead of HTTP, for tests on a paused clock.
    #[cfg(feature = "testing")]
    pub fn transport(mut self, transport: impl super::test_transport::Transport) -> ClientBuilder {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: what cannot work, before anything is sent.
    pub fn build(self) -> Result<Client, ConfigError> {
        let environment = Environment { read: self.read_environment };
        let (dev, dev_url) = match self.dev {
            Some(dev) => (dev, None),
            None => dev_mode(environment.get("INNGEST_DEV")?)?,
        };
        let base = self.base(environment, dev, dev_url)?;
        let key = self.key(environment, dev)?;
        let endpoint = endpoint(&base, &key)?;
        let headers = self.headers(environment)?;
        let limits = self.limits()?;
        #[cfg(feature = "testing")]
        let test_transport = self.transport.map(Transport::Scripted);
        #[cfg(not(feature = "testing"))]
        let test_transport = None;
        let transport = match (test_transport, self.http_client) {
            (Some(test_transport), _) => test_transport,
            (None, Some(client)) => Transport::Http(Http { client }),
            (None, None) => {
                let client = http_client(&endpoint, self.connect_timeout, self.read_environment)?;
                Transport::Http(Http { client })
            }
        };
        metrics::describe();
        Ok(Client(Arc::new(Inner {
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

    fn base(
        &self,
        environment: Environment,
        dev: bool,
        dev_url: Option<String>,
    ) -> Result<Url, ConfigError> {
        let (text, origin) = if let Some(GivenUrl(url)) = &self.base_url {
            (url.clone(), "`base_url`")
        } else if let Some(url) = environment.get("INNGEST_EVENT_API_BASE_URL")? {
            (url, "`INNGEST_EVENT_API_BASE_URL`")
        } else if let Some(url) = environment.get("INNGEST_BASE_URL")? {
            (url, "`INNGEST_BASE_URL`")
        } else if let Some(url) = dev_url {
            (url, "`INNGEST_DEV`")
        } else if dev {
            (DEV_SERVER.to_owned(), "the Dev Server's URL")
        } else {
            (CLOUD.to_owned(), "Inngest Cloud's URL")
        };
        base_url(&text, origin)
    }

    fn key(&self, environment: Environment, dev: bool) -> Result<EventKey, ConfigError> {
        let key = match &self.event_key {
            Some(key) => Some(key.clone()),
            None => environment.get("INNGEST_EVENT_KEY")?.map(EventKey),
        };
        match key {
            Some(key) => key.check().map(|()| key),
            None if dev => Ok(EventKey(NO_KEY.to_owned())),
            None => Err(ConfigError::MissingKey),
        }
    }

    fn headers(&self, environment: Environment) -> Result<HeaderMap, ConfigError> {
        let header = |value: &str, option: &'static str| {
            HeaderValue::from_str(value).map_err(|_| ConfigError::InvalidOption {
                option,
                problem: "it has a character that no HTTP header may have".to_owned(),
            })
        };
        let user_agent = match &self.app_name {
            Some(app) => header(&format!("{SDK} ({app})"), "app_name")?,
            None => HeaderValue::from_static(SDK),
        };
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, user_agent);
        headers.insert(HeaderName::from_static("x-inngest-sdk"), HeaderValue::from_static(SDK));
        let env = match &self.env {
            Some(env) => Some(env.clone()),
            None => environment.get("INNGEST_ENV")?,
        };
        if let Some(env) = env {
            headers.insert(HeaderName::from_static("x-inngest-env"), header(&env, "env")?);
        }
        Ok(headers)
    }

    fn limits(&self) -> Result<Limits, ConfigError> {
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
        Ok(Limits { events: self.max_request_events, bytes: self.max_request_bytes })
    }
}

/// The environment variables, or none of them.
#[derive(Clone, Copy)]
struct Environment {
    read: bool,
}

impl Environment {
    /// The variable's value; an empty one counts as none.
    fn get(self, variable: &'static str) -> Result<Option<String>, ConfigError> {
        if !self.read {
            return Ok(None);
        }
        match std::env::var(variable) {
            Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err(ConfigError::NotUnicode { variable }),
        }
    }
}

/// What `INNGEST_DEV` says: whether it is dev mode, and at which URL.
fn dev_mode(value: Option<String>) -> Result<(bool, Option<String>), ConfigError> {
    let Some(value) = value else {
        return Ok((false, None));
    };
    match value.to_ascii_lowercase().as_str() {
        "0" | "false" | "no" | "off" => Ok((false, None)),
        "1" | "true" | "yes" | "on" => Ok((true, None)),
        url if url.starts_with("http://") || url.starts_with("https://") => Ok((true, Some(value))),
        _ => Err(ConfigError::InvalidDev { value }),
    }
}

fn base_url(text: &str, origin: &'static str) -> Result<Url, ConfigError> {
    let invalid = |problem: String| ConfigError::InvalidBaseUrl { origin, problem };
    let url = Url::parse(text).map_err(|error| invalid(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid(format!("its scheme is `{}`, not http or https", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it has a user or a password in it".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("it has a query or a fragment".to_owned()));
    }
    Ok(url)
}

/// `{base}/e/{key}`
fn endpoint(base: &Url, key: &EventKey) -> Result<Url, ConfigError> {
    let path = format!("{}/e/{}", base.path().trim_end_matches('/'), key.0);
    let mut endpoint = base.clone();
    endpoint.set_path(&path);
    if endpoint.path() == path {
        Ok(endpoint)
    } else {
        Err(ConfigError::InvalidKey { problem: "it changes the URL".to_owned() })
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    ip.map_or(host == "localhost" || host.ends_with(".localhost"), |ip| ip.is_loopback())
}

fn http_client(
    endpoint: &Url,
    connect_timeout: Duration,
    proxies: bool,
) -> Result<reqwest::Client, ConfigError> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(connect_timeout)
        // Below the time after which servers close idle connections: a POST would be lost in between.
        .pool_idle_timeout(Duration::from_secs(20))
        .tcp_nodelay(true);
    let https = endpoint.scheme() == "https";
    // Over http a proxy would read the key.
    if !https || !proxies || is_loopback(endpoint) {
        builder = builder.no_proxy();
    }
    // The scheme is fixed and redirects are not followed: over http, certificates are never asked for,
    // and a machine without any will do.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    if !https {
        builder = builder.tls_certs_only([]);
    }
    #[cfg(not(any(feature = "rustls", feature = "native-tls")))]
    if https {
        return Err(ConfigError::NoTls);
    }
    builder.build().map_err(|error| ConfigError::HttpClient { source: Arc::new(error) })
}
