//! The derive accepts all attributes that serde accepts.
#![allow(dead_code)]

use inngest_core::InngestEvent;
use serde::{Deserialize, Serialize};

mod reexported {
    pub use serde;
}

#[derive(Serialize, Deserialize, InngestEvent)]
#[serde(rename_all = "camelCase", deny_unknown_fields, tag = "type")]
#[inngest(name = "a/b", id = "ab-{cart_id}-{flat.of_it}")]
struct Renamed {
    cart_id: String,
    #[serde(rename = "other", default)]
    total: f64,
    #[serde(rename(serialize = "ser", deserialize = "_inngest"))]
    both: u8,
    #[serde(skip)]
    _inngest: u8,
    #[serde(flatten)]
    flat: Flat,
    #[serde(skip_serializing_if = "Option::is_none")]
    maybe: Option<u8>,
}

#[derive(Serialize, Deserialize)]
struct Flat {
    of_it: String,
}

#[derive(Serialize, InngestEvent)]
#[serde(transparent)]
#[inngest(name = "a/c", id = "ac-{inner.of_it}")]
struct Transparent {
    inner: Flat,
}

#[derive(Clone, Serialize, InngestEvent)]
#[serde(into = "Flat", crate = "reexported::serde")]
#[inngest(name = "a/d", id = "ad-{_inngest}")]
struct Into_ {
    _inngest: String,
}

impl From<Into_> for Flat {
    fn from(from: Into_) -> Flat {
        Flat { of_it: from._inngest }
    }
}

#[derive(Serialize, InngestEvent)]
#[serde(rename_all(serialize = "SCREAMING_SNAKE_CASE"), rename = "_inngest")]
#[inngest(name = "a/e", id = "ae-{a}")]
struct Upper {
    #[serde(skip_deserializing)]
    a: String,
}

fn main() {}
