//! TLS both ways: who is believed, who is not, and that a failed handshake disturbs no other connection.

mod common;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use common::{Ear, Inbox, ends, framed, listener, message, reports, whole, write};
use mllp_io::{
    CertificateFiles, Certificates, ClientCertificates, Incoming, Listener, ListenerOptions,
    ListenerTls, Outcome, Reply, Sender, SenderOptions, SenderTls, TlsVersion, TurnedAway,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// In milliseconds since 1970.
const UNTIL_2500: u64 = 16_725_225_600_000;
const UNTIL_2600: u64 = 19_880_899_200_000;

/// An authority with its files.
struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { folder, issuer }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Files of a certificate for this name.
    fn certificate(&self, name: &str) -> CertificateFiles {
        self.certificate_until(name, 2500)
    }

    /// The same, valid until this year.
    fn certificate_until(&self, name: &str, year: i32) -> CertificateFiles {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let file = |end: &str| self.folder.path().join(format!("{name}.{end}"));
        let files = CertificateFiles { certificate: file("pem"), key: file("key") };
        fs::write(&files.certificate, certificate.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }

    fn listener(&self, clients: ClientCertificates) -> ListenerOptions {
        let certificate = self.certificate("localhost");
        let tls = ListenerTls { certificate, clients, min_version: TlsVersion::V1_2 };
        ListenerOptions { tls: Some(tls), ..ListenerOptions::default() }
    }

    fn sender(&self) -> SenderTls {
        SenderTls {
            authorities: self.file(),
            server_name: Some("localhost".to_owned()),
            certificate: None,
            min_version: TlsVersion::V1_2,
        }
    }
}

fn start(listener: &Listener, tls: SenderTls) -> (Sender, Ear) {
    let (reports, ear) = reports();
    let options = SenderOptions {
        tls: Some(tls),
        back_off: Duration::from_millis(20),
        ..SenderOptions::new(0, "127.0.0.1", listener.address().port())
    };
    (Sender::start(options, reports), ear)
}

fn accept(message: Incoming) {
    let answer = Reply::Acknowledgment(message.acknowledgment);
    message.reply_to.answer(answer);
}

/// Sends one message through, whatever its size.
async fn deliver(sender: &Sender, ear: &mut Ear, inbox: &mut Inbox, payload: Vec<u8>) {
    sender.deliver(0, 1, whole(&payload));
    let received = inbox.next().await;
    assert!(inbox.bytes(&received) == payload);
    accept(received);
    assert_eq!(ear.report().await.outcome, Outcome::Delivered);
}

/// The partner cannot be reached, and the reason is told.
async fn assert_unreachable(sender: &Sender, ear: &mut Ear) -> String {
    for number in 1..=3 {
        sender.deliver(0, number, whole(message("M1")));
        assert_eq!(ear.report().await.outcome, Outcome::Transport);
    }
    let said = ear.1.lock().unwrap().clone();
    assert!(!said.is_empty() && said.iter().all(|why| *why == said[0]), "{said:?}");
    said[0].clone()
}

#[tokio::test]
async fn messages_of_every_size_pass_through_tls() {
    let authority = Authority::new();
    let (listener, mut inbox, _) = listener(authority.listener(ClientCertificates::NotAsked)).await;
    let (sender, mut ear) = start(&listener, authority.sender());
    for len in [100, 20_000, 60_000, 3_000_000] {
        let mut payload = message("M1");
        payload.resize(len, b'x');
        deliver(&sender, &mut ear, &mut inbox, payload).await;
    }
    sender.stop(common::DEADLINE).await;
    listener.stop().await;
}

#[tokio::test]
async fn a_client_has_to_show_a_certificate_of_the_right_authority() {
    let (authority, other) = (Authority::new(), Authority::new());
    let required = ClientCertificates::Required(authority.file());
    let (listener, mut inbox, _) = listener(authority.listener(required)).await;
    for certificate in [None, Some(other.certificate("client"))] {
        let (sender, mut ear) = start(&listener, SenderTls { certificate, ..authority.sender() });
        sender.deliver(0, 1, whole(message("M1")));
        // By TLS 1.3 it is refused after the handshake: tried again it would be refused again.
        assert_eq!(ear.report().await.outcome, Outcome::Credential);
        let waited = inbox.bodies.lock().unwrap().turned_away.pop();
        let why = match waited {
            Some(why) => why,
            None => inbox.turned_away().await,
        };
        assert!(matches!(why, TurnedAway::Handshake(_)), "{why}");
        drop(sender);
        inbox.bodies.lock().unwrap().turned_away.clear();
    }
    let certificate = Some(authority.certificate_until("client", 2600));
    let (sender, mut ear) = start(&listener, SenderTls { certificate, ..authority.sender() });
    deliver(&sender, &mut ear, &mut inbox, message("M2")).await;
    assert!(inbox.is_empty(), "nothing of the others came");
    let (own, partner) = (Some(UNTIL_2600), Some(UNTIL_2500));
    assert_eq!(sender.certificates(), Certificates { own, partner });
}

#[tokio::test]
async fn a_client_that_may_show_a_certificate_need_not() {
    let (authority, other) = (Authority::new(), Authority::new());
    let optional = ClientCertificates::Optional(authority.file());
    let (listener, mut inbox, _) = listener(authority.listener(optional)).await;
    for certificate in [None, Some(authority.certificate("client"))] {
        let (sender, mut ear) = start(&listener, SenderTls { certificate, ..authority.sender() });
        deliver(&sender, &mut ear, &mut inbox, message("M1")).await;
    }
    let certificate = Some(other.certificate("client"));
    let (sender, mut ear) = start(&listener, SenderTls { certificate, ..authority.sender() });
    sender.deliver(0, 1, whole(message("M1")));
    assert_ne!(ear.report().await.outcome, Outcome::Delivered, "but not a wrong one");
}

#[tokio::test]
async fn a_partner_has_to_be_who_is_dialed() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (listener, mut inbox, _) = listener(authority.listener(ClientCertificates::NotAsked)).await;
    let name = |name: &str| Some(name.to_owned());
    for tls in [
        SenderTls { server_name: name("elsewhere.example"), ..authority.sender() },
        // Without a name it is the host that is dialed.
        SenderTls { server_name: None, ..authority.sender() },
        SenderTls { authorities: other.file(), ..authority.sender() },
    ] {
        let (sender, mut ear) = start(&listener, tls);
        let why = assert_unreachable(&sender, &mut ear).await;
        assert!(why.contains("certificate"), "{why}");
    }
    let (sender, mut ear) = start(&listener, authority.sender());
    deliver(&sender, &mut ear, &mut inbox, message("M1")).await;
}

#[tokio::test]
async fn certificates_are_read_again_when_told_so() {
    let (authority, renewed) = (Authority::new(), Authority::new());
    let options = authority.listener(ClientCertificates::NotAsked);
    let files = options.tls.clone().unwrap().certificate;
    let (listener, mut inbox, _) = listener(options).await;
    let (before, mut before_ear) = start(&listener, authority.sender());
    deliver(&before, &mut before_ear, &mut inbox, message("M1")).await;
    // A file that cannot be used changes nothing.
    fs::write(&files.certificate, "nothing").unwrap();
    assert!(listener.reload_tls().unwrap_err().to_string().contains("localhost.pem"));
    let (sender, mut ear) = start(&listener, authority.sender());
    deliver(&sender, &mut ear, &mut inbox, message("M2")).await;
    assert_eq!(listener.certificates().own, Some(UNTIL_2500));
    let fresh = renewed.certificate_until("localhost", 2600);
    fs::copy(fresh.certificate, &files.certificate).unwrap();
    fs::copy(fresh.key, &files.key).unwrap();
    listener.reload_tls().unwrap();
    let told = Certificates { own: Some(UNTIL_2600), partner: None };
    assert_eq!(listener.certificates(), told);
    let (sender, mut ear) = start(&listener, renewed.sender());
    deliver(&sender, &mut ear, &mut inbox, message("M3")).await;
    let told = |partner| Certificates { own: None, partner: Some(partner) };
    assert_eq!(sender.certificates(), told(UNTIL_2600));
    assert_eq!(before.certificates(), told(UNTIL_2500), "it was shown the one before");
    let (sender, mut ear) = start(&listener, authority.sender());
    assert_unreachable(&sender, &mut ear).await;
    // What was open goes on.
    deliver(&before, &mut before_ear, &mut inbox, message("M4")).await;
}

#[tokio::test]
async fn a_handshake_that_fails_is_noticed_once_and_disturbs_nobody() {
    let authority = Authority::new();
    let (listener, mut inbox, _) = listener(authority.listener(ClientCertificates::NotAsked)).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut peer, &framed(&message("M1"))).await;
    // Perhaps an alert, and then the end.
    let mut rest = Vec::new();
    let end = tokio::io::AsyncReadExt::read_to_end(&mut peer, &mut rest);
    let _ = tokio::time::timeout(common::DEADLINE, end).await.unwrap();
    assert!(!rest.contains(&0x0b), "no answer");
    assert!(matches!(inbox.turned_away().await, TurnedAway::Handshake(_)));
    let (sender, mut ear) = start(&listener, authority.sender());
    deliver(&sender, &mut ear, &mut inbox, message("M2")).await;
    assert!(inbox.is_empty());
}

#[tokio::test]
async fn a_handshake_takes_a_place_and_has_its_time() {
    let authority = Authority::new();
    let options = authority.listener(ClientCertificates::NotAsked);
    let long = ListenerOptions { max_connections: 1, ..options.clone() };
    let (first, inbox, _) = listener(long).await;
    let silent = TcpStream::connect(first.address()).await.unwrap();
    // Its place is taken before it has said anything.
    let mut second = TcpStream::connect(first.address()).await.unwrap();
    assert!(ends(&mut second).await);
    assert_eq!(inbox.turned_away().await, TurnedAway::TooMany);
    drop(silent);
    let short = ListenerOptions { connect: Duration::from_millis(50), ..options };
    let (listener, inbox, _) = listener(short).await;
    let mut silent = TcpStream::connect(listener.address()).await.unwrap();
    assert!(ends(&mut silent).await);
    let why = inbox.turned_away().await;
    assert_eq!(why, TurnedAway::Handshake("it took too long".to_owned()));
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_handshake() {
    let authority = Authority::new();
    let (listener, _inbox, _) = listener(authority.listener(ClientCertificates::NotAsked)).await;
    let mut silent = TcpStream::connect(listener.address()).await.unwrap();
    while listener.connections() == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::timeout(Duration::from_secs(9), listener.stop()).await.expect("at once");
    assert!(ends(&mut silent).await);
}

#[tokio::test]
async fn an_older_version_is_not_spoken() {
    let authority = Authority::new();
    for (min_version, speaks) in [(TlsVersion::V1_2, true), (TlsVersion::V1_3, false)] {
        let mut options = authority.listener(ClientCertificates::NotAsked);
        options.tls.as_mut().unwrap().min_version = min_version;
        let (listener, _inbox, _) = listener(options).await;
        let (address, file) = (listener.address(), authority.file());
        let shaken = tokio::task::spawn_blocking(move || shake_hands_by_1_2(address, &file));
        assert_eq!(shaken.await.unwrap(), speaks, "{min_version:?}");
    }
}

/// Whether the handshake of a client that speaks TLS 1.2 alone succeeds.
fn shake_hands_by_1_2(address: std::net::SocketAddr, authorities: &std::path::Path) -> bool {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(authorities).unwrap()).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let mut session = rustls::ClientConnection::new(config.into(), name).unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(common::DEADLINE)).unwrap();
    while session.is_handshaking() {
        if session.complete_io(&mut stream).is_err() {
            return false;
        }
    }
    true
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let mut options = authority.listener(ClientCertificates::Required("no-such-ca.pem".into()));
    assert!(options.faults()[0].contains("no-such-ca.pem"), "{:?}", options.faults());
    let tls = options.tls.as_mut().unwrap();
    tls.clients = ClientCertificates::NotAsked;
    // The key of another certificate.
    tls.certificate.key = authority.certificate("other").key;
    assert!(options.faults()[0].contains("localhost.pem"), "{:?}", options.faults());
    let tls = SenderTls { server_name: Some("not a name".into()), ..authority.sender() };
    let options = SenderOptions { tls: Some(tls), ..SenderOptions::new(0, "h", 1) };
    assert!(options.faults()[0].contains("not a name"), "{:?}", options.faults());
}
