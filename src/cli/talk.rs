//! `talk`: plays a flow in the terminal. What is played, and how, is `app/rehearse.rs`.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use crate::app::rehearse::Rehearsal;
use crate::texts::config::Configuration;

/// Plays a flow in the terminal: what you type is what the candidate says; `/wait 3d`, `/undelivered`,
/// `/tap yes`, `/taken`, `/given`, `/quit`. With `record`, what was typed is kept as a `.talk` file.
pub fn interactive(
    configuration: &Configuration,
    flow: &str,
    locale: &str,
    input: impl BufRead,
    output: &mut impl Write,
    record: Option<PathBuf>,
) -> std::io::Result<()> {
    let mut rehearsal = Rehearsal::new(configuration, flow, locale);
    let mut kept = String::new();
    if locale != "nl" {
        kept.push_str(&format!("# language {locale}\n"));
    }
    let opening = [
        "on 2026-03-04 09:30",
        "task 2 \"cv maken\" due 2026-03-05",
        "start",
    ];
    let typed = input.lines().map(|line| {
        line.map(|line| match line.strip_prefix('/') {
            Some(command) => command.to_owned(),
            None => format!("in {line}"),
        })
    });
    for line in opening
        .into_iter()
        .map(|line| Ok(line.to_owned()))
        .chain(typed)
    {
        let line = line?;
        if line == "quit" {
            break;
        }
        match rehearsal.line(&line) {
            Ok(said) => {
                kept.push_str(&line);
                kept.push('\n');
                for said in said {
                    writeln!(output, "{said}")?;
                    kept.push_str(&said);
                    kept.push('\n');
                }
            }
            Err(error) => writeln!(output, "      {error}")?,
        }
        output.flush()?;
    }
    if let Some(path) = record {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, kept)?;
        writeln!(output, "      kept as {}", path.display())?;
    }
    Ok(())
}
