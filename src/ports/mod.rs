//! The few contracts with more than one real implementation.

pub mod chance;
pub mod channel;
pub mod clock;
pub mod transport;
