//! Brings a lock up to date.

use super::compare::breaks;
use super::file::LockedEvent;
use crate::catalog::compat::{same, stripped};
use crate::catalog::contract::Contract;

/// Brings the lock up to date. It then holds the current contracts, and every locked schema that is compatible with
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
