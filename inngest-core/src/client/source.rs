//! The error of another crate, as the source of an error of this crate.

use std::error::Error;
use std::sync::Arc;

pub(super) type Source = Arc<dyn Error + Send + Sync>;
