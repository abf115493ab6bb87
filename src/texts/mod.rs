//! What candidates read. Texts are data: handlebars in TOML, per language and channel, beside their
//! flow. What coaches read is not here: that is `web/words.rs`.

pub mod book;
mod check;
pub mod config;
pub mod context;
pub mod experiments;
pub mod moments;
pub mod readability;
pub mod source;
pub mod tone;
pub mod version;
pub mod work;
