//! Fetching files: from the provider's own hosts only, over https, from public addresses, never by a
//! redirect, and never more bytes than asked for. Fetching twice is harmless, so a caller may try again.
//!
//! A name is looked up once, by the client itself, and the connection goes to the address that was
//! looked at: there is no second look-up that could say something else. Through a proxy the proxy looks
//! names up; then the list of hosts and their certificates are what holds.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Proxy, Request, Response, redirect, retry};
use url::{Host, Origin, Url};

use super::address;
use super::http::{BadHttpConfig, origin, told};
use super::tls::Trust;
use crate::ports::transport::Ask;

/// An answer that is no file: a refusal with its reason.
const LONGEST_REFUSAL: usize = 64 * 1024;

pub struct FilesConfig {
    pub trust: Trust,
    /// By endpoint: the URLs whose origins (scheme, host and port) may be asked with its token.
    pub allowed: BTreeMap<String, Vec<String>>,
    pub connect_timeout: Duration,
    /// Longest silence while an answer is awaited or read.
    pub read_timeout: Duration,
    /// One answer, from the look-up to the last byte.
    pub total_timeout: Duration,
    /// The only proxy that is used.
    pub proxy: Option<String>,
    /// This machine counts as a provider too: for a stand-in.
    pub loopback: bool,
}

/// What came of one question.
#[derive(Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The whole answer. The body of a refusal may be cut off.
    Answer { status: u16, body: Vec<u8> },
    /// It is, or says that it is, longer than asked for.
    TooLarge,
    /// Nothing was asked: that is no address of this provider.
    NotThere,
    /// No whole answer. `why` never holds a URL, a header or a body.
    Nothing { why: String },
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fetched::Answer { status, body } => write!(f, "Answer({status}, {} bytes)", body.len()),
            Fetched::TooLarge => f.write_str("TooLarge"),
            Fetched::NotThere => f.write_str("NotThere"),
            Fetched::Nothing { why } => write!(f, "Nothing({why})"),
        }
    }
}

/// What a server says about the version of what it sent, to be asked with the next time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// A longer mark of a version is not worth keeping.
const LONGEST_MARK: usize = 300;

impl Version {
    fn of(headers: &HeaderMap) -> Self {
        let mark = |name: HeaderName| {
            let text = headers.get(name)?.to_str().ok()?;
            (text.len() <= LONGEST_MARK).then(|| text.to_owned())
        };
        Self {
            etag: mark(header::ETAG),
            last_modified: mark(header::LAST_MODIFIED),
        }
    }
}

pub struct Files {
    client: Client,
    allowed: BTreeMap<String, Vec<Origin>>,
    loopback: bool,
}

impl Files {
    pub fn new(config: FilesConfig) -> Result<Self, BadHttpConfig> {
        Self::looking_up(config, LookUp::System)
    }

    fn looking_up(config: FilesConfig, look_up: LookUp) -> Result<Self, BadHttpConfig> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the client for files: deadlines, no retry, no redirect, checked addresses"
        )]
        let mut client = Client::builder()
            .retry(retry::never())
            .redirect(redirect::Policy::none())
            .tls_backend_preconfigured(config.trust.config())
            .no_proxy()
            .https_only(!config.loopback)
            // A file is rare: a connection kept for the next one is only a way to fail.
            .pool_max_idle_per_host(0)
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.read_timeout)
            .timeout(config.total_timeout)
            .user_agent(concat!("tussendoor/", env!("CARGO_PKG_VERSION")));
        match &config.proxy {
            Some(proxy) => {
                client = client.proxy(Proxy::all(proxy).map_err(|_| BadHttpConfig::Proxy)?);
            }
            None => {
                client = client.dns_resolver(Arc::new(Guard {
                    look_up,
                    loopback: config.loopback,
                }));
            }
        }
        let mut allowed = BTreeMap::new();
        for (endpoint, urls) in config.allowed {
            let origins: Result<Vec<_>, _> = urls.iter().map(|url| origin(url)).collect();
            allowed.insert(endpoint, origins?);
        }
        Ok(Self {
            client: client.build().map_err(BadHttpConfig::Client)?,
            allowed,
            loopback: config.loopback,
        })
    }

    /// Asks once, on behalf of an endpoint; a good answer has at most `most` bytes.
    pub async fn get(&self, endpoint: &str, ask: Ask, most: usize) -> Fetched {
        self.get_unless(endpoint, ask, &Version::default(), most)
            .await
            .0
    }

    /// As `get`, unless it is still the version that we have: then the answer is 304, without a body.
    pub async fn get_unless(
        &self,
        endpoint: &str,
        mut ask: Ask,
        have: &Version,
        most: usize,
    ) -> (Fetched, Version) {
        if let Some(etag) = &have.etag {
            ask.headers.push(("if-none-match", etag.clone()));
        }
        if let Some(at) = &have.last_modified {
            ask.headers.push(("if-modified-since", at.clone()));
        }
        let Some(request) = self.request(endpoint, ask) else {
            return (Fetched::NotThere, Version::default());
        };
        match self.client.execute(request).await {
            Ok(response) => {
                let version = Version::of(response.headers());
                (whole(response, most).await, version)
            }
            Err(error) if is_not_public(&error) => (Fetched::NotThere, Version::default()),
            Err(error) => (Fetched::Nothing { why: told(error) }, Version::default()),
        }
    }

    /// A request to one of the provider's own origins, or `None` and nothing leaves the house.
    fn request(&self, endpoint: &str, ask: Ask) -> Option<Request> {
        let url = Url::parse(&ask.url).ok()?;
        let known = self.allowed.get(endpoint)?.contains(&url.origin());
        // An address in the URL itself is never looked up, so it is looked at here.
        let named = match url.host()? {
            Host::Domain(_) => true,
            Host::Ipv4(ip) => acceptable(ip.into(), self.loopback),
            Host::Ipv6(ip) => acceptable(ip.into(), self.loopback),
        };
        let bare = url.username().is_empty() && url.password().is_none();
        let secret = url.scheme() == "https" || self.loopback;
        if !(known && named && bare && secret) {
            return None;
        }
        let mut headers = HeaderMap::new();
        for (name, value) in ask.headers {
            let mut value = HeaderValue::from_str(&value).ok()?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        let mut request = Request::new(Method::GET, url);
        *request.headers_mut() = headers;
        Some(request)
    }
}

async fn whole(mut response: Response, most: usize) -> Fetched {
    let status = response.status();
    let good = status.is_success();
    let most = if good {
        most
    } else {
        LONGEST_REFUSAL.min(most)
    };
    let told_length = response
        .content_length()
        .map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if good && told_length.is_some_and(|length| length > most) {
        return Fetched::TooLarge;
    }
    let mut body = Vec::with_capacity(told_length.unwrap_or(0).min(most));
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > most => {
                if good {
                    return Fetched::TooLarge;
                }
                break;
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) if good => return Fetched::Nothing { why: told(error) },
            // The status of a refusal says enough.
            Err(_) => break,
        }
    }
    Fetched::Answer {
        status: status.as_u16(),
        body,
    }
}

fn acceptable(ip: IpAddr, loopback: bool) -> bool {
    address::public(ip) || (loopback && ip.is_loopback())
}

/// A name of the provider leads to an address that is no provider's.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address that is not public")]
struct NotPublic;

fn is_not_public(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<NotPublic>() {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// Looks names up, and gives the client only addresses that it may connect to. One that it may not
/// spoils the whole answer: no name of a provider leads there.
struct Guard {
    look_up: LookUp,
    loopback: bool,
}

#[derive(Clone)]
enum LookUp {
    System,
    #[cfg(test)]
    Told(Vec<IpAddr>),
}

impl LookUp {
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<SocketAddr>> {
        match self {
            LookUp::System => Ok(tokio::net::lookup_host((name, 0)).await?.collect()),
            #[cfg(test)]
            LookUp::Told(told) => Ok(told.iter().map(|ip| SocketAddr::new(*ip, 0)).collect()),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (look_up, loopback) = (self.look_up.clone(), self.loopback);
        Box::pin(async move {
            let found = look_up.addresses(name.as_str()).await?;
            if found.iter().any(|it| !acceptable(it.ip(), loopback)) {
                return Err(NotPublic.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
