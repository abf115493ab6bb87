//! A role in a process of its own, so that what it costs can be told apart from what drives it. The two
//! speak in lines: a command goes in, one JSON value comes out.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

use super::process;

/// The other process, seen from the bench.
pub struct Role {
    child: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Role {
    /// Starts this program again in a role, with a few more variables in its environment.
    pub fn start(role: &str, order: &Value, variables: &[(&str, String)]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["role", role, &order.to_string()])
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let commands = child.stdin.take().context("a role has an input")?;
        let answers = BufReader::new(child.stdout.take().context("a role has an output")?).lines();
        let mut role = Self {
            child,
            commands,
            answers,
        };
        role.answer()?;
        Ok(role)
    }

    /// Gives a command and waits for its answer.
    pub fn ask(&mut self, command: &str) -> anyhow::Result<Value> {
        writeln!(self.commands, "{command}")?;
        self.answer()
    }

    fn answer(&mut self) -> anyhow::Result<Value> {
        let line = self.answers.next().context("the role ended")??;
        Ok(serde_json::from_str(&line)?)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Processor time so far, in microseconds.
    pub fn cpu(&self) -> f64 {
        process::cpu_micros(self.id())
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The bench, seen from the other process.
pub struct Talk {
    commands: Lines<std::io::StdinLock<'static>>,
}

impl Talk {
    pub fn new() -> Self {
        Self {
            commands: std::io::stdin().lines(),
        }
    }

    /// The next command as words; `None` when the bench is gone.
    pub fn next(&mut self) -> Option<Vec<String>> {
        let line = tokio::task::block_in_place(|| self.commands.next())?.ok()?;
        Some(line.split_whitespace().map(str::to_owned).collect())
    }

    pub fn say(&self, answer: &Value) -> anyhow::Result<()> {
        let mut output = std::io::stdout();
        writeln!(output, "{answer}")?;
        Ok(output.flush()?)
    }
}
