//! Tussendoor keeps contact going between the meetings of a job coach and a candidate, over
//! WhatsApp, SMS and e-mail, with the coach in charge.
//!
//! The layers, imports point down only (a test holds them):
//!
//! | folder | holds |
//! |---|---|
//! | [`domain`] | what is true: types, rules, the step |
//! | [`ports`] | the few contracts with more than one real implementation |
//! | [`channels`], [`texts`], [`wire`], [`store`] | adapters; none knows another |
//! | [`app`] | the verbs: one file per thing the service does |
//! | [`web`], [`workers`] | delivery: HTTP in, loops |
//! | [`settings`], [`assemble`], [`cli`] | builds and starts |

pub mod app;
pub mod assemble;
pub mod channels;
pub mod cli;
pub mod domain;
pub mod failpoint;
pub mod ports;
pub mod settings;
pub mod store;
pub mod texts;
pub mod web;
pub mod wire;
pub mod workers;
