//! The conversation engine: one pure function moves one talk by one event.

pub mod effect;
pub mod event;
pub mod state;
pub mod step;
pub mod world;
