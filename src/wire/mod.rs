//! Carrying envelopes to providers, fetching files from them, and reading feeds. The wire knows no provider,
//! and reads nothing that people write to each other.

mod address;
pub mod feeds;
pub mod files;
pub mod http;
pub mod tls;
