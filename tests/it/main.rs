//! One test binary: what a user or a provider can see, from outside.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops at the first surprise, and reads what the test command sets"
)]

mod answers;
mod aside;
mod authorisation;
mod backup;
mod canary;
mod channels;
mod coach_pages;
mod conversation;
mod crashes;
mod demo;
mod experiments;
mod fair;
mod flows;
mod forecast;
mod generated;
mod golden;
mod hard;
mod import;
mod janitor;
mod last_look;
mod media;
mod meetings;
mod operating;
mod person;
mod personas;
mod planted;
mod rotation;
mod sending;
mod settings;
mod source;
mod states;
mod step;
mod store;
mod support;
mod tidy;
mod trail;
mod unreadable;
mod upgrade;
mod vacancies;
mod versions;
mod webhooks;
mod year;
