//! The settings of a built client, which its clones share.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderMap;

use super::event_key::EventKey;
use super::hooks::Hooks;
use super::retry::RetryPolicy;
use super::transport::Transport;
use crate::batch::RequestLimits;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) transport: Transport,
    /// The URL that events are posted to. It contains the key.
    pub(super) endpoint: Url,
    pub(super) headers: HeaderMap,
    pub(super) key: EventKey,
    pub(super) base: Url,
    pub(super) timeout: Duration,
    pub(super) retry: RetryPolicy,
    pub(super) max_event_bytes: usize,
    pub(super) limits: RequestLimits,
    pub(super) max_in_flight: usize,
    pub(super) hooks: Hooks,
}
