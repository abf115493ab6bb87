//! Sets: what makes 64 turns cost a few statements instead of a few thousand. Rows can be fetched ahead for
//! many people at once, and writes can be put off until the next statement that is not put off. Both are
//! invisible to whoever asks: a row that was not fetched ahead is read, a write that was put off is done
//! before anything else is asked or written, and any other write forgets what was fetched ahead.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::StoreError;
use super::statement::{PIECES, Stmt, Value};
use super::tx::{Row, Tx};

/// What one transaction has fetched ahead and put off.
#[derive(Default)]
pub(super) struct Sets {
    ahead: HashMap<(&'static str, String), Ahead>,
    put_off: Vec<PutOff>,
}

struct Ahead {
    rows: Arc<Vec<Row>>,
    /// Belongs to one person's turn: whoever asks again asks the database.
    once: bool,
}

struct PutOff {
    stmt: &'static Stmt,
    rows: Vec<Vec<Value>>,
    /// Every row must be touched: a compare-and-set.
    exact: bool,
}

impl Sets {
    pub(super) fn forget(&mut self) {
        self.ahead.clear();
    }
}

impl Tx {
    /// Fetches ahead with `many` what `one` would give for each of these keys. `once`: the rows serve one
    /// question, since its asker may change them.
    pub(super) async fn fetch_ahead(
        &mut self,
        many: &'static Stmt,
        one: &'static Stmt,
        key_column: &str,
        keys: Vec<(String, Vec<Value>)>,
        once: bool,
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
            let rows = Arc::new(rows);
            self.sets
                .ahead
                .insert((one.name, key), Ahead { rows, once });
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
        let key = (one.name, key);
        match self.sets.ahead.get(&key) {
            Some(ahead) if !ahead.once => return Ok(ahead.rows.clone()),
            Some(_) => {
                if let Some(ahead) = self.sets.ahead.remove(&key) {
                    return Ok(ahead.rows);
                }
            }
            None => {}
        }
        Ok(Arc::new(self.all(one, values).await?))
    }

    /// What was fetched ahead for this question, left where it is.
    pub(super) fn ahead(&self, one: &'static Stmt, key: &str) -> Arc<Vec<Row>> {
        self.sets
            .ahead
            .get(&(one.name, key.to_owned()))
            .map(|ahead| ahead.rows.clone())
            .unwrap_or_default()
    }

    /// This person's turn is over: what was fetched for it, under their id, is old.
    pub fn forget_ahead(&mut self, key: &impl ToString) {
        if self.sets.ahead.is_empty() {
            return;
        }
        let key = key.to_string();
        self.sets
            .ahead
            .retain(|(_, owner), ahead| !ahead.once || !owner.starts_with(&key));
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
        let all = &mut self.sets.put_off;
        match all.iter_mut().find(|one| one.stmt.name == stmt.name) {
            Some(one) => one.rows.push(row),
            None => all.push(PutOff {
                stmt,
                rows: vec![row],
                exact,
            }),
        }
    }

    /// Writes what was put off, in the order in which each statement was first used.
    pub(super) async fn write_put_off(&mut self) -> Result<(), StoreError> {
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
