//! What the benches share: other processes of themselves, databases, a house with people in it, a
//! stand-in for the provider, and tables of figures.

pub mod child;
pub mod database;
pub mod filler;
pub mod house;
pub mod load;
pub mod process;
pub mod serve;
pub mod server;
pub mod shim;
pub mod standin;
pub mod table;
