//! What more than one provider needs: signature headers, secrets compared, JSON read leniently,
//! and what an HTTP status proves when the body says nothing. No provider's own vocabulary.

use hmac::digest::Digest;
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::domain::time::Timestamp;
use crate::ports::channel::{Endpoint, HttpRequest, Outcome, Unparseable, Unverified, Verified};
use crate::ports::transport::Answer;

/// Deeper nesting than this is an attack (`threats.md` section 6); `serde_json` would allow 128.
const DEEPEST: u32 = 64;

/// Proof by a header of the form `sha256=` and 64 lower-case hexadecimal digits, over the raw body.
pub fn signed<'a>(
    endpoint: &Endpoint,
    request: &HttpRequest<'a>,
    header: &str,
    secret: &str,
) -> Result<Verified<'a>, Unverified> {
    let tag = tag(request.header(header).ok_or(Unverified)?)?;
    Verified::by_hmac_sha256(endpoint.secret(secret).as_bytes(), request.body, &tag)
}

/// Exactly one spelling is accepted: no upper case, no space, no shorter or longer tag.
fn tag(value: &[u8]) -> Result<[u8; 32], Unverified> {
    let digits = value.strip_prefix(b"sha256=").ok_or(Unverified)?;
    if digits.iter().any(u8::is_ascii_uppercase) {
        return Err(Unverified);
    }
    let mut tag = [0; 32];
    hex::decode_to_slice(digits, &mut tag).map_err(|_| Unverified)?;
    Ok(tag)
}

/// Are two secrets the same? Their hashes are compared, so that not even the length shows in time.
/// An empty secret equals nothing.
pub fn same(ours: &str, theirs: &str) -> bool {
    let equal = Sha256::digest(ours).ct_eq(&Sha256::digest(theirs));
    bool::from(equal) && !ours.is_empty()
}

/// The one value of a query parameter; a doubled one counts as absent.
pub fn query(query: &str, name: &str) -> Option<String> {
    let mut values = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Some(value.into_owned()),
        _ => None,
    }
}

/// A webhook's body as JSON.
///
/// Half of a surrogate pair (an emoji cut in two) is no text, and `serde_json` refuses the whole
/// body for it. One such message must not take its siblings along, so the halves are replaced by
/// U+FFFD and the body is read once more.
pub fn json(body: &[u8]) -> Result<Value, Unparseable> {
    if depth(body) > DEEPEST {
        return Err(Unparseable {
            why: format!("nested deeper than {DEEPEST}"),
        });
    }
    serde_json::from_slice(body)
        .or_else(|first| serde_json::from_slice(&without_lone_surrogates(body)).map_err(|_| first))
        .map_err(|error| Unparseable {
            why: format!(
                "no JSON at line {}, column {}",
                error.line(),
                error.column()
            ),
        })
}

/// How deep brackets nest, outside of strings.
fn depth(body: &[u8]) -> u32 {
    let (mut now, mut deepest) = (0_u32, 0_u32);
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                now += 1;
                deepest = deepest.max(now);
            }
            b']' | b'}' if !in_string => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn without_lone_surrogates(body: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(byte) = rest.first() {
        let length = match (escaped_unit(rest), rest.get(6..).and_then(escaped_unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.extend_from_slice(b"\\ufffd");
                rest = &rest[6..];
                continue;
            }
            _ if *byte == b'\\' => 2.min(rest.len()),
            _ => 1,
        };
        mended.extend_from_slice(&rest[..length]);
        rest = &rest[length..];
    }
    mended
}

/// The UTF-16 unit of a `\uXXXX` that stands first.
fn escaped_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// A text, also where a provider wrote a whole number instead (Meta's own examples do, for
/// `wa_id`). Empty counts as absent; NUL is dropped, because no database column takes it.
pub fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.replace('\0', ""),
        Value::Number(number) if !number.is_f64() => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The text of a member, if there is one.
pub fn member(object: &Value, name: &str) -> Option<String> {
    object.get(name).and_then(text)
}

/// The elements of a member; none, if it is missing or no list.
pub fn members<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Unix time as text or number, in seconds or (from 10^12 on) milliseconds.
pub fn moment(value: &Value) -> Option<Timestamp> {
    let number = match value {
        Value::String(text) => text.trim().parse::<i64>().ok()?,
        Value::Number(number) => number.as_i64().or_else(|| {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "`as` saturates, and a time that large is nonsense anyway"
            )]
            number.as_f64().map(|seconds| seconds as i64)
        })?,
        _ => return None,
    };
    Some(match number {
        ..0 => return None,
        0..1_000_000_000_000 => Timestamp::from_seconds(number),
        _ => Timestamp(number.saturating_mul(1000)),
    })
}

/// A word of a provider's vocabulary, or a remark that it is none: what the operator reads can
/// then hold neither a sentence, nor a name in one, nor a phone number.
pub fn word(text: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if text.is_empty() || text.len() > 60 || digits > 8 || !text.chars().all(plain) {
        return "(no word)";
    }
    text
}

/// What an answer proves when its body says nothing (`threats.md` section 4). Only the refusals
/// that are named there count as proof; any other status leaves doubt.
pub fn by_status(status: u16) -> Outcome {
    let code = format!("http_{status}");
    match status {
        400 | 404 => Outcome::Rejected { code },
        401 | 403 => Outcome::Misconfigured { code },
        429 => Outcome::Later {
            code,
            after_seconds: None,
        },
        _ => Outcome::InDoubt { code },
    }
}

/// Status and body of a whole answer, or what its absence proves.
pub fn arrived(answer: &Answer) -> Result<(u16, &[u8]), Outcome> {
    match answer {
        Answer::Http { status, body, .. } => Ok((*status, body)),
        Answer::NotSent { .. } => Err(Outcome::Later {
            code: "not_sent".to_owned(),
            after_seconds: None,
        }),
        Answer::Unknown { .. } => Err(Outcome::InDoubt {
            code: "no_answer".to_owned(),
        }),
    }
}

/// `Retry-After` in seconds, capped at a day. A date in it is not read.
pub fn retry_after(answer: &Answer) -> Option<u32> {
    let Answer::Http { headers, .. } = answer else {
        return None;
    };
    let (_, value) = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    let seconds: u32 = std::str::from_utf8(value).ok()?.trim().parse().ok()?;
    Some(seconds.min(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_spelling_of_a_tag_is_accepted() {
        let good = format!("sha256={}", "0a".repeat(32));
        assert_eq!(tag(good.as_bytes()), Ok([10; 32]));
        let digits = "0a".repeat(32);
        for bad in [
            String::new(),
            "sha256=".to_owned(),
            digits.clone(),
            format!("sha1={digits}"),
            format!("SHA256={digits}"),
            format!("sha256={}", digits.to_uppercase()),
            format!("sha256={}", &digits[2..]),
            format!("sha256={digits}0a"),
            format!("sha256= {digits}"),
            format!("sha256={digits}\n"),
            format!("sha256={}", "0g".repeat(32)),
        ] {
            assert_eq!(tag(bad.as_bytes()), Err(Unverified), "{bad:?}");
        }
    }

    #[test]
    fn an_empty_secret_equals_nothing() {
        assert!(same("secret", "secret"));
        assert!(!same("secret", "secreT"));
        assert!(!same("secret", "secret "));
        assert!(!same("", ""));
    }

    #[test]
    fn depth_64_is_read_and_65_is_not() {
        let nested = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n)).into_bytes();
        assert!(json(&nested(64)).is_ok());
        assert!(json(&nested(65)).is_err());
        let in_text = format!("[\"\\\"{}\"]", "[".repeat(100));
        assert!(
            json(in_text.as_bytes()).is_ok(),
            "brackets inside a text nest nothing"
        );
    }

    #[test]
    fn half_an_emoji_becomes_one_replacement_character() {
        let read =
            |text: &str| json(text.as_bytes()).map(|value| value[0].as_str().map(str::to_owned));
        for (raw, expected) in [
            (r#"["a\ud83d"]"#, "a\u{fffd}"),
            (r#"["\ude00b"]"#, "\u{fffd}b"),
            (r#"["\ud83d\ud83d\ude00"]"#, "\u{fffd}\u{1f600}"),
            (r#"["\\ud83d \ud83d"]"#, "\\ud83d \u{fffd}"),
        ] {
            assert_eq!(read(raw), Ok(Some(expected.to_owned())), "{raw}");
        }
    }

    #[test]
    fn a_moment_is_read_in_every_spelling() {
        let expected = Some(Timestamp::from_seconds(1_750_016_800));
        for spelling in [
            serde_json::json!("1750016800"),
            serde_json::json!(1_750_016_800),
            serde_json::json!(1_750_016_800.0),
            serde_json::json!("1750016800000"),
            serde_json::json!(1_750_016_800_000_i64),
        ] {
            assert_eq!(moment(&spelling), expected, "{spelling}");
        }
        assert_eq!(moment(&serde_json::json!("yesterday")), None);
        assert_eq!(moment(&serde_json::json!(-1)), None);
    }

    #[test]
    fn a_word_holds_no_sentence_and_no_number() {
        assert_eq!(word("REJECTED"), "REJECTED");
        assert_eq!(word("task_due_20260102"), "task_due_20260102");
        for no_word in [
            "",
            "two words",
            "a\nb",
            "naïve",
            "31612345678",
            "+31612",
            &"a".repeat(61),
        ] {
            assert_eq!(word(no_word), "(no word)");
        }
    }
}
