//! The measurements of the house, a file each. Every bench target holds all of them, so that what they
//! share is in use everywhere; its name says which one it runs. A bench starts its servers as other
//! processes of itself: the word after its name is then a role.

mod instances;
mod receive;
mod sends;
mod start;
mod tick;

use std::process::ExitCode;

use serde_json::Value;

use crate::support::child::Talk;

/// Runs the bench of this name, or the role that the arguments name.
pub fn main(bench: &str) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match (arguments.first().map(String::as_str), arguments.get(1)) {
        (Some("role"), Some(role)) => play(role, arguments.get(2)),
        // All of them are in each program: one build can run them all.
        (Some("as"), Some(other)) => measure(other),
        _ => measure(bench),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn runtime(threads: usize) -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?)
}

fn measure(bench: &str) -> anyhow::Result<()> {
    runtime(1)?.block_on(async {
        match bench {
            "instances" => instances::measure().await,
            "receive" => receive::measure().await,
            "sends" => sends::measure().await,
            "start" => start::measure().await,
            "tick" => tick::measure().await,
            other => anyhow::bail!("there is no bench {other}"),
        }
    })
}

fn play(role: &str, order: Option<&String>) -> anyhow::Result<()> {
    let order: Value = serde_json::from_str(order.map_or("null", String::as_str))?;
    runtime(2)?.block_on(async {
        match role {
            "receiver" => receive::receiver(&order, Talk::new()).await,
            "sender" => sends::sender(&order, Talk::new()).await,
            "ticker" => tick::ticker(&order, Talk::new()).await,
            other => anyhow::bail!("there is no role {other}"),
        }
    })
}
