//! What makes a received text sensitive: a citizen service number, a word about health. A marked
//! message is masked on pages until somebody opens it. We never ask for these; people send them anyway.

/// `bsn` and `health`, as far as they stand in the text.
pub fn of(text: &str) -> Vec<&'static str> {
    let mut marks = Vec::new();
    if has_citizen_number(text) {
        marks.push("bsn");
    }
    let folded = text.to_lowercase();
    if HEALTH.iter().any(|word| {
        folded
            .split(|c: char| !c.is_alphanumeric())
            .any(|found| found.starts_with(word))
    }) {
        marks.push("health");
    }
    marks
}

/// Beginnings of words, Dutch and English. Too many marks only cost a click.
const HEALTH: [&str; 28] = [
    "medicijn",
    "medicatie",
    "depress",
    "psych",
    "diagnos",
    "verslav",
    "alcohol",
    "drugs",
    "zwanger",
    "kanker",
    "hiv",
    "epilep",
    "diabet",
    "suiker",
    "burnout",
    "therap",
    "trauma",
    "autis",
    "adhd",
    "ziekenhuis",
    "operatie",
    "medicine",
    "addict",
    "pregnan",
    "cancer",
    "hospital",
    "surgery",
    "slaappil",
];

/// Nine digits (also written with spaces, dots or dashes) that pass the eleven test of the Dutch
/// citizen service number: 9a+8b+7c+6d+5e+4f+3g+2h-i is a multiple of eleven.
fn has_citizen_number(text: &str) -> bool {
    let mut run: Vec<i32> = Vec::new();
    let mut gap = 0;
    let mut found = false;
    for c in text.chars().chain(['x']) {
        match c.to_digit(10) {
            Some(digit) => {
                run.push(i32::try_from(digit).unwrap_or(0));
                gap = 0;
            }
            None if matches!(c, ' ' | '.' | '-') && gap == 0 => gap = 1,
            None => {
                found |= run.len() == 9 && passes_eleven(&run);
                run.clear();
                gap = 0;
            }
        }
    }
    found
}

fn passes_eleven(digits: &[i32]) -> bool {
    let sum: i32 = digits[..8]
        .iter()
        .zip((2..=9).rev())
        .map(|(digit, weight)| digit * weight)
        .sum();
    digits.iter().any(|digit| *digit != 0) && (sum - digits[8]) % 11 == 0
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_citizen_number_is_marked_however_it_is_written() {
        assert_eq!(of("mijn bsn is 111222333"), ["bsn"]);
        assert_eq!(of("111.222.333"), ["bsn"]);
        assert_eq!(of("111 222 333 graag"), ["bsn"]);
    }

    #[test]
    fn other_numbers_are_not() {
        assert!(of("bel 0612345678").is_empty());
        assert!(of("123456789").is_empty());
        assert!(of("000000000").is_empty());
    }

    #[test]
    fn a_word_about_health_is_marked() {
        assert_eq!(of("ik slaap slecht door mijn medicijnen"), ["health"]);
        assert!(of("ik ga vrijdag").is_empty());
    }
}
