//! An encrypted value, as it is part of an event.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::error::EncryptionError;

const MARKER_KEY: &str = "__ENCRYPTED__";
const STRATEGY_KEY: &str = "__STRATEGY__";
const DATA_KEY: &str = "data";

/// The name of the only strategy that this crate supports.
const STRATEGY: &str = "inngest/libsodium";

/// A value of type `T`, encrypted.
///
/// It holds the ciphertext only. [`EncryptionKeys::encrypt`](super::EncryptionKeys::encrypt) creates it, and
/// [`EncryptionKeys::decrypt`](super::EncryptionKeys::decrypt) returns its value. It serializes as the JSON
/// object that the official encryption middleware reads.
///
/// Any JSON value deserializes as an `Encrypted<T>`, and serializes as the same JSON again, so that one event with
/// an unexpected value does not fail a whole batch of events. `decrypt` then returns
/// [`NotEncrypted`](EncryptionError::NotEncrypted) or [`Strategy`](EncryptionError::Strategy).
///
/// Two encrypted values are equal if their ciphertexts are. Encrypting a value twice results in different
/// ciphertexts. `Debug` prints no part of the value.
///
/// See [encryption](crate::guide::encryption) in the guide.
pub struct Encrypted<T> {
    json: Value,
    /// A function type, so that an `Encrypted<T>` is `Send` and `Sync` for every `T`: it holds no `T`.
    value: PhantomData<fn() -> T>,
}

impl<T> Encrypted<T> {
    /// Wraps a ciphertext.
    pub(super) fn new(data: String) -> Encrypted<T> {
        let fields: [(&str, Value); 3] =
            [(MARKER_KEY, true.into()), (STRATEGY_KEY, STRATEGY.into()), (DATA_KEY, data.into())];
        let json = fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Encrypted { json, value: PhantomData }
    }

    /// Returns the ciphertext. A value counts as encrypted by the same rules as in the JavaScript middleware.
    pub(super) fn data(&self) -> Result<&str, EncryptionError> {
        let data = self.json.get(DATA_KEY).and_then(Value::as_str);
        let (Some(true), Some(data)) = (self.json.get(MARKER_KEY).and_then(Value::as_bool), data)
        else {
            return Err(EncryptionError::NotEncrypted);
        };
        let strategy = match self.json.get(STRATEGY_KEY) {
            Some(Value::String(strategy)) if strategy == STRATEGY => return Ok(data),
            Some(Value::String(strategy)) => Some(strategy.clone()),
            Some(_) => return Err(EncryptionError::NotEncrypted),
            None => None,
        };
        Err(EncryptionError::Strategy { strategy })
    }
}

impl<T> Clone for Encrypted<T> {
    fn clone(&self) -> Encrypted<T> {
        Encrypted { json: self.json.clone(), value: PhantomData }
    }
}

impl<T> PartialEq for Encrypted<T> {
    fn eq(&self, other: &Encrypted<T>) -> bool {
        self.json == other.json
    }
}

impl<T> fmt::Debug for Encrypted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encrypted(..)")
    }
}

impl<T> Serialize for Encrypted<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Encrypted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Encrypted<T>, D::Error> {
        let json = Value::deserialize(deserializer)?;
        Ok(Encrypted { json, value: PhantomData })
    }
}
