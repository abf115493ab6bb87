//! The environment of this process, as far as it is ours.

use super::{EXPECTED, NOT_OURS, PREFIX, Settings, SettingsError};

impl Settings {
    /// Did anybody set anything? A checkout without settings can still check its flows.
    #[expect(
        clippy::disallowed_methods,
        reason = "whether anything is set, and not what"
    )]
    pub fn any_in_process() -> bool {
        std::env::vars_os().any(|(name, value)| {
            let name = name.to_string_lossy();
            name.starts_with(PREFIX) && !NOT_OURS.contains(&&*name) && !value.is_empty()
        })
    }
}

pub(super) fn process_variables(
    variables: impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
) -> Result<Vec<(String, String)>, SettingsError> {
    let named = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let ours = named.filter(|(name, _)| {
        name.starts_with(PREFIX) || EXPECTED.iter().any(|(short, _)| short == name)
    });
    ours.map(|(name, value)| match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(SettingsError::NotUtf8 { variable: name }),
    })
    .collect()
}
