//! `cargo bench --bench receive`: the body stands in `all/receive.rs`.

mod all;
mod support;

fn main() -> std::process::ExitCode {
    all::main("receive")
}
