//! The catalog: what is exported from the types of events, and that it agrees with what is sent.

mod values;
