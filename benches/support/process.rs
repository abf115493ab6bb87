//! What a process costs, out of /proc.

use std::fs;

/// Ticks a second of the times in /proc: 100 on every Linux that we know.
const TICK_MICROS: f64 = 10_000.0;

/// Processor time of a process and its threads so far, in microseconds; 0 when it is gone.
pub fn cpu_micros(id: u32) -> f64 {
    let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else {
        return 0.0;
    };
    // The name in brackets may hold spaces; what follows starts with field 3.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks: f64 = [11, 12]
        .iter()
        .filter_map(|at| fields.get(*at)?.parse::<f64>().ok())
        .sum();
    ticks * TICK_MICROS
}
