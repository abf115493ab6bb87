//! How many parts an SMS takes: GSM-7 or UCS-2, as phones and networks count them.
//! What a part costs is no matter of this file.

/// The basic table, without escape: one septet each.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table: an escape and a septet, never split over two parts.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Gsm7,
    Ucs2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segments {
    pub encoding: Encoding,
    /// Septets or UTF-16 units.
    pub units: usize,
    pub parts: usize,
}

/// One character outside GSM-7 turns the whole text into UCS-2.
pub fn segments(text: &str) -> Segments {
    let septets: Option<Vec<usize>> = text.chars().map(septets).collect();
    match septets {
        Some(widths) => count(Encoding::Gsm7, &widths, 160, 153),
        None => {
            let widths: Vec<usize> = text.chars().map(char::len_utf16).collect();
            count(Encoding::Ucs2, &widths, 70, 67)
        }
    }
}

fn septets(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else {
        EXTENSION.contains(c).then_some(2)
    }
}

/// Dividing lengths is wrong: a pair that does not fit moves to the next part as a whole.
fn count(encoding: Encoding, widths: &[usize], single: usize, part: usize) -> Segments {
    let units = widths.iter().sum();
    if units <= single {
        return Segments {
            encoding,
            units,
            parts: usize::from(units > 0),
        };
    }
    let mut parts = 1;
    let mut filled = 0;
    for width in widths {
        if filled + width > part {
            parts += 1;
            filled = 0;
        }
        filled += width;
    }
    Segments {
        encoding,
        units,
        parts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Encoding, usize) {
        let segments = segments(text);
        (segments.encoding, segments.parts)
    }

    #[test]
    fn limits_of_one_and_more_parts() {
        assert_eq!(of(""), (Encoding::Gsm7, 0));
        assert_eq!(of(&"a".repeat(160)), (Encoding::Gsm7, 1));
        assert_eq!(of(&"a".repeat(161)), (Encoding::Gsm7, 2));
        assert_eq!(of(&"a".repeat(306)), (Encoding::Gsm7, 2));
        assert_eq!(of(&"a".repeat(307)), (Encoding::Gsm7, 3));
        assert_eq!(of(&"ë".repeat(70)), (Encoding::Ucs2, 1));
        assert_eq!(of(&"ë".repeat(71)), (Encoding::Ucs2, 2));
        assert_eq!(of(&"ë".repeat(135)), (Encoding::Ucs2, 3));
        assert_eq!(of(&"€".repeat(80)), (Encoding::Gsm7, 1));
        assert_eq!(of(&"€".repeat(81)), (Encoding::Gsm7, 2));
    }

    #[test]
    fn a_pair_is_never_split_over_two_parts() {
        let text = format!("{}€{}", "a".repeat(152), "a".repeat(152));
        assert_eq!(segments(&text).units, 306);
        assert_eq!(of(&text), (Encoding::Gsm7, 3));
        let text = format!("{}😀{}", "ë".repeat(66), "ë".repeat(66));
        assert_eq!(segments(&text).units, 134);
        assert_eq!(of(&text), (Encoding::Ucs2, 3));
    }

    #[test]
    fn dutch_words_that_stay_and_words_that_do_not() {
        for word in ["coördinatie", "één", "reünie"] {
            assert_eq!(of(word).0, Encoding::Gsm7, "{word}");
        }
        for word in [
            "geïnteresseerd",
            "ruïne",
            "België",
            "Curaçao",
            "een ’ haakje",
        ] {
            assert_eq!(of(word).0, Encoding::Ucs2, "{word}");
        }
    }

    #[test]
    fn the_tables_are_those_of_the_specification() {
        let table = include_str!("../../tests/fixtures/gsm-03.38.json");
        let table: serde_json::Value = serde_json::from_str(table).unwrap();
        let chars = |key: &str| -> Vec<char> {
            let mut all: Vec<char> = table[key]
                .as_array()
                .unwrap()
                .iter()
                .map(|code| code.as_str().unwrap().trim_start_matches("U+"))
                .map(|code| char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap())
                .collect();
            all.sort_unstable();
            all
        };
        let sorted = |text: &str| {
            let mut all: Vec<char> = text.chars().collect();
            all.sort_unstable();
            all
        };
        assert_eq!(sorted(BASIC), chars("basic"));
        assert_eq!(sorted(EXTENSION), chars("extension_two_septets"));
    }
}
