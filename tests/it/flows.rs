//! Conversations as files that a coach can read and correct: tests/flows/<flow>/<case>.talk. Every line
//! that the house says must be as the file has it; UPDATE_GOLDEN=1 rewrites.

use std::path::{Path, PathBuf};

use tussendoor::app::rehearse;
use tussendoor::assemble;
use tussendoor::domain::flow::definition::Kind;
use tussendoor::texts::config::Configuration;

use crate::golden;

/// As `golden`, but all differences of a run are told together.
fn same(path: &Path, fresh: &str, wrong: &mut Vec<String>) {
    if golden::updating() {
        std::fs::write(path, fresh).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    if kept != fresh {
        wrong.push(format!("{} should read\n{fresh}", path.display()));
    }
}

fn talks(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "talk"))
        .collect();
    found.sort();
    found
}

#[test]
fn every_talk_reads_as_its_file() {
    let configuration = assemble::builtin().unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for flow in configuration.book.names() {
        for path in talks(&Path::new("tests/flows").join(flow)) {
            let text = std::fs::read_to_string(&path).unwrap();
            match rehearse::transcript(&configuration, flow, &text) {
                Ok(played) => same(&path, &played, &mut wrong),
                Err(error) => wrong.push(format!("{}: {error}", path.display())),
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 150, "only {count} talks");
}

/// A flow without these cannot be trusted with people.
#[test]
fn every_flow_has_its_four_talks() {
    let configuration = assemble::builtin().unwrap();
    let mut missing = Vec::new();
    for flow in configuration.book.names() {
        let hash = configuration.book.newest(flow).unwrap();
        let asks = configuration
            .book
            .flow(&hash)
            .unwrap()
            .nodes
            .values()
            .any(|node| matches!(node.kind, Kind::Ask(_)));
        for case in ["silence", "undelivered", "stop"]
            .into_iter()
            .filter(|_| asks)
        {
            if !Path::new("tests/flows")
                .join(flow)
                .join(format!("{case}.talk"))
                .is_file()
            {
                missing.push(format!("{flow}/{case}.talk"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

/// Each file is a folder of configuration with one mistake: what the check says stands beside it.
#[test]
fn every_broken_flow_is_refused_with_its_line() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut cases: Vec<_> = std::fs::read_dir("tests/fixtures/flows/broken")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    for case in cases {
        let folder = tempfile::tempdir().unwrap();
        copy(Path::new("config"), &folder.path().join("config"));
        copy(Path::new("templates"), &folder.path().join("templates"));
        copy(&case, folder.path());
        let loaded = Configuration::load(
            Some(&folder.path().join("config")),
            Some(&folder.path().join("templates")),
        );
        let said = match loaded {
            Ok(_) => "nothing\n".to_owned(),
            Err(problems) => problems
                .iter()
                .map(|problem| format!("{problem}\n"))
                .collect(),
        };
        same(&case.join("problems.txt"), &said, &mut wrong);
        if said == "nothing\n" {
            wrong.push(format!("{} is not refused", case.display()));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 60, "only {count} ways to be wrong");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
