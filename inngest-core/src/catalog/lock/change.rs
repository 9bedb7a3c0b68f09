//! What can change between a lock and a catalog.

use crate::catalog::compat::Problem;

/// A difference between a lock and a catalog.
///
/// See [catalog](crate::guide::catalog) in the guide.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The event's name.
    pub event: String,
    /// The event's version.
    pub version: Option<String>,
    /// The kind of the change.
    pub kind: ChangeKind,
}

/// The kind of a [`Change`].
///
/// See [catalog](crate::guide::catalog) in the guide.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The event is not in the lock, or is marked there as `retired`.
    New,
    /// This version is not in the lock, but another version of the event is.
    NewVersion,
    /// The schema is not in the lock, but is compatible with the locked ones.
    Compatible,
    /// The event is no longer in the catalog.
    Removed,
    /// The id template has changed. Within one version, this breaks deduplication: for 24 hours, an event that is
    /// sent again can have another id. Together with [`NewVersion`](Self::NewVersion), it is only a note.
    IdTemplate {
        /// The template in the lock.
        old: Option<String>,
        /// The template in the catalog.
        new: Option<String>,
    },
    /// Events with the current schema break functions that were written for a locked schema.
    Forward(Problem),
    /// Events with a locked schema break functions that are written for the current schema.
    Backward(Problem),
}

/// Returns the first change that breaks functions.
pub(super) fn first_break(changes: &[Change]) -> Option<&Change> {
    changes.iter().find(|change| match change.kind {
        ChangeKind::Forward(_) | ChangeKind::Backward(_) => true,
        ChangeKind::IdTemplate { .. } => !changes.iter().any(|it| it.is_version(change)),
        _ => false,
    })
}

impl Change {
    /// Returns whether this is the change that adds the version of `other`.
    fn is_version(&self, other: &Change) -> bool {
        self.kind == ChangeKind::NewVersion
            && (&self.event, &self.version) == (&other.event, &other.version)
    }
}
