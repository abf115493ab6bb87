//! The list of planted bugs does not rot. `tests/planted/run` shows that each turns a test red; here only
//! that each still fits the source and names the tests that must see it.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn every_planted_bug_still_applies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut patches: Vec<_> = fs::read_dir(root.join("tests/planted"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "patch"))
        .collect();
    patches.sort();
    assert!(patches.len() >= 10, "{patches:?}");
    for patch in patches {
        let text = fs::read_to_string(&patch).unwrap();
        let mut lines = text.lines();
        for head in ["# what: ", "# red: test("] {
            let line = lines.next().unwrap();
            assert!(line.starts_with(head), "{}: {line}", patch.display());
        }
        let checked = Command::new("git")
            .args(["apply", "--check"])
            .arg(&patch)
            .current_dir(root)
            .output()
            .unwrap();
        let why = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{}: {why}", patch.display());
    }
}
