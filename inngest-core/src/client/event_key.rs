//! The event key, and the one URL that contains it.

use std::fmt;

use reqwest::Url;

use super::error::ConfigError;

/// The key that a Dev Server gets when none is set; the official SDKs send the same.
const NO_KEY: &str = "NO_EVENT_KEY_SET";

/// An event key: the secret that selects the Inngest environment an event belongs to. It never prints.
#[derive(Clone)]
pub struct EventKey(String);

impl EventKey {
    /// Wraps `key`. Its characters are checked when a client is built with it.
    pub fn new(key: impl Into<String>) -> EventKey {
        EventKey(key.into())
    }

    /// The placeholder for a Dev Server, which needs no key.
    pub(super) fn none() -> EventKey {
        EventKey(NO_KEY.to_owned())
    }

    /// Replaces the key in `text`: servers and proxies often quote the requested path.
    pub(super) fn redact(&self, text: String) -> String {
        if self.0 == NO_KEY || self.0.len() < 4 { text } else { text.replace(&self.0, "***") }
    }

    /// Checks that the key can be written into the URL's path unchanged.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(c);
        let problem = if self.0.is_empty() {
            "it is empty".to_owned()
        } else if self.0 == "." || self.0 == ".." {
            "`.` and `..` are path segments that change the URL".to_owned()
        } else if let Some((offset, c)) = self.0.char_indices().find(|(_, c)| !allowed(*c)) {
            let what = match c {
                '\n' | '\r' => "a line break",
                c if c.is_whitespace() => "white space",
                '/' | '\\' | '?' | '#' | '%' => "a character that changes the URL",
                _ => "a character that no key contains",
            };
            format!("it has {what} at byte {offset} of {}", self.0.len())
        } else {
            return Ok(());
        };
        Err(ConfigError::InvalidKey { problem })
    }

    /// Returns the URL that events are posted to: `{base}/e/{key}`.
    pub(super) fn endpoint(&self, base: &Url) -> Result<Url, ConfigError> {
        let path = format!("{}/e/{}", base.path().trim_end_matches('/'), self.0);
        let mut endpoint = base.clone();
        endpoint.set_path(&path);
        if endpoint.path() == path {
            Ok(endpoint)
        } else {
            Err(ConfigError::InvalidKey { problem: "it changes the URL".to_owned() })
        }
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
