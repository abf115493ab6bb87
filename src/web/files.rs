//! The style sheet, the script and the icon. Each has its content's hash in its address, so a
//! browser may keep it for a year and still sees a new one at once.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "src/web/static"]
struct Sources;

/// The files that pages name, as loaded at the start.
#[derive(Debug)]
pub struct Files(Vec<File>);

#[derive(Debug)]
struct File {
    name: String,
    address: String,
    mime: &'static str,
    bytes: Vec<u8>,
}

impl Files {
    pub fn load() -> Self {
        let files = Sources::iter().filter_map(|name| {
            let bytes = Sources::get(&name)?.data.into_owned();
            let (stem, ending) = name.rsplit_once('.')?;
            let mime = match ending {
                "css" => "text/css; charset=utf-8",
                "js" => "text/javascript; charset=utf-8",
                "svg" => "image/svg+xml",
                _ => return None,
            };
            let hash = hex::encode(Sha256::digest(&bytes));
            let address = format!("/static/{stem}.{}.{ending}", hash.get(..12)?);
            Some(File {
                name: name.into_owned(),
                address,
                mime,
                bytes,
            })
        });
        Self(files.collect())
    }

    /// Where a page finds the file now. A test asks for each name that pages use.
    pub fn address(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|file| file.name == name)
            .map_or("", |file| &file.address)
    }

    /// The file behind an address, or 404: an old hash names nothing.
    pub fn serve(&self, file: &str) -> Response {
        let found = self
            .0
            .iter()
            .find(|known| known.address.strip_prefix("/static/") == Some(file));
        let Some(found) = found else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
        (
            [
                (header::CONTENT_TYPE, HeaderValue::from_static(found.mime)),
                (header::CACHE_CONTROL, forever),
            ],
            found.bytes.clone(),
        )
            .into_response()
    }
}
