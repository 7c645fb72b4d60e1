//! HTTPS: the certificate a server shows, read from files and read again when the operator says so.
//!
//! What must stay true: a certificate and a key that do not fit, or cannot be read, never take the place of
//! those in use.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::live::Live;

/// What connections are encrypted with.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: Live<ServerConfig>,
}

/// A certificate or key that cannot be used, in one line and without a word of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsError {
    file: PathBuf,
    what: &'static str,
}

impl Tls {
    /// Reads a certificate chain and its key.
    ///
    /// # Errors
    /// If one of them cannot be read, or they do not belong together.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            config: Live::new(config(certificate, key)?),
        })
    }

    /// Reads both again. What is in use stays if that fails.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn reload(&self) -> Result<(), TlsError> {
        self.config.store(config(&self.certificate, &self.key)?);
        Ok(())
    }

    /// Reads both again, and logs how that went.
    pub fn reload_logged(&self) {
        match self.reload() {
            Ok(()) => tracing::info!("read the certificate again"),
            Err(error) => tracing::error!(%error, "the certificate stays as it is"),
        }
    }

    /// What the next connection is to be accepted with.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.load())
    }
}

fn config(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let problem = |file: &Path, what| TlsError {
        file: file.to_owned(),
        what,
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| problem(certificate, why(&error)))?;
    if chain.is_empty() {
        return Err(problem(certificate, "it holds no certificate"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| problem(key, why(&error)))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| problem(certificate, "there is no version of TLS to serve it with"))?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|_| problem(certificate, "it does not belong to the key, or is none"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The library's own words may repeat parts of the file.
fn why(error: &PemError) -> &'static str {
    match error {
        PemError::Io(_) => "cannot be read",
        PemError::NoItemsFound => "it holds nothing of the kind",
        PemError::MissingSectionEnd { .. }
        | PemError::IllegalSectionStart { .. }
        | PemError::Base64Decode(_)
        | _ => "it is not a PEM file",
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tls")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.file.display(), self.what)
    }
}

impl std::error::Error for TlsError {}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files {
        directory: tempfile::TempDir,
    }

    impl Files {
        fn new() -> Self {
            let files = Self {
                directory: tempfile::tempdir().unwrap(),
            };
            files.certify();
            files
        }

        fn path(&self, name: &str) -> PathBuf {
            self.directory.path().join(name)
        }

        /// Puts a new certificate and its key there.
        fn certify(&self) {
            let names = vec!["localhost".to_owned()];
            let made = rcgen::generate_simple_self_signed(names).unwrap();
            std::fs::write(self.path("cert"), made.cert.pem()).unwrap();
            std::fs::write(self.path("key"), made.signing_key.serialize_pem()).unwrap();
        }

        fn read(&self) -> Result<Tls, TlsError> {
            Tls::read(&self.path("cert"), &self.path("key"))
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_without_repeating_it() {
        let files = Files::new();
        files.read().unwrap();
        std::fs::write(files.path("cert"), "-----BEGIN CERTIFICATE-----\nhunter2").unwrap();
        let error = files.read().unwrap_err().to_string();
        assert!(
            !error.contains("hunter2") && error.contains("cert"),
            "{error}"
        );
        std::fs::remove_file(files.path("cert")).unwrap();
        assert!(files.read().is_err());
        files.certify();
        std::fs::write(files.path("key"), "").unwrap();
        assert!(files.read().is_err());
    }

    #[test]
    fn a_bad_new_certificate_leaves_the_old_one_in_use() {
        let files = Files::new();
        let tls = files.read().unwrap();
        let before = tls.config.load();
        let key = std::fs::read(files.path("key")).unwrap();
        files.certify();
        std::fs::write(files.path("key"), key).unwrap();
        assert!(
            tls.reload().is_err(),
            "the old key with the new certificate"
        );
        assert!(Arc::ptr_eq(&before, &tls.config.load()));
        files.certify();
        tls.reload().unwrap();
        assert!(!Arc::ptr_eq(&before, &tls.config.load()));
    }
}
