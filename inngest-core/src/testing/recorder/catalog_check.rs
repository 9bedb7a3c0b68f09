//! Applies a catalog to the events that are recorded.

use std::sync::Mutex;

use super::super::lock::lock;
use super::record::SentEvent;
use super::{Recorder, or_panic};
use crate::catalog::Catalog;

/// The catalog that a recorder applies, if one is set.
#[derive(Default)]
pub(super) struct CatalogCheck(Mutex<Option<Catalog>>);

impl CatalogCheck {
    /// Checks events that were sent. The error is the text of a failure.
    pub(super) fn check(&self, sent: &[SentEvent]) -> Result<(), String> {
        let catalog = lock(&self.0);
        let Some(catalog) = &*catalog else {
            return Ok(());
        };
        for SentEvent { event, line, .. } in sent {
            let checked = catalog.check_data(&event.name, event.version.as_deref(), &event.data);
            checked.map_err(|error| {
                format!("sent at {line}: {error}\nthe event's data is {}", event.data)
            })?;
        }
        Ok(())
    }
}

impl Recorder {
    /// Checks every event that is sent, before and after this call, against the schemas of a catalog.
    ///
    /// Each expectation, and [`nothing_else`](Recorder::nothing_else), then also fails if an event in its scope
    /// does not match its schema or is not part of the catalog. The clones and scopes of the recorder check it
    /// too. A second catalog replaces the first.
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// use inngest_core::catalog::Catalog;
    /// use inngest_core::{Client, InngestEvent};
    /// # use serde::Serialize;
    ///
    /// #[derive(Serialize, schemars::JsonSchema, InngestEvent)]
    /// #[inngest(name = "storefront/item.viewed")]
    /// struct ItemViewed {
    ///     number: u32,
    /// }
    ///
    /// let (client, sent) = Client::recorder();
    /// sent.check_with(Catalog::new("storefront").event::<ItemViewed>());
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the catalog has an error, or if an event that was already sent does not match it.
    #[track_caller]
    pub fn check_with(&self, catalog: Catalog) {
        let checked = catalog.checked_contracts().map(drop).map_err(|error| error.to_string());
        or_panic(checked);
        *lock(&self.catalog.0) = Some(catalog);
        or_panic(self.catalog.check(&self.view().sent));
    }
}
