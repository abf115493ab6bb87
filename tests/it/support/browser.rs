//! A browser without a window: keeps cookies, follows nothing by itself, and posts forms with the token
//! of the page it looks at. It speaks to the router in this process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use tower::ServiceExt;
use tussendoor::app::App;
use tussendoor::domain::ids::CoachId;
use tussendoor::store::coaches;
use tussendoor::web::{self, Config};

pub const ORIGIN: &str = "http://127.0.0.1:8080";
pub const IDLE: Duration = Duration::from_secs(60 * 60);
pub const ABSOLUTE: Duration = Duration::from_secs(12 * 60 * 60);

pub struct Browser {
    router: Router,
    pub cookies: BTreeMap<String, String>,
    /// The token in the forms of the page last seen.
    pub token: String,
}

pub struct Page {
    pub status: u16,
    pub to: String,
    pub headers: HeaderMap,
    pub html: String,
    /// The answer as it came, for what is no page.
    pub body: Vec<u8>,
}

impl Page {
    /// The value of the first hidden field with this name after a form's address.
    pub fn field(&self, action: &str, name: &str) -> String {
        let (_, form) = self
            .html
            .split_once(&format!("action=\"{action}\""))
            .unwrap_or_else(|| panic!("no form {action}"));
        let form = form.split("</form>").next().unwrap();
        let (_, rest) = form
            .split_once(&format!("name=\"{name}\" value=\""))
            .unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// The text without tags, white space as one space.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for part in self.html.split('<') {
            text.push_str(part.split_once('>').map_or(part, |(_, after)| after));
            text.push(' ');
        }
        let text = text
            .replace("&amp;", "&")
            .replace("&#x27;", "'")
            .replace("&quot;", "\"");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

pub fn router(app: &Arc<App>) -> Router {
    web::router(
        app,
        &Config {
            public_url: format!("{ORIGIN}/").parse().unwrap(),
            body_bytes: 3 << 20,
            request: Duration::from_secs(30),
            idle: IDLE,
            absolute: ABSOLUTE,
        },
    )
    .unwrap()
}

impl Browser {
    pub fn new(app: &Arc<App>) -> Self {
        Self::at(router(app))
    }

    /// Another browser at the same router: it shares the counters of tries, but no cookie.
    pub fn at(router: Router) -> Self {
        Self {
            router,
            cookies: BTreeMap::new(),
            token: String::new(),
        }
    }

    pub fn beside(&self) -> Self {
        Self::at(self.router.clone())
    }

    /// Signed in without a password, for tests of what comes after.
    pub async fn signed_in(app: &Arc<App>, coach: CoachId) -> Self {
        let token = app.chance.token();
        let now = app.now();
        let mut tx = app.store.write().await.unwrap();
        let until = now.plus_seconds(i64::try_from(ABSOLUTE.as_secs()).unwrap());
        coaches::add_session(&mut tx, &token, coach, now, until)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let mut browser = Self::new(app);
        browser.cookies.insert("tussendoor".into(), token);
        let page = browser.get("/wachtwoord").await;
        assert_eq!(page.status, 200);
        browser
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let page = self.send(request).await;
        if let Some((_, rest)) = page.html.split_once("name=\"bewijs\" value=\"") {
            self.token = rest.split('"').next().unwrap().to_owned();
        }
        page
    }

    /// Follows where an answer leads, without the part after `#`.
    pub async fn follow(&mut self, page: &Page) -> Page {
        let to = page.to.split('#').next().unwrap().to_owned();
        assert_eq!(page.status, 303, "{}", page.text());
        self.get(&to).await
    }

    /// Posts fields with the token, from our own origin.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.token.clone();
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .copied()
            .chain([("bewijs", token.as_str())])
            .collect();
        self.post_from(Some(ORIGIN), path, &fields).await
    }

    /// Posts exactly these fields, from a given origin or without one.
    pub async fn post_from(
        &mut self,
        origin: Option<&str>,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub async fn send(&mut self, mut request: Request<Body>) -> Page {
        let jar: Vec<String> = self
            .cookies
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        if !jar.is_empty() {
            request
                .headers_mut()
                .insert(header::COOKIE, jar.join("; ").parse().unwrap());
        }
        let answer = self.router.clone().oneshot(request).await.unwrap();
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (pair, rest) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let to = headers
            .get(header::LOCATION)
            .map(|to| to.to_str().unwrap().to_owned())
            .unwrap_or_default();
        // News never ends: its answer is the head.
        let stream = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.to_str().unwrap().starts_with("text/event-stream"));
        let body = if stream {
            Vec::new()
        } else {
            to_bytes(answer.into_body(), 32 << 20)
                .await
                .unwrap()
                .to_vec()
        };
        Page {
            status,
            to,
            headers,
            html: String::from_utf8_lossy(&body).into_owned(),
            body,
        }
    }

    /// The stream of news, opened.
    pub async fn news(&self, path: &str) -> Body {
        let jar: Vec<String> = self
            .cookies
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let request = Request::get(path)
            .header(header::COOKIE, jar.join("; "))
            .body(Body::empty())
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        answer.into_body()
    }
}
