//! `cargo bench --bench sends`: the body stands in `all/sends.rs`.

mod all;
mod support;

fn main() -> std::process::ExitCode {
    all::main("sends")
}
