//! Rules of single tables, beside the list in `rules.rs`.

use super::{Erased, Rows, Table};

pub const EXERCISES: Table = Table {
    name: "exercises",
    title: "Oefeningen die u deed | Exercises that you did",
    told: &[
        "exercise | text | Oefening | Exercise",
        "done_at | moment | Gedaan | Done",
    ],
    ways: "candidate_id",
    rows: Rows::Of(&super::EXERCISES),
    erased: Erased::Gone(&super::EXERCISES_GONE),
    ..Table::OTHERS
};
