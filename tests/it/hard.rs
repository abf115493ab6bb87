//! What must hold however hard the process, the disk and the database are treated: nothing that was
//! acknowledged is lost, nobody is messaged twice. Each test runs a few rounds; `KILLS`, `STOPS` and
//! `FREEZES` in the environment say how many, `SEED` repeats a run.

mod faults;
mod freezes;
mod kills;
pub mod load;
mod stops;

/// How many rounds: as the environment says, or as many as fit a normal run.
fn rounds(name: &str, usual: u32) -> u32 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// Where the chance of a run begins: it is printed, so that a run can be repeated.
fn seed() -> u64 {
    match std::env::var("SEED") {
        Ok(text) => text.parse().unwrap(),
        Err(_) => u64::from(std::process::id()),
    }
}
