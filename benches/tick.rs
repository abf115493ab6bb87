//! `cargo bench --bench tick`: the body stands in `all/tick.rs`.

mod all;
mod support;

fn main() -> std::process::ExitCode {
    all::main("tick")
}
