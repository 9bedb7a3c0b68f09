//! The catalog: what is exported from the types of events, and that it agrees with what is sent.

mod contract;
mod encrypted;
mod errors;
mod exports;
mod files;
mod recorder;
mod values;
