//! The rules: what each column of the schema is, and what an export and an erasure do with it. In the order
//! of the schema. A new column belongs in one of these lists, in the commit that adds it.
//!
//! An exported column is a line `column | how it is read | Dutch label | English label`.

use super::{Erased, Rows, Table, messages, tables};

/// Every table.
pub const TABLES: &[Table] = &[
    Table {
        name: "keys",
        ways: "id owner",
        secret: "wrapped",
        house: "master created_at destroyed_at",
        erased: Erased::Stays("the wrapped key is overwritten; that there was one may be known"),
        ..Table::OTHERS
    },
    Table::of_the_house("organisations", "id slug name zone"),
    Table::of_the_house("teams", "id organisation_id name"),
    Table::of_coaches(
        "coaches",
        "id organisation_id key_id email name role password totp_sealed stand_in_id away_until_on language state version",
    ),
    Table::of_coaches("coach_teams", "coach_id team_id"),
    Table::of_coaches(
        "sessions",
        "token_hash coach_id second_factor created_at seen_at ends_at",
    ),
    Table::of_the_house(
        "lines",
        "id organisation_id endpoint channel address display paused_why paused_at version",
    ),
    Table {
        name: "candidates",
        title: "Over u | About you",
        told: &[
            "name_sealed | sealed_value | Uw naam | Your name",
            "profile_sealed | sealed_value | Uw profiel | Your profile",
            "language | text | Taal | Language",
            "digital_skill | text | Hoe makkelijk u met een telefoon werkt | How easily you use a phone",
            "track | text | Soort begeleiding | Kind of coaching",
            "automated_in_row | number | Automatische berichten sinds een persoonlijk woord van uw coach | Automatic messages since a personal word of your coach",
            "unanswered_since_at | moment | U wacht op antwoord sinds | You wait for an answer since",
            "paused_until_on | text | Geen berichten tot en met | No messages until and including",
            "by_hand | flag | Uw coach keurt elk bericht goed | Your coach approves every message",
            "state | text | Waar u staat | Where you stand",
            "created_at | moment | Bekend sinds | Known since",
        ],
        ways: "id organisation_id team_id key_id",
        hashes: "ref_hash",
        coach: "coach_id",
        house: "version",
        sealed_to: "id",
        rows: Rows::Of(&super::CANDIDATES),
        erased: Erased::Emptied(&super::CANDIDATES_EMPTY),
        ..Table::OTHERS
    },
    Table {
        name: "addresses",
        title: "Uw nummers en adressen | Your numbers and addresses",
        told: &[
            "kind | text | Soort | Kind",
            "value_sealed | sealed_text | Nummer of adres | Number or address",
            "state | text | Hoe zeker het is | How sure it is",
            "heard_at | moment | Laatste bericht van u | Your last message",
            "state_at | moment | Zo sinds | So since",
        ],
        ways: "id candidate_id",
        hashes: "value_hash",
        house: "version",
        sealed_to: "id",
        rows: Rows::Of(&super::ADDRESSES),
        erased: Erased::Gone(&super::ADDRESSES_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "windows",
        title: "Wanneer u schreef | When you wrote",
        told: &["heard_at | moment | U schreef hier het laatst | You last wrote here"],
        ways: "line_id address_id",
        rows: Rows::Of(&super::WINDOWS),
        erased: Erased::Gone(&super::WINDOWS_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "consents",
        title: "Uw toestemmingen | Your consents",
        told: &[
            "purpose | text | Waarvoor | What for",
            "channel | text | Waar | Where",
            "given | flag | Toestemming | Consent",
            "at | moment | Wanneer | When",
            "how | text | Hoe | How",
            "proof | text | Bewijs | Proof",
        ],
        ways: "id candidate_id",
        rows: Rows::Of(&super::CONSENTS),
        erased: Erased::Gone(&super::CONSENTS_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "invites",
        title: "Uitnodigingen | Invitations",
        told: &[
            "ends_at | moment | Geldig tot | Valid until",
            "used_at | moment | Gebruikt | Used",
        ],
        ways: "candidate_id",
        hashes: "code_hash",
        coach: "coach_id",
        rows: Rows::Of(&super::INVITES),
        erased: Erased::Gone(&super::INVITES_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "plans",
        title: "Uw plan | Your plan",
        told: &[
            "goal_sealed | sealed_text | Doel | Goal",
            "started_on | text | Begonnen | Started",
            "ended_on | text | Afgelopen | Ended",
        ],
        ways: "id candidate_id",
        hashes: "ref_hash",
        house: "version",
        sealed_to: "id",
        rows: Rows::Of(&super::PLANS),
        erased: Erased::Gone(&super::PLANS_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "tasks",
        title: "Uw stappen | Your steps",
        told: &[
            "number | number | Nummer | Number",
            "title_sealed | sealed_text | Stap | Step",
            "state | text | Stand | State",
            "due_on | text | Klaar op | Due",
            "done_at | moment | Gedaan | Done",
            "done_by | text | Wie zei dat het gedaan is | Who said that it is done",
        ],
        ways: "id plan_id candidate_id",
        house: "version",
        sealed_to: "id",
        rows: Rows::Of(&super::TASKS),
        erased: Erased::Gone(&super::TASKS_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "searches",
        title: "Werk dat u zoekt | Work that you look for",
        told: &["body_sealed | sealed_value | Wat u zoekt | What you look for"],
        ways: "candidate_id",
        house: "version",
        sealed_to: "candidate_id",
        rows: Rows::Of(&super::SEARCHES),
        erased: Erased::Gone(&super::SEARCHES_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "notes",
        title: "Notities van uw coach | Notes of your coach",
        told: &[
            "kind | text | Soort | Kind",
            "body_sealed | sealed_text | Notitie | Note",
            "at | moment | Wanneer | When",
        ],
        ways: "id candidate_id",
        coach: "coach_id",
        sealed_to: "id",
        rows: Rows::Of(&super::NOTES),
        erased: Erased::Gone(&super::NOTES_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "slots",
        coach: "coach_id",
        hashes: "ref_hash",
        house: "id organisation_id team_id starts_at ends_at place mode capacity taken state series version",
        ..Table::OTHERS
    },
    Table::of_coaches("calendars", "coach_id token_hash made_at"),
    Table::of_coaches(
        "busy_feeds",
        "coach_id url_sealed due_at fetched_at problem version",
    ),
    Table::of_coaches("busy_times", "coach_id starts_at ends_at"),
    Table {
        name: "meetings",
        title: "Uw afspraken | Your meetings",
        told: &[
            "kind | text | Soort | Kind",
            "mode | text | Hoe | How",
            "starts_at | moment | Begin | Start",
            "ends_at | moment | Einde | End",
            "place | text | Plaats | Place",
            "state | text | Stand | State",
            "task_sealed | sealed_text | Wat u samen doet | What you do together",
            "participants | number | Hoeveel mensen | How many people",
            "changed_at | moment | Zo sinds | So since",
        ],
        ways: "id candidate_id slot_id ics_uid",
        hashes: "ref_hash",
        coach: "coach_id",
        house: "ics_sequence version",
        sealed_to: "id",
        rows: Rows::Of(&super::MEETINGS),
        erased: Erased::Gone(&super::MEETINGS_GONE),
        ..Table::OTHERS
    },
    Table::of_the_house(
        "vacancies",
        "id organisation_id source source_ref title employer text url pc4 hours_min hours_max needs state checked_at closes_on version town same_as content_hash found_at matched_at",
    ),
    Table {
        name: "matches",
        title: "Vacatures die bij u passen | Vacancies that suit you",
        told: &[
            "score | number | Hoe goed het past | How well it fits",
            "why | text | Waarom | Why",
            "state | text | Stand | State",
            "asked_at | moment | Gevraagd | Asked",
            "answered_at | moment | Beantwoord | Answered",
        ],
        ways: "id vacancy_id candidate_id",
        house: "version",
        rows: Rows::Of(&super::MATCHES),
        erased: Erased::Gone(&super::MATCHES_GONE),
        ..Table::OTHERS
    },
    Table::of_the_house(
        "vacancy_sources",
        "organisation_id source source_ref vacancy_id seen_at gone_at",
    ),
    Table::of_the_house("vacancy_words", "vacancy_id word in_title"),
    Table::of_the_house(
        "feeds",
        "name organisation_id looked_at worked_at broken_since_at problem etag last_modified items skipped version",
    ),
    tables::EXERCISES,
    Table::of_the_house("flows", "hash name definition texts created_at"),
    Table {
        name: "talks",
        title: "Het gesprek | The conversation",
        told: &[
            "state | text | Stand | State",
            "body_sealed | sealed_value | Waar het gesprek staat | Where the conversation stands",
            "wake_at | moment | Volgende moment | Next moment",
        ],
        ways: "candidate_id",
        house: "version",
        sealed_to: "candidate_id",
        rows: Rows::Of(&super::TALKS),
        erased: Erased::Gone(&super::TALKS_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "turns",
        title: "Hoe het gesprek liep | How the conversation went",
        told: &[
            "number | number | Nummer | Number",
            "event_sealed | sealed_value | Wat er gebeurde | What happened",
            "at | moment | Wanneer | When",
        ],
        ways: "candidate_id",
        sealed_to: "candidate_id/number",
        rows: Rows::Of(&super::TURNS),
        erased: Erased::Gone(&super::TURNS_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "raw_bodies",
        ways: "id key_id",
        secret: "head_sealed body_sealed",
        house: "endpoint state problem received_at",
        erased: Erased::WithItsDay,
        ..Table::OTHERS
    },
    Table {
        name: "seen",
        hashes: "item_hash",
        house: "channel at",
        erased: Erased::Stays(
            "a keyed hash of the id that a provider gave a message, forgotten by its age",
        ),
        ..Table::OTHERS
    },
    Table {
        name: "inbox",
        title: "Wat van u binnenkwam en nog even bewaard wordt | What came in from you and is kept for a short while",
        told: &[
            "kind | text | Soort | Kind",
            "item_sealed | sealed_value | Bericht | Message",
            "state | text | Stand | State",
            "why | text | Opmerking | Remark",
            "created_at | moment | Ontvangen | Received",
        ],
        ways: "id raw_id line_id key_id",
        hashes: "sender_hash",
        house: "channel tries due_at",
        sealed_to: "id",
        rows: Rows::OfSender(&super::INBOX),
        erased: Erased::Gone(&super::INBOX_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "incoming",
        title: "Berichten van u | Messages from you",
        told: &[
            "body_sealed | sealed_value | Wat u schreef | What you wrote",
            "marks | text | Herkend in de tekst | Recognised in the text",
            "answers | number | Antwoord op bericht | Answers message",
            "provider_sealed | sealed_text | Kenmerk van de aanbieder | Id of the provider",
            "at | moment | Wanneer | When",
        ],
        ways: "id candidate_id line_id address_id",
        sealed_to: "id",
        rows: Rows::Of(&super::INCOMING),
        erased: Erased::Gone(&super::INCOMING_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "media",
        title: "Foto's, geluid en bestanden van u | Pictures, sound and files from you",
        told: &[
            "kind | text | Soort | Kind",
            "mime | text | Bestandssoort | Type of file",
            "bytes | number | Grootte | Size",
            "source_sealed | sealed_value | Waar het vandaan kwam | Where it came from",
            "file | text | Bestand | File",
            "state | text | Stand | State",
            "why | text | Waarom het er niet is | Why it is not there",
        ],
        ways: "id candidate_id incoming_id",
        hashes: "sha256_hash",
        house: "tries due_at version",
        sealed_to: "id",
        rows: Rows::Of(&super::MEDIA),
        erased: Erased::Gone(&super::MEDIA_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "media_files",
        title: "De bestanden zelf, in base64 | The files themselves, in base64",
        told: &["body_sealed | sealed_bytes | Bestand | File"],
        ways: "media_id",
        sealed_to: "media_id",
        rows: Rows::Of(&super::MEDIA_FILES),
        erased: Erased::Gone(&super::MEDIA_FILES_GONE),
        ..Table::OTHERS
    },
    messages::OUTGOING,
    messages::FORMS,
    messages::ATTEMPTS,
    messages::RECEIPTS,
    messages::APPROVALS,
    messages::EXPERIMENT_ARMS,
    Table::of_coaches("looking", "message_id coach_id seen_at"),
    Table {
        name: "nudges",
        title: "Herinneringen en waarom | Reminders and why",
        told: &[
            "rule | text | Regel | Rule",
            "subject | text | Onderwerp | Subject",
            "due_on | text | Voor de dag | For the day",
            "due_at | moment | Op | At",
            "closed_at | moment | Afgesloten | Closed",
            "started_at | moment | Begonnen | Started",
            "because | text | Waarom afgesloten | Why closed",
            "flow | text | Gesprek | Conversation",
        ],
        ways: "id candidate_id message_id",
        rows: Rows::Of(&super::NUDGES),
        erased: Erased::Stays(
            "the ledger: which rule, which day and how it ended, about nobody who can be named",
        ),
        ..Table::OTHERS
    },
    Table {
        name: "watch",
        title: "Hoe vaak we elkaar online spreken | How often we talk online",
        told: &[
            "online_percent | number | Afgesproken deel online, in procenten | Agreed share online, in percent",
        ],
        ways: "candidate_id organisation_id",
        house: "look_at",
        rows: Rows::Of(&super::WATCH),
        erased: Erased::Gone(&super::WATCH_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "transfers",
        title: "Wanneer u een andere coach kreeg | When you got another coach",
        told: &["at | moment | Wanneer | When"],
        ways: "id candidate_id",
        coach: "from_coach_id to_coach_id",
        rows: Rows::Of(&super::TRANSFERS),
        erased: Erased::Gone(&super::TRANSFERS_GONE),
        ..Table::OTHERS
    },
    Table::of_the_house("policies", "team_id rule approve"),
    Table::of_the_house("occurrences", "organisation_id rule due_on at"),
    Table {
        name: "flags",
        title: "Waar uw coach naar moest kijken | What your coach had to look at",
        told: &[
            "why | text | Reden | Reason",
            "subject | text | Onderwerp | Subject",
            "opened_at | moment | Sinds | Since",
            "closed_at | moment | Afgehandeld | Handled",
        ],
        ways: "id candidate_id",
        coach: "coach_id closed_by_id",
        rows: Rows::Of(&super::FLAGS),
        erased: Erased::Gone(&super::FLAGS_GONE),
        ..Table::OTHERS
    },
    Table::of_coaches("notices", "id coach_id kind due_on state tries due_at"),
    Table {
        name: "holds",
        title: "Wat de wet laat bewaren | What the law has us keep",
        told: &[
            "class | text | Wat bewaard moet blijven | What must be kept",
            "until_on | text | Tot en met | Until and including",
            "reason | text | Reden | Reason",
        ],
        ways: "candidate_id",
        coach: "coach_id",
        rows: Rows::Of(&super::HOLDS),
        erased: Erased::Gone(&super::HOLDS_GONE),
        ..Table::OTHERS
    },
    Table {
        name: "audit",
        title: "Wie wat deed | Who did what",
        told: &[
            "at | moment | Wanneer | When",
            "verb | text | Wat er gedaan is | What was done",
            "object | text | Waarmee | With what",
        ],
        ways: "id",
        hashes: "content_hash",
        coach: "actor",
        house: "organisation",
        rows: Rows::Of(&super::AUDIT),
        erased: Erased::Stays("who did what, with ids only: the trail must stay whole"),
        ..Table::OTHERS
    },
    Table::of_the_house("audit_links", "seq audit_id before_hash hash"),
    Table::of_the_house("audit_waiting", "audit_id"),
    Table {
        name: "marks",
        ways: "name",
        hashes: "value",
        rows: Rows::Of(&super::MARKS),
        erased: Erased::Gone(&super::MARKS_GONE),
        ..Table::OTHERS
    },
];
