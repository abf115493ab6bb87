//! HTTP to providers: to allowed origins only, with deadlines, and never twice. What is known after
//! the attempt is all that leaves this file; whether to try again is not decided here.

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Proxy, Request, Response, redirect, retry};
use url::{Host, Origin, Url};

use super::tls::Trust;
use crate::failpoint;
use crate::ports::transport::{Answer, Envelope, HttpEnvelope, Transport};

/// No provider's answer to a send is nearly this long.
const LONGEST_ANSWER: usize = 1024 * 1024;
/// A connection that idles longer may be cut by the other side just when we write: that is doubt.
const IDLE: Duration = Duration::from_secs(10);

pub struct HttpConfig {
    pub trust: Trust,
    /// The base URLs of all endpoints. Only their origins (scheme, host and port) are ever called.
    pub allowed: Vec<String>,
    pub connect_timeout: Duration,
    /// Longest silence while an answer is awaited or read.
    pub read_timeout: Duration,
    pub total_timeout: Duration,
    /// The only proxy that is used; the environment's own variables are not read.
    pub proxy: Option<String>,
}

/// Why no transport can be made of this configuration. Names the setting, never a secret in it.
#[derive(Debug, thiserror::Error)]
pub enum BadHttpConfig {
    #[error("not a provider's base URL: `{0}`")]
    Url(String),
    /// A token would travel in the clear.
    #[error("a base URL must be https, or http on loopback: `{0}`")]
    InTheClear(String),
    #[error("the proxy is no URL that can be used")]
    Proxy,
    #[error("this machine has no certificates of anybody to trust (ca-certificates)")]
    NoRoots,
    #[error("no HTTP client can be made: {0}")]
    Client(reqwest::Error),
}

pub struct HttpTransport {
    client: Client,
    allowed: Vec<Origin>,
}

impl HttpTransport {
    pub fn new(config: HttpConfig) -> Result<Self, BadHttpConfig> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one client: deadlines, no retry, no redirect, no proxy from outside"
        )]
        let mut client = Client::builder()
            .retry(retry::never())
            .redirect(redirect::Policy::none())
            .tls_backend_preconfigured(config.trust.config())
            .no_proxy()
            .pool_idle_timeout(IDLE)
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.read_timeout)
            .timeout(config.total_timeout)
            .user_agent(concat!("tussendoor/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &config.proxy {
            client = client.proxy(Proxy::all(proxy).map_err(|_| BadHttpConfig::Proxy)?);
        }
        Ok(Self {
            client: client.build().map_err(BadHttpConfig::Client)?,
            allowed: config
                .allowed
                .iter()
                .map(|url| origin(url))
                .collect::<Result<_, _>>()?,
        })
    }

    async fn post(&self, envelope: HttpEnvelope) -> Answer {
        let request = match self.request(envelope) {
            Ok(request) => request,
            Err(why) => return Answer::NotSent { why },
        };
        failpoint::hit("wire.before_write");
        let answer = match self.client.execute(request).await {
            Ok(response) => whole(response).await,
            Err(error) => unanswered(error),
        };
        failpoint::hit("wire.after_answer");
        answer
    }

    /// Everything that can be refused without a byte leaving the house.
    fn request(&self, envelope: HttpEnvelope) -> Result<Request, String> {
        let url = Url::parse(&envelope.url).map_err(|_| "the address is no URL".to_owned())?;
        // Comparing origins also holds for IP literals, which no name lookup would ever see.
        if !self.allowed.contains(&url.origin()) || !url.username().is_empty() {
            return Err("the address is not on the list of providers".to_owned());
        }
        let method = Method::from_bytes(envelope.method.as_bytes())
            .map_err(|_| "the method is none".to_owned())?;
        let mut headers = HeaderMap::new();
        for (name, value) in envelope.headers {
            let mut value = HeaderValue::from_str(&value)
                .map_err(|_| format!("the header {name} holds a control character"))?;
            value.set_sensitive(name == "authorization");
            headers.insert(HeaderName::from_static(name), value);
        }
        let mut request = Request::new(method, url);
        *request.headers_mut() = headers;
        *request.body_mut() = Some(envelope.body.into());
        Ok(request)
    }
}

impl Transport for HttpTransport {
    fn carry<'a>(
        &'a self,
        envelope: Envelope,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        let Envelope::Http(envelope) = envelope;
        Box::pin(self.post(envelope))
    }
}

pub(super) fn origin(base_url: &str) -> Result<Origin, BadHttpConfig> {
    let refused = || BadHttpConfig::Url(base_url.to_owned());
    let url = Url::parse(base_url).map_err(|_| refused())?;
    let loopback = match url.host().ok_or_else(refused)? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    };
    match url.scheme() {
        "https" => Ok(url.origin()),
        "http" if loopback => Ok(url.origin()),
        "http" => Err(BadHttpConfig::InTheClear(base_url.to_owned())),
        _ => Err(refused()),
    }
}

/// Only a whole answer is an answer.
async fn whole(mut response: Response) -> Answer {
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > LONGEST_ANSWER => {
                return Answer::Unknown {
                    why: format!("longer than {LONGEST_ANSWER} bytes"),
                };
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => {
                return Answer::Http {
                    status,
                    headers,
                    body,
                };
            }
            Err(error) => return Answer::Unknown { why: told(error) },
        }
    }
}

/// A request that could not be built, a name that could not be looked up, a connection or TLS
/// handshake that failed: nothing was sent. After any other error the provider may have read it.
fn unanswered(error: reqwest::Error) -> Answer {
    if error.is_builder() || error.is_connect() {
        Answer::NotSent { why: told(error) }
    } else {
        Answer::Unknown { why: told(error) }
    }
}

/// The error and its causes, without the URL.
pub(super) fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        // Writing to a String cannot fail.
        let _infallible = write!(told, ": {inner}");
        cause = inner.source();
    }
    told
}

#[cfg(test)]
mod tests;
