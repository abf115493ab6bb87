//! The house keeps its own rules: layers, sizes, homes, migrations, links.
//! What clippy can hold stands in `clippy.toml`; how the source is read stands in `source.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

mod tables;

use self::tables::{HOMES, LAYERS, LONG, MEANT};
use crate::source::{Source, Token};

const LIMIT: usize = 500;

#[test]
fn imports_point_down_only() {
    let mut wrong = Vec::new();
    for (name, text) in rust_files("src") {
        wrong.extend(wrong_imports(&name, &text));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_layer_test_sees_what_is_wrong() {
    let caught = [
        ("domain/time.rs", "use crate::store::tx;"),
        ("domain/talk/step.rs", "use super::super::super::app::turn;"),
        (
            "domain/talk/step.rs",
            "fn f() { crate::wire::http::post() }",
        ),
        (
            "channels/sms_x.rs",
            "use crate::channels::whatsapp_meta::verify;",
        ),
        ("channels/sms_x.rs", "use super::{kit, whatsapp_meta};"),
        (
            "channels/sms_x.rs",
            "use crate::{domain::{ids, time}, ports, store::inbox as kept};",
        ),
        (
            "channels/sms_x/parse.rs",
            "use super::super::whatsapp_meta::verify;",
        ),
        ("store/outbox.rs", "mod tests { use super::super::talks; }"),
        ("web/coach/inbox.rs", "use crate::store;"),
        ("web/webhooks.rs", "use crate::domain::time::Timestamp;"),
        ("workers/turns.rs", "use crate::store::inbox;"),
        ("settings.rs", "use crate::domain::time::Zone;"),
        ("main.rs", "fn main() { tussendoor::store::open(); }"),
        ("helpers/text.rs", "// nothing\n"),
    ];
    for (name, text) in caught {
        assert!(
            !wrong_imports(name, text).is_empty(),
            "{name} may not hold: {text}"
        );
    }
    let fine = [
        (
            "domain/time.rs",
            "// crate::store\nconst A: &str = \"crate::store\"; /* crate::web */",
        ),
        (
            "store/outbox.rs",
            "use super::tx::Tx;\nmod tests { use super::*; }",
        ),
        (
            "store/outbox.rs",
            "fn f<'a>(q: char) -> char { if q == '\"' { '{' } else { q } }",
        ),
        (
            "channels/sms_x.rs",
            "use super::kit; use crate::ports::channel::{Channel, Item};",
        ),
        (
            "app/send.rs",
            "use crate::{channels, store::outbox, wire::http as out};",
        ),
        ("assemble.rs", "use crate::store; use crate::channels;"),
    ];
    for (name, text) in fine {
        assert_eq!(
            wrong_imports(name, text),
            Vec::<String>::new(),
            "{name}: {text}"
        );
    }
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> = rust_files("src")
        .into_iter()
        .chain(rust_files("tests"))
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(name, _)| name)
        .collect();
    assert!(silent.is_empty(), "no `//!` on the first line: {silent:?}");
}

#[test]
fn no_file_is_longer_than_one_thing() {
    let listed: BTreeMap<&str, &str> = LONG.iter().copied().collect();
    let long: BTreeMap<String, usize> = rust_files("src")
        .into_iter()
        .chain(rust_files("tests"))
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > LIMIT)
        .collect();
    for (name, lines) in &long {
        assert!(
            listed
                .get(name.as_str())
                .is_some_and(|reason| !reason.is_empty()),
            "{name} has {lines} lines: which two things is it?"
        );
    }
    for name in listed.keys() {
        assert!(
            long.contains_key(*name),
            "{name} is listed as long and no longer is"
        );
    }
}

#[test]
fn each_of_these_has_one_home() {
    let mut wrong = Vec::new();
    for (name, text) in rust_files("src") {
        let source = Source::read(&text);
        for (what, homes, why) in HOMES {
            if !homes.iter().any(|home| name.starts_with(home)) && source.holds(what) {
                wrong.push(format!("{name} holds {}: {why}", what.concat()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_test_is_skipped_and_no_lint_is_silenced() {
    let banned: &[&[&str]] = &[
        &["#", "[", "ignore"],
        &["#", "[", "allow", "("],
        &["#", "!", "[", "allow", "("],
        &["todo", "!"],
        &["unimplemented", "!"],
        &["dbg", "!"],
    ];
    let mut wrong = Vec::new();
    for (name, text) in rust_files("src").into_iter().chain(rust_files("tests")) {
        let source = Source::read(&text);
        for pattern in banned {
            if source.holds(pattern) {
                wrong.push(format!("{name} holds {}", pattern.concat()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn tests_wait_for_what_must_happen_and_never_for_a_while() {
    let asleep: Vec<String> = rust_files("tests")
        .into_iter()
        .filter(|(name, _)| !name.starts_with("it/support"))
        .filter(|(_, text)| {
            let source = Source::read(text);
            source.holds(&["sleep", "("]) || source.holds(&["sleep_until", "("])
        })
        .map(|(name, _)| name)
        .collect();
    assert!(asleep.is_empty(), "these tests sleep: {asleep:?}");
}

#[test]
fn both_databases_have_the_same_migrations() {
    let (sqlite, postgres) = (files("migrations/sqlite"), files("migrations/postgres"));
    assert!(!sqlite.is_empty(), "there are no migrations");
    let names = |found: &BTreeMap<String, Vec<u8>>| found.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&sqlite), names(&postgres));
    for (name, bytes) in &sqlite {
        let other = &postgres[name];
        if bytes != other {
            for (folder, text) in [("sqlite", bytes), ("postgres", other)] {
                assert!(
                    says_why_it_differs(text),
                    "migrations/{folder}/{name} differs from its twin and does not say why"
                );
            }
        }
    }
}

#[test]
fn the_project_speaks_of_itself_only() {
    // In pieces, so that this list is not its own first finding.
    let foreign = [
        concat!("/wo", "rk/"),
        concat!("brief", ".md"),
        concat!("registry", ".npmjs"),
        concat!("pypi", ".org"),
        concat!("python", "hosted"),
        concat!("index", ".crates.io"),
        concat!("static", ".crates.io"),
    ];
    let mut wrong = Vec::new();
    for path in all_files() {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for word in foreign {
            if text.contains(word) {
                wrong.push(format!("{} names {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut wrong = Vec::new();
    for path in all_files() {
        if path.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for link in links(&text).filter(|link| !link.contains("://")) {
            let target = link.split('#').next().unwrap_or_default();
            if !target.is_empty() && !path.parent().unwrap().join(target).exists() {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a file imports and may not.
fn wrong_imports(name: &str, text: &str) -> Vec<String> {
    let covers =
        |prefix: &str| name == prefix || (prefix.ends_with('/') && name.starts_with(prefix));
    let row = LAYERS
        .iter()
        .filter(|(prefix, _)| covers(prefix))
        .max_by_key(|(prefix, _)| prefix.len());
    let Some((_, may)) = row else {
        return vec![format!("{name}: no layer covers this file")];
    };
    let itself = module_of(name);
    let family = if itself.len() > 2 {
        &itself[..itself.len() - 1]
    } else {
        &itself[..]
    };
    Source::read(text)
        .imports(&itself)
        .into_iter()
        .filter(|path| itself.is_empty() || !path.starts_with(family))
        .filter(|path| {
            let meant = MEANT
                .iter()
                .filter(|(file, ..)| *file == name)
                .flat_map(|(_, what, _)| what.split_whitespace());
            !may.split_whitespace().chain(meant).any(|allowed| {
                let allowed: Vec<&str> = allowed.split("::").collect();
                path.len() >= allowed.len() && path.iter().zip(&allowed).all(|(a, b)| a == b)
            })
        })
        .map(|path| format!("{name} may not import crate::{}", path.join("::")))
        .collect()
}

/// `store/outbox.rs` is `store::outbox`, `store/mod.rs` is `store`, `lib.rs` the root.
fn module_of(name: &str) -> Vec<String> {
    let mut module: Vec<String> = name
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if module.last().is_some_and(|last| last == "mod") || module == ["lib"] || module == ["main"] {
        module.pop();
    }
    module
}

/// The targets of `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
}

fn says_why_it_differs(text: &[u8]) -> bool {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
    first
        .strip_prefix(b"-- differs: ")
        .is_some_and(|why| !why.trim_ascii().is_empty())
}

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every `.rs` file below a folder: its name from that folder, its text.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let folder = top().join(folder);
    let mut found = Vec::new();
    walk(&folder, &mut found);
    let mut files: Vec<(String, String)> = found
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(|path| (relative(&path, &folder), fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no Rust below {}", folder.display());
    files
}

fn files(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = top().join(folder);
    let mut found = Vec::new();
    walk(&folder, &mut found);
    found
        .into_iter()
        .map(|path| (relative(&path, &folder), fs::read(&path).unwrap()))
        .collect()
}

fn all_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&top(), &mut found);
    found
}

fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder)
        .unwrap()
        .to_string_lossy()
        .replace('\\', "/")
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            let built = [
                "target",
                "data",
                ".git",
                "node_modules",
                ".venv",
                "__pycache__",
            ];
            if !built.contains(&name.as_str()) {
                walk(&path, found);
            }
        } else if name != ".git" {
            found.push(path);
        }
    }
}

#[test]
fn a_difference_between_migrations_needs_a_reason() {
    assert!(says_why_it_differs(
        b"-- differs: identity columns are spelt otherwise\nCREATE"
    ));
    assert!(!says_why_it_differs(b"-- differs: \nCREATE"));
    assert!(!says_why_it_differs(b"CREATE TABLE x (id TEXT)"));
}

#[test]
fn a_name_outside_its_home_is_seen_in_code_and_not_in_comments() {
    let code = Source::read("fn f() { let v = Verified::stored(b); }");
    assert!(code.holds(&["Verified", "::", "stored"]));
    let prose = Source::read("// Verified::stored\nlet a = \"Verified::stored\";");
    assert!(!prose.holds(&["Verified", "::", "stored"]));
    assert_eq!(prose.tokens().last(), Some(&Token::Sign(';')));
}
