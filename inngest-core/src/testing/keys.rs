//! Which event keys the server takes, and for which events.

use std::collections::{HashMap, HashSet};

use super::answer::Answer;
use super::store::StoredEvent;

/// The keys of an environment. At first, any key is good for any event.
#[derive(Default)]
pub(super) struct Keys {
    /// The keys accepted; all of them without.
    accepted: Option<HashSet<String>>,
    /// The events' names that a key is for, where it is not for all.
    names: HashMap<String, HashSet<String>>,
}

impl Keys {
    pub(super) fn accept_only(&mut self, keys: HashSet<String>) {
        self.accepted = Some(keys);
    }

    pub(super) fn accept_only_events(&mut self, key: String, names: HashSet<String>) {
        self.names.insert(key, names);
    }

    pub(super) fn check_key(&self, key: &str) -> Result<(), Answer> {
        match &self.accepted {
            Some(accepted) if !accepted.contains(key) => Err(Answer::UnknownKey),
            _ => Ok(()),
        }
    }

    pub(super) fn check_events(&self, key: &str, events: &[StoredEvent]) -> Result<(), Answer> {
        let Some(names) = self.names.get(key) else { return Ok(()) };
        match events.iter().find(|event| !names.contains(&event.name)) {
            Some(event) => Err(Answer::Filtered { event: event.name.clone() }),
            None => Ok(()),
        }
    }
}

/// A key as it stands in a URL -> the key.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let escaped = match (byte, behind) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = &behind[2..];
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
