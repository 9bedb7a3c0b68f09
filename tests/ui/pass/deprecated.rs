//! Deprecated events, fields and variants: the expansion itself causes no deprecation warnings.
#![deny(warnings)]
#![allow(dead_code)]

mod old {
    #![allow(deprecated)]

    use inngest_core::{IdSegment, InngestEvent, InngestEvents};
    use serde::Serialize;

    #[derive(Serialize, InngestEvent)]
    #[inngest(name = "a/old", id = "old-{id}-{state}")]
    #[deprecated]
    pub struct Old {
        #[deprecated]
        pub id: String,
        pub state: State,
    }

    #[derive(InngestEvents)]
    #[deprecated]
    pub enum Any {
        #[deprecated]
        Old(Old),
    }

    #[derive(Serialize, IdSegment)]
    pub enum State {
        #[deprecated]
        Gone,
        Here,
    }
}

mod without_serde {
    // Here, serde's own derive would cause warnings, so `Serialize` is implemented by hand.
    use inngest_core::{IdSegment, InngestEvent};

    #[derive(InngestEvent)]
    #[inngest(name = "a/old", id = "old-{id}-{state}-{nested.id}")]
    pub struct Old {
        #[deprecated]
        pub id: String,
        pub state: State,
        #[deprecated]
        pub nested: Nested,
    }

    pub struct Nested {
        #[deprecated]
        pub id: u8,
    }

    impl serde::Serialize for Old {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_unit()
        }
    }

    #[derive(IdSegment)]
    pub enum State {
        #[deprecated]
        Gone,
        Here,
    }

    #[derive(IdSegment)]
    #[deprecated]
    pub struct Id(#[deprecated] u8);

    #[derive(IdSegment)]
    #[deprecated]
    pub enum Other {
        Gone,
    }
}

fn main() {}
