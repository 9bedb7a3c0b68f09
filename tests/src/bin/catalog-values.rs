//! Writes the catalog of all payloads, and generated values of each, to the folder in the first argument: for the
//! tools that `tests/clients/catalog` runs.

use std::fmt::Debug;
use std::path::PathBuf;
use std::{env, fs};

use inngest_core::InngestEvent;
use inngest_core::catalog::Catalog;
use inngest_tests::payloads::{PayloadEvent, PayloadVisitor, visit_payloads};
use inngest_tests::{Random, Sample};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

const VALUES: u64 = 200;

struct Values(Vec<Value>);

impl PayloadVisitor for Values {
    fn visit<E>(&mut self)
    where
        E: InngestEvent + JsonSchema + for<'de> Deserialize<'de> + Sample + Debug,
    {
        for seed in 0..VALUES {
            let data = E::sample(&mut Random::seeded(seed));
            self.0.push(json!({ "name": E::NAME, "v": E::VERSION, "data": data }));
        }
    }
}

fn main() {
    let folder = PathBuf::from(env::args().nth(1).expect("a folder"));
    let write = |name: &str, value: &Value| {
        fs::write(folder.join(name), value.to_string()).expect("a file in the folder");
    };
    let catalog = Catalog::new("payloads").description("All shapes.").events::<PayloadEvent>();
    write("schema.json", &catalog.json_schema().expect("a catalog without errors"));
    write("asyncapi.json", &catalog.asyncapi().expect("a catalog without errors"));
    let mut values = Values(Vec::new());
    visit_payloads(&mut values);
    write("values.json", &Value::Array(values.0));
}
