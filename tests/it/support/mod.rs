//! What the tests need around the house.

pub mod browser;
pub mod crowd;
pub mod database;
pub mod examples;
pub mod graph;
pub mod house;
pub mod pages;
pub mod rows;
pub mod running;
pub mod wait;
