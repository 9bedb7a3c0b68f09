//! The names under which events are exported: `CartUpdated` and `cartUpdated` for `storefront/cart.updated`.

use std::collections::BTreeMap;

use unicode_ident::{is_xid_continue, is_xid_start};

use super::CatalogError;
use super::contract::{Contract, event_title};

/// Names of values that a module of TypeScript cannot declare, or that the generated module imports.
const RESERVED: &str = "\
    arguments await break case catch class const continue debugger default delete do else enum eval \
    eventType export exports extends false finally for function globalThis if implements import in \
    instanceof interface let module new null package private protected public require return static \
    staticSchema super switch this throw true try typeof undefined var void while with yield";

/// Global types that the generated module uses, or that an export would hide in the files that import it.
const GLOBAL_TYPES: &str = "\
    Array Awaited BigInt Boolean Buffer Date Error Exclude Extract Function Infinity JSON Map Math \
    NaN NonNullable Number Object Omit Parameters Partial Pick Promise Proxy Readonly Record RegExp \
    Request Required Response ReturnType Set String Symbol URL WeakMap WeakSet";

/// The names of an event's exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExportName {
    /// The name of its type: `CartUpdated`.
    pub(super) of_type: String,
    /// The name of its value: `cartUpdated`.
    pub(super) of_value: String,
}

impl ExportName {
    /// Returns the names for an event, without its version.
    fn of_event(event: &str) -> ExportName {
        let name = event.rsplit('/').next().unwrap_or_default();
        let (of_type, of_value) = (pascal_case(name), camel_case(name));
        if !of_type.starts_with(is_xid_start) {
            ExportName { of_type: format!("Event{of_type}"), of_value: format!("event{of_type}") }
        } else if is_in(RESERVED, &of_value) || is_global_type(&of_type) {
            ExportName { of_type: of_type + "Event", of_value: of_value + "Event" }
        } else {
            ExportName { of_type, of_value }
        }
    }

    /// Returns the names for one of several versions: `CartUpdatedV2` and `cartUpdatedV2`.
    fn of_version(&self, version: Option<&str>) -> ExportName {
        let suffix = version.map_or_else(|| "Unversioned".to_owned(), version_suffix);
        ExportName {
            of_type: format!("{}{suffix}", self.of_type),
            of_value: format!("{}{suffix}", self.of_value),
        }
    }
}

/// The exports of one event: one for each version, in the order of the catalog.
#[derive(Debug)]
pub(super) struct EventExports<'a> {
    /// The names of the event; with several versions, the names of all of them together.
    pub(super) name: ExportName,
    pub(super) versions: Vec<(ExportName, &'a Contract)>,
}

impl EventExports<'_> {
    /// Returns the names of all its types.
    pub(super) fn type_names(&self) -> impl Iterator<Item = &str> {
        let versions = self.versions.iter().map(|(name, _)| name);
        versions.chain([&self.name]).map(|name| name.of_type.as_str())
    }
}

/// Returns the exports of all events, in the order of `contracts`. The versions of an event must follow each other
/// there.
pub(super) fn exports(contracts: &[Contract]) -> Result<Vec<EventExports<'_>>, CatalogError> {
    let mut claimed = BTreeMap::new();
    let mut exports = Vec::new();
    for versions in contracts.chunk_by(|first, second| first.name == second.name) {
        let event = &versions[0].name;
        let name = ExportName::of_event(event);
        claim(&mut claimed, &name, event_title(event, None))?;
        let versions = match versions {
            [contract] => vec![(name.clone(), contract)],
            _ => versions.iter().map(|it| (name.of_version(it.version.as_deref()), it)).collect(),
        };
        for (name, contract) in versions.iter().filter(|_| versions.len() > 1) {
            claim(&mut claimed, name, contract.title())?;
        }
        exports.push(EventExports { name, versions });
    }
    Ok(exports)
}

/// Claims both names for `event`, which is a text for the error.
fn claim(
    claimed: &mut BTreeMap<String, String>,
    name: &ExportName,
    event: String,
) -> Result<(), CatalogError> {
    for export in [&name.of_type, &name.of_value] {
        if let Some(first) = claimed.get(export).filter(|&first| *first != event) {
            let (export, first) = (export.clone(), first.clone());
            return Err(CatalogError::SameExport { export, first, second: event });
        }
        claimed.insert(export.clone(), event.clone());
    }
    Ok(())
}

/// Returns whether TypeScript declares a type `name` everywhere.
pub(super) fn is_global_type(name: &str) -> bool {
    is_in(GLOBAL_TYPES, name)
}

fn is_in(words: &str, word: &str) -> bool {
    words.split(' ').any(|it| it == word)
}

/// Returns the words of `name`: its longest parts of characters that identifiers may contain.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|it: char| it == '_' || !is_xid_continue(it)).filter(|word| !word.is_empty())
}

/// Converts `page.of-items` to `PageOfItems`.
pub(super) fn pascal_case(name: &str) -> String {
    words(name).map(|word| with_first(word, |first| first.to_uppercase().collect())).collect()
}

/// Converts `page.of-items` to `pageOfItems`, and `SKU.changed` to `skuChanged`.
fn camel_case(name: &str) -> String {
    let first = words(name).next().unwrap_or_default();
    let first = if first.chars().any(char::is_lowercase) {
        with_first(first, |first| first.to_lowercase().collect())
    } else {
        first.to_lowercase()
    };
    let rest = words(name).skip(1).map(pascal_case);
    std::iter::once(first).chain(rest).collect()
}

fn with_first(word: &str, change: impl Fn(char) -> String) -> String {
    let mut rest = word.chars();
    rest.next().map(change).unwrap_or_default() + rest.as_str()
}

/// Converts a version to the end of an identifier: `2` and `v2` to `V2`, `2026-11-01.1` to `V2026_11_01_1`.
fn version_suffix(version: &str) -> String {
    let digits = version
        .strip_prefix(['v', 'V'])
        .filter(|it| it.starts_with(|it: char| it.is_ascii_digit()));
    format!("V{}", words(digits.unwrap_or(version)).collect::<Vec<_>>().join("_"))
}
