//! How the clients speak TLS: with whom this machine trusts, read once for all of them.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use super::http::BadHttpConfig;

/// The certificates that this machine trusts, and how to speak with who shows one of them.
#[derive(Clone)]
pub struct Trust(ClientConfig);

impl Trust {
    /// Reads the certificates of the machine. One that cannot be read is left out, as everywhere; without
    /// any nobody could be reached.
    pub fn read() -> Result<Self, BadHttpConfig> {
        // An error means that a provider is installed already, in tests by an earlier one.
        let _already = ring::default_provider().install_default();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(BadHttpConfig::NoRoots);
        }
        let mut config = ClientConfig::builder()
            .with_root_certificates(Arc::new(roots))
            .with_no_client_auth();
        // The one version that the clients are built with.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(config))
    }

    pub(super) fn config(self) -> ClientConfig {
        self.0
    }
}
