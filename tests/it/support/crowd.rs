//! Files of an import, as large as wished: people with names from here and elsewhere, each with a plan
//! and a step where asked. The same number gives the same bytes.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;

const FIRST: [&str; 8] = [
    "Samira", "Jan", "Zoë", "Mehmet", "Renée", "Łukasz", "Fatma", "Ade",
];
const FAMILY: [&str; 8] = [
    "El Idrissi",
    "de Vries",
    "Yıldız",
    "van 't Veld",
    "Haddad",
    "Kowalska",
    "Oyelaran-Smit",
    "Bakker",
];
const SKILL: [&str; 3] = ["starter", "basic", "skilled"];
const TRACK: [&str; 3] = ["participation", "reintegration", "outplacement"];

/// Writes candidates.csv with so many rows. `changed` names the rows whose first name is another one
/// than before: every so manieth.
pub fn candidates(folder: &Path, rows: u32, changed: Option<u32>) {
    let file = fs::File::create(folder.join("candidates.csv")).unwrap();
    let mut to = BufWriter::new(file);
    writeln!(
        to,
        "ref,first_name,family_name,language,digital_skill,track,coach_email,phone,email"
    )
    .unwrap();
    for row in 0..rows {
        let other = changed.is_some_and(|every| row % every == 0);
        let pick = |list: &[&'static str], step: u32| list[(row / step) as usize % list.len()];
        let first = if other { "Anders" } else { pick(&FIRST, 1) };
        let email = if row % 3 == 0 {
            format!("k{row}@post.example")
        } else {
            String::new()
        };
        writeln!(
            to,
            "k-{row:06},{first},{},nl,{},{},,06{:08},{email}",
            pick(&FAMILY, 8),
            pick(&SKILL, 3),
            pick(&TRACK, 5),
            10_000_000 + row,
        )
        .unwrap();
    }
    to.flush().unwrap();
}

/// Writes plans.csv and tasks.csv for the first so many of them: one plan with one step each.
pub fn plans(folder: &Path, rows: u32) {
    let mut plans = BufWriter::new(fs::File::create(folder.join("plans.csv")).unwrap());
    let mut tasks = BufWriter::new(fs::File::create(folder.join("tasks.csv")).unwrap());
    writeln!(plans, "ref,candidate_ref,goal,started_on").unwrap();
    writeln!(tasks, "plan_ref,number,title,due_on,state").unwrap();
    for row in 0..rows {
        writeln!(plans, "p-{row:06},k-{row:06},Werk in de zorg,2026-03-02").unwrap();
        writeln!(tasks, "p-{row:06},1,Je cv bijwerken,2026-04-02,open").unwrap();
    }
    plans.flush().unwrap();
    tasks.flush().unwrap();
}
