//! Flows: conversations as written down.

pub mod check;
pub mod definition;
pub mod parse;
