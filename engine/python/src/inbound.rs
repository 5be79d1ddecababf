//! The options of an inbound.

use std::path::PathBuf;
use std::time::Duration;

use mllp_engine::{
    AckMode, Builder, CertificateFiles, ClientCertificates, ContentType, Days, Framing,
    ListenerOptions, ListenerTls, OnFull, OverLimit, Policy, Profile, TlsVersion,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::options::{millis, options, seconds, word};

/// The names of the versions of TLS.
pub(crate) const TLS_VERSIONS: [(&str, TlsVersion); 2] =
    [("1.2", TlsVersion::V1_2), ("1.3", TlsVersion::V1_3)];

/// The names of the profiles.
pub(crate) const PROFILES: [(&str, Profile); 3] =
    [("permissive", Profile::Permissive), ("resync", Profile::Resync), ("strict", Profile::Strict)];

options! {
    /// How an inbound receives. Times are seconds, sizes bytes.
    InboundOptions {
        profile: String,
        framing: (u8, u8, Option<u8>),
        any_content: bool,
        max_message_bytes: usize,
        over_limit: String,
        ack_mode: String,
        ack_after_delivery_seconds: f64,
        policy: String,
        commit_blocks: bool,
        max_connections: usize,
        allow: Vec<String>,
        idle_timeout_seconds: f64,
        byte_timeout_seconds: f64,
        frame_timeout_seconds: f64,
        send_timeout_seconds: f64,
        trailer_timeout_seconds: f64,
        stop_timeout_seconds: f64,
        handshake_timeout_seconds: f64,
        keep_alive_seconds: f64,
        deduplicate: bool,
        on_full: String,
        index: Vec<String>,
        keep_days: (Option<u32>, Option<u32>, Option<u32>),
        tls_certificate: PathBuf,
        tls_key: PathBuf,
        tls_client_authorities: PathBuf,
        tls_client_required: bool,
        tls_min_version: String,
    }
}

impl InboundOptions {
    /// Sets them for the last inbound of the builder.
    pub(crate) fn apply(self, mut builder: Builder) -> PyResult<Builder> {
        let mut listener = ListenerOptions::default();
        self.receive(&mut listener)?;
        self.set_times(&mut listener)?;
        listener.tls = self.tls()?;
        builder = builder.receive(|it| *it = listener);
        self.take_in(builder)
    }

    /// Sets for the last inbound of the builder what is so whatever its messages come by.
    pub(crate) fn take_in(self, mut builder: Builder) -> PyResult<Builder> {
        if let Some(within) = self.ack_after_delivery_seconds {
            builder = builder.ack_after_delivery(seconds("ack_after_delivery_seconds", within)?);
        }
        if self.deduplicate == Some(false) {
            builder = builder.keep_duplicates();
        }
        if let Some(what) = &self.on_full {
            let words = [("refuse", OnFull::Refuse), ("wait", OnFull::Wait)];
            builder = builder.on_full(word("on_full", what, &words)?);
        }
        if let Some(paths) = &self.index {
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            builder = builder.index(&paths);
        }
        if let Some((bodies, metadata, dead)) = self.keep_days {
            builder = builder.keep(Days { bodies, metadata, dead });
        }
        Ok(builder)
    }

    fn receive(&self, listener: &mut ListenerOptions) -> PyResult<()> {
        if let Some(profile) = &self.profile {
            listener.profile = word("profile", profile, &PROFILES)?;
        }
        if let Some((start, end, trailer)) = self.framing {
            listener.framing = framing(start, end, trailer)?;
        }
        if self.any_content.unwrap_or(false) {
            listener.content_type = ContentType::Any;
        }
        if let Some(bytes) = self.max_message_bytes {
            listener.max_message = bytes;
        }
        if let Some(what) = &self.over_limit {
            let words = [("refuse", OverLimit::Refuse), ("close", OverLimit::Close)];
            listener.over_limit = word("over_limit", what, &words)?;
        }
        if let Some(mode) = &self.ack_mode {
            let words = [
                ("original", AckMode::Original),
                ("enhanced", AckMode::Enhanced),
                ("none", AckMode::None),
            ];
            listener.ack_mode = word("ack_mode", mode, &words)?;
        }
        if let Some(policy) = &self.policy {
            let words = [("always", Policy::Always), ("conformant", Policy::Conformant)];
            listener.policy = word("policy", policy, &words)?;
        }
        listener.commit_blocks = self.commit_blocks.unwrap_or(listener.commit_blocks);
        listener.max_connections = self.max_connections.unwrap_or(listener.max_connections);
        for network in self.allow.iter().flatten() {
            let wrong = |error| PyValueError::new_err(format!("allow: \"{network}\": {error}"));
            listener.allow.push(network.parse().map_err(wrong)?);
        }
        Ok(())
    }

    fn set_times(&self, listener: &mut ListenerOptions) -> PyResult<()> {
        let times = &mut listener.times;
        for (name, value, time) in [
            ("idle_timeout_seconds", self.idle_timeout_seconds, &mut times.idle),
            ("byte_timeout_seconds", self.byte_timeout_seconds, &mut times.byte),
            ("frame_timeout_seconds", self.frame_timeout_seconds, &mut times.frame),
            ("send_timeout_seconds", self.send_timeout_seconds, &mut times.send),
            ("trailer_timeout_seconds", self.trailer_timeout_seconds, &mut times.trailer),
        ] {
            if let Some(value) = value {
                *time = millis(name, value)?;
            }
        }
        if let Some(value) = self.handshake_timeout_seconds {
            listener.connect = seconds("handshake_timeout_seconds", value)?;
        }
        if let Some(value) = self.stop_timeout_seconds {
            listener.stop = seconds("stop_timeout_seconds", value)?;
        }
        if let Some(value) = self.keep_alive_seconds {
            listener.keep_alive = keep_alive(value)?;
        }
        Ok(())
    }

    fn tls(&self) -> PyResult<Option<ListenerTls>> {
        let certificate = certificate(self.tls_certificate.clone(), self.tls_key.clone())?;
        let Some(certificate) = certificate else { return Ok(None) };
        let required = self.tls_client_required.unwrap_or(true);
        let clients = match self.tls_client_authorities.clone() {
            None => ClientCertificates::NotAsked,
            Some(file) if required => ClientCertificates::Required(file),
            Some(file) => ClientCertificates::Optional(file),
        };
        let min_version = tls_version(self.tls_min_version.as_deref())?;
        Ok(Some(ListenerTls { certificate, clients, min_version }))
    }
}

/// A certificate with its key; `None`: there is neither.
pub(crate) fn certificate(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> PyResult<Option<CertificateFiles>> {
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(CertificateFiles { certificate, key })),
        _ => Err(PyValueError::new_err("tls_certificate and tls_key belong together")),
    }
}

pub(crate) fn tls_version(name: Option<&str>) -> PyResult<TlsVersion> {
    name.map_or(Ok(TlsVersion::V1_2), |name| word("tls_min_version", name, &TLS_VERSIONS))
}

/// The bytes that delimit a frame.
pub(crate) fn framing(start: u8, end: u8, trailer: Option<u8>) -> PyResult<Framing> {
    let wrong = |error| PyValueError::new_err(format!("framing: {error}"));
    Framing::new(start, end, trailer).map_err(wrong)
}

/// Silence before the probes of TCP; 0: never.
pub(crate) fn keep_alive(value: f64) -> PyResult<Option<Duration>> {
    let silence = seconds("keep_alive_seconds", value)?;
    Ok((!silence.is_zero()).then_some(silence))
}
