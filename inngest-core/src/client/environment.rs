//! The `INNGEST_*` environment variables.

use std::env::VarError;

use super::config_error::ConfigError;

/// Access to the environment variables. If it is not enabled, every variable counts as unset.
#[derive(Clone, Copy)]
pub(super) struct Environment {
    pub(super) enabled: bool,
}

impl Environment {
    /// Returns the variable's value, if it is set and not empty.
    pub(super) fn get(self, variable: &'static str) -> Result<Option<String>, ConfigError> {
        if !self.enabled {
            return Ok(None);
        }
        match std::env::var(variable) {
            Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err(ConfigError::NotUnicode { variable }),
        }
    }
}

/// The meaning of `INNGEST_DEV`.
#[derive(Default)]
pub(super) struct DevMode {
    pub(super) enabled: bool,
    pub(super) url: Option<String>,
}

impl DevMode {
    /// Parses the value of `INNGEST_DEV`.
    pub(super) fn parse(value: Option<String>) -> Result<DevMode, ConfigError> {
        let Some(value) = value else {
            return Ok(DevMode::default());
        };
        match value.to_ascii_lowercase().as_str() {
            "0" | "false" | "no" | "off" => Ok(DevMode { enabled: false, url: None }),
            "1" | "true" | "yes" | "on" => Ok(DevMode { enabled: true, url: None }),
            url if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(DevMode { enabled: true, url: Some(value) })
            }
            // This may be a URL without a scheme, which can contain a password or the key.
            _ if value.contains(['/', '@', '?']) => {
                Err(ConfigError::InvalidDev { value: "..".to_owned() })
            }
            _ => Err(ConfigError::InvalidDev { value }),
        }
    }
}
