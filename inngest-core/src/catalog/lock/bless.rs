//! Writes the changes of a catalog into the lock, if it is asked for.

use std::env;

use super::compare::breaks;
use super::file::LockedEvent;
use crate::catalog::compat::{same, stripped};
use crate::catalog::contract::Contract;

const VARIABLE: &str = "INNGEST_EVENTS";

/// Returns whether files are to be written instead of checked. The error says why they must not be written.
pub(super) fn is_requested() -> Result<bool, String> {
    match env::var_os(VARIABLE).unwrap_or_default().to_str() {
        Some("") => return Ok(false),
        Some("bless") => {}
        other => {
            let value = other.map_or_else(|| "not UTF-8".to_owned(), |other| format!("`{other}`"));
            return Err(format!(
                "{VARIABLE} is {value}; its only value is `bless`, which writes the files"
            ));
        }
    }
    let ci = env::var_os("CI").unwrap_or_default();
    if ci.is_empty() || ci == "0" || ci == "false" {
        return Ok(true);
    }
    Err(format!(
        "{VARIABLE}=bless is refused because CI={} is set: what is written here is lost; run \
         `{VARIABLE}=bless cargo test` in a checkout and commit the files",
        ci.to_string_lossy()
    ))
}

/// Brings the lock up to date: it holds the contracts of today and every locked schema that does not clash with
/// them.
pub(super) fn update(events: &mut Vec<LockedEvent>, contracts: &[Contract]) {
    for event in &mut *events {
        event.retired = !contracts.iter().any(|contract| event.is_of(contract));
    }
    for contract in contracts {
        let locked = events.iter_mut().find(|event| event.is_of(contract));
        if let Some(event) = locked {
            event.id = contract.id_template.as_deref().map(str::to_owned);
            event.schemas.retain(|locked| breaks(locked, &contract.schema).is_empty());
            if !event.schemas.iter().any(|locked| same(locked, &contract.schema)) {
                event.schemas.push(stripped(&contract.schema));
            }
        } else {
            events.push(LockedEvent::of(contract));
        }
    }
    events.sort_by(|one, other| one.key().cmp(&other.key()));
}
