//! The error of another crate, kept as the source of one of ours.

use std::error::Error;
use std::sync::Arc;

pub(super) type Source = Arc<dyn Error + Send + Sync>;
