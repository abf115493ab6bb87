//! `cargo bench --bench instances`: the body stands in `all/instances.rs`.

mod all;
mod support;

fn main() -> std::process::ExitCode {
    all::main("instances")
}
