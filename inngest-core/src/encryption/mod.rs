//! Encrypted fields in events, compatible with Inngest's official encryption middleware for JavaScript
//! (`@inngest/middleware-encryption` 2.x of npm) and Python (`inngest_encryption` of `PyPI`).
//!
//! Inngest stores the data of every event and shows it in its dashboard. The value of an [`Encrypted`] field
//! is ciphertext there: only programs that have the key, such as the functions, read it.
//!
//! ```
//! # #[cfg(feature = "derive")] {
//! use inngest_core::InngestEvent;
//! use inngest_core::encryption::{Encrypted, EncryptionKeys};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Customer {
//!     name: String,
//!     email: String,
//! }
//!
//! #[derive(Serialize, Deserialize, InngestEvent)]
//! #[inngest(name = "storefront/order.placed", id = "order-placed-{number}")]
//! struct OrderPlaced {
//!     number: u32,
//!     encrypted: Encrypted<Customer>,
//! }
//!
//! # let key_from_a_secret_store = "p2pCgq9sVtWcl0LyNbYZ3mUq0uVfT0Ovq1k2c9qYl5E=";
//! let keys = EncryptionKeys::new(key_from_a_secret_store)?;
//! let customer = Customer { name: "Ada".into(), email: "ada@example.com".into() };
//! let order = OrderPlaced { number: 7, encrypted: keys.encrypt(&customer)? };
//! // `client.send(&order).await?`, as any other event.
//!
//! let customer = keys.decrypt(&order.encrypted)?;
//! assert_eq!(customer.email, "ada@example.com");
//! # }
//! # Ok::<(), inngest_core::encryption::EncryptionError>(())
//! ```
//!
//! The value is encrypted before the event is created, since a batch is serialized without a client, and is then
//! sent like any other value: retries and stored batches carry the same ciphertext.
//!
//! # In the functions
//!
//! The middleware decrypts the events that start a function. Functions see the value in its place.
//!
//! ```js
//! import { encryptionMiddleware } from "@inngest/middleware-encryption";
//! const inngest = new Inngest({ id: "shop", middleware: [encryptionMiddleware({ key })] });
//! // event.data.encrypted.email
//! ```
//!
//! ```python
//! from inngest_encryption import EncryptionMiddleware
//! client = inngest.Inngest(app_id="shop", middleware=[EncryptionMiddleware.factory(key)])
//! # ctx.event.data["encrypted"]["email"]
//! ```
//!
//! - **At most one encrypted field, at the top of the data, named `encrypted`.** The Python middleware decrypts
//!   only the first encrypted field of an event, neither middleware decrypts nested ones, and both encrypt
//!   the field `encrypted` of the events that they send. Several private values go into one struct.
//! - The results of `step.waitForEvent` are not decrypted by either middleware. Send what such a step needs in
//!   clear, such as the order's number, and read the rest from the event that started the function.
//! - Python takes the key as a `str`. It uses `bytes` as hexadecimal digits of the cipher's key, without
//!   hashing them.
//! - Functions that encrypt differently, by a custom `encryptionService` or `forceEncryptWithV0`, send events
//!   that are [`EncryptionError::Strategy`] here.
//! - Python leaves `None` in clear, so a field that functions in Python send may be an
//!   `Option<Encrypted<T>>`. The JavaScript middleware encrypts `null`, which decrypts as an `Option<T>`.
//!
//! # What is not encrypted
//!
//! Only the value is encrypted. The other fields, the event's name and the **dedup id** are in clear, and so
//! are the length of the value and the time. An id template therefore names no private field; an `Encrypted`
//! field in one is a compile error. Whatever Inngest evaluates itself sees the ciphertext: `if` expressions,
//! `match`, and the keys of concurrency, debounce, batching and rate limits.
//!
//! The ciphertext is authenticated: a changed one is an [`EncryptionError::WrongKey`]. It is not bound to its event.
//! A sender who has the event key and has seen a ciphertext, but not the encryption key, can send it again in
//! another event. Where this matters, repeat the order's number inside the value and compare it.
//!
//! # Rotation
//!
//! A new key is deployed in three steps, each to every sender and receiver, in every language, before the next one:
//!
//! 1. Every program decrypts with both keys and encrypts with the current one:
//!    `EncryptionKeys::new(current)?.fallback(new)?`.
//! 2. Every program encrypts with the new key: `EncryptionKeys::new(new)?.fallback(current)?`.
//! 3. When no event with the old key will be read again, the old key is removed: `EncryptionKeys::new(new)?`.
//!    Unfinished, delayed and retried runs, replays from the dashboard and batches stored by your own
//!    programs still read it.
//!
//! The fallbacks of the functions are `fallbackDecryptionKeys` in JavaScript and `fallback_decryption_keys` in
//! Python.
//!
//! # Format and limits
//!
//! ```json
//! { "__ENCRYPTED__": true, "__STRATEGY__": "inngest/libsodium", "data": "<base64>" }
//! ```
//!
//! `data` is a nonce of 24 random bytes, a tag of 16 bytes and the ciphertext of the value's JSON, by libsodium's
//! `crypto_secretbox` (XSalsa20-Poly1305). The key is the BLAKE2b-256 hash of the key's text. One key
//! encrypts any number of values. The field is 4/3 of the value's JSON and about 120 bytes: the limits of an
//! event apply to it.
//!
//! Errors and `Debug` contain no key and no part of a value, except that an error contains the path to the part at
//! fault. Keys are overwritten with zeros when they are dropped. Values are not, and neither is the key's text,
//! which belongs to the caller.

mod encrypted;
mod error;
mod keys;
mod no_id;
#[cfg(feature = "schema")]
mod schema;

pub use encrypted::Encrypted;
pub use error::EncryptionError;
pub use keys::EncryptionKeys;
