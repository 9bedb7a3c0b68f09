//! Finds what has changed between a lock and a catalog.

use serde_json::Value;

use super::change::{Change, ChangeKind};
use super::file::LockedEvent;
use crate::catalog::compat::{problems, same};
use crate::catalog::contract::Contract;

/// Returns what breaks between a locked schema and the current schema.
pub(super) fn breaks(locked: &Value, current: &Value) -> Vec<ChangeKind> {
    let forward = problems(current, locked).into_iter().map(ChangeKind::Forward);
    forward.chain(problems(locked, current).into_iter().map(ChangeKind::Backward)).collect()
}

/// Returns the differences, sorted by event and version.
pub(super) fn changes(locked: &[LockedEvent], contracts: &[Contract]) -> Vec<Change> {
    let mut changes = Vec::new();
    for contract in contracts {
        let kinds = match locked.iter().find(|event| event.is_of(contract)) {
            Some(event) => changes_of_version(event, contract),
            None => changes_of_new(locked, contract),
        };
        changes.extend(kinds.into_iter().map(|kind| Change {
            event: contract.name.clone().into_owned(),
            version: contract.version.as_deref().map(str::to_owned),
            kind,
        }));
    }
    let is_removed =
        |event: &&LockedEvent| !event.retired && !contracts.iter().any(|it| event.is_of(it));
    changes.extend(locked.iter().filter(is_removed).map(|event| Change {
        event: event.event.clone(),
        version: event.version.clone(),
        kind: ChangeKind::Removed,
    }));
    changes.sort_by(|one, other| (&one.event, &one.version).cmp(&(&other.event, &other.version)));
    changes
}

/// Returns the changes of a version that is in the lock.
fn changes_of_version(locked: &LockedEvent, contract: &Contract) -> Vec<ChangeKind> {
    let mut kinds = Vec::new();
    kinds.extend(id_template(locked, contract));
    // Several locked schemas are often incompatible in the same way. After a merge of two branches, a locked schema
    // can be incompatible although another one equals the current schema.
    for kind in locked.schemas.iter().flat_map(|schema| breaks(schema, &contract.schema)) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let is_known = locked.schemas.iter().any(|schema| same(schema, &contract.schema));
    match kinds[..] {
        [] if locked.retired => kinds.push(ChangeKind::New),
        [] if !is_known => kinds.push(ChangeKind::Compatible),
        _ => {}
    }
    kinds
}

fn changes_of_new(locked: &[LockedEvent], contract: &Contract) -> Vec<ChangeKind> {
    let mut versions = locked.iter().filter(|event| event.event == contract.name);
    let Some(version) = versions.next_back() else { return vec![ChangeKind::New] };
    [ChangeKind::NewVersion].into_iter().chain(id_template(version, contract)).collect()
}

fn id_template(locked: &LockedEvent, contract: &Contract) -> Option<ChangeKind> {
    let new = contract.id_template.as_deref();
    (locked.id.as_deref() != new)
        .then(|| ChangeKind::IdTemplate { old: locked.id.clone(), new: new.map(str::to_owned) })
}
