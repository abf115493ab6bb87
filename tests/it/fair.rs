//! Equal parts and order: a storm on one endpoint or line delays no other, a set of turns gives what single
//! turns give, and two instances keep the order of one person's words.

use tussendoor::app::{inbox as turns, turn, unpack};
use tussendoor::domain::ids::{CandidateId, KeyId, LineId, RawId};
use tussendoor::domain::plan::Subject;
use tussendoor::domain::talk::event::Event;
use tussendoor::ports::channel::{Content, Heard, Item, Sender, What};
use tussendoor::store::Tx;
use tussendoor::store::inbox::{self, NewItem, NewRaw};
use tussendoor::store::lines::{self, NewLine};

use crate::support::database::{Database, on_both, texts};
use crate::support::graph::{self, posted_together};
use crate::support::house::{House, number};

on_both!(
    a_storm_on_one_endpoint_leaves_room_for_another,
    a_storm_on_one_line_leaves_room_for_another,
    with_more_lines_than_room_each_has_its_turn,
    what_came_in_over_midnight_keeps_its_order,
    a_message_waits_for_the_earlier_ones_of_its_sender,
    several_messages_of_several_people_in_one_set_are_as_if_one_by_one,
    who_writes_to_another_line_is_answered_there_also_in_a_set,
    what_had_not_left_is_taken_back_in_a_set_as_one_by_one,
);

async fn key(house: &House) -> KeyId {
    let now = house.app.now();
    let (key, _) = inbox::day_key(&house.app.store, now.utc().date_naive(), now)
        .await
        .unwrap();
    key
}

async fn store_raw(house: &House, tx: &mut Tx, key: KeyId, endpoint: &str, count: usize) -> RawId {
    let now = house.app.now();
    let sealer = tx.sealer(key).await.unwrap();
    let raws: Vec<NewRaw> = (0..count)
        .map(|_| NewRaw::sealed(house.app.id(now), endpoint, (key, &sealer), b"{}", now))
        .collect();
    let first = raws[0].id;
    inbox::append(tx, raws.into_iter()).await.unwrap();
    first
}

async fn a_storm_on_one_endpoint_leaves_room_for_another(database: Database) {
    let house = House::new(database).await;
    let key = key(&house).await;
    let mut tx = house.app.store.write().await.unwrap();
    store_raw(&house, &mut tx, key, "busy", 1_000).await;
    store_raw(&house, &mut tx, key, "quiet", 3).await;
    let taken = inbox::raw_new(&mut tx, 256).await.unwrap();
    let quiet = taken.iter().filter(|raw| raw.endpoint == "quiet").count();
    assert_eq!(quiet, 3, "of {}", taken.len());
    assert!(taken.len() > 100 && taken.len() <= 260, "{}", taken.len());
}

fn item(sender: &str, at: usize, house: &House) -> Item {
    Item {
        identity: format!("{sender}{at}"),
        line: "106540352242922".into(),
        what: What::Heard(Heard {
            provider_id: format!("wamid.{sender}{at}"),
            from: Sender {
                number: Some(sender.to_owned()),
                ..Sender::default()
            },
            at: house.app.now(),
            content: Content::Text {
                body: format!("bericht {at}"),
            },
            quotes: None,
            forwarded: false,
        }),
    }
}

async fn store_items(
    house: &House,
    tx: &mut Tx,
    (key, raw, line): (KeyId, RawId, LineId),
    senders: &[&str],
) {
    let now = house.app.now();
    let items = senders
        .iter()
        .enumerate()
        .map(|(at, sender)| NewItem {
            id: house.app.id(now),
            raw,
            channel: "whatsapp_meta",
            line: Some(line),
            kind: "heard",
            sender_hash: Some(tx.hash("sender", sender)),
            item: item(sender, at, house),
            at: now,
        })
        .collect();
    inbox::add_items(tx, key, items).await.unwrap();
}

async fn a_storm_on_one_line_leaves_room_for_another(database: Database) {
    let house = House::new(database).await;
    let key = key(&house).await;
    let busy = *house.app.lines.keys().next().unwrap();
    let mut tx = house.app.store.write().await.unwrap();
    let new = NewLine {
        id: house.app.id(house.app.now()),
        organisation: house.scope.organisation,
        endpoint: "meta",
        channel: "whatsapp_meta",
        address: "2",
        display: "+31 20 765 4321",
    };
    let quiet = lines::put_line(&mut tx, &new).await.unwrap();
    let raw = store_raw(&house, &mut tx, key, "meta", 1).await;
    let senders: Vec<String> = (0..500).map(|at| format!("+316{at:08}")).collect();
    let senders: Vec<&str> = senders.iter().map(String::as_str).collect();
    store_items(&house, &mut tx, (key, raw, busy), &senders).await;
    store_items(&house, &mut tx, (key, raw, quiet), &senders[..2]).await;
    let taken = inbox::next(&mut tx, house.app.now(), 64)
        .await
        .unwrap()
        .items;
    let few = taken.iter().filter(|item| item.line == Some(quiet)).count();
    assert_eq!(few, 2, "of {}", taken.len());
    assert!(taken.len() > 30 && taken.len() <= 64, "{}", taken.len());
}

async fn with_more_lines_than_room_each_has_its_turn(database: Database) {
    let house = House::new(database).await;
    let key = key(&house).await;
    let mut tx = house.app.store.write().await.unwrap();
    let raw = store_raw(&house, &mut tx, key, "meta", 1).await;
    for number in 2..6 {
        let new = NewLine {
            id: house.app.id(house.app.now()),
            organisation: house.scope.organisation,
            endpoint: "meta",
            channel: "whatsapp_meta",
            address: &number.to_string(),
            display: "+31 20 765 4321",
        };
        let line = lines::put_line(&mut tx, &new).await.unwrap();
        let sender = format!("+3161234567{number}");
        store_items(&house, &mut tx, (key, raw, line), &[&sender, &sender]).await;
    }
    let taken = inbox::next(&mut tx, house.app.now(), 3).await.unwrap();
    assert_eq!(taken.items.len(), 4);
}

/// Two keys in one batch, since the day changed between them; one person's words go on over it.
async fn what_came_in_over_midnight_keeps_its_order(database: Database) {
    let house = House::new(database).await;
    let mut said = Vec::new();
    for day in ["2026-03-03", "2026-03-04"] {
        house.turn_to(crate::support::house::moment(day, 8, 0));
        for word in ["een", "twee", "drie"] {
            let webhook = house.graph.webhook_text("+31612345678", "Samira", word);
            assert_eq!(house.deliver(&webhook).await, 200);
            house.wait(1);
        }
    }
    // And another batch in the same moment.
    unpack::unpack(&house.app).await.unwrap();
    for word in ["vier", "vijf"] {
        let webhook = house.graph.webhook_text("+31612345678", "Samira", word);
        assert_eq!(house.deliver(&webhook).await, 200);
    }
    unpack::unpack(&house.app).await.unwrap();
    said.extend(
        texts(
            &house.database,
            "SELECT id FROM raw_bodies ORDER BY received_at, id",
        )
        .await,
    );
    assert_eq!(said.len(), 8);
    let order = "SELECT raw_id FROM inbox ORDER BY created_at, id";
    assert_eq!(texts(&house.database, order).await, said);
    let keys = "SELECT COUNT(DISTINCT key_id) FROM inbox";
    assert_eq!(house.number(keys).await, 2);
    house.idle().await;
    assert_eq!(house.number("SELECT COUNT(*) FROM incoming").await, 8);
}

async fn a_message_waits_for_the_earlier_ones_of_its_sender(database: Database) {
    let house = House::new(database).await;
    let key = key(&house).await;
    let line = *house.app.lines.keys().next().unwrap();
    let mut tx = house.app.store.write().await.unwrap();
    let raw = store_raw(&house, &mut tx, key, "meta", 1).await;
    let (anna, bram) = ("+31612345678", "+31687654321");
    store_items(&house, &mut tx, (key, raw, line), &[anna, anna, anna]).await;
    tx.commit().await.unwrap();
    let mut tx = house.app.store.write().await.unwrap();
    let first = inbox::next(&mut tx, house.app.now(), 1)
        .await
        .unwrap()
        .items;
    assert_eq!(first.len(), 1);
    if !house.app.store.is_postgres() {
        // One writer: nobody else can have hers in hand.
        return;
    }
    // Another instance looks while the first of hers is in hand: it passes hers by, and takes his.
    let mut other = house.app.store.write().await.unwrap();
    store_items(&house, &mut other, (key, raw, line), &[bram]).await;
    let taken = inbox::next(&mut other, house.app.now(), 64)
        .await
        .unwrap()
        .items;
    let his = other.hash("sender", bram);
    let senders: Vec<_> = taken
        .iter()
        .map(|waiting| match &waiting.item.what {
            What::Heard(heard) => heard.from.number.clone().unwrap(),
            _ => String::new(),
        })
        .collect();
    assert_eq!(senders, [bram], "{his}");
    other.rollback().await.unwrap();
    inbox::done(&mut tx, first[0].id, None);
    tx.commit().await.unwrap();
    let mut tx = house.app.store.write().await.unwrap();
    let rest = inbox::next(&mut tx, house.app.now(), 64)
        .await
        .unwrap()
        .items;
    assert_eq!(rest.len(), 2);
}

/// Known people, strangers and somebody who writes three times, in one batch: everybody is heard once, in
/// order, and each answer is written once.
async fn several_messages_of_several_people_in_one_set_are_as_if_one_by_one(database: Database) {
    let house = House::new(database).await;
    let mut known = Vec::new();
    for at in 0..6 {
        let number = format!("+3161234567{at}");
        let id = house.candidate("Samira", &number, true).await;
        house
            .plan(id, &[("CV maken", "2026-04-01"), ("Bellen", "2026-04-02")])
            .await;
        known.push((id, number));
    }
    let mut webhooks = Vec::new();
    for (_, number) in &known {
        webhooks.push(house.graph.webhook_text(number, "Samira", "PLAN"));
    }
    webhooks.push(house.graph.webhook_text("+31699999999", "Vreemd", "Dag"));
    // One of them goes on: a step that is done, and then a question.
    webhooks.push(house.graph.webhook_text(&known[0].1, "Samira", "KLAAR 1"));
    webhooks.push(house.graph.webhook_text(&known[0].1, "Samira", "PLAN"));
    for webhook in &webhooks {
        assert_eq!(house.deliver(webhook).await, 200);
    }
    while unpack::unpack(&house.app).await.unwrap() > 0 {}
    assert_eq!(turns::turns(&house.app).await.unwrap(), webhooks.len());
    let count = |sql| number(&house.database, sql);
    assert_eq!(count("SELECT COUNT(*) FROM incoming").await, 9);
    assert_eq!(
        count("SELECT COUNT(*) FROM tasks WHERE state = 'done'").await,
        1
    );
    assert_eq!(
        count("SELECT COUNT(*) FROM candidates WHERE state = 'unknown'").await,
        1
    );
    // Everybody's plan, what is said to a step that is done, and her plan again.
    for (id, _) in &known {
        let asked = if *id == known[0].0 { 3 } else { 1 };
        assert_eq!(house.drafts(*id).await.len(), asked);
    }
    let turns = count("SELECT COUNT(*) FROM turns").await;
    assert_eq!(
        turns,
        count("SELECT CAST(SUM(version) AS BIGINT) FROM talks").await
    );
}

/// The window that words open is that of the line on which they came, for the answer in the same set too.
async fn who_writes_to_another_line_is_answered_there_also_in_a_set(database: Database) {
    const SECOND: &str = "207651463353033";
    let house = House::set(
        database,
        &[
            ("TUSSENDOOR_LINES__ZUID__ORGANISATION", "waterstad"),
            ("TUSSENDOOR_LINES__ZUID__ENDPOINT", "meta"),
            ("TUSSENDOOR_LINES__ZUID__ADDRESS", SECOND),
            ("TUSSENDOOR_LINES__ZUID__DISPLAY", "+31 20 765 4321"),
        ],
    )
    .await;
    let numbers = ["+31612345671", "+31612345672", "+31612345673"];
    for number in numbers {
        house.candidate("Samira", number, true).await;
        house.says(number, "stappen").await;
    }
    house.wait(60);
    let words = numbers.map(|number| {
        let (body, _) = house.graph.webhook_text(number, "Samira", "stappen");
        let body = String::from_utf8(body).unwrap();
        graph::sign(body.replace(graph::LINE, SECOND).into_bytes())
    });
    assert_eq!(house.deliver(&posted_together(&words)).await, 200);
    house.idle().await;
    let paths = house.graph.requests().into_iter();
    let paths: Vec<String> = paths.map(|request| request.path).collect();
    assert_eq!(paths.len(), 6, "{paths:?}");
    let second = paths.iter().filter(|path| path.contains(SECOND)).count();
    assert_eq!(second, 3, "{paths:?}");
}

/// Asked whether a task is done, and the question went.
async fn asked(house: &House, at: usize) -> (CandidateId, String) {
    let number = format!("+3161234567{at}");
    let id = house.candidate("Samira", &number, true).await;
    let tasks = house.plan(id, &[("CV maken", "2026-04-01")]).await;
    let mut tx = house.app.store.write().await.unwrap();
    let person = turn::person(&mut tx, id).await.unwrap();
    let event = Event::Start {
        flow: house.app.book.newest("task_nudge").unwrap(),
        subject: Subject::Task(tasks[0]),
    };
    let now = house.app.now();
    turn::play(&house.app, &mut tx, &person, event, now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    house.approve(id).await;
    (id, number)
}

/// Every message and what the ledger says of it, without ids and moments.
const STANDS: &str = "SELECT o.candidate_id || ' ' || COALESCE(o.said, 0) || ' ' || o.why || ' ' || o.state || ' ' || COALESCE(o.state_why, '') || ' ' || o.version || ' ' || COALESCE((SELECT MAX(COALESCE(n.because, 'open')) FROM nudges n WHERE n.message_id = o.id), 'no nudge') FROM outgoing o ORDER BY o.candidate_id, o.said, o.id";

/// What stands of this person.
async fn stands(house: &House, id: CandidateId) -> Vec<String> {
    let all = texts(&house.database, STANDS).await;
    let id = id.to_string();
    let own = all.iter().filter_map(|line| line.strip_prefix(&id));
    own.map(str::to_owned).collect()
}

/// Who goes on writing before the answer left has it taken back, whether their words are played alone or with
/// those of others.
async fn what_had_not_left_is_taken_back_in_a_set_as_one_by_one(database: Database) {
    let house = House::new(database).await;
    let mut people = Vec::new();
    for at in 0..10 {
        people.push(asked(&house, at).await);
    }
    house.wait(60);
    house.idle().await;
    let (alone, set) = people.split_at(5);
    for words in ["Hoi", "2", "Hoi"] {
        for (_, number) in alone {
            let one = house.graph.webhook_text(number, "Samira", words);
            assert_eq!(house.deliver(&one).await, 200);
            while unpack::unpack(&house.app).await.unwrap() > 0 {}
            assert_eq!(turns::turns(&house.app).await.unwrap(), 1);
        }
        let all = set.iter();
        let all: Vec<_> = all
            .map(|(_, number)| house.graph.webhook_text(number, "Samira", words))
            .collect();
        assert_eq!(house.deliver(&posted_together(&all)).await, 200);
        while unpack::unpack(&house.app).await.unwrap() > 0 {}
        assert_eq!(turns::turns(&house.app).await.unwrap(), 5);
    }
    let first = stands(&house, alone[0].0).await;
    let back = first.iter().filter(|line| line.contains("overtaken"));
    assert!(back.count() > 0, "something was taken back: {first:?}");
    for (id, number) in &people {
        assert_eq!(stands(&house, *id).await, first, "{number}");
    }
}
