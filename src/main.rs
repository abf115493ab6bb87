//! Calls the command line. Nothing else.

#[expect(
    clippy::disallowed_methods,
    reason = "a crash point is armed before any setting is read"
)]
#[cfg(feature = "failpoints")]
fn arm() {
    tussendoor::failpoint::arm(std::env::var("TUSSENDOOR_FAILPOINT").ok().as_deref());
}

#[cfg(not(feature = "failpoints"))]
const fn arm() {}

fn main() -> std::process::ExitCode {
    arm();
    tussendoor::cli::main()
}
