//! Rows of one person that cannot be read, a flipped bit or a bug of ours, hold up no other person: in no look
//! of the calendar, in no round of the sender. What cannot be done comes again later, and a coach hears it.

use tussendoor::app::{inbox, restore, send, unpack};
use tussendoor::channels;
use tussendoor::domain::ids::CandidateId;
use tussendoor::ports::channel::{
    Channel, Endpoint, HttpRequest, Item, Medium, Need, Outbound, Outcome, Reply, Unparseable,
    Unverified, Verified,
};
use tussendoor::ports::transport::{Answer, Envelope};

use crate::support::database::{Database, execute, on_both};
use crate::support::house::{House, moment};

on_both!(
    a_nudge_that_cannot_be_played_holds_up_no_other,
    a_timer_that_cannot_be_played_holds_up_no_other,
    a_look_at_somebody_who_cannot_be_read_holds_up_no_other,
    a_draft_that_cannot_be_told_of_expires_with_the_others,
    an_attempt_that_was_lost_holds_up_no_other,
    a_message_that_cannot_be_read_holds_up_no_other,
    an_answer_that_cannot_be_told_is_kept_with_the_others,
    an_item_that_does_not_open_holds_up_no_other,
    a_webhook_that_does_not_open_holds_up_no_other,
    a_webhook_that_makes_a_channel_panic_holds_up_no_other,
    a_restore_marks_everything_but_the_talk_that_cannot_be_read,
);

const NAME: &str = "UPDATE candidates SET name_sealed = profile_sealed WHERE id = (SELECT MIN(id) FROM candidates)";
const TALK: &str = "UPDATE talks SET body_sealed = (SELECT name_sealed FROM candidates WHERE id = candidate_id) WHERE candidate_id = (SELECT MIN(id) FROM candidates)";
const ADDRESS: &str = "UPDATE addresses SET value_sealed = (SELECT name_sealed FROM candidates WHERE id = candidate_id) WHERE id = (SELECT MIN(id) FROM addresses)";
const FORMS: &str = "UPDATE forms SET body_sealed = (SELECT name_sealed FROM candidates WHERE id = (SELECT MIN(id) FROM candidates)) WHERE message_id IN (SELECT id FROM outgoing WHERE candidate_id = (SELECT MIN(id) FROM candidates))";
const STUCK: &str = "SELECT COUNT(*) FROM flags WHERE why = 'stuck' AND closed_at IS NULL";

/// Samira, whose rows will be spoiled, and Bart; each has a task for Thursday the 5th.
async fn samira_and_bart(database: Database) -> (House, CandidateId, CandidateId) {
    let house = House::new(database).await;
    house.turn_to(moment("2026-03-03", 12, 0));
    let one = house.candidate("Samira", "+31612345678", true).await;
    let two = house.candidate("Bart", "+31612345679", true).await;
    // The rows of whoever comes first are spoiled.
    let (samira, bart) = (one.min(two), one.max(two));
    for candidate in [samira, bart] {
        house.plan(candidate, &[("cv maken", "2026-03-05")]).await;
    }
    (house, samira, bart)
}

/// The same, and for each a draft about their task waits.
async fn with_drafts(database: Database) -> (House, CandidateId, CandidateId) {
    let (house, samira, bart) = samira_and_bart(database).await;
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    (house, samira, bart)
}

/// The same, approved and on the wire: what the sender holds in its hand.
async fn on_the_wire(database: Database) -> (House, Vec<send::Job>) {
    let (house, samira, bart) = with_drafts(database).await;
    house.approve(samira).await;
    house.approve(bart).await;
    let jobs = send::round(&house.app, &mut Vec::new(), 64).await.unwrap();
    assert_eq!(jobs.len(), 2);
    (house, jobs)
}

const ITEM: &str = "UPDATE inbox SET item_sealed = (SELECT name_sealed FROM candidates WHERE id = (SELECT MIN(id) FROM candidates)) WHERE id = (SELECT MIN(id) FROM inbox)";
const RAW: &str = "UPDATE raw_bodies SET body_sealed = (SELECT name_sealed FROM candidates WHERE id = (SELECT MIN(id) FROM candidates)) WHERE id = (SELECT MIN(id) FROM raw_bodies)";

async fn spoil(house: &House, sql: &'static str) {
    assert_eq!(execute(&house.database, sql).await, 1);
}

async fn in_state(house: &House, state: &str) -> i64 {
    let sql = match state {
        "waiting" => "SELECT COUNT(*) FROM outgoing WHERE state = 'waiting'",
        "expired" => "SELECT COUNT(*) FROM outgoing WHERE state = 'expired'",
        "accepted" => "SELECT COUNT(*) FROM outgoing WHERE state = 'accepted'",
        "in_doubt" => "SELECT COUNT(*) FROM outgoing WHERE state = 'in_doubt'",
        other => panic!("{other}"),
    };
    house.number(sql).await
}

async fn a_nudge_that_cannot_be_played_holds_up_no_other(database: Database) {
    let (house, ..) = samira_and_bart(database).await;
    spoil(&house, ADDRESS).await;
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    assert_eq!(in_state(&house, "waiting").await, 1);
    let again = "SELECT COUNT(*) FROM nudges WHERE closed_at IS NULL AND started_at IS NULL AND due_at > 1772614800000000";
    assert_eq!(house.number(again).await, 1);
    assert_eq!(house.number(STUCK).await, 1);
}

async fn a_timer_that_cannot_be_played_holds_up_no_other(database: Database) {
    let (house, samira, bart) = with_drafts(database).await;
    house.approve(samira).await;
    house.approve(bart).await;
    house.idle().await;
    spoil(&house, TALK).await;
    let before = house.talk(bart).await;
    // Nobody answers: the question has its exit after some days.
    house.turn_to(moment("2026-03-13", 9, 31));
    house.idle().await;
    assert_ne!(house.talk(bart).await, before);
    let due = "SELECT COUNT(*) FROM talks WHERE wake_at <= 1773390660000000";
    assert_eq!(house.number(due).await, 0);
    assert_eq!(house.number(STUCK).await, 1);
}

async fn a_look_at_somebody_who_cannot_be_read_holds_up_no_other(database: Database) {
    let (house, ..) = samira_and_bart(database).await;
    house.idle().await;
    spoil(&house, NAME).await;
    house.turn_to(moment("2026-03-16", 12, 0));
    house.idle().await;
    let due = "SELECT COUNT(*) FROM watch WHERE look_at <= 1773658800000000";
    assert_eq!(house.number(due).await, 0);
    // A fortnight of silence is a nudge for Bart.
    let silence = "SELECT COUNT(*) FROM nudges WHERE rule <> 'task_due'";
    assert!(house.number(silence).await > 0);
    assert_eq!(house.number(STUCK).await, 1);
}

async fn a_draft_that_cannot_be_told_of_expires_with_the_others(database: Database) {
    let (house, ..) = with_drafts(database).await;
    assert_eq!(in_state(&house, "waiting").await, 2);
    spoil(&house, TALK).await;
    house.turn_to(moment("2026-04-20", 9, 31));
    house.idle().await;
    assert_eq!(in_state(&house, "expired").await, 2);
    assert_eq!(house.number(STUCK).await, 1);
}

async fn an_attempt_that_was_lost_holds_up_no_other(database: Database) {
    let (house, jobs) = on_the_wire(database).await;
    drop(jobs);
    spoil(&house, NAME).await;
    house.wait(600);
    house.idle().await;
    assert_eq!(in_state(&house, "in_doubt").await, 2);
    house.wait(24 * 3600);
    house.idle().await;
    assert_eq!(house.graph.taken(), 0);
}

async fn a_message_that_cannot_be_read_holds_up_no_other(database: Database) {
    let (house, samira, bart) = with_drafts(database).await;
    house.approve(samira).await;
    house.approve(bart).await;
    assert!(execute(&house.database, FORMS).await > 0);
    house.idle().await;
    assert_eq!(in_state(&house, "accepted").await, 1);
    assert_eq!(house.graph.taken(), 1);
    assert_eq!(house.number(STUCK).await, 1);
}

async fn an_answer_that_cannot_be_told_is_kept_with_the_others(database: Database) {
    let (house, jobs) = on_the_wire(database).await;
    let mut back = Vec::new();
    for job in jobs {
        back.push(send::carry(house.app.clone(), job).await);
    }
    spoil(&house, TALK).await;
    send::round(&house.app, &mut back, 64).await.unwrap();
    assert!(back.is_empty());
    assert_eq!(in_state(&house, "accepted").await, 2);
    assert_eq!(house.number(STUCK).await, 1);
    let sent = "SELECT COUNT(*) FROM nudges WHERE because = 'sent'";
    assert_eq!(house.number(sent).await, 2);
}

/// Both write; nothing is unpacked yet.
async fn both_write(database: Database) -> House {
    let (house, ..) = samira_and_bart(database).await;
    for (number, text) in [("+31612345678", "val om"), ("+31612345679", "hallo")] {
        let webhook = house.graph.webhook_text(number, "Iemand", text);
        assert_eq!(house.deliver(&webhook).await, 200);
        house.wait(1);
    }
    house
}

async fn an_item_that_does_not_open_holds_up_no_other(database: Database) {
    let house = both_write(database).await;
    unpack::unpack(&house.app).await.unwrap();
    spoil(&house, ITEM).await;
    house.idle().await;
    assert_eq!(house.number("SELECT COUNT(*) FROM incoming").await, 1);
    assert_eq!(
        house
            .number("SELECT tries FROM inbox WHERE state = 'new'")
            .await,
        1
    );
    for _ in 0..5 {
        house.wait(300);
        house.idle().await;
    }
    let aside =
        "SELECT COUNT(*) FROM inbox WHERE state = 'quarantined' AND why LIKE 'corrupt row%'";
    assert_eq!(house.number(aside).await, 1);
    assert_eq!(inbox::turns(&house.app).await.unwrap(), 0);
}

const PROBLEM: &str = "SELECT problem FROM raw_bodies WHERE problem IS NOT NULL";

async fn a_webhook_that_does_not_open_holds_up_no_other(database: Database) {
    let house = both_write(database).await;
    spoil(&house, RAW).await;
    house.idle().await;
    assert_eq!(house.number("SELECT COUNT(*) FROM incoming").await, 1);
    assert_eq!(house.database.texts(PROBLEM).await, ["it cannot be opened"]);
}

async fn a_webhook_that_makes_a_channel_panic_holds_up_no_other(database: Database) {
    let house = both_write(database).await;
    let mut app = house.process().await;
    for door in app.doors.values_mut() {
        door.channel = &Falls;
    }
    assert_eq!(unpack::unpack(&app).await.unwrap(), 2);
    house.idle().await;
    assert_eq!(house.number("SELECT COUNT(*) FROM incoming").await, 1);
    let why = "it panicked: the log says where";
    assert_eq!(house.database.texts(PROBLEM).await, [why]);
}

/// A channel with a bug: some words make it fall over.
struct Falls;

fn meta() -> &'static dyn Channel {
    channels::by_name("whatsapp_meta").unwrap()
}

impl Channel for Falls {
    fn name(&self) -> &'static str {
        meta().name()
    }

    fn medium(&self) -> Medium {
        meta().medium()
    }

    fn needs(&self) -> &'static [Need] {
        meta().needs()
    }

    fn greet(&self, endpoint: &Endpoint, query: &str) -> Reply {
        meta().greet(endpoint, query)
    }

    fn verify<'a>(
        &self,
        endpoint: &Endpoint,
        request: &HttpRequest<'a>,
    ) -> Result<Verified<'a>, Unverified> {
        meta().verify(endpoint, request)
    }

    fn thanks(&self) -> Reply {
        meta().thanks()
    }

    fn parse(&self, body: Verified<'_>) -> Result<Vec<Item>, Unparseable> {
        let bytes = body.bytes();
        assert!(!bytes.windows(6).any(|it| it == b"val om"), "a planted bug");
        meta().parse(body)
    }

    fn encode(&self, endpoint: &Endpoint, outbound: &Outbound<'_>) -> Envelope {
        meta().encode(endpoint, outbound)
    }

    fn outcome(&self, answer: &Answer) -> Outcome {
        meta().outcome(answer)
    }

    fn failed(&self, code: &str) -> Outcome {
        meta().failed(code)
    }
}

async fn a_restore_marks_everything_but_the_talk_that_cannot_be_read(database: Database) {
    let (house, samira, bart) = with_drafts(database).await;
    house.approve(bart).await;
    let before = house.talk(bart).await.said;
    spoil(&house, TALK).await;
    let (store, chance) = (&house.app.store, &*house.app.chance);
    let marked = restore::mark(store, chance, house.app.now()).await.unwrap();
    assert_eq!(marked.unreadable, [samira]);
    assert_eq!((marked.talks, marked.in_doubt), (1, 1));
    assert!(house.talk(bart).await.said > before);
    assert_eq!(house.number(STUCK).await, 1);
    let mut tx = store.read().await.unwrap();
    assert!(restore::is_paused(&mut tx).await.unwrap());
}
