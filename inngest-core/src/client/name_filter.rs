//! The event names that the server is known to allow or refuse during a call. A key can have a list
//! of allowed or denied names. If one name in a request is refused, the server refuses the whole
//! request with 403.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::RequestError;
use crate::batch::Slot;

#[derive(Default)]
pub(super) struct NameFilter {
    names: Mutex<HashMap<&'static str, NameStatus>>,
    /// Whether the server responded with 403 to a request. Until then, names are not looked up.
    active: AtomicBool,
    /// Held while names are probed, so that concurrent requests do not probe the same name.
    pub(super) probing: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
pub(super) enum NameStatus {
    Allowed,
    /// Refused with 403.
    Refused(Arc<RequestError>),
    /// The probe failed for another reason.
    Unknown(Arc<RequestError>),
}

impl NameFilter {
    pub(super) fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    pub(super) fn activate(&self) {
        self.active.store(true, Ordering::Relaxed);
    }

    pub(super) fn status(&self, name: &'static str) -> Option<NameStatus> {
        self.names().get(name).cloned()
    }

    pub(super) fn set(&self, name: &'static str, status: NameStatus) {
        self.names().insert(name, status);
    }

    /// Returns whether every name of `slots` is known to be allowed.
    pub(super) fn allows_all(&self, slots: &[Slot]) -> bool {
        let names = self.names();
        slots.iter().all(|slot| matches!(names.get(slot.name), Some(NameStatus::Allowed)))
    }

    fn names(&self) -> MutexGuard<'_, HashMap<&'static str, NameStatus>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
