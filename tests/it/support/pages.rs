//! A coach at the pages of the real binary: signs in, reads forms off the page, posts them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::running::Running;

pub const EMAIL: &str = "joris@waterstad.example";
pub const PASSWORD: &str = "waterlelie-op-dinsdag";

pub struct Coach<'a> {
    running: &'a Running,
    pub cookie: String,
    /// Where the last form led.
    led_to: std::sync::Mutex<String>,
}

impl<'a> Coach<'a> {
    /// Makes the coach with the command line, as an operator does.
    pub async fn add(environment: &[(String, String)]) {
        Self::add_to(environment, "Team Werk", "lead").await;
    }

    /// The same in one team, with a role.
    pub async fn add_to(environment: &[(String, String)], team: &str, role: &str) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tussendoor"))
            .args([
                "coach",
                "add",
                "--organisation",
                "waterstad",
                "--email",
                EMAIL,
            ])
            .args(["--name", "Joris de Vries", "--role", role, "--team", team])
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success());
    }

    pub async fn sign_in(running: &'a Running) -> Self {
        let page = running
            .client
            .get(running.url("/inloggen"))
            .send()
            .await
            .unwrap();
        let first = cookies(&page);
        let html = page.text().await.unwrap();
        let mut fields = form(&html, "/inloggen").expect("a form to sign in");
        fields.retain(|(name, _)| name != "mail" && name != "wachtwoord");
        fields.push(("mail".into(), EMAIL.into()));
        fields.push(("wachtwoord".into(), PASSWORD.into()));
        let answer = running
            .client
            .post(running.url("/inloggen"))
            .header("origin", running.origin())
            .header("cookie", &first)
            .form(&fields)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 303, "signed in");
        let cookie = cookies(&answer);
        assert!(!cookie.is_empty(), "a session");
        Self {
            running,
            cookie,
            led_to: std::sync::Mutex::new(String::new()),
        }
    }

    /// A visitor of the demo, with the session of the coach behind one of its buttons.
    pub async fn of_the_demo(running: &'a Running, key: &str) -> Self {
        let visitor = Self {
            running,
            cookie: String::new(),
            led_to: std::sync::Mutex::default(),
        };
        let html = visitor.get("/demo").await;
        let mut fields = form(&html, "/demo/sign-in").expect("a button to sign in");
        fields.retain(|(name, _)| name != "coach");
        fields.push(("coach".into(), key.to_owned()));
        let request = running.client.post(running.url("/demo/sign-in"));
        let request = request.header("origin", running.origin()).form(&fields);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 303, "signed in");
        Self {
            running,
            cookie: cookies(&answer),
            led_to: std::sync::Mutex::default(),
        }
    }

    pub async fn get(&self, path: &str) -> String {
        let mut path = path.to_owned();
        for _ in 0..4 {
            let answer = self
                .running
                .client
                .get(self.running.url(&path))
                .header("cookie", &self.cookie)
                .send()
                .await
                .unwrap();
            if answer.status().is_redirection() {
                let to = answer.headers()["location"].to_str().unwrap().to_owned();
                path = to.split_once("127.0.0.1").map_or(to.clone(), |(_, rest)| {
                    rest.find('/')
                        .map_or("/".into(), |at| rest[at..].to_owned())
                });
                continue;
            }
            assert_eq!(answer.status().as_u16(), 200, "{path}");
            return answer.text().await.unwrap();
        }
        panic!("{path} leads nowhere");
    }

    /// Posts the first form of the page whose address ends like this; `None` if it has none.
    pub async fn post(
        &self,
        html: &str,
        action: &str,
        extra: &[(&str, &str)],
    ) -> Option<(u16, String)> {
        let mut fields = form(html, action)?;
        let address = address(html, action)?;
        for (name, value) in extra {
            fields.retain(|(known, _)| known != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        let answer = self
            .running
            .client
            .post(self.running.url(&address))
            .header("origin", self.running.origin())
            .header("cookie", &self.cookie)
            .form(&fields)
            .send()
            .await
            .ok()?;
        let status = answer.status().as_u16();
        if let Some(to) = answer.headers().get("location") {
            *self.led_to.lock().unwrap() = to.to_str().unwrap().to_owned();
        }
        Some((status, answer.text().await.unwrap_or_default()))
    }

    /// The page to which the last form led.
    pub async fn last_page(&self) -> String {
        let path = self.led_to.lock().unwrap().clone();
        self.get(&path).await
    }

    /// Signs in, finds the draft for this person in the list, approves it.
    pub async fn approves(running: &'a Running, name: &str) -> Option<u16> {
        let coach = Coach::sign_in(running).await;
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        loop {
            let html = coach.get("/concepten?wie=team").await;
            if html.contains(name) && html.contains("/goedkeuren") {
                return coach
                    .post(&html, "/goedkeuren", &[])
                    .await
                    .map(|(status, _)| status);
            }
            assert!(std::time::Instant::now() < until, "no draft for {name}");
            super::wait::between_looks().await;
        }
    }
}

fn cookies(answer: &reqwest::Response) -> String {
    answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .filter_map(|value| value.to_str().ok()?.split(';').next().map(str::to_owned))
        .collect::<Vec<_>>()
        .join("; ")
}

fn forms<'a>(html: &'a str, action: &str) -> Option<(&'a str, &'a str)> {
    html.split("<form").skip(1).find_map(|rest| {
        let (head, body) = rest.split_once('>')?;
        let (_, address) = head.split_once("action=\"")?;
        let (address, _) = address.split_once('"')?;
        let body = body.split("</form>").next()?;
        address.ends_with(action).then_some((address, body))
    })
}

fn address(html: &str, action: &str) -> Option<String> {
    forms(html, action).map(|(address, _)| address.to_owned())
}

/// The hidden fields of a form.
fn form(html: &str, action: &str) -> Option<Vec<(String, String)>> {
    let (_, body) = forms(html, action)?;
    let mut fields = Vec::new();
    for input in body.split("<input").skip(1) {
        let input = input.split('>').next().unwrap_or_default();
        let attribute = |name: &str| {
            let (_, rest) = input.split_once(&format!("{name}=\""))?;
            rest.split('"').next().map(str::to_owned)
        };
        if attribute("type").as_deref() == Some("hidden")
            && let (Some(name), Some(value)) = (attribute("name"), attribute("value"))
        {
            fields.push((name, value));
        }
    }
    Some(fields)
}
