//! The event key, and the one URL that contains it.

use std::fmt;

use reqwest::Url;

use super::base_url::http_problem;
use super::config_error::ConfigError;
use super::redaction;
use crate::event::EventId;

/// The key that is sent to a Dev Server if none is set. The official SDKs send the same.
const NO_KEY: &str = "NO_EVENT_KEY_SET";

/// The prefix of a signing key, which is a different secret.
const SIGNING_KEY: &str = "signkey-";

/// The minimum length of a key that is redacted. A shorter key is not a secret, and occurs in
/// ordinary text.
const MIN_SECRET: usize = 4;

/// The minimum length of a key that is redacted in a ULID. A shorter key can occur in a ULID by
/// chance, or because the first ten characters are the time.
const MIN_SECRET_IN_ULID: usize = 16;

/// An event key: a secret that also selects the Inngest environment of the events. `Debug` does not
/// print it.
///
/// In the server's responses, the key is replaced with `***`: in messages if it has at least 4
/// characters, and in an event id that is a ULID if it has at least 16.
///
/// See [configuration](crate::guide::configuration) in the guide.
#[derive(Clone)]
pub struct EventKey(String);

impl EventKey {
    /// Creates a key from `key`, without a line break at its end, which text read from a file often
    /// has. The characters are checked when a client is built.
    pub fn new(key: impl Into<String>) -> EventKey {
        let mut key = key.into();
        let line = key.strip_suffix("\r\n").or(key.strip_suffix('\n'));
        key.truncate(line.map_or(key.len(), str::len));
        EventKey(key)
    }

    /// Returns the placeholder for a Dev Server, which needs no key.
    pub(super) fn none() -> EventKey {
        EventKey(NO_KEY.to_owned())
    }

    fn is_secret(&self) -> bool {
        self.0.len() >= MIN_SECRET && self.0 != NO_KEY
    }

    /// Replaces the key in `text`, since servers and proxies often quote the requested path. If the
    /// text is `truncated`, a prefix of the key at its end is replaced, too.
    pub(super) fn redact(&self, text: &str, truncated: bool) -> String {
        if self.is_secret() { redaction::redact(text, &self.0, truncated) } else { text.to_owned() }
    }

    /// Returns whether an event id from the server contains the key. Fast for real keys, which are
    /// longer than ids.
    pub(super) fn occurs_in_id(&self, id: &EventId) -> bool {
        self.0.len() <= id.as_bytes().len()
            && self.is_secret()
            && (self.0.len() >= MIN_SECRET_IN_ULID || !is_ulid(id.as_bytes()))
            && redaction::find(id.as_str(), &self.0, false).is_some()
    }

    /// Replaces the key in `id`, if it [occurs](EventKey::occurs_in_id) there.
    pub(super) fn redact_id(&self, id: EventId) -> EventId {
        if self.occurs_in_id(&id) { EventId::new(&self.redact(id.as_str(), false)) } else { id }
    }

    /// Checks that the key can be written into the URL's path unchanged.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(c);
        let problem = if self.0.is_empty() {
            "it is empty".to_owned()
        } else if self.0.starts_with(SIGNING_KEY) {
            "it is a signing key; write an event key instead, which the Inngest dashboard lists under \
             Event Keys"
                .to_owned()
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
        let problem = if endpoint.path() == path {
            http_problem(&endpoint)
        } else {
            Some("it changes the URL".to_owned())
        };
        match problem {
            Some(problem) => Err(ConfigError::InvalidKey { problem }),
            None => Ok(endpoint),
        }
    }
}

/// Returns whether `id` looks like a ULID: 26 letters and digits.
fn is_ulid(id: &[u8]) -> bool {
    let is_allowed = |byte: &u8| u8::from(byte.is_ascii_alphanumeric());
    // Summing avoids a branch per character; this is called once per event.
    id.len() == 26 && id.iter().map(is_allowed).sum::<u8>() == 26
}

impl fmt::Debug for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventKey(..)")
    }
}

impl From<String> for EventKey {
    fn from(key: String) -> EventKey {
        EventKey::new(key)
    }
}

impl From<&str> for EventKey {
    fn from(key: &str) -> EventKey {
        EventKey::new(key)
    }
}
