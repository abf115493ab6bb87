//! Sets: what makes 256 turns cost a few statements instead of a few thousand. Rows can be fetched ahead for
//! many people at once, and writes can be put off until the next statement that is not put off. Both are
//! invisible to whoever asks: a row that was not fetched ahead is read, a write that was put off is done
//! before anything else is asked or written, and any other write forgets what was fetched ahead.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Bound, Range};
use std::sync::Arc;

use super::error::StoreError;
use super::statement::{PIECES, Stmt, Value};
use super::tx::{Row, Tx};
use crate::domain::ids::{AddressId, LineId};
use crate::domain::time::Timestamp;

/// How long rows that were fetched ahead serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serves {
    /// One question of one person's turn, since its asker may change them.
    OneTurn,
    /// Every question until something is written: whoever asks only looks.
    Looks,
}

/// At most so many of those who come after a write that made everything old are fetched ahead again.
const AGAIN: usize = 32;

/// After so many such writes the rest is better left to another transaction: others wait for this one.
const ENOUGH: usize = 64;

/// Many people one after the other in one transaction: for how many of them everything has been fetched ahead.
#[derive(Debug, Default)]
pub struct Coming {
    from: usize,
    until: usize,
    again: usize,
}

impl Coming {
    /// Before the one at `at` of `all`: for whom to fetch ahead now, if for anybody. First for all; where
    /// somebody's turn wrote what made it old, for the next ones: for twice as many as were served by what was
    /// fetched last, so that where everybody's turn does so little is fetched in vain.
    pub fn before(&mut self, tx: &mut Tx, at: usize, all: usize) -> Option<Range<usize>> {
        let first = at == 0;
        let old = std::mem::take(&mut tx.sets.forgotten);
        self.again += usize::from(old);
        if (!first && !old && at < self.until) || all - at < 2 {
            return None;
        }
        self.until = match first {
            true => all,
            false => all.min(at + AGAIN.min(2 * (at - self.from))),
        };
        self.from = at;
        Some(at..self.until)
    }

    /// Has this transaction lasted long enough? Told by what it did, not by a clock, so that the same work is always
    /// divided in the same way.
    pub const fn enough(&self) -> bool {
        self.again >= ENOUGH
    }
}

/// What one transaction has fetched ahead and put off.
#[derive(Default)]
pub(super) struct Sets {
    /// By key, which begins with the id of the person whom it is about.
    ahead: BTreeMap<String, Vec<Ahead>>,
    put_off: Vec<PutOff>,
    /// Was something fetched ahead forgotten because of a write?
    forgotten: bool,
    /// From which address this person's turn heard them, on which line and when: it may be put off.
    pub(super) heard: Vec<(LineId, AddressId, Timestamp)>,
    /// Where in `put_off` the last write of this person's turn stands: its next one stands there or after.
    reached: usize,
}

struct Ahead {
    /// The name of the statement that would give these rows for this key.
    name: &'static str,
    rows: Arc<Vec<Row>>,
    serves: Serves,
}

struct PutOff {
    stmt: &'static Stmt,
    rows: Vec<Vec<Value>>,
    /// Every row must be touched: a compare-and-set.
    exact: bool,
}

impl Sets {
    pub(super) fn forget(&mut self) {
        self.forgotten |= !self.ahead.is_empty();
        self.ahead.clear();
    }
}

impl Tx {
    /// Fetches ahead with `many` what `one` would give for each of these keys.
    pub(super) async fn fetch_ahead(
        &mut self,
        many: &'static Stmt,
        one: &'static Stmt,
        key_column: &str,
        keys: Vec<(String, Vec<Value>)>,
        serves: Serves,
    ) -> Result<(), StoreError> {
        let mut found: HashMap<String, Vec<Row>> = HashMap::with_capacity(keys.len());
        let mut wanted = Vec::with_capacity(keys.len());
        for (key, values) in keys {
            if found.insert(key, Vec::new()).is_none() {
                wanted.push(values);
            }
        }
        for row in self.find(many, wanted).await? {
            found.entry(row.text(key_column)?).or_default().push(row);
        }
        for (key, rows) in found {
            let ahead = Ahead {
                name: one.name,
                rows: Arc::new(rows),
                serves,
            };
            let all = self.sets.ahead.entry(key).or_default();
            all.retain(|other| other.name != one.name);
            all.push(ahead);
        }
        Ok(())
    }

    /// What `one` gives for this key: fetched ahead, or read now.
    pub(super) async fn rows_of(
        &mut self,
        one: &'static Stmt,
        key: String,
        values: Vec<Value>,
    ) -> Result<Arc<Vec<Row>>, StoreError> {
        let fetched = self.sets.ahead.get_mut(&key);
        if let Some(all) = fetched
            && let Some(at) = all.iter().position(|ahead| ahead.name == one.name)
        {
            return Ok(match all[at].serves {
                Serves::Looks => all[at].rows.clone(),
                Serves::OneTurn => all.swap_remove(at).rows,
            });
        }
        Ok(Arc::new(self.all(one, values).await?))
    }

    /// What was fetched ahead for this question, left where it is.
    pub(super) fn ahead_of(&self, one: &'static Stmt, key: &str) -> Option<Arc<Vec<Row>>> {
        let mut all = self.sets.ahead.get(key)?.iter();
        let found = all.find(|ahead| ahead.name == one.name);
        found.map(|ahead| ahead.rows.clone())
    }

    /// The same; no rows if nothing was.
    pub(super) fn ahead(&self, one: &'static Stmt, key: &str) -> Arc<Vec<Row>> {
        self.ahead_of(one, key).unwrap_or_default()
    }

    /// This person's turn is over: what was fetched for it, under their id, is old, and what another person's
    /// turn puts off may be written before what this one's did.
    pub fn turn_over(&mut self, key: &impl ToString) {
        self.sets.reached = 0;
        self.sets.heard.clear();
        if self.sets.ahead.is_empty() {
            return;
        }
        let key = key.to_string();
        let from = (Bound::Included(key.as_str()), Bound::Unbounded);
        for (about, all) in self.sets.ahead.range_mut::<str, _>(from) {
            if !about.starts_with(&key) {
                break;
            }
            all.retain(|ahead| ahead.serves == Serves::Looks);
        }
    }

    /// Everybody has been looked at, and what follows will write: all that was fetched ahead is old.
    pub fn looked(&mut self) {
        self.sets.forget();
    }

    /// A row of a batch, written before the next statement or the commit. It must touch no row of
    /// another person than the one whose turn it is.
    pub(super) fn later(&mut self, stmt: &'static Stmt, row: Vec<Value>) {
        self.put_off(stmt, row, false);
    }

    /// The same for a compare-and-set: `Stale` comes with the statement before which it is written, or
    /// with the commit. Its tail returns a row for every row that it touched.
    pub(super) fn save_later(&mut self, stmt: &'static Stmt, row: Vec<Value>) {
        self.put_off(stmt, row, true);
    }

    fn put_off(&mut self, stmt: &'static Stmt, row: Vec<Value>, exact: bool) {
        let Sets {
            put_off, reached, ..
        } = &mut self.sets;
        let mut further = put_off.iter().skip(*reached);
        match further.position(|one| one.stmt.name == stmt.name) {
            Some(at) => {
                *reached += at;
                put_off[*reached].rows.push(row);
            }
            None => {
                *reached = put_off.len();
                put_off.push(PutOff {
                    stmt,
                    rows: vec![row],
                    exact,
                });
            }
        }
    }

    /// Writes what was put off: of each person in the order in which it was.
    pub(super) async fn write_put_off(&mut self) -> Result<(), StoreError> {
        self.sets.reached = 0;
        for PutOff { stmt, rows, exact } in std::mem::take(&mut self.sets.put_off) {
            let wanted = rows.len();
            let touched = self.write_many(stmt, rows).await?.len();
            if exact && touched != wanted {
                return Err(StoreError::Stale(stmt.name));
            }
        }
        Ok(())
    }

    /// A batch that asks: its head takes the rows as a list to look up. The last piece is filled up with
    /// NULLs, which match nothing, so that the list costs few statements.
    pub(super) async fn find(
        &mut self,
        stmt: &'static Stmt,
        mut rows: Vec<Vec<Value>>,
    ) -> Result<Vec<Row>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        self.write_put_off().await?;
        let largest = PIECES[0];
        let rest = rows.len() % largest;
        if rest > 0 && !self.is_postgres() {
            let size = PIECES.into_iter().rfind(|size| *size >= rest);
            let nothing: Vec<Value> = rows[0].iter().map(Value::null).collect();
            let fill = size.unwrap_or(largest) - rest;
            rows.extend(std::iter::repeat_n(nothing, fill));
        }
        self.write_many(stmt, rows).await
    }
}
