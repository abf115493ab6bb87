//! The rules of the tables that hold what was said to a person, and what became of it.

use super::{Erased, Rows, Table};

pub(super) const OUTGOING: Table = Table {
    name: "outgoing",
    title: "Berichten aan u | Messages to you",
    told: &[
        "said | number | Nummer | Number",
        "purpose | text | Waarvoor | What for",
        "subject | text | Onderwerp | Subject",
        "why | text | Waarom | Why",
        "state | text | Stand | State",
        "state_why | text | Reden | Reason",
        "approve | text | Goedkeuring | Approval",
        "not_before_at | moment | Niet eerder dan | Not before",
        "not_after_at | moment | Niet later dan | Not after",
        "accepted_at | moment | Verstuurd | Sent",
        "delivered_at | moment | Aangekomen | Delivered",
        "read_at | moment | Gelezen | Read",
        "failed_at | moment | Mislukt | Failed",
        "created_at | moment | Gemaakt | Made",
    ],
    ways: "id candidate_id",
    hashes: "content_hash",
    coach: "author_id",
    house: "last_word form attempt lease_until_at version",
    rows: Rows::Of(&super::OUTGOING),
    erased: Erased::Emptied(&super::OUTGOING_EMPTY),
    ..Table::OTHERS
};

pub(super) const FORMS: Table = Table {
    name: "forms",
    title: "De tekst van berichten aan u | The text of messages to you",
    told: &[
        "kind | text | Vorm | Form",
        "body_sealed | sealed_value | Tekst | Text",
        "units | number | Delen | Parts",
    ],
    ways: "message_id position line_id address_id",
    sealed_to: "message_id/position",
    rows: Rows::Of(&super::FORMS),
    erased: Erased::Gone(&super::FORMS_GONE),
    ..Table::OTHERS
};

pub(super) const ATTEMPTS: Table = Table {
    name: "attempts",
    title: "Pogingen om te versturen | Attempts to send",
    told: &[
        "started_at | moment | Begonnen | Started",
        "ended_at | moment | Klaar | Ended",
        "outcome | text | Uitkomst | Outcome",
        "code | text | Code van de aanbieder | Code of the provider",
        "provider_sealed | sealed_text | Kenmerk van de aanbieder | Id of the provider",
    ],
    ways: "message_id attempt position",
    hashes: "token_hash provider_hash",
    sealed_to: "message_id/attempt",
    rows: Rows::Of(&super::ATTEMPTS),
    erased: Erased::Gone(&super::ATTEMPTS_GONE),
    ..Table::OTHERS
};

pub(super) const RECEIPTS: Table = Table {
    name: "receipts",
    title: "Of berichten aankwamen | Whether messages arrived",
    told: &[
        "kind | text | Bericht van de aanbieder | Report of the provider",
        "code | text | Code | Code",
        "at | moment | Wanneer | When",
        "created_at | moment | Ontvangen | Received",
    ],
    ways: "id line_id message_id",
    hashes: "token_hash provider_hash",
    rows: Rows::Of(&super::RECEIPTS),
    erased: Erased::Gone(&super::RECEIPTS_GONE),
    ..Table::OTHERS
};

pub(super) const APPROVALS: Table = Table {
    name: "approvals",
    title: "Besluiten over berichten aan u | Decisions about messages to you",
    told: &[
        "verb | text | Besluit | Decision",
        "at | moment | Wanneer | When",
    ],
    ways: "id message_id act_id",
    hashes: "content_hash",
    coach: "coach_id",
    rows: Rows::Of(&super::APPROVALS),
    erased: Erased::Stays(
        "that a coach decided about a message; its text is gone, and its hash is keyed",
    ),
    ..Table::OTHERS
};

pub(super) const EXPERIMENT_ARMS: Table = Table {
    name: "experiment_arms",
    title: "Proeven met woorden | Trials of words",
    told: &[
        "experiment | text | Proef | Trial",
        "arm | text | Welke woorden | Which words",
    ],
    ways: "message_id candidate_id",
    house: "terms",
    rows: Rows::Of(&super::EXPERIMENT_ARMS),
    erased: Erased::Gone(&super::EXPERIMENT_ARMS_GONE),
    ..Table::OTHERS
};
