//! Phone numbers: what a person types becomes E.164, and what WhatsApp calls a number becomes
//! E.164. Whether a number is in use is not known here, and nobody is called.

use std::str::FromStr;

use phonenumber::{Type, country, metadata::DATABASE};

/// Why a typed number is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoMobile {
    /// A letter or sign. Parsers dial letters, and cut "(dochter)" off: neither is what was meant.
    #[error("only digits, spaces and + may stand in a phone number")]
    OddSign,
    #[error("no phone number of its country")]
    NotValid,
    /// A landline or service number gets no text.
    #[error("no mobile number")]
    NotMobile,
}

/// A typed number as E.164, if texts can reach it. `region` (`NL`) is where a number without
/// country code belongs.
pub fn mobile(typed: &str, region: &str) -> Result<String, NoMobile> {
    let plain = plain(typed)?;
    let region = country::Id::from_str(region).map_err(|_| NoMobile::NotValid)?;
    let number = phonenumber::parse(Some(region), &plain).map_err(|_| NoMobile::NotValid)?;
    // The parser takes `06 1234567` and even `112`.
    if !number.is_valid() || number.extension().is_some() {
        return Err(NoMobile::NotValid);
    }
    match number.number_type(&DATABASE) {
        Type::Mobile | Type::FixedLineOrMobile => {
            Ok(number.format().mode(phonenumber::Mode::E164).to_string())
        }
        _ => Err(NoMobile::NotMobile),
    }
}

/// WhatsApp's digits without plus as E.164. Nothing is judged: whoever wrote from it, exists.
/// `None` only where no digit stands.
pub fn from_wa_id(wa_id: &str) -> Option<String> {
    let digits: String = wa_id.chars().filter(char::is_ascii_digit).collect();
    (!digits.is_empty()).then(|| format!("+{digits}"))
}

/// Digits of any script as 0-9, a leading plus, and nothing else.
fn plain(typed: &str) -> Result<String, NoMobile> {
    let mut plain = String::new();
    for c in typed.trim().chars() {
        match c {
            '+' | '＋' if plain.is_empty() => plain.push('+'),
            '-' | '.' | '/' | '(' | ')' => {}
            // Hyphens, dashes, and the invisible marks that come along when a number is copied.
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2010}'..='\u{2015}' => {}
            '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {}
            _ if c.is_whitespace() => {}
            _ => plain.push(digit(c).ok_or(NoMobile::OddSign)?),
        }
    }
    Ok(plain)
}

/// A decimal digit of one of the scripts that people here write in.
fn digit(c: char) -> Option<char> {
    // Arabic, Persian, Devanagari, Bengali, Gurmukhi, Gujarati, Tamil, Telugu, Kannada, Malayalam,
    // Thai, Lao, Tibetan, Burmese, Khmer, full width: each zero, its nine digits follow.
    const ZEROS: [u32; 17] = [
        0x30, 0x660, 0x6F0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0,
        0xF20, 0x1040, 0x17E0, 0xFF10,
    ];
    let value = ZEROS
        .iter()
        .find_map(|zero| (c as u32).checked_sub(*zero).filter(|n| *n < 10))?;
    char::from_digit(value, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_spelling_is_one_number() {
        for typed in [
            "0612345678",
            "06 12345678",
            "06-12 34 56 78",
            "06.12.34.56.78",
            "0031612345678",
            "+31 6 12345678",
            "+31 (0)6 12345678",
            "31612345678",
            "٠٦١٢٣٤٥٦٧٨",
            "۰۶۱۲۳۴۵۶۷۸",
            "०६१२३४५६७८",
            "０６１２３４５６７８",
            "＋31612345678",
            "\u{202a}+31\u{a0}6\u{a0}12345678\u{202c}",
            " 06\u{2011}12345678\t",
        ] {
            assert_eq!(
                mobile(typed, "NL").as_deref(),
                Ok("+31612345678"),
                "{typed:?}"
            );
        }
        assert_eq!(
            mobile("+32 470 12 34 56", "NL").as_deref(),
            Ok("+32470123456")
        );
        assert_eq!(mobile("0470 12 34 56", "BE").as_deref(), Ok("+32470123456"));
    }

    #[test]
    fn letters_are_not_dialled_and_nothing_is_cut_off() {
        for typed in [
            "06 12 34 56 78 (dochter)",
            "06 FLOWERS",
            "0612345678 of 0687654321",
            "0612345678 x12",
            "0612345678;ext=12",
            "06 1234 5678 ☎",
            "+316+12345678",
        ] {
            assert_eq!(mobile(typed, "NL"), Err(NoMobile::OddSign), "{typed:?}");
        }
    }

    #[test]
    fn what_no_text_can_reach_is_refused() {
        for typed in [
            "",
            "+",
            "06 1234567",
            "06 123456789",
            "112",
            "0",
            "999999999999999999999",
        ] {
            assert_eq!(mobile(typed, "NL"), Err(NoMobile::NotValid), "{typed:?}");
        }
        for typed in ["020 123 4567", "0900 1234", "14020", "0800 0113"] {
            assert_eq!(mobile(typed, "NL"), Err(NoMobile::NotMobile), "{typed:?}");
        }
        assert_eq!(mobile("0612345678", "Nederland"), Err(NoMobile::NotValid));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_typed_becomes_a_mobile_number_or_a_reason(
            typed in r"\PC{0,24}", digits in "[+0-9 ()-]{0,24}", region in "[A-Z]{0,3}|NL",
        ) {
            for typed in [typed, digits] {
                if let Ok(number) = mobile(&typed, &region) {
                    proptest::prop_assert!(number[1..].bytes().all(|byte| byte.is_ascii_digit()));
                    proptest::prop_assert_eq!(mobile(&number, "NL"), Ok(number));
                }
            }
        }
    }

    #[test]
    fn a_wa_id_is_taken_as_it_is() {
        assert_eq!(from_wa_id("31612345678").as_deref(), Some("+31612345678"));
        assert_eq!(
            from_wa_id("+5215512345678").as_deref(),
            Some("+5215512345678")
        );
        assert_eq!(from_wa_id("999").as_deref(), Some("+999"));
        assert_eq!(from_wa_id(""), None);
    }
}
