//! A person with something in every table: what the verbs write is played, the rest is written by hand.

use tussendoor::app::{invite, note, takeover, unpack};
use tussendoor::domain::ids::{CandidateId, NudgeId, RowId};
use tussendoor::domain::matching::Search;
use tussendoor::domain::plan::Subject;
use tussendoor::store::contacts;
use tussendoor::store::holds::{self, Hold};
use tussendoor::store::nudges::{self, Nudge};
use tussendoor::store::{audit, imports};

use crate::support::house::{House, moment};

/// Whom to make: each of their words stands in nobody else's data.
#[derive(Clone, Copy)]
pub struct Full {
    pub name: &'static str,
    pub number: &'static str,
    pub word: &'static str,
}

impl Full {
    pub const SAMIRA: Self = Self {
        name: "Samira",
        number: "+31612345678",
        word: "zilvermeeuw",
    };
    pub const DAAN: Self = Self {
        name: "Daan",
        number: "+31687654321",
        word: "kraanvogel",
    };
}

pub struct Made {
    pub who: Full,
    pub candidate: CandidateId,
}

impl Made {
    /// What only this person's data holds.
    pub fn words(&self) -> Vec<String> {
        let Full { name, number, word } = self.who;
        let ends = [
            "-stap",
            "-schrijft",
            "-notitie",
            "-zoekt",
            "-kantoor",
            "-past",
            "-wacht",
            "-hold",
            "-bestand",
            "-bewijs",
            "-coach",
            "-profiel",
            "-uitleg",
        ];
        ends.iter()
            .map(|end| format!("{word}{end}"))
            .chain([
                name.to_owned(),
                number.to_owned(),
                self.candidate.to_string(),
            ])
            .collect()
    }

    /// Stands in the rows that were written by hand for this person.
    pub fn tag(&self) -> String {
        self.candidate.to_string()[18..].to_owned()
    }

    /// The slot in which this person has a place.
    pub fn slot(&self) -> String {
        format!("01JNFN9V00SATE0000{}", self.tag())
    }

    /// The ids of what is this person's.
    pub fn ids(&self) -> String {
        [
            "addresses",
            "plans",
            "tasks",
            "incoming",
            "outgoing",
            "flags",
            "nudges",
            "notes",
            "media",
        ]
        .map(|table| {
            format!(
                "SELECT id FROM {table} WHERE candidate_id = '{}'",
                self.candidate
            )
        })
        .join(" UNION ALL ")
    }
}

/// Makes these people on a Tuesday morning; the house stands at Wednesday 09:32 afterwards.
pub async fn fill<const N: usize>(house: &House, people: [Full; N]) -> [Made; N] {
    let mut made = Vec::new();
    for who in people {
        let candidate = house.candidate(who.name, who.number, true).await;
        let step = format!("{}-stap", who.word);
        house
            .plan(candidate, &[(&step, "2026-03-05"), (&step, "2026-03-20")])
            .await;
        invite::invite(&house.app, &house.scope, candidate)
            .await
            .unwrap();
        made.push(Made { who, candidate });
    }
    house.idle().await;
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    for one in &made {
        house.approve(one.candidate).await;
    }
    house.idle().await;
    for one in &made {
        talks(house, one).await;
    }
    for one in &made {
        // Unpacked and not yet played.
        let Full { name, number, word } = one.who;
        let words = format!("{word}-wacht");
        let waits = house.graph.webhook_text(number, name, &words);
        assert_eq!(house.deliver(&waits).await, 200);
    }
    unpack::unpack(&house.app).await.unwrap();
    for one in &made {
        by_hand(house, one).await;
    }
    made.try_into()
        .unwrap_or_else(|_| panic!("as many as were asked for"))
}

async fn talks(house: &House, made: &Made) {
    let Full { name, number, word } = made.who;
    let candidate = made.candidate;
    let sent = house.graph.accepted();
    let sent = sent.iter().find(|sent| sent.recipient == number).unwrap();
    for status in ["delivered", "read"] {
        let report = house.graph.webhook_status(sent, status);
        assert_eq!(house.deliver(&report).await, 200);
    }
    let says = house
        .graph
        .webhook_text(number, name, &format!("{word}-schrijft"));
    assert_eq!(house.deliver(&says).await, 200);
    let image = serde_json::json!({
        "type": "image",
        "image": { "id": format!("{word}-media"), "mime_type": "image/jpeg", "sha256": "abc", "caption": format!("{word}-bestand") },
    });
    let image = house.graph.webhook_message(number, name, image);
    assert_eq!(house.deliver(&image).await, 200);
    // That one never comes; this one does.
    let bytes = [b"\x89PNG\r\n\x1a\n", word.as_bytes()].concat();
    let photo = house.graph.keeps("image/png", &bytes);
    let image = serde_json::json!({
        "type": "image",
        "image": { "id": photo.id, "mime_type": photo.mime, "sha256": photo.sha256 },
    });
    let image = house.graph.webhook_message(number, name, image);
    assert_eq!(house.deliver(&image).await, 200);
    house.idle().await;
    let (app, scope) = (&house.app, &house.scope);
    note::note(app, scope, candidate, &format!("{word}-notitie"))
        .await
        .unwrap();
    takeover::take_over(app, scope, candidate).await.unwrap();
    let later = Some(moment("2026-03-05", 9, 0));
    takeover::write(app, scope, candidate, &format!("{word}-coach"), later)
        .await
        .unwrap();
}

/// What no verb of today writes, or writes only sometimes.
async fn by_hand(house: &House, made: &Made) {
    let Made { who, candidate } = *made;
    let word = who.word;
    let app = &house.app;
    let now = app.now();
    let mut tx = app.store.write().await.unwrap();
    let person = contacts::person(&mut tx, candidate).await.unwrap().unwrap();
    let sealer = tx.sealer(person.key).await.unwrap();
    let id = candidate.to_string();
    let wanted = Search {
        words: vec![format!("{word}-zoekt")],
        ..Search::default()
    };
    let search = sealer.seal_json("searches", "body_sealed", &id, &wanted);
    let profile = sealer.seal_json(
        "candidates",
        "profile_sealed",
        &id,
        &format!("{word}-profiel"),
    );
    let row = format!("candidate:{candidate}");
    let saying = imports::Saying::of(&tx, &row, &[word.to_owned()]);
    imports::remember(&mut tx, vec![saying]).await.unwrap();
    let nudge = Nudge {
        id: app.id::<NudgeId>(now),
        candidate,
        rule: "task_late".into(),
        subject: Subject::Nothing,
        due_on: "2026-04-01".parse().unwrap(),
        due_at: moment("2026-04-01", 9, 30),
    };
    nudges::add(&mut tx, &nudge);
    let hold = Hold {
        class: "messages".into(),
        until: Some("2026-03-01".parse().unwrap()),
        reason: format!("{word}-hold"),
    };
    holds::put(&mut tx, candidate, &hold, house.scope.coach)
        .await
        .unwrap();
    let entry = audit::Entry {
        organisation: None,
        actor: "operator".into(),
        verb: "open",
        object: format!("candidate:{candidate}"),
        content_hash: Some("00".repeat(32)),
    };
    audit::append(&mut tx, app.id::<RowId>(now), entry, now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let (search, profile) = (
        house.database.bytes(&search),
        house.database.bytes(&profile),
    );
    let (org, team, coach) = (
        house.scope.organisation,
        house.scope.teams.first().unwrap(),
        house.scope.coach,
    );
    let at = now.0;
    let tag = made.tag();
    let slot = made.slot();
    let reference = app.store.hash("candidate_ref", word);
    let [meeting, vacancy, fits, moved]: [RowId; 4] = std::array::from_fn(|_| app.id(now));
    let task = format!("{word}-samen");
    let task = sealer.seal(
        "meetings",
        "task_sealed",
        &meeting.to_string(),
        task.as_bytes(),
    );
    let task = house.database.bytes(&task);
    for sql in [
        format!(
            "UPDATE candidates SET profile_sealed = {profile}, paused_until_on = '2026-05-01', unanswered_since_at = {at}, ref_hash = '{reference}' WHERE id = '{id}'"
        ),
        format!("UPDATE addresses SET state_at = {at} WHERE candidate_id = '{id}'"),
        format!("UPDATE consents SET proof = '{word}-bewijs' WHERE candidate_id = '{id}'"),
        format!("UPDATE invites SET used_at = {at} WHERE candidate_id = '{id}'"),
        format!("UPDATE plans SET ended_on = '2026-06-01' WHERE candidate_id = '{id}'"),
        format!(
            "UPDATE tasks SET done_at = {at}, done_by = 'candidate' WHERE candidate_id = '{id}' AND number = 2"
        ),
        format!("UPDATE watch SET online_percent = 60 WHERE candidate_id = '{id}'"),
        format!(
            "INSERT INTO transfers (id, candidate_id, from_coach_id, to_coach_id, at) VALUES ('{moved}', '{id}', '{coach}', '{coach}', {at})"
        ),
        format!(
            "INSERT INTO searches (candidate_id, body_sealed, version) VALUES ('{id}', {search}, 0)"
        ),
        format!(
            "INSERT INTO slots (id, organisation_id, team_id, coach_id, starts_at, ends_at, place, capacity, taken, state, version) VALUES ('{slot}', '{org}', '{team}', '{coach}', {at}, {at}, 'bij {tag}', 3, 2, 'open', 0)"
        ),
        format!(
            "INSERT INTO meetings (id, candidate_id, coach_id, slot_id, kind, mode, starts_at, ends_at, place, state, ics_uid, ics_sequence, version, task_sealed, changed_at) VALUES ('{meeting}', '{id}', '{coach}', '{slot}', 'intake', 'office', {at}, {at}, '{word}-kantoor', 'booked', 'ics-{tag}', 0, 0, {task}, {at})"
        ),
        format!(
            "INSERT INTO vacancies (id, organisation_id, source, source_ref, title, employer, text, pc4, hours_min, hours_max, needs, state, checked_at, version) VALUES ('{vacancy}', '{org}', 'feed', 'ref-{tag}', 'Bakker', 'Bakkerij', 'Brood', '1011', 16, 32, '', 'open', {at}, 0)"
        ),
        format!(
            "INSERT INTO matches (id, vacancy_id, candidate_id, score, why, state, asked_at, answered_at, version) VALUES ('{fits}', '{vacancy}', '{id}', 80, '{word}-past', 'asked', {at}, {at}, 0)"
        ),
        format!(
            "INSERT INTO exercises (candidate_id, exercise, done_at) VALUES ('{id}', 'photo', {at})"
        ),
        format!(
            "INSERT INTO experiment_arms (message_id, experiment, terms, candidate_id, arm) SELECT MIN(id), 'proef', 'x', candidate_id, 'other' FROM outgoing WHERE candidate_id = '{id}' GROUP BY candidate_id"
        ),
        format!("UPDATE incoming SET answers = 1 WHERE candidate_id = '{id}'"),
        format!("UPDATE media SET file = '{word}-bestand.bin' WHERE candidate_id = '{id}'"),
        format!(
            "UPDATE flags SET closed_at = {at} WHERE candidate_id = '{id}' AND id = (SELECT MIN(id) FROM flags WHERE candidate_id = '{id}')"
        ),
        format!(
            "UPDATE outgoing SET failed_at = {at} WHERE candidate_id = '{id}' AND accepted_at IS NOT NULL"
        ),
        format!(
            "UPDATE attempts SET code = '131000' WHERE message_id IN (SELECT id FROM outgoing WHERE candidate_id = '{id}')"
        ),
        format!(
            "UPDATE receipts SET code = '131000' WHERE message_id IN (SELECT id FROM outgoing WHERE candidate_id = '{id}')"
        ),
        format!("UPDATE talks SET wake_at = {at} WHERE candidate_id = '{id}'"),
        format!(
            "UPDATE inbox SET why = '{word}-uitleg' WHERE sender_hash = '{}' AND state = 'new'",
            app.store.hash("sender", who.number)
        ),
    ] {
        house.database.execute(&sql).await;
    }
}
