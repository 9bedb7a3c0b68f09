//! The error of building a client.

use super::source::Source;

/// Why a client could not be built.
///
/// See [errors](crate::guide::errors) in the guide.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No event key is set, and dev mode is off.
    #[error(
        "no event key: set INNGEST_EVENT_KEY or call `event_key`, or set INNGEST_DEV=1 to send to a \
         Dev Server"
    )]
    MissingKey,

    /// The event key has a character or a form that no event key has.
    #[error("the event key is invalid: {problem}")]
    InvalidKey {
        /// What is wrong with it. The text does not contain the key.
        problem: String,
    },

    /// The base URL cannot be used.
    #[error("{origin} is not a valid base URL: {problem}")]
    InvalidBaseUrl {
        /// The option or the environment variable that set it.
        origin: &'static str,
        /// What is wrong with it. The URL itself may contain a secret and is not shown.
        problem: String,
    },

    /// `INNGEST_DEV` is neither a boolean nor an `http` or `https` URL.
    #[error(
        "INNGEST_DEV is `{value}`; use 1, true, yes or on for a Dev Server, its URL, such as \
         `http://localhost:8288`, or 0, false, no or off for Inngest Cloud"
    )]
    InvalidDev {
        /// The variable's value, or `..` if it may contain a secret.
        value: String,
    },

    /// An environment variable is not Unicode.
    #[error("{variable} is not valid Unicode")]
    NotUnicode {
        /// The variable's name.
        variable: &'static str,
    },

    /// An option has an invalid value.
    #[error("`{option}`: {problem}")]
    InvalidOption {
        /// The name of the builder's method.
        option: &'static str,
        /// What is wrong with the value.
        problem: String,
    },

    /// The URL is https, and neither the feature `rustls` nor `native-tls` is enabled.
    #[error("an https URL needs the feature `rustls` or `native-tls` of inngest-core")]
    NoTls,

    /// The HTTP client could not be built, for example because the machine has no CA certificates.
    #[error("the HTTP client could not be built; are CA certificates installed (ca-certificates)?")]
    HttpClient {
        /// The HTTP client's error.
        source: Source,
    },

    /// The thread of a blocking client could not be started.
    #[error("the thread of the blocking client could not be started")]
    Thread {
        /// The operating system's error.
        source: Source,
    },
}
