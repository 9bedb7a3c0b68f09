//! Encrypted fields: the ciphertext has the format of the official middleware, and nothing else reads it.
//!
//! `tests/clients/run` exchanges values with the packages of npm and `PyPI`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inngest_core::encryption::{Encrypted, EncryptionError, EncryptionKeys};
use inngest_core::testing::EventApi;
use inngest_core::{Batch, Client, EventError, InngestEvent, SendError};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

const KEY: &str = "a secret key";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Customer {
    name: String,
    card: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/order.placed", id = "order-placed-{number}", version = "1")]
struct OrderPlaced {
    number: u32,
    encrypted: Encrypted<Customer>,
    note: Option<Encrypted<String>>,
}

fn keys(text: &str) -> EncryptionKeys {
    EncryptionKeys::new(text).expect("a key")
}

fn ada() -> Customer {
    Customer { name: "Ada Byron King".to_owned(), card: 41_114_111 }
}

fn order(keys: &EncryptionKeys) -> OrderPlaced {
    OrderPlaced { number: 7, encrypted: keys.encrypt(&ada()).expect("encrypted"), note: None }
}

/// Returns the encrypted value that a program received as `json`.
fn received<T>(json: Value) -> Encrypted<T> {
    serde_json::from_value(json).expect("any JSON is accepted")
}

fn envelope(data: &str) -> Value {
    json!({ "__ENCRYPTED__": true, "__STRATEGY__": "inngest/libsodium", "data": data })
}

/// Returns the ciphertext, decoded.
fn message<T>(encrypted: &Encrypted<T>) -> Vec<u8> {
    let json = serde_json::to_value(encrypted).expect("JSON");
    STANDARD.decode(json["data"].as_str().expect("a text")).expect("base64")
}

/// Encrypts a value, sends it through its JSON, and decrypts it.
fn round_trip<T: Serialize + DeserializeOwned>(keys: &EncryptionKeys, value: &T) -> T {
    let json = serde_json::to_string(&keys.encrypt(value).expect("encrypted")).expect("JSON");
    keys.decrypt(&serde_json::from_str(&json).expect("encrypted")).expect("decrypted")
}

#[test]
fn values_encrypted_by_the_official_packages_are_decrypted() {
    let expected = json!({ "name": "Ada", "é": [1, 2.5, null, "\u{2028}😀"] });
    for (package, data) in [
        (
            "npm",
            "VhKpYNaNOlHMycGQLhdHyuQwze8KiZJFzHjY509YMs83vLliT6bJjhmUppPD9mv/3gCG+wPCk07debB9TYBzBQtWbrI+jOwc0+Q1TPRQ\
             z1OU8A==",
        ),
        (
            "PyPI",
            "HOq1bwA/+9tMfTlMTSjqiDWkuK3QZPYLsMotWnomlXUdgQ8lrMfWsy6iLzeG/2U3KyhgTn9Rf2kfPSRMAEgO6BJt2i1/QWjzzF+cs9sX\
             87H0p52i85YMw/Gqf9+YXthn2/ZGKRC+iw==",
        ),
    ] {
        let encrypted: Encrypted<Value> = received(envelope(data));
        assert_eq!(keys(KEY).decrypt(&encrypted).expect(package), expected);
    }
}

#[test]
fn an_encrypted_value_is_the_envelope_of_the_middleware() {
    let encrypted = keys(KEY).encrypt(&ada()).expect("encrypted");
    let json = serde_json::to_value(&encrypted).expect("JSON");
    assert_eq!(json, envelope(json["data"].as_str().expect("a text")));
    let plain = serde_json::to_vec(&ada()).expect("JSON");
    assert_eq!(message(&encrypted).len(), 24 + 16 + plain.len());
    let text = json.to_string();
    assert!(!text.contains("Ada") && !text.contains("4111"), "{text}");
}

#[test]
fn the_same_value_is_encrypted_to_another_text_each_time() {
    let keys = keys(KEY);
    let mut nonces: Vec<_> = (0..1_000)
        .map(|_| message(&keys.encrypt(&ada()).expect("encrypted"))[..24].to_vec())
        .collect();
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 1_000);
    let (one, other) = (order(&keys), order(&keys));
    assert_ne!(one, other);
    assert_eq!(one, one.clone());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_value_returns_from_encryption(
        key in "[^\\s\u{FEFF}\\p{C}]{1,40}",
        texts in proptest::collection::btree_map(any::<String>(), any::<Option<String>>(), 0..8),
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        integer in -9_007_199_254_740_991_i64..=9_007_199_254_740_991,
        float in proptest::num::f64::NORMAL | proptest::num::f64::ZERO,
    ) {
        let keys = EncryptionKeys::new(&key).expect("a key");
        let value = (texts, bytes, integer, float);
        // By default, serde_json reads some floats with a difference in the last bit.
        let json = serde_json::to_string(&value).expect("JSON");
        prop_assert_eq!(round_trip(&keys, &value), serde_json::from_str(&json).expect("JSON"));
    }
}

#[test]
fn empty_and_large_values_return_from_encryption() {
    let keys = keys(KEY);
    assert_eq!(round_trip(&keys, &String::new()), "");
    assert_eq!(round_trip(&keys, &json!({})), json!({}));
    assert_eq!(round_trip(&keys, &json!([])), json!([]));
    assert_eq!(round_trip(&keys, &Value::Null), Value::Null);
    assert_eq!(round_trip(&keys, &None::<Customer>), None);
    round_trip(&keys, &());
    let large: String = "0123456789abcdef".repeat(3 << 16);
    assert_eq!(large.len(), 3 << 20);
    assert_eq!(round_trip(&keys, &large), large);
}

#[test]
fn a_fallback_decrypts_but_does_not_encrypt() {
    let (old, new) = (keys("old"), keys("new"));
    let steps = [
        old.clone(),
        keys("old").fallback("new").expect("a key"),
        keys("new").fallback("old").expect("a key"),
        new.clone(),
    ];
    // Programs in neighboring steps of a rotation read each other's values.
    for (sender, receiver) in [(0, 1), (1, 0), (1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 2)] {
        let encrypted = steps[sender].encrypt(&ada()).expect("encrypted");
        assert_eq!(steps[receiver].decrypt(&encrypted).expect("decrypted"), ada());
        let (encrypts, other) = if sender < 2 { (&old, &new) } else { (&new, &old) };
        assert_eq!(encrypts.decrypt(&encrypted).expect("decrypted"), ada());
        assert!(matches!(other.decrypt(&encrypted), Err(EncryptionError::WrongKey)));
    }
    let three = keys("newest").fallback("new").and_then(|keys| keys.fallback("old"));
    let encrypted = old.encrypt(&ada()).expect("encrypted");
    assert_eq!(three.expect("keys").decrypt(&encrypted).expect("decrypted"), ada());
}

#[test]
fn another_key_does_not_decrypt() {
    let encrypted = keys(KEY).encrypt(&ada()).expect("encrypted");
    for other in ["A secret key", "a secret  key", "a secret key\u{301}", "a", "0"] {
        let error = keys(other).decrypt(&encrypted).expect_err("another key");
        assert!(matches!(error, EncryptionError::WrongKey), "{error}");
        let fallback = keys(other).fallback(KEY).expect("a key");
        assert_eq!(fallback.decrypt(&encrypted).expect("decrypted"), ada());
    }
}

#[test]
fn a_change_of_any_byte_is_reported() {
    let keys = keys(KEY).fallback("another").expect("a key");
    let original = message(&keys.encrypt(&ada()).expect("encrypted"));
    for index in 0..original.len() {
        for bit in 0..8 {
            let mut changed = original.clone();
            changed[index] ^= 1 << bit;
            let error = keys.decrypt::<Customer>(&received(envelope(&STANDARD.encode(changed))));
            assert!(matches!(error, Err(EncryptionError::WrongKey)), "byte {index}, bit {bit}");
        }
    }
    for length in 0..original.len() {
        let cut = STANDARD.encode(&original[..length]);
        let error = keys.decrypt::<Customer>(&received(envelope(&cut)));
        assert!(matches!(error, Err(EncryptionError::WrongKey)), "cut to {length} bytes");
    }
    let text = STANDARD.encode(&original);
    for damaged in [format!("{text}AAAA"), format!("{text}="), format!(" {text}"), "é".to_owned()]
    {
        let error = keys.decrypt::<Customer>(&received(envelope(&damaged)));
        assert!(matches!(error, Err(EncryptionError::WrongKey)), "{damaged}");
    }
}

#[test]
fn a_value_in_clear_is_kept_and_reported() {
    for plain in [
        json!(null),
        json!(5),
        json!("text"),
        json!([envelope("x")]),
        json!({ "name": "Ada", "card": 5 }),
        json!({ "__ENCRYPTED__": false, "__STRATEGY__": "inngest/libsodium", "data": "x" }),
        json!({ "__ENCRYPTED__": "true", "__STRATEGY__": "inngest/libsodium", "data": "x" }),
        json!({ "__ENCRYPTED__": true, "__STRATEGY__": "inngest/libsodium", "data": 5 }),
        json!({ "__ENCRYPTED__": true, "__STRATEGY__": null, "data": "x" }),
        json!({ "__ENCRYPTED__": true }),
    ] {
        let encrypted: Encrypted<Customer> = received(plain.clone());
        let error = keys(KEY).decrypt(&encrypted).expect_err("not encrypted");
        assert!(matches!(error, EncryptionError::NotEncrypted), "{plain}: {error}");
        assert_eq!(serde_json::to_value(&encrypted).expect("JSON"), plain);
        assert_eq!(format!("{encrypted:?}"), "Encrypted(..)");
    }
}

#[test]
fn another_strategy_is_named() {
    let mut json = envelope("x");
    json["__STRATEGY__"] = json!("inngest/aes");
    let error = keys(KEY).decrypt::<Customer>(&received(json)).expect_err("another strategy");
    assert_eq!(
        error.to_string(),
        "the value is encrypted by the strategy `inngest/aes`; only `inngest/libsodium` can be decrypted"
    );
    // What version 0 of the JavaScript middleware sends.
    let json = json!({ "__ENCRYPTED__": true, "data": "U2FsdGVkX18YqqhzXceGfA==" });
    let error = keys(KEY).decrypt::<Customer>(&received(json)).expect_err("no strategy");
    assert!(matches!(error, EncryptionError::Strategy { strategy: None }), "{error}");
}

#[test]
fn fields_beside_the_envelope_are_kept() {
    let mut json = serde_json::to_value(keys(KEY).encrypt(&ada()).expect("encrypted")).unwrap();
    json["later"] = json!([1]);
    let encrypted: Encrypted<Customer> = received(json.clone());
    assert_eq!(serde_json::to_value(&encrypted).expect("JSON"), json);
    assert_eq!(keys(KEY).decrypt(&encrypted).expect("decrypted"), ada());
}

#[test]
fn a_blank_key_and_a_key_with_white_space_are_refused() {
    for blank in ["", " ", "\t\r\n", "\u{200B}", "\u{FEFF}", "\u{2003}\u{2060}"] {
        for result in [EncryptionKeys::new(blank), keys(KEY).fallback(blank)] {
            assert!(matches!(result, Err(EncryptionError::BlankKey)), "{blank:?}");
        }
    }
    for space in [" ", "\n", "\r\n", "\t", "\u{A0}", "\u{85}", "\u{2028}", "\u{3000}", "\u{FEFF}"] {
        for key in [format!("{KEY}{space}"), format!("{space}{KEY}")] {
            for result in [EncryptionKeys::new(&key), keys(KEY).fallback(&key)] {
                let error = result.expect_err("white space");
                assert!(matches!(error, EncryptionError::KeyWithSpace), "{key:?}: {error}");
                assert!(!error.to_string().contains("secret"), "{error}");
            }
        }
    }
    EncryptionKeys::new("a key\nof two lines").expect("white space inside is part of the key");
}

#[test]
fn numbers_that_functions_would_receive_rounded_are_refused() {
    let refused = |value: &dyn erased::Value, path: &str| {
        let error = value.encrypt(&keys(KEY)).expect_err("a rounded number");
        let text = error.to_string();
        assert!(matches!(error, EncryptionError::Serialize { .. }), "{text}");
        assert!(text.contains(path), "{text}");
        assert!(!text.contains("9007199254740993"), "{text}");
    };
    let (unsafe_integer, max) = (9_007_199_254_740_993_i64, 9_007_199_254_740_991_i64);
    refused(&unsafe_integer, "`value` is an integer beyond");
    refused(&-unsafe_integer, "`value` is an integer beyond");
    refused(&json!({ "lines": [{ "sku": 1 }, { "sku": unsafe_integer }] }), "`value.lines[1].sku`");
    assert_eq!(round_trip(&keys(KEY), &max), max);
    // Inngest removes this key from the top of the data only.
    assert_eq!(round_trip(&keys(KEY), &json!({ "_inngest": 1 })), json!({ "_inngest": 1 }));
}

/// [`EncryptionKeys::encrypt`] with values of several types.
mod erased {
    use super::{EncryptionError, EncryptionKeys, Serialize};

    pub(super) trait Value {
        fn encrypt(&self, keys: &EncryptionKeys) -> Result<(), EncryptionError>;
    }

    impl<T: Serialize> Value for T {
        fn encrypt(&self, keys: &EncryptionKeys) -> Result<(), EncryptionError> {
            keys.encrypt(self).map(drop)
        }
    }
}

#[test]
fn a_value_that_cannot_be_serialized_is_an_error() {
    struct Broken;

    impl Serialize for Broken {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("the sensor is offline"))
        }
    }

    let error = keys(KEY).encrypt(&Broken).expect_err("broken");
    assert_eq!(error.to_string(), "the value cannot be encrypted: the sensor is offline");
    let error = keys(KEY).encrypt(&BTreeMap::from([((1, 2), 3)])).expect_err("no text as a key");
    assert!(matches!(error, EncryptionError::Serialize { .. }), "{error}");
}

#[test]
fn a_value_of_another_type_is_located_and_not_quoted() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Account {
        owners: Vec<Customer>,
    }

    let keys = keys(KEY);
    let sent =
        json!({ "owners": [{ "name": "Ada", "card": 5 }, { "name": "Bob", "card": "41114111" }] });
    let encrypted = serde_json::to_value(keys.encrypt(&sent).expect("encrypted")).expect("JSON");
    let error = keys.decrypt::<Account>(&received(encrypted)).expect_err("another type");
    let text = error.to_string();
    assert!(matches!(error, EncryptionError::Data { .. }), "{text}");
    assert!(text.contains("Account`, because of `value.owners[1].card`"), "{text}");
    assert!(std::error::Error::source(&error).is_none() && !format!("{error:?}").contains("4111"));

    let encrypted = serde_json::to_value(keys.encrypt(&"41114111").expect("encrypted")).unwrap();
    let text = keys.decrypt::<u32>(&received(encrypted)).expect_err("another type").to_string();
    assert_eq!(text, "the decrypted value does not decode as `u32`, because of `value`");
}

#[test]
fn neither_keys_nor_values_are_printed() {
    let keys = keys("s3cr3t-k3y").fallback("s3cr3t-old").expect("a key");
    let mut printed = format!("{keys:?}{keys:#?}{:?}{:#?}", order(&keys), order(&keys));
    let encrypted = keys.encrypt(&ada()).expect("encrypted");
    let other = EncryptionKeys::new("s3cr3t-other").expect("a key");
    let clear: Encrypted<Customer> =
        received(json!({ "name": "Ada Byron King", "card": 41_114_111 }));
    printed.extend([format!("{encrypted:?}"), format!("{clear:?}")]);
    let errors = [
        other.decrypt(&encrypted).expect_err("another key"),
        keys.decrypt(&clear).expect_err("in clear"),
        EncryptionKeys::new("s3cr3t-k3y\n").expect_err("white space"),
        keys.encrypt(&u64::MAX).expect_err("a rounded number"),
        keys.decrypt::<Vec<u8>>(&received(serde_json::to_value(&encrypted).expect("JSON")))
            .expect_err("another type"),
    ];
    for error in &errors {
        printed.extend([error.to_string(), format!("{error:?}"), format!("{error:#?}")]);
        assert!(std::error::Error::source(error).is_none());
    }
    assert!(
        printed.contains("EncryptionKeys(..)") && printed.contains("Encrypted(..)"),
        "{printed}"
    );
    for private in ["s3cr3t", "Ada", "4111", "18446744073709551615"] {
        assert!(!printed.contains(private), "{printed}");
    }
}

#[test]
fn keys_and_encrypted_values_are_shared_between_threads() {
    fn assert_shared<T: Send + Sync + Clone + 'static>() {}
    assert_shared::<EncryptionKeys>();
    assert_shared::<EncryptionError>();
    assert_shared::<Encrypted<std::rc::Rc<str>>>();
}

#[tokio::test]
async fn an_encrypted_field_is_recorded_as_it_is_sent() {
    let keys = keys(KEY);
    let (client, sent) = Client::recorder();
    let order = order(&keys);
    client.send(&order).await.expect("accepted");
    let recorded = sent.one::<OrderPlaced>();
    assert_eq!(recorded.data, order);
    assert_eq!(recorded.given_id(), Some("order-placed-7"));
    assert_eq!(keys.decrypt(&recorded.data.encrypted).expect("decrypted"), ada());
}

#[tokio::test]
async fn an_encrypted_field_passes_through_the_event_api() {
    let keys = keys(KEY);
    let api = EventApi::start().await;
    let (decrypted, mut runs) = tokio::sync::mpsc::unbounded_channel();
    let in_function = keys.clone();
    api.on("pack", move |event: inngest_core::Event<OrderPlaced>| {
        let result = in_function.decrypt(&event.data.encrypted);
        let sent = decrypted.send(result);
        async move { sent.expect("the test waits") }
    });
    let orders = [
        order(&keys),
        OrderPlaced { number: 8, note: keys.encrypt(&"éñ😀".to_owned()).ok(), ..order(&keys) },
    ];
    api.client().send_all(&orders).await.expect("accepted");
    api.idle().await;

    let stored = api.events();
    assert_eq!(stored[0].data["encrypted"]["__STRATEGY__"], "inngest/libsodium");
    assert!(!format!("{stored:?}").contains("Ada"), "{stored:?}");
    let stored = api.events_of::<OrderPlaced>();
    assert_eq!((&stored[0].data, &stored[1].data), (&orders[0], &orders[1]));
    let note = stored[1].data.note.as_ref().expect("a note");
    assert_eq!(keys.decrypt(note).expect("decrypted"), "éñ😀");
    for _ in 0..2 {
        assert_eq!(runs.recv().await.expect("a run").expect("decrypted"), ada());
    }
}

#[tokio::test]
async fn the_limit_of_an_event_applies_to_the_encrypted_value() {
    #[derive(Serialize, Deserialize, InngestEvent)]
    #[inngest(name = "storefront/import.finished")]
    struct ImportFinished {
        encrypted: Encrypted<String>,
    }

    let (client, sent) = Client::recorder();
    let event = |bytes: usize| {
        let value = "x".repeat(bytes);
        ImportFinished { encrypted: keys(KEY).encrypt(&value).expect("encrypted") }
    };
    client.send(event(2_200_000)).await.expect("accepted");
    let error = client.send(event(3 << 20)).await.expect_err("too large");
    assert!(matches!(error, SendError::Event(EventError::TooLarge { .. })), "{error}");
    assert_eq!(sent.all::<ImportFinished>().len(), 1);
}

#[test]
fn a_stored_batch_keeps_the_ciphertext() {
    let keys = keys(KEY);
    let batch = Batch::try_from_iter([order(&keys)]).expect("a batch");
    let stored = serde_json::to_vec(&batch).expect("JSON");
    let read: Batch = serde_json::from_slice(&stored).expect("a batch");
    let json = |batch: &Batch| batch.events().next().expect("an event").json().to_owned();
    assert_eq!(json(&read), json(&batch));
    let event: inngest_core::Event<OrderPlaced> = serde_json::from_str(&json(&read)).expect("JSON");
    assert_eq!(keys.decrypt(&event.data.encrypted).expect("decrypted"), ada());
}
