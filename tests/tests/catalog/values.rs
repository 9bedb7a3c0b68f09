//! What is sent validates against what is exported, by an independent validator.

use std::fmt::Debug;
use std::marker::PhantomData;

use inngest_core::catalog::{Catalog, CatalogError};
use inngest_core::{Batch, DedupId, Event, EventError, InngestEvent};
use inngest_tests::payloads::{PayloadEvent, PayloadVisitor, visit_payloads};
use inngest_tests::{Random, Sample};
use jsonschema::Validator;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

/// Returns the number of values of each payload. The variable is for a longer run.
fn count() -> u64 {
    match std::env::var("CATALOG_VALUES") {
        Ok(count) => count.parse().expect("a number in CATALOG_VALUES"),
        Err(_) => 1_000,
    }
}

fn catalog() -> Catalog {
    Catalog::new("payloads").events::<PayloadEvent>()
}

/// Returns a validator of the definition of `E` in the bundle of all events.
fn data_validator<E: InngestEvent>(bundle: &Value) -> Validator {
    let definitions = bundle["$defs"].as_object().unwrap().iter();
    let is_of_event = |schema: &Value| {
        schema["x-inngest-event"] == E::NAME && schema["x-inngest-version"].as_str() == E::VERSION
    };
    let (name, _) = definitions.into_iter().find(|(_, schema)| is_of_event(schema)).unwrap();
    let mut schema = bundle.clone();
    schema["$ref"] = format!("#/$defs/{name}").into();
    jsonschema::draft202012::new(&schema).unwrap()
}

fn assert_valid(validator: &Validator, value: &Value, what: &str) {
    if let Some(error) = validator.iter_errors(value).next() {
        panic!("{what}: {error} at `{}` in {value:#}", error.instance_path());
    }
}

struct SentValues {
    catalog: Catalog,
    bundle: Value,
    payloads: usize,
}

impl PayloadVisitor for SentValues {
    fn visit<E>(&mut self)
    where
        E: InngestEvent + JsonSchema + for<'de> Deserialize<'de> + Sample + Debug,
    {
        self.payloads += 1;
        let event =
            jsonschema::draft202012::new(&self.catalog.event_schema(E::NAME).unwrap()).unwrap();
        let data = data_validator::<E>(&self.bundle);
        for seed in 0..count() {
            let value = E::sample(&mut Random::seeded(seed));
            self.catalog.check_event(&value).unwrap();
            let batch = Batch::try_from_iter([Event::new(&value).without_id()]).unwrap();
            let sent = batch.events().next().unwrap().json().to_owned();
            let sent: Value = serde_json::from_str(&sent).unwrap();
            assert_valid(&event, &sent, E::NAME);
            assert_valid(&data, &sent["data"], E::NAME);
            // The payload reads it, so the sample is one that can be sent and received.
            E::deserialize(&sent["data"]).unwrap_or_else(|error| panic!("{error} in {sent:#}"));
        }
    }
}

#[test]
fn sent_events_match_the_exported_schemas() {
    let catalog = catalog();
    let bundle = catalog.json_schema().unwrap();
    jsonschema::meta::validate(&bundle).unwrap();
    let mut values = SentValues { catalog, bundle, payloads: 0 };
    visit_payloads(&mut values);
    assert!(values.payloads >= 30);
}

/// Data of the event `E` that its type would not write.
struct Mutated<E>(Value, PhantomData<E>);

impl<E> Serialize for Mutated<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<E: InngestEvent> InngestEvent for Mutated<E> {
    const NAME: &'static str = E::NAME;
    const VERSION: Option<&'static str> = E::VERSION;

    fn dedup_id(&self) -> Result<Option<DedupId>, EventError> {
        Ok(None)
    }
}

/// Changes one value inside `value`.
fn mutate(value: &mut Value, random: &mut Random) {
    let others = [
        json!(null),
        json!(true),
        json!(-1),
        json!(300),
        json!(1.5),
        json!("12"),
        json!([]),
        json!({}),
    ];
    let stop = random.below(3) == 0;
    match value {
        Value::Object(object) if !object.is_empty() => {
            let index = random.below(object.len());
            let key = object.keys().nth(index).unwrap().clone();
            match random.below(8) {
                0 => drop(object.remove(&key)),
                1 => drop(object.insert("another".to_owned(), json!(1))),
                _ if stop => drop(object.insert(key, others[random.below(8)].clone())),
                _ => mutate(&mut object[&key], random),
            }
        }
        Value::Array(array) if !array.is_empty() && !stop => {
            let index = random.below(array.len());
            match random.below(6) {
                0 => drop(array.remove(index)),
                1 => array.push(array[index].clone()),
                _ => mutate(&mut array[index], random),
            }
        }
        value => *value = others[random.below(8)].clone(),
    }
}

struct Verdicts {
    catalog: Catalog,
    bundle: Value,
    accepted: usize,
    rejected: usize,
}

impl PayloadVisitor for Verdicts {
    fn visit<E>(&mut self)
    where
        E: InngestEvent + JsonSchema + for<'de> Deserialize<'de> + Sample + Debug,
    {
        let validator = data_validator::<E>(&self.bundle);
        for seed in 0..count() {
            let random = &mut Random::seeded(seed);
            let mut data = serde_json::to_value(E::sample(random)).unwrap();
            if data.is_object() {
                mutate(&mut data, random);
            }
            if !data.is_object() {
                continue;
            }
            let checked = self.catalog.check_event(&Mutated::<E>(data.clone(), PhantomData));
            let expected = validator.is_valid(&data);
            assert_eq!(checked.is_ok(), expected, "{}: {checked:?} for {data:#}", E::NAME);
            match checked {
                Ok(()) => self.accepted += 1,
                Err(CatalogError::Mismatch { .. }) => self.rejected += 1,
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn check_event_agrees_with_an_independent_validator_about_changed_data() {
    let (catalog, bundle) = (catalog(), catalog().json_schema().unwrap());
    let mut verdicts = Verdicts { catalog, bundle, accepted: 0, rejected: 0 };
    visit_payloads(&mut verdicts);
    println!("{} accepted, {} rejected", verdicts.accepted, verdicts.rejected);
    assert!(verdicts.rejected > 5_000 && verdicts.accepted > 2_000);
}
