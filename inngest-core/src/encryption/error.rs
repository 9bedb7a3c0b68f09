//! The errors of encryption.

/// The reason why a key cannot be used, or a value cannot be encrypted or decrypted.
///
/// No error contains a key. The errors of this crate contain no part of the value either, only the path to
/// the invalid part. They have no source, since errors of `serde_json` quote values.
///
/// See [encryption](crate::guide::encryption) in the guide.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptionError {
    /// The key is blank: it is empty or has only invisible characters, such as white space.
    #[error(
        "the encryption key is blank; write the text of the key that the functions' encryption middleware has"
    )]
    BlankKey,

    /// The key begins or ends with white space. The JavaScript middleware removes it from its keys and the
    /// Python middleware does not, so the same text would be two keys.
    #[error(
        "the encryption key begins or ends with white space, such as the line break at the end of a file; \
         remove it, here and in the functions' encryption middleware"
    )]
    KeyWithSpace,

    /// The value cannot be serialized, or contains a number that functions would receive as another number: see
    /// [`EventError::UnsafeInteger`](crate::EventError::UnsafeInteger).
    #[error("the value cannot be encrypted: {problem}")]
    Serialize {
        /// The path to the number in the value, such as `value.account.id`, and how to fix it, or else the
        /// message of the `Serialize` implementation.
        problem: String,
    },

    /// The value is encrypted by another strategy than the default of the official middleware.
    #[error(
        "the value is encrypted by {}; only `inngest/libsodium` can be decrypted",
        describe(strategy.as_deref())
    )]
    Strategy {
        /// The value's strategy. `None` for values from version 0 of the JavaScript middleware, which have none.
        strategy: Option<String>,
    },

    /// The value is not encrypted: another program sent it as plaintext.
    #[error("the value is not encrypted; encrypt it where the event is sent")]
    NotEncrypted,

    /// None of the keys decrypts the value: it was encrypted with another key, or was changed afterwards.
    #[error(
        "no key decrypts the value: it was encrypted with another key, or changed since; if it was encrypted \
         with an earlier key, add that with `EncryptionKeys::fallback`"
    )]
    WrongKey,

    /// The value was decrypted, but does not deserialize as the requested type.
    #[error("the decrypted value {problem}")]
    Data {
        /// The type, and the path to the part that does not fit, such as `value.lines[2].sku`. The path contains
        /// the keys of objects. Decrypt an `Encrypted<serde_json::Value>` to see the whole value.
        problem: String,
    },
}

fn describe(strategy: Option<&str>) -> String {
    match strategy {
        Some(strategy) => format!("the strategy `{strategy}`"),
        None => "version 0 of the JavaScript middleware".to_owned(),
    }
}
