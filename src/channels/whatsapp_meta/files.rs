//! How a file that a person sent is asked for: first where it lies, by its id, then the file itself. The
//! address in the webhook is not used: it lives for five minutes, and the id for a week. The token goes
//! along both times. What comes back is not looked at here.

use serde_json::Value;

use super::super::kit::{member, text};
use crate::ports::channel::{Endpoint, Media, NoFile};
use crate::ports::transport::Ask;

/// `GET /{version}/{media-id}`. An id of Meta's is digits; anything else would be a path of somebody's
/// own making, and nothing is asked.
pub fn place_of(endpoint: &Endpoint, media: &Media) -> Option<Ask> {
    let digits = media.id.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || media.id.is_empty() {
        return None;
    }
    let base = endpoint.option("base_url").trim_end_matches('/');
    let version = endpoint.option("api_version");
    Some(ask(endpoint, format!("{base}/{version}/{}", media.id)))
}

/// The `url` out of the answer. Whether it may be called is for the wire to say.
pub fn at(endpoint: &Endpoint, answer: &[u8]) -> Option<Ask> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    Some(ask(endpoint, member(&answer, "url")?))
}

/// Graph says with 400 and a code what others say with a status: 100 is "no such object", 190 and 10 are
/// about the token.
pub fn refused(status: u16, answer: &[u8]) -> NoFile {
    let answer: Value = serde_json::from_slice(answer).unwrap_or(Value::Null);
    let code = answer.pointer("/error/code").and_then(text);
    match (status, code.as_deref()) {
        (400..=499, Some("100" | "33" | "131052")) => NoFile::Gone,
        (400..=499, Some("190" | "10" | "200")) => NoFile::Account,
        _ => NoFile::by_status(status),
    }
}

fn ask(endpoint: &Endpoint, url: String) -> Ask {
    let token = endpoint.secret("access_token");
    Ask {
        url,
        headers: vec![("authorization", format!("Bearer {token}"))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint {
            slug: "meta".into(),
            provider: "whatsapp_meta".into(),
            options: [
                ("base_url", "https://graph.example/"),
                ("api_version", "v23.0"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            secrets: [("access_token".to_owned(), "hush".into())].into(),
        }
    }

    fn asked_for(id: &str) -> Option<String> {
        let media = Media {
            kind: "image".into(),
            id: id.into(),
            mime: "image/jpeg".into(),
            sha256: None,
            caption: None,
            filename: None,
            url: Some("https://elsewhere.example/".into()),
        };
        place_of(&endpoint(), &media).map(|ask| ask.url)
    }

    #[test]
    fn only_an_id_of_digits_is_asked_for() {
        let url = "https://graph.example/v23.0/1234567890";
        assert_eq!(asked_for("1234567890").as_deref(), Some(url));
        for odd in [
            "",
            "../me",
            "1/messages",
            "1?fields=x",
            "1#",
            "１",
            "-1",
            "1 ",
        ] {
            assert_eq!(asked_for(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn the_second_question_is_the_url_of_the_answer() {
        let at = |answer: &str| at(&endpoint(), answer.as_bytes());
        let ask = at(r#"{"url": "https:\/\/files.example\/?mid=1", "id": "1"}"#).unwrap();
        assert_eq!(ask.url, "https://files.example/?mid=1");
        assert_eq!(ask.headers, [("authorization", "Bearer hush".to_owned())]);
        for odd in [
            "",
            "[]",
            "{}",
            r#"{"url": null}"#,
            r#"{"url": ["x"]}"#,
            "<html>",
        ] {
            assert!(at(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn a_code_counts_before_the_status_but_for_the_providers_own_failures() {
        for (status, answer, expected) in [
            (400, r#"{"error": {"code": 100}}"#, NoFile::Gone),
            (400, r#"{"error": {"code": 190}}"#, NoFile::Account),
            (500, r#"{"error": {"code": 100}}"#, NoFile::Later),
            (400, "", NoFile::Later),
            (400, r#"{"error": {"code": 4}}"#, NoFile::Later),
            (404, "", NoFile::Gone),
            (410, "<html>", NoFile::Gone),
            (401, "", NoFile::Account),
            (403, "", NoFile::Account),
            (429, "", NoFile::Later),
            (503, "", NoFile::Later),
        ] {
            assert_eq!(
                refused(status, answer.as_bytes()),
                expected,
                "{status} {answer}"
            );
        }
    }
}
