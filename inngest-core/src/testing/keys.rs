//! Which event keys the server accepts, and for which events.

use std::collections::{HashMap, HashSet};

use super::response::ApiResponse;
use super::store::StoredEvent;

/// The keys of an environment. By default, any key is accepted for any event.
#[derive(Default)]
pub(super) struct Keys {
    /// The keys accepted; `None` accepts all.
    accepted: Option<HashSet<String>>,
    /// For keys with an allow list, the event names on it.
    allowed_names: HashMap<String, HashSet<String>>,
}

impl Keys {
    pub(super) fn accept_only(&mut self, keys: HashSet<String>) {
        self.accepted = Some(keys);
    }

    pub(super) fn accept_only_events(&mut self, key: String, names: HashSet<String>) {
        self.allowed_names.insert(key, names);
    }

    pub(super) fn check_key(&self, key: &str) -> Result<(), ApiResponse> {
        match &self.accepted {
            Some(accepted) if !accepted.contains(key) => Err(ApiResponse::UnknownKey),
            _ => Ok(()),
        }
    }

    pub(super) fn check_events(
        &self,
        key: &str,
        events: &[StoredEvent],
    ) -> Result<(), ApiResponse> {
        let Some(names) = self.allowed_names.get(key) else { return Ok(()) };
        match events.iter().find(|event| !names.contains(&event.name)) {
            Some(event) => Err(ApiResponse::EventNotAllowed { name: event.name.clone() }),
            None => Ok(()),
        }
    }
}

/// Decodes a key from a URL's path.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let escaped = match (byte, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = &tail[2..];
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
