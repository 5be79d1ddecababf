//! TLS: which certificates are shown, and which are believed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientConfig, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use rustls::{AlertDescription, RootCertStore, SupportedProtocolVersion, version};

use crate::certificates::valid_until;

/// The oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// 1.2.
    #[default]
    V1_2,
    /// 1.3.
    V1_3,
}

impl TlsVersion {
    fn spoken(self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];
        match self {
            TlsVersion::V1_2 => &BOTH,
            TlsVersion::V1_3 => &BOTH[..1],
        }
    }
}

/// Files with a certificate and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and behind it those up to the authority's.
    pub certificate: PathBuf,
    /// The private key, not encrypted.
    pub key: PathBuf,
}

/// Which clients a listener believes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// All of them: none is asked for a certificate.
    #[default]
    NotAsked,
    /// A client that shows a certificate has to show one of the authorities in this file.
    Optional(PathBuf),
    /// Mutual TLS: every client has to show a certificate of the authorities in this file.
    Required(PathBuf),
}

/// TLS of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerTls {
    /// What it shows to its clients.
    pub certificate: CertificateFiles,
    /// What they have to show.
    pub clients: ClientCertificates,
    /// The oldest version that it speaks.
    pub min_version: TlsVersion,
}

/// TLS of a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderTls {
    /// The authorities that may have signed the partner's certificate, in PEM.
    pub authorities: PathBuf,
    /// The name that the partner's certificate has to be for, if not the host that is dialed.
    pub server_name: Option<String>,
    /// Mutual TLS: what the sender shows to its partner.
    pub certificate: Option<CertificateFiles>,
    /// The oldest version that it speaks.
    pub min_version: TlsVersion,
}

/// Why TLS cannot be set up. Names files, and never what is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError(String);

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// What a listener needs for each connection.
#[derive(Clone)]
pub(crate) struct Accepting {
    pub(crate) config: Arc<ServerConfig>,
    /// Of what it shows.
    pub(crate) valid_until: Option<u64>,
}

impl ListenerTls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: a file cannot be read, or does not hold what it should.
    pub(crate) fn load(&self) -> Result<Accepting, TlsError> {
        let (chain, key) = self.certificate.load()?;
        let valid_until = valid_until(&chain);
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(self.min_version.spoken())
            .map_err(|error| TlsError(error.to_string()))?;
        let builder = match &self.clients {
            ClientCertificates::NotAsked => builder.with_no_client_auth(),
            ClientCertificates::Optional(file) | ClientCertificates::Required(file) => {
                let roots = Arc::new(authorities(file)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
                let verifier = match self.clients {
                    ClientCertificates::Optional(_) => verifier.allow_unauthenticated(),
                    _ => verifier,
                };
                let built = verifier.build().map_err(|error| in_file(file, &error))?;
                builder.with_client_cert_verifier(built)
            }
        };
        let config = builder.with_single_cert(chain, key);
        let config = config.map_err(|error| in_file(&self.certificate.certificate, &error))?;
        Ok(Accepting { config: Arc::new(config), valid_until })
    }
}

/// What a sender needs for each connection.
#[derive(Clone)]
pub(crate) struct Dialing {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) name: ServerName<'static>,
    /// Of what it shows itself, if it does.
    pub(crate) valid_until: Option<u64>,
}

impl SenderTls {
    /// Reads the files. `host` is what is dialed.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: a file cannot be read, or does not hold what it should, or the name is none.
    pub(crate) fn load(&self, host: &str) -> Result<Dialing, TlsError> {
        let roots = Arc::new(authorities(&self.authorities)?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider()).build();
        let verifier: Arc<dyn ServerCertVerifier> =
            verifier.map_err(|error| in_file(&self.authorities, &error))?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(self.min_version.spoken())
            .map_err(|error| TlsError(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut its_end = None;
        let config = match &self.certificate {
            None => builder.with_no_client_auth(),
            Some(files) => {
                let (chain, key) = files.load()?;
                its_end = valid_until(&chain);
                let config = builder.with_client_auth_cert(chain, key);
                config.map_err(|error| in_file(&files.certificate, &error))?
            }
        };
        let name = self.server_name.as_deref().unwrap_or(host);
        let named = ServerName::try_from(name.to_owned());
        let name = named.map_err(|_| TlsError(format!("\"{name}\" is not the name of a host")))?;
        Ok(Dialing { config: Arc::new(config), name, valid_until: its_end })
    }
}

impl CertificateFiles {
    fn load(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key);
        Ok((chain, key.map_err(|error| in_file(&self.key, &error))?))
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(file).map_err(|error| in_file(file, &error))?;
    let found = read.collect::<Result<Vec<_>, _>>().map_err(|error| in_file(file, &error))?;
    if found.is_empty() {
        return Err(in_file(file, &"there is no certificate in it"));
    }
    Ok(found)
}

fn authorities(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| in_file(file, &error))?;
    }
    Ok(roots)
}

fn in_file(file: &Path, error: &dyn fmt::Display) -> TlsError {
    TlsError(format!("{}: {error}", file.display()))
}

/// Whether the peer has ended a connection because of the certificate that it was shown, or was not.
pub(crate) fn is_certificate_refused(error: &std::io::Error) -> bool {
    use AlertDescription as Alert;
    let tls = error.get_ref().and_then(|it| it.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::AlertReceived(alert)) = tls else { return false };
    matches!(
        alert,
        Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
            // Its signature is wrong.
            | Alert::DecryptError
    )
}
