//! The whole conversation, by the real binary over loopback: import, code, consent, nudge, approval, a
//! shut window, the template, delivered, read, `1`, task done, plan page. Each day is a start of the
//! binary at another moment, so every step also survives a restart.

use std::time::{Duration, Instant};

use tussendoor::domain::time::Timestamp;

use crate::support::database::{Database, on_both};
use crate::support::graph::{Accepted, GraphStandIn};
use crate::support::house::{environment, moment, number};
use crate::support::pages::Coach;
use crate::support::running::{Running, command};
use crate::support::wait;

on_both!(from_the_code_to_the_plan_page);

const NUMBER: &str = "+31612345678";

struct Days {
    environment: Vec<(String, String)>,
    graph: GraphStandIn,
}

impl Days {
    /// The binary at this moment.
    fn at(&mut self, now: Timestamp) -> Running {
        self.environment
            .retain(|(name, _)| name != "TUSSENDOOR_CLOCK");
        self.environment
            .push(("TUSSENDOOR_CLOCK".into(), now.0.to_string()));
        self.graph.set_time(now.0 / 1_000_000);
        Running::serve(&self.environment, None)
    }

    /// Message number `n` (from 1) that the stand-in took.
    fn message(&self, n: usize) -> Accepted {
        assert!(
            self.graph.wait_for(n, Duration::from_secs(15)),
            "message {n} never came"
        );
        self.graph.accepted().remove(n - 1)
    }
}

/// Reads a page until it says this.
async fn reads(coach: &Coach<'_>, path: &str, words: &str) -> String {
    let until = Instant::now() + Duration::from_secs(15);
    loop {
        let html = coach.get(path).await;
        if html.contains(words) {
            return html;
        }
        assert!(Instant::now() < until, "{path} never says {words}:\n{html}");
        wait::between_looks().await;
    }
}

async fn from_the_code_to_the_plan_page(database: Database) {
    if !cfg!(feature = "failpoints") {
        panic!("the clock of tests is not in this build: --features failpoints");
    }
    let graph = GraphStandIn::start();
    let mut environment = environment(&database, &graph.base_url);
    environment.push(("TUSSENDOOR_APPROVE__UNDO_SECONDS".into(), "1".into()));
    environment.push(("TUSSENDOOR_SEND__PAIR_SECONDS".into(), "0".into()));
    let mut days = Days { environment, graph };

    // The way in: a coach and a file, by the command line.
    Coach::add(&days.environment).await;
    let folder = database.folder.path().join("in");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(
        folder.join("candidates.csv"),
        "ref,first_name,family_name,language,digital_skill,track,coach_email,phone,email\nK-1,Samira,Haddad,nl,basic,reintegration,joris@waterstad.example,,\n",
    )
    .unwrap();
    std::fs::write(
        folder.join("plans.csv"),
        "ref,candidate_ref,goal,started_on\nP-1,K-1,Werk voor de zomer,2026-03-02\n",
    )
    .unwrap();
    std::fs::write(
        folder.join("tasks.csv"),
        "plan_ref,number,title,due_on,state\nP-1,2,cv maken,2026-03-10,open\n",
    )
    .unwrap();
    let folder = folder.display().to_string();
    let arguments = [
        "import",
        "--organisation",
        "waterstad",
        "--team",
        "Team Werk",
        folder.as_str(),
    ];
    let (code, said) = command(&arguments, &days.environment);
    assert_eq!(code, Some(0), "{said}");

    // Tuesday 3 March, in the room: the coach shows a code, the candidate sends it.
    let running = days.at(moment("2026-03-03", 10, 0));
    let coach = Coach::sign_in(&running).await;
    let list = coach.get("/kandidaten").await;
    let page = link(&list, "/kandidaten/").expect("a link to the candidate");
    let start = coach.get(&format!("{page}/start")).await;
    let (status, _) = coach.post(&start, "/start", &[]).await.unwrap();
    assert!(status == 303 || status == 200, "{status}");
    let shown = coach.last_page().await;
    let word = code_on(&shown).expect("a code on the page");
    let text = format!("Hoi! Mijn code is {word}");
    let webhook = days.graph.webhook_text(NUMBER, "Sam", &text);
    assert_eq!(running.deliver(&webhook).await, Some(200));
    let question = days.message(1);
    assert_eq!(question.body["type"], "interactive");
    assert!(
        question.body.to_string().contains("namens Joris"),
        "{}",
        question.body
    );
    let tap = days.graph.webhook_tap(NUMBER, &question, 0);
    assert_eq!(running.deliver(&tap).await, Some(200));
    assert!(days.message(2).body.to_string().contains("over je stappen"));
    let given = "SELECT COUNT(*) FROM consents WHERE given";
    assert_eq!(number(&database, given).await, 4);
    running.stop();

    // Monday 9 March, the working day before: the nudge is a draft, and the window is shut.
    let running = days.at(moment("2026-03-09", 9, 31));
    let coach = Coach::sign_in(&running).await;
    let draft = reads(&coach, "/concepten", "/goedkeuren").await;
    for words in ["Samira", "cv maken"] {
        assert!(draft.contains(words), "the draft shows {words}");
    }
    assert_eq!(
        days.graph.accepted().len(),
        2,
        "nothing goes without the coach"
    );
    let (status, _) = coach.post(&draft, "/goedkeuren", &[]).await.unwrap();
    assert_eq!(status, 303);
    let nudge = days.message(3);
    assert_eq!(nudge.body["type"], "template", "{}", nudge.body);
    assert_eq!(nudge.body["template"]["name"], "taak_gelukt");
    running.stop();

    // A restart, then what the provider says: delivered, read; then the candidate answers.
    let running = days.at(moment("2026-03-09", 11, 0));
    let coach = Coach::sign_in(&running).await;
    for status in ["sent", "delivered", "read"] {
        let webhook = days.graph.webhook_status(&nudge, status);
        assert_eq!(running.deliver(&webhook).await, Some(200));
    }
    reads(&coach, &page, "gelezen").await;
    let answer = days.graph.webhook_text(NUMBER, "Sam", "1");
    for _ in 0..2 {
        assert_eq!(running.deliver(&answer).await, Some(200));
    }
    let thanks = days.message(4);
    assert!(
        thanks.body.to_string().contains("Goed gedaan"),
        "{}",
        thanks.body
    );
    let html = reads(&coach, &page, "is-done").await;
    assert!(html.contains("cv maken") && html.contains("Goed gedaan"));
    assert_eq!(
        number(&database, "SELECT COUNT(*) FROM tasks WHERE state = 'done'").await,
        1
    );
    assert_eq!(
        number(
            &database,
            "SELECT COUNT(*) FROM nudges WHERE because = 'sent'"
        )
        .await,
        1
    );
    assert_eq!(
        number(
            &database,
            "SELECT COUNT(*) FROM nudges WHERE closed_at IS NULL"
        )
        .await,
        0
    );
    running.stop();

    // Three weeks on: nothing more comes by itself, and every message went once.
    for day in ["2026-03-12", "2026-03-17", "2026-03-30"] {
        let running = days.at(moment(day, 10, 0));
        // Thirty looks, longer than a tick and a round of sends take.
        let waits = "SELECT COUNT(*) FROM outgoing WHERE state IN ('approved', 'sending')";
        wait::drained(&database, waits, 30).await.unwrap();
        running.stop();
    }
    let sent = days.graph.accepted();
    assert_eq!(sent.len(), 4);
    for one in &sent {
        assert_eq!(days.graph.count(&one.recipient, &one.token), 1);
    }
}

fn link(html: &str, to: &str) -> Option<String> {
    html.split("href=\"").skip(1).find_map(|rest| {
        let address = rest.split('"').next()?;
        let id = address.strip_prefix(to)?;
        (id.len() == 26).then(|| address.to_owned())
    })
}

/// `ABCD-EFGH`, as the page shows it.
fn code_on(html: &str) -> Option<String> {
    html.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .find(|word| {
            word.len() == 9
                && word.as_bytes()[4] == b'-'
                && word
                    .chars()
                    .all(|c| c == '-' || c.is_ascii_uppercase() || c.is_ascii_digit())
        })
        .map(str::to_owned)
}
