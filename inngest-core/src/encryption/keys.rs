//! The keys, which encrypt and decrypt values.

use std::any;
use std::fmt;
use std::iter;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2b256, Digest as _};
use crypto_secretbox::{AeadInPlace as _, KeyInit as _, XSalsa20Poly1305};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::encrypted::Encrypted;
use super::error::EncryptionError;
use crate::event::{EventError, is_blank, json_path, steps_to_error, write_value};

const NONCE_BYTES: usize = XSalsa20Poly1305::NONCE_SIZE;
const TAG_BYTES: usize = XSalsa20Poly1305::TAG_SIZE;

/// The keys that encrypt and decrypt values: one key for both, and any number of keys that only decrypt.
///
/// Cloning is cheap. The memory of the keys is overwritten with zeros when the last clone is dropped. `Debug` prints
/// no key.
///
/// See [encryption](crate::guide::encryption) in the guide.
#[derive(Clone)]
pub struct EncryptionKeys {
    key: SecretKey,
    /// These only decrypt.
    fallbacks: Vec<SecretKey>,
}

/// The key of the cipher. It is in an `Arc`, so that it is neither copied nor moved, and overwriting one place in
/// memory is enough.
#[derive(Clone, Default)]
struct SecretKey(Arc<Zeroizing<[u8; 32]>>);

impl SecretKey {
    /// Derives the key from its text.
    fn derive(text: &str) -> Result<SecretKey, EncryptionError> {
        if is_blank(text) {
            return Err(EncryptionError::BlankKey);
        }
        // JavaScript also trims the byte order mark.
        let is_space = |c: char| c.is_whitespace() || c == '\u{FEFF}';
        if text.starts_with(is_space) || text.ends_with(is_space) {
            return Err(EncryptionError::KeyWithSpace);
        }
        let mut key = SecretKey::default();
        let bytes: &mut [u8; 32] = &mut *Arc::make_mut(&mut key.0);
        Blake2b256::new_with_prefix(text).finalize_into(bytes.into());
        Ok(key)
    }

    fn cipher(&self) -> XSalsa20Poly1305 {
        let bytes: &[u8; 32] = &self.0;
        XSalsa20Poly1305::new(bytes.into())
    }
}

impl EncryptionKeys {
    /// Creates keys that encrypt and decrypt with `key`.
    ///
    /// `key` is the same text as the key of the functions' encryption middleware: the option `key` in JavaScript,
    /// and `secret_key` in Python, there as a `str`. Its BLAKE2b-256 hash is the key of the cipher. This hash is
    /// fast and does not protect a password that can be guessed: use random text of at least 32 bytes, such as the
    /// output of `openssl rand -base64 32`.
    ///
    /// # Errors
    ///
    /// - [`EncryptionError::BlankKey`] if `key` is empty or has only invisible characters.
    /// - [`EncryptionError::KeyWithSpace`] if it begins or ends with white space.
    pub fn new(key: &str) -> Result<EncryptionKeys, EncryptionError> {
        Ok(EncryptionKeys { key: SecretKey::derive(key)?, fallbacks: Vec::new() })
    }

    /// Adds a key that only decrypts. It is used for values that the keys before it do not decrypt. See
    /// [Rotation](crate::encryption#rotation).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`new`](EncryptionKeys::new).
    pub fn fallback(mut self, key: &str) -> Result<EncryptionKeys, EncryptionError> {
        self.fallbacks.push(SecretKey::derive(key)?);
        Ok(self)
    }

    /// Encrypts a value. It is serialized with the same checks as the data of an event, but can be of any JSON
    /// type, not only an object.
    ///
    /// The size of the encrypted value is 4/3 of the size of the value's JSON, plus about 120 bytes. With the
    /// client's default limit of 3 MiB for an event, the JSON can have up to about 2.2 MiB. The server's limit may
    /// be lower.
    ///
    /// # Errors
    ///
    /// Returns [`EncryptionError::Serialize`] if the value cannot be serialized, or contains an integer beyond
    /// ±(2^53 - 1), which functions would receive rounded.
    ///
    /// # Panics
    ///
    /// Panics if the operating system's random number generator fails.
    pub fn encrypt<T: Serialize>(&self, value: &T) -> Result<Encrypted<T>, EncryptionError> {
        let mut message = vec![0; NONCE_BYTES + TAG_BYTES];
        write_value(&mut message, value)
            .map_err(|error| EncryptionError::Serialize { problem: describe(&error) })?;
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).expect("the operating system's random number generator works");
        let (head, text) = message.split_at_mut(NONCE_BYTES + TAG_BYTES);
        let tag = self.key.cipher().encrypt_in_place_detached(&nonce.into(), b"", text);
        let tag = tag.expect("only associated data is an error");
        head[..NONCE_BYTES].copy_from_slice(&nonce);
        head[NONCE_BYTES..].copy_from_slice(&tag);
        Ok(Encrypted::new(STANDARD.encode(message)))
    }

    /// Decrypts a value with the first key that decrypts it.
    ///
    /// # Errors
    ///
    /// - [`EncryptionError::NotEncrypted`] if the value was sent as plaintext.
    /// - [`EncryptionError::Strategy`] if it is encrypted by another strategy than the default of the official
    ///   middleware.
    /// - [`EncryptionError::WrongKey`] if no key decrypts it.
    /// - [`EncryptionError::Data`] if the decrypted value does not deserialize as a `T`.
    pub fn decrypt<T: DeserializeOwned>(&self, value: &Encrypted<T>) -> Result<T, EncryptionError> {
        let message = STANDARD.decode(value.data()?).map_err(|_| EncryptionError::WrongKey)?;
        let text = self.open(message).ok_or(EncryptionError::WrongKey)?;
        serde_json::from_slice(&text)
            .map_err(|error| EncryptionError::Data { problem: locate::<T>(&text, &error) })
    }

    /// Decrypts a message: nonce, tag and ciphertext.
    fn open(&self, mut message: Vec<u8>) -> Option<Vec<u8>> {
        let (nonce, rest) = message.split_first_chunk_mut::<NONCE_BYTES>()?;
        let (tag, text) = rest.split_first_chunk_mut::<TAG_BYTES>()?;
        let (nonce, tag) = ((&*nonce).into(), (&*tag).into());
        // Decryption with a wrong key leaves the text unchanged.
        iter::once(&self.key)
            .chain(&self.fallbacks)
            .find(|key| key.cipher().decrypt_in_place_detached(nonce, b"", text, tag).is_ok())?;
        message.drain(..NONCE_BYTES + TAG_BYTES);
        Some(message)
    }
}

impl fmt::Debug for EncryptionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKeys(..)")
    }
}

/// Describes why a value cannot be serialized, without quoting its numbers.
fn describe(error: &EventError) -> String {
    match error {
        EventError::UnsafeInteger { path, .. } => format!(
            "`{path}` is an integer beyond ±(2^53 - 1), which functions would receive rounded; send it as a \
             string: `#[serde(with = \"inngest_core::as_string\")]`"
        ),
        EventError::NumberOutOfRange { path, .. } => format!(
            "`{path}` is a number beyond the range of the 64-bit floats that functions read numbers as; \
             send it as a string"
        ),
        EventError::Serialize { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

/// Describes why `text` does not deserialize as a `T`, without quoting its values.
fn locate<T: DeserializeOwned>(text: &[u8], error: &serde_json::Error) -> String {
    match serde_json::from_slice::<Value>(text) {
        Ok(value) => {
            let path = json_path::render("value", &steps_to_error::<T>(&value));
            format!("does not decode as `{}`, because of `{path}`", any::type_name::<T>())
        }
        Err(_) => format!("is not valid JSON at column {}", error.column()),
    }
}
