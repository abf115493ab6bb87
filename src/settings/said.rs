//! What goes wrong while the sources are put together, as one sentence of ours: the sentences of
//! `toml` and `config` show the line or the value, and with it perhaps a secret.

use config::ConfigError;

use super::{SettingsError, missing, wrong};

/// Read once before `config` does, for the number of the line.
pub(super) fn is_toml(text: &str) -> Result<(), SettingsError> {
    let Err(error) = toml::from_str::<toml::Table>(text) else {
        return Ok(());
    };
    let before = error
        .span()
        .map_or("", |span| text.get(..span.start).unwrap_or(text));
    Err(SettingsError::NotToml {
        line: before.matches('\n').count() + 1,
        why: error.message().replace('\n', " "),
    })
}

pub(super) fn said(error: ConfigError) -> SettingsError {
    match error {
        ConfigError::NotFound(setting) => missing(setting, "a value"),
        ConfigError::Type { key, expected, .. } => wrong(key.unwrap_or_default(), expected),
        ConfigError::At { error, key, .. } => said_at(*error, &key.unwrap_or_default()),
        other => said_at(other, ""),
    }
}

fn said_at(error: ConfigError, at: &str) -> SettingsError {
    let message = match error {
        ConfigError::Message(message) => message,
        ConfigError::At { error, .. } => return said_at(*error, at),
        ConfigError::Type { expected, .. } => return wrong(at, expected),
        _ => String::new(),
    };
    let unknown = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once('`'));
    if let Some((name, _)) = unknown {
        let dot = if at.is_empty() { "" } else { "." };
        return SettingsError::Unknown {
            setting: format!("{at}{dot}{name}"),
        };
    }
    let expected = message
        .rsplit_once("expected ")
        .map_or("something else", |(_, rest)| rest);
    wrong(at, expected)
}
