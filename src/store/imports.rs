//! What the last import said of each row: a short keyed hash of every cell. By it a second import sees
//! which cells the caller changed, and leaves alone what people changed meanwhile.

use std::collections::HashMap;

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;

statements! {
    SAID = { batch: "WITH asked (name) AS (", columns: [Text], tail: ") SELECT m.name, m.value FROM asked a CROSS JOIN marks m WHERE m.name = a.name" };
    SAY = { batch: "INSERT INTO marks (name, value)", columns: [Text, Text], tail: "ON CONFLICT (name) DO UPDATE SET value = excluded.value" };
}

/// Hexadecimal digits kept of a cell's hash: 64 bits tell two values of one cell apart.
const KEPT: usize = 16;

/// What a file says of one row. `row` is `kind:id`.
pub struct Saying {
    name: String,
    now: String,
}

impl Saying {
    pub fn of(tx: &Tx, row: &str, cells: &[String]) -> Self {
        let hash = |(at, cell): (usize, &String)| {
            let mut hash = tx.hash("import", &format!("{row}|{at}|{cell}"));
            hash.truncate(KEPT);
            hash
        };
        let now: Vec<String> = cells.iter().enumerate().map(hash).collect();
        Self {
            name: format!("import|{row}"),
            now: now.join(" "),
        }
    }
}

/// For each row, which of its cells differ from what the last import said of it; all of them if there
/// was none.
pub async fn changed(tx: &mut Tx, sayings: &[Saying]) -> Result<Vec<Vec<bool>>, StoreError> {
    let all = |saying: &Saying| saying.now.split(' ').map(|_| true).collect();
    let known = changed_since(tx, sayings).await?.into_iter();
    let sayings = sayings.iter();
    Ok(known
        .zip(sayings)
        .map(|(it, of)| it.unwrap_or_else(|| all(of)))
        .collect())
}

/// As `changed`; `None` for a row of which no import ever said anything.
pub async fn changed_since(
    tx: &mut Tx,
    sayings: &[Saying],
) -> Result<Vec<Option<Vec<bool>>>, StoreError> {
    let asked = sayings.iter().map(|it| bind![it.name.as_str()]).collect();
    let mut said: HashMap<String, String> = HashMap::new();
    for row in tx.find(&SAID, asked).await? {
        said.insert(row.text("name")?, row.text("value")?);
    }
    let changed = |saying: &Saying| {
        let mut before = said.get(&saying.name)?.split(' ');
        let now = saying.now.split(' ');
        Some(now.map(|hash| before.next() != Some(hash)).collect())
    };
    Ok(sayings.iter().map(changed).collect())
}

/// Remembers what the file says now.
pub async fn remember(tx: &mut Tx, sayings: Vec<Saying>) -> Result<(), StoreError> {
    let rows = sayings
        .into_iter()
        .map(|it| bind![it.name, it.now])
        .collect();
    tx.many(&SAY, rows).await.map(drop)
}
