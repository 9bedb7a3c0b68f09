//! Encrypted fields in events, compatible with Inngest's official encryption middleware for JavaScript
//! (npm package `@inngest/middleware-encryption` 2.x) and Python (`PyPI` package `inngest_encryption`).
//!
//! Inngest stores the data of every event and shows it in its dashboard. There, the value of an [`Encrypted`] field
//! is ciphertext: only programs that have the key, such as the functions, can read it.
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
//! // Send it like any other event: `client.send(&order).await?`.
//!
//! let customer = keys.decrypt(&order.encrypted)?;
//! assert_eq!(customer.email, "ada@example.com");
//! # }
//! # Ok::<(), inngest_core::encryption::EncryptionError>(())
//! ```
//!
//! The value is encrypted when you create the event, and is then sent like any other value: retries and stored
//! batches contain the same ciphertext.
//!
//! # In the functions
//!
//! The middleware decrypts the events that start a function. The function receives the value in place of the
//! ciphertext.
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
//! - **Use at most one encrypted field, at the top level of the data, named `encrypted`.** The Python middleware
//!   decrypts only the first encrypted field of an event, neither middleware decrypts nested ones, and both encrypt
//!   the field `encrypted` of the events that they send. Put several private values into one struct.
//! - Neither middleware decrypts the results of `step.waitForEvent`. Send the values that such a step needs
//!   unencrypted, such as the order's number, and read the rest from the event that started the function.
//! - In Python, pass the key as a `str`. `bytes` are used as hexadecimal digits of the cipher's key, without
//!   hashing.
//! - The values of functions that use a custom `encryptionService` or `forceEncryptWithV0` cannot be decrypted here:
//!   `decrypt` returns [`EncryptionError::Strategy`].
//! - The Python middleware does not encrypt `None`, so receive a field that functions in Python send as an
//!   `Option<Encrypted<T>>`. The JavaScript middleware encrypts `null`, which decrypts as an `Option<T>`.
//!
//! # What is not encrypted
//!
//! Only the value is encrypted. The other fields, the event's name, its time, its **dedup id** and the length of the
//! value can be read by anyone with access to the event. So use no private field in an id template. (An `Encrypted`
//! field there is a compile error.) Expressions that Inngest evaluates use the ciphertext: `if`, `match`, and the
//! keys of concurrency, debounce, batching and rate limits.
//!
//! The ciphertext is authenticated: decrypting a changed one is an [`EncryptionError::WrongKey`]. It is not bound to
//! its event. A sender with the event key and a ciphertext, but without the encryption key, can send the ciphertext
//! again in another event. If this matters, repeat the order's number inside the value and compare it.
//!
//! # Rotation
//!
//! Deploy a new key in three steps. Deploy each step to every sender and receiver, in every language, before the next:
//!
//! 1. Decrypt with both keys, and encrypt with the current key:
//!    `EncryptionKeys::new(current)?.fallback(new)?`.
//! 2. Encrypt with the new key: `EncryptionKeys::new(new)?.fallback(current)?`.
//! 3. Remove the old key: `EncryptionKeys::new(new)?`. Do this only when no event with the old key will be read
//!    again, by unfinished, delayed or retried runs, by replays from the dashboard, or from batches stored by your
//!    own programs.
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
//! `data` is a nonce of 24 random bytes, a tag of 16 bytes and the ciphertext of the value's JSON, as
//! libsodium's `crypto_secretbox` (XSalsa20-Poly1305) computes them. The key of the cipher is the BLAKE2b-256 hash of
//! the key's text. The number of values per key is not limited. The size of the field is 4/3 of the size of the
//! value's JSON, plus about 120 bytes, and counts towards the limits of an event.
//!
//! Errors and `Debug` contain no key and no part of a value, except that an error contains the path to the invalid
//! part. Keys are overwritten with zeros when they are dropped. Values are not, and neither is the key's text,
//! which the caller owns.

mod encrypted;
mod error;
mod keys;
mod no_id;
#[cfg(feature = "schema")]
mod schema;

pub use encrypted::Encrypted;
pub use error::EncryptionError;
pub use keys::EncryptionKeys;
