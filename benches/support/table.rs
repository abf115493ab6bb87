//! A table of figures on standard output.

/// Prints a title, a line of heads and the rows under it, each column as wide as it must be.
pub fn print(title: &str, heads: &[&str], rows: &[Vec<String>]) {
    println!("\n{title}");
    let width = |at: usize| {
        rows.iter()
            .map(|row| row[at].chars().count())
            .chain([heads[at].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let cells: Vec<String> = cells
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(at, (cell, width))| match at {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        println!("  {}", cells.join("   "));
    };
    line(heads.to_vec());
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
}

/// Says at once what a long bench has found so far.
pub fn meanwhile(row: Vec<String>) -> Vec<String> {
    eprintln!("  … {}", row.join(" | "));
    row
}

/// The middle one: a run that a neighbour disturbed does not count.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Times in milliseconds, sorted.
pub struct Spread(Vec<f64>);

impl Spread {
    pub fn new(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    /// `0.99`: the time within which 99 of a hundred were done.
    pub fn at(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let at = (share * last as f64).round() as usize;
        self.0.get(at).copied().unwrap_or(0.0)
    }
}
