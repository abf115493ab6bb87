//! Before any handler: who is this, in which language, and did this form come from our own page?
//! Every route passes here; a change needs its origin *and* its token, whatever its handler does.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use url::Url;

use super::error::{Failure, WebError};
use super::words::{Locale, Words};
use super::{Desk, Who};
use crate::app::sign_in::{self, Signed};
use crate::domain::access::Scope;

/// The largest form: a message of 4,000 letters, written as percents.
const FORM_BYTES: usize = 64 * 1024;
/// The field that carries the token.
const PROOF: &str = "bewijs";

/// One request, as a handler meets it.
#[derive(Clone)]
pub struct Visit {
    pub signed: Option<Signed>,
    pub words: Arc<Words>,
    /// The token for this page's forms.
    pub token: String,
    /// The fields of a posted form, without the token.
    pub fields: Fields,
    /// Where the request came from, for counting tries.
    pub client: String,
    /// The cookie's value, if a session runs.
    pub session: Option<String>,
}

impl Visit {
    pub fn scope(&self) -> Result<&Scope, WebError> {
        self.signed
            .as_ref()
            .map(|signed| &signed.scope)
            .ok_or(WebError::SignedOut)
    }

    pub fn locale(&self) -> Locale {
        self.words.locale
    }
}

impl FromRequestParts<Desk> for Visit {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &Desk) -> Result<Self, WebError> {
        parts
            .extensions
            .get::<Visit>()
            .cloned()
            .ok_or(WebError::SignedOut)
    }
}

/// The fields of a form. A field that stands twice makes the form wrong.
#[derive(Debug, Clone, Default)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    fn parse(body: &[u8]) -> Result<Self, WebError> {
        let mut fields = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(body) {
            if fields
                .insert(name.into_owned(), value.into_owned())
                .is_some()
            {
                return Err(WebError::Bad);
            }
        }
        Ok(Self(fields))
    }

    /// No other fields than these: what a page does not ask, nobody may answer.
    pub fn only(&self, names: &[&str]) -> Result<(), WebError> {
        let known = |name: &String| names.contains(&name.as_str());
        if self.0.keys().all(known) {
            Ok(())
        } else {
            Err(WebError::Bad)
        }
    }

    /// Every field with its value.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    pub fn text(&self, name: &str) -> Result<&str, WebError> {
        self.0.get(name).map(String::as_str).ok_or(WebError::Bad)
    }

    pub fn maybe(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<T, WebError> {
        self.text(name)?.parse().map_err(|_| WebError::Bad)
    }
}

/// The layer of one route.
pub async fn guard(desk: Desk, who: Who, request: Request, next: Next) -> Response {
    let jar = CookieJar::from_headers(request.headers());
    let mut words = desk.words(locale_of(&jar, request.headers(), None));
    let reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let door = jar
        .get(desk.cookies.door)
        .map(|cookie| cookie.value().to_owned());
    let fresh = door.is_none().then(|| desk.app.chance.token());
    let outcome = admit(
        &desk,
        who,
        &jar,
        door.as_deref().or(fresh.as_deref()),
        request,
    )
    .await;
    let mut signed = None;
    let mut token = String::new();
    let mut response = match outcome {
        Ok((request, visit)) => {
            words = visit.words.clone();
            signed.clone_from(&visit.signed);
            token = visit.token;
            next.run(request).await
        }
        Err(WebError::SignedOut) if reading => {
            let was = jar.get(desk.cookies.session).is_some();
            let to = if was { "/inloggen?weer" } else { "/inloggen" };
            Redirect::to(to).into_response()
        }
        Err(error) => error.into_response(),
    };
    let status = response.status();
    if status == StatusCode::METHOD_NOT_ALLOWED {
        // The address of a form, opened as a page: nothing to see there.
        response = WebError::NotFound.into_response();
    }
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = desk.problem(&words, signed.as_ref(), token, failure, status);
    }
    if let Some(fresh) = fresh.filter(|_| reading && signed.is_none()) {
        set_cookie(
            &mut response,
            &desk.cookies.set(desk.cookies.door, &fresh, None),
        );
    }
    response
}

async fn admit(
    desk: &Desk,
    who: Who,
    jar: &CookieJar,
    door: Option<&str>,
    request: Request,
) -> Result<(Request, Visit), WebError> {
    let (mut parts, body) = request.into_parts();
    let session = jar
        .get(desk.cookies.session)
        .map(|cookie| cookie.value().to_owned());
    let signed = match &session {
        Some(token) => sign_in::session(&desk.app, desk.limits, token).await?,
        None => None,
    };
    let session = session.filter(|_| signed.is_some());
    let words = desk.words(locale_of(jar, &parts.headers, signed.as_ref()));
    let token = form_token(session.as_deref().or(door).unwrap_or_default());
    let mut fields = Fields::default();
    let body = if matches!(parts.method, Method::GET | Method::HEAD) {
        body
    } else {
        if !same_origin(&parts.headers, &desk.public_url) {
            return Err(WebError::Forged);
        }
        let bytes = to_bytes(body, FORM_BYTES)
            .await
            .map_err(|_| WebError::TooLarge)?;
        fields = Fields::parse(&bytes)?;
        let proof = fields.0.remove(PROOF).unwrap_or_default();
        // Signed out meanwhile is no forgery: the sentence must be the right one.
        if signed.is_none() && matches!(who, Who::Coach(_)) {
            return Err(WebError::SignedOut);
        }
        if !bool::from(proof.as_bytes().ct_eq(token.as_bytes())) {
            return Err(WebError::Forged);
        }
        Body::empty()
    };
    if let Who::Coach(deed) = who {
        match &signed {
            None => return Err(WebError::SignedOut),
            Some(signed) if !signed.scope.may(deed) => return Err(WebError::NotYours),
            Some(_) => {}
        }
    }
    let client = client_of(&parts);
    let visit = Visit {
        signed,
        words,
        token,
        fields,
        client,
        session,
    };
    parts.extensions.insert(visit.clone());
    Ok((Request::from_parts(parts, body), visit))
}

/// The names and the making of our two cookies: the session, and the one that ties the form for
/// signing in to the browser that asked for it.
#[derive(Debug, Clone, Copy)]
pub struct Cookies {
    pub session: &'static str,
    pub door: &'static str,
    pub language: &'static str,
    secure: bool,
}

impl Cookies {
    /// `__Host-` needs https; only the demo, on loopback, goes without.
    pub fn new(public_url: &Url) -> Self {
        if public_url.scheme() == "https" {
            Self {
                session: "__Host-tussendoor",
                door: "__Host-tussendoor-deur",
                language: "__Host-tussendoor-taal",
                secure: true,
            }
        } else {
            Self {
                session: "tussendoor",
                door: "tussendoor-deur",
                language: "tussendoor-taal",
                secure: false,
            }
        }
    }

    /// `seconds`: how long the browser keeps it; without, until it is closed.
    pub fn set(&self, name: &str, value: &str, seconds: Option<u64>) -> String {
        let age = seconds
            .map(|s| format!("; Max-Age={s}"))
            .unwrap_or_default();
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}")
    }

    pub fn drop_it(&self, name: &str) -> String {
        self.set(name, "", Some(0))
    }
}

/// Adds a cookie to an answer.
pub fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// The token of all forms of one session: whoever cannot read our pages cannot make it.
fn form_token(secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
    mac.update(b"form");
    hex::encode(mac.finalize().into_bytes())
}

/// The browser's own word for where a form came from. An older browser, or a page without referrer,
/// sends no origin; then `Sec-Fetch-Site` must say so. Neither: refused.
fn same_origin(headers: &HeaderMap, public_url: &Url) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("origin") {
        Some(origin) if origin != "null" => origin == public_url.origin().ascii_serialization(),
        _ => text("sec-fetch-site") == Some("same-origin"),
    }
}

/// Our own proxy on this machine says for whom it asks, as the last of its list; nobody else is
/// believed.
fn client_of(parts: &Parts) -> String {
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| peer.ip());
    let forwarded = || {
        let list = parts
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .next_back()?
            .to_str()
            .ok()?;
        list.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
    };
    let client = match peer {
        Some(peer) if peer.is_loopback() => Some(forwarded().unwrap_or(peer)),
        other => other,
    };
    client.map(|client| client.to_string()).unwrap_or_default()
}

fn locale_of(jar: &CookieJar, headers: &HeaderMap, signed: Option<&Signed>) -> Locale {
    let own = signed.and_then(|signed| Locale::parse(&signed.language));
    let kept = || {
        ["__Host-tussendoor-taal", "tussendoor-taal"]
            .into_iter()
            .find_map(|name| Locale::parse(jar.get(name)?.value()))
    };
    own.or_else(kept).unwrap_or_else(|| {
        let accepted = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        Locale::preferred(accepted.unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_change_needs_our_own_origin() {
        let ours: Url = "https://coach.example/".parse().unwrap();
        let yes: [&[_]; 3] = [
            &[("origin", "https://coach.example")],
            &[("origin", "null"), ("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "same-origin")],
        ];
        let no: [&[_]; 6] = [
            &[],
            &[("origin", "https://evil.example")],
            &[("origin", "https://coach.example.evil.example")],
            &[("origin", "http://coach.example")],
            &[("origin", "null"), ("sec-fetch-site", "cross-site")],
            &[
                ("origin", "https://evil.example"),
                ("sec-fetch-site", "same-origin"),
            ],
        ];
        for list in yes {
            assert!(same_origin(&headers(list), &ours), "{list:?}");
        }
        for list in no {
            assert!(!same_origin(&headers(list), &ours), "{list:?}");
        }
    }

    #[test]
    fn cookies_are_host_bound_on_https_and_plain_on_the_demo() {
        let secure = Cookies::new(&"https://coach.example/".parse().unwrap());
        let cookie = secure.set(secure.session, "abc", Some(60));
        assert_eq!(
            cookie,
            "__Host-tussendoor=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
        let demo = Cookies::new(&"http://127.0.0.1:8080/".parse().unwrap());
        assert_eq!(
            demo.set(demo.session, "abc", None),
            "tussendoor=abc; Path=/; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn a_doubled_or_unknown_field_makes_the_form_wrong() {
        assert!(Fields::parse(b"a=1&a=2").is_err());
        let fields = Fields::parse(b"a=1&owner=me").unwrap();
        assert!(fields.only(&["a"]).is_err());
        assert!(fields.only(&["a", "owner"]).is_ok());
        assert_eq!(fields.text("a").unwrap(), "1");
    }

    #[test]
    fn two_sessions_have_two_tokens() {
        assert_ne!(form_token("a"), form_token("b"));
        assert_eq!(form_token("a").len(), 64);
    }
}
