//! The base URL, as the user wrote it, and its validation.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use super::config_error::ConfigError;

/// The longest URL that the HTTP client can send a request to, in bytes.
const MAX_URL_BYTES: usize = 65_534;

/// A URL as the user wrote it, which may contain a password or the event key.
#[derive(Clone)]
pub(super) struct UncheckedUrl(String);

impl UncheckedUrl {
    pub(super) fn new(url: impl Into<String>) -> UncheckedUrl {
        UncheckedUrl(url.into())
    }

    /// Parses and validates the URL. `origin` is the option or the variable that set it.
    pub(super) fn check(&self, origin: &'static str) -> Result<Url, ConfigError> {
        let invalid = |problem: String| ConfigError::InvalidBaseUrl { origin, problem };
        let parsed = Url::parse(&self.0);
        // `localhost:8288` parses as a URL with the scheme `localhost`, and `127.0.0.1:8288` does not
        // parse.
        if !parsed.as_ref().is_ok_and(is_http) && !self.0.contains("://") {
            let problem = "it has no scheme; write `http://` or `https://` before the host, as in \
                           `http://localhost:8288`";
            return Err(invalid(problem.to_owned()));
        }
        let url = parsed.map_err(|error| invalid(error.to_string()))?;
        if !is_http(&url) {
            return Err(invalid(format!("its scheme is `{}`, not http or https", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("it contains a user name or a password".to_owned()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it has a query or a fragment".to_owned()));
        }
        if url.path_segments().is_some_and(|mut segments| segments.any(|segment| segment == "e")) {
            let problem = "its path contains `/e/`; leave out `/e/` and the key, which the client \
                           adds, and set the key with `event_key` or INNGEST_EVENT_KEY";
            return Err(invalid(problem.to_owned()));
        }
        match http_problem(&url) {
            Some(problem) => Err(invalid(problem)),
            None => Ok(url),
        }
    }
}

impl fmt::Debug for UncheckedUrl {
    /// Prints the scheme and the host only, since a secret can be in any other part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Url::parse(&self.0) {
            Ok(url) if is_http(&url) => {
                let rest = if url.path() == "/" { "" } else { "/.." };
                write!(f, "\"{}{rest}\"", url.origin().ascii_serialization())
            }
            _ => f.write_str(".."),
        }
    }
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// Returns why no HTTP request can be sent to `url`, or `None` if one can. The text omits the URL,
/// which may contain the key.
pub(super) fn http_problem(url: &Url) -> Option<String> {
    let error = http::Uri::try_from(url.as_str()).err()?;
    let bytes = url.as_str().len();
    Some(if bytes > MAX_URL_BYTES {
        format!("the URL has {bytes} bytes, but HTTP requests allow at most {MAX_URL_BYTES}")
    } else {
        format!("no HTTP request can be sent to it: {error}")
    })
}

/// Returns whether the URL's host is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        // `::ffff:127.0.0.1` is an IPv4 address.
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_hosts_are_recognized_in_every_notation() {
        let is_loopback = |url| is_loopback(&Url::parse(url).expect("a URL"));
        for url in [
            "http://localhost",
            "http://api.localhost:8288",
            "http://127.0.0.1",
            "http://127.1",
            "http://127.8.9.10",
            "http://[::1]:8288",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["http://localhost.example", "http://10.0.0.1", "http://[::ffff:10.0.0.1]"] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
