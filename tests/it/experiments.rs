//! Two wordings of one text: who gets which, what a coach sees, what may be told and when, and what a check
//! refuses.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tussendoor::app::approve::{self, Seen};
use tussendoor::app::experiments::{self, Came, Told};
use tussendoor::app::{App, turn};
use tussendoor::domain::experiment::{Arm, Share};
use tussendoor::domain::ids::CandidateId;
use tussendoor::store::experiments as kept;
use tussendoor::store::outbox;
use tussendoor::texts::config::Configuration;

use crate::support::browser::Browser;
use crate::support::database::{Database, on_both};
use crate::support::graph::Accepted;
use crate::support::house::{House, environment, moment};
use crate::support::running::command;

on_both!(
    each_person_gets_one_wording_and_nothing_is_told_too_early,
    after_its_last_day_everybody_gets_the_first_wording,
    the_command_tells_what_is_set_up,
);

const TRIAL: &str = r#"
[kind_words]
text = "task_nudge/done_yet"
outcome = "answered"
within_days = 3
until = "2026-03-20"
least = 10
"#;

/// The flows and texts of the program in a folder of their own, with a second wording in both languages.
fn folder(experiments: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for from in ["config", "templates/messages"] {
        copy(&root.join(from), &folder.path().join(from));
    }
    fs::write(folder.path().join("config/experiments.toml"), experiments).unwrap();
    for (locale, words) in [
        ("nl", "Dag {{first_name}}, hoe ging deze stap: {{task}}?"),
        ("en", "Hello {{first_name}}, how did this go: {{task}}?"),
    ] {
        let mirror = words
            .replace("{{first_name}}", "{{1}}")
            .replace("{{task}}", "{{2}}");
        let other = format!(
            "\n[done_yet.other]\ntext = {words:?}\ntemplate = {{ name = \"taak_anders\", params = [\"{{{{first_name}}}}\", \"{{{{task}}}}\"], body = {mirror:?}, buttons = [\"yes\", \"not_yet\", \"help\"] }}\n"
        );
        edit(&folder, &texts(locale), |text| text + &other);
    }
    folder
}

fn texts(locale: &str) -> String {
    format!("templates/messages/{locale}/task_nudge.toml")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &to),
            false => drop(fs::copy(&path, &to).unwrap()),
        }
    }
}

fn edit(folder: &tempfile::TempDir, file: &str, change: impl FnOnce(String) -> String) {
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, change(text)).unwrap();
}

fn folders(folder: &tempfile::TempDir) -> [(&'static str, String); 2] {
    let path = |part: &str| folder.path().join(part).display().to_string();
    [
        ("TUSSENDOOR_CONFIG_DIR", path("config")),
        ("TUSSENDOOR_TEMPLATES_DIR", path("templates")),
    ]
}

/// Settings live as long as a house, and a house as long as its test.
async fn house(database: Database, folder: &tempfile::TempDir) -> House {
    let pairs = folders(folder).map(|(name, value)| (name, &*value.leak()));
    House::set(database, Box::leak(Box::new(pairs))).await
}

fn number(at: usize) -> String {
    format!("+316123456{at:02}")
}

/// So many people with one step each, asked on the day before it is due.
async fn asked(house: &House, people: usize) -> Vec<CandidateId> {
    let mut all = Vec::new();
    for at in 0..people {
        let id = house.candidate("Samira", &number(at), true).await;
        house.plan(id, &[("cv maken", "2026-03-04")]).await;
        all.push(id);
    }
    house.turn_to(moment("2026-03-03", 9, 31));
    house.idle().await;
    all
}

/// The wording that the ledger has for a waiting draft, after a look that the draft says the same.
async fn arm(house: &House, candidate: CandidateId) -> Option<Arm> {
    let draft = house.waiting(candidate).await;
    let mut tx = house.app.store.read().await.unwrap();
    let person = turn::person(&mut tx, candidate).await.unwrap();
    let sealer = tx.sealer(person.key).await.unwrap();
    let forms = outbox::forms(&mut tx, &sealer, draft.id).await.unwrap();
    let arms = kept::of_message(&mut tx, draft.id).await.unwrap();
    let arm = arms.first().map(|(name, arm)| {
        assert_eq!(name, "kind_words");
        *arm
    });
    assert_eq!(forms.len(), 2, "a text and a template");
    for form in &forms {
        let other = form.body.shown().starts_with("Dag Samira, hoe ging");
        assert_eq!(other, arm == Some(Arm::Other), "{arm:?}");
    }
    arm
}

async fn told(app: &App) -> Told {
    experiments::report(app, &app.experiments.all()[0])
        .await
        .unwrap()
}

async fn each_person_gets_one_wording_and_nothing_is_told_too_early(database: Database) {
    let folder = folder(TRIAL);
    let house = house(database, &folder).await;
    let people = asked(&house, 30).await;
    let mut arms = BTreeMap::new();
    for (at, id) in people.iter().enumerate() {
        let arm = arm(&house, *id).await.expect("everybody takes part");
        arms.entry(arm).or_insert_with(Vec::new).push(at);
    }
    // Both the page and the hash that is approved are about the words that go.
    let other = people[arms[&Arm::Other][0]];
    let draft = house.waiting(other).await.id;
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let page = browser.get(&format!("/concepten/{draft}")).await.text();
    assert!(page.contains("proef kind_words: de andere tekst"), "{page}");
    assert!(page.contains("Dag Samira, hoe ging"), "{page}");
    // A coach has words of their own for one person: that counts, and is told.
    let own = people[arms[&Arm::First][4]];
    house.says(&number(arms[&Arm::First][4]), "stappen").await;
    let draft = house.waiting(own).await;
    let seen = Seen {
        version: draft.version,
        content_hash: draft.content_hash,
    };
    let words = "Samira, hoe gaat het met je cv?";
    approve::edit(&house.app, &house.scope, draft.id, &seen, words, true)
        .await
        .unwrap();
    for id in people.iter().filter(|id| **id != own) {
        house.approve(*id).await;
    }
    house.idle().await;
    let sent = house.graph.accepted();
    assert_eq!(sent.len(), people.len() + 1, "with the steps of one");
    let own_words = |message: &&Accepted| message.body.to_string().contains(words);
    assert_eq!(sent.iter().filter(own_words).count(), 1);
    // All with the other wording answer, one of them with STOP; two with the first one do.
    let (first, other) = (&arms[&Arm::First], &arms[&Arm::Other]);
    for at in other.iter().skip(1).chain(first.iter().take(2)) {
        house.says(&number(*at), "2").await;
    }
    house.says(&number(other[0]), "STOP").await;
    assert_eq!(told(&house.app).await, Told::TooFew, "their days run");
    house.turn_to(moment("2026-03-06", 12, 0));
    // Too late: it does not count.
    house.says(&number(first[5]), "2").await;
    let Told::Result {
        first: told_first,
        other: told_other,
        difference,
        runs,
    } = told(&house.app).await
    else {
        panic!("{} and {}", first.len(), other.len());
    };
    let came = |people: usize, hits: usize, stopped, edited| Came {
        share: Share {
            people: u32::try_from(people).unwrap(),
            hits: u32::try_from(hits).unwrap(),
        },
        stopped,
        edited,
    };
    assert_eq!(told_first, came(first.len(), 2, 0, 1));
    assert_eq!(told_other, came(other.len(), other.len() - 1, 1, 0));
    assert!(runs && difference.from > 0.0, "{difference:?}");
    // With one person more agreed beforehand there is nothing to tell.
    let fewest = first.len().min(other.len());
    let mut stricter = house.app.experiments.all()[0].clone();
    stricter.experiment.least = u32::try_from(fewest).unwrap() + 1;
    let told = experiments::report(&house.app, &stricter).await.unwrap();
    assert_eq!(told, Told::TooFew);
    // Other terms are another experiment, which nobody took part in.
    stricter.terms = "other".into();
    stricter.experiment.least = 0;
    let Told::Result { first, .. } = experiments::report(&house.app, &stricter).await.unwrap()
    else {
        panic!("nobody is enough");
    };
    assert_eq!(first.share.people, 0);
}

async fn after_its_last_day_everybody_gets_the_first_wording(database: Database) {
    let folder = folder(&TRIAL.replace("2026-03-20", "2026-03-02"));
    let house = house(database, &folder).await;
    for id in asked(&house, 6).await {
        assert_eq!(arm(&house, id).await, None);
    }
    assert_eq!(
        house.number("SELECT COUNT(*) FROM experiment_arms").await,
        0
    );
}

async fn the_command_tells_what_is_set_up(database: Database) {
    let mut environment = environment(&database, "http://127.0.0.1:9");
    let (code, said) = command(&["experiment"], &environment);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("no experiment is set up"), "{said}");
    let folder = folder(TRIAL);
    for (name, value) in folders(&folder) {
        environment.push((name.to_owned(), value));
    }
    let (code, said) = command(&["experiment", "kind_words"], &environment);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("kind_words: task_nudge/done_yet, answered within 3 days, until 2026-03-20"),
        "{said}"
    );
    assert!(said.contains("each wording needs 10 people"), "{said}");
    let (code, said) = command(&["experiment", "unkind_words"], &environment);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no experiment unkind_words"), "{said}");
}

#[test]
fn an_experiment_without_two_fair_wordings_is_refused() {
    type Change = fn(&tempfile::TempDir);
    let cases: [(&str, &str, Change); 7] = [
        ("as it is", "", |_| {}),
        (
            "one wording in English",
            "done_yet has no second wording in en",
            |folder| {
                edit(folder, &texts("en"), |text| {
                    text.split("\n[done_yet.other]").next().unwrap().to_owned()
                });
            },
        ),
        (
            "a wording that cannot leave outside the window",
            "only one of the two wordings of done_yet has template",
            |folder| {
                edit(folder, &texts("nl"), |text| {
                    let (head, other) = text.split_once("\n[done_yet.other]").unwrap();
                    let only = other.split("template =").next().unwrap();
                    format!("{head}\n[done_yet.other]{only}")
                });
            },
        ),
        (
            "a wording that threatens",
            "done_yet.other.text says",
            |folder| {
                edit(folder, &texts("nl"), |text| {
                    text.replace("hoe ging deze stap: {{task}}", "je moet dit doen: {{task}}")
                });
            },
        ),
        (
            "a wording with a name that nobody knows",
            "cannot be made",
            |folder| {
                edit(folder, &texts("nl"), |text| {
                    text.replace("text = \"Dag {{first_name}}", "text = \"Dag {{nickname}}")
                });
            },
        ),
        (
            "a text that nothing says",
            "nothing says task_nudge/asked",
            |folder| {
                edit(folder, "config/experiments.toml", |text| {
                    text.replace("done_yet", "asked")
                });
            },
        ),
        ("a step where there is none", "is about no step", |folder| {
            edit(folder, "config/experiments.toml", |text| {
                let text = text.replace("task_nudge/done_yet", "vacancy/question");
                text.replace("\"answered\"", "\"done\"")
            });
        }),
    ];
    for (what, expected, change) in cases {
        let folder = folder(TRIAL);
        change(&folder);
        let [config, templates] = ["config", "templates"].map(|part| folder.path().join(part));
        let loaded = Configuration::load(Some(&config), Some(&templates));
        let problems: Vec<String> = match loaded {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        };
        match expected {
            "" => assert!(problems.is_empty(), "{what}: {problems:?}"),
            expected => assert!(
                problems.iter().any(|problem| problem.contains(expected)),
                "{what}: {problems:?}"
            ),
        }
    }
}
