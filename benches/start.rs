//! `cargo bench --bench start`: the body stands in `all/start.rs`.

mod all;
mod support;

fn main() -> std::process::ExitCode {
    all::main("start")
}
