//! The options of an outbound.

use std::path::PathBuf;

use mllp_engine::{
    Builder, ContentType, Dialect, GiveUp, ReplyActions, Retry, Rules, Scan, SenderOptions,
    SenderTls, Then,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::inbound::{PROFILES, certificate, framing, keep_alive, tls_version};
use crate::options::{millis, options, seconds, word};

options! {
    /// How an outbound sends. Times are seconds, sizes bytes.
    OutboundOptions {
        window: usize,
        ordering: String,
        key: Vec<String>,
        connections: usize,
        profile: String,
        framing: (u8, u8, Option<u8>),
        any_content: bool,
        expects_reply: bool,
        scan: String,
        rules: String,
        reply_code_actions: String,
        reply_code_dialect: String,
        max_reply_bytes: usize,
        connect_timeout_seconds: f64,
        send_timeout_seconds: f64,
        reply_timeout_seconds: f64,
        trailer_timeout_seconds: f64,
        reconnect_seconds: f64,
        max_reconnect_seconds: f64,
        keep_alive_seconds: f64,
        max_attempts: u32,
        retry_forever: bool,
        backoff_seconds: f64,
        backoff_multiplier: u32,
        max_backoff_seconds: f64,
        give_up_after_seconds: f64,
        give_up_only_connected: bool,
        then: String,
        tls_authorities: PathBuf,
        tls_server_name: String,
        tls_certificate: PathBuf,
        tls_key: PathBuf,
        tls_min_version: String,
    }
}

fn dialect(name: Option<&str>) -> PyResult<Dialect> {
    let words = [("iris", Dialect::Iris), ("hie", Dialect::Hie)];
    name.map_or(Ok(Dialect::Iris), |name| word("reply_code_dialect", name, &words))
}

/// What is wrong with a table of reply codes, and what of it is not done as it is written.
#[pyfunction]
pub(crate) fn reply_code_findings(
    text: &str,
    reply_code_dialect: &str,
) -> PyResult<(Option<String>, Vec<String>)> {
    let parsed = ReplyActions::parse(text, dialect(Some(reply_code_dialect))?);
    Ok(match parsed {
        Ok(actions) => (None, actions.notes()),
        Err(fault) => (Some(fault), Vec::new()),
    })
}

const SCANS: [(&str, Scan); 5] = [
    ("single_byte", Scan::SingleByte),
    ("shift_jis", Scan::ShiftJis),
    ("gb18030", Scan::Gb18030),
    ("iso2022_jp", Scan::Iso2022Jp),
    ("auto", Scan::Auto),
];

impl OutboundOptions {
    /// Sets them for the last outbound of the builder.
    pub(crate) fn apply(self, mut builder: Builder) -> PyResult<Builder> {
        builder = self.hand_out(builder)?;
        if let Some(connections) = self.connections {
            builder = builder.connections(connections);
        }
        let mut failed = Ok(());
        builder = builder.send(|sender| failed = self.send(sender));
        failed.map(|()| builder)
    }

    /// Sets for the last outbound of the builder what is so whoever delivers.
    pub(crate) fn hand_out(&self, builder: Builder) -> PyResult<Builder> {
        self.order(builder.retry(self.retry()?).give_up(self.give_up()?))
    }

    fn order(&self, builder: Builder) -> PyResult<Builder> {
        let keys: Vec<&str> = self.key.iter().flatten().map(String::as_str).collect();
        match self.ordering.as_deref() {
            None | Some("fifo") if keys.is_empty() => Ok(builder),
            Some("unordered") if keys.is_empty() => Ok(builder.unordered()),
            None | Some("key") if !keys.is_empty() => {
                let builder = builder.key(keys[0]);
                Ok(keys[1..].iter().fold(builder, |builder, path| builder.also(path)))
            }
            Some("key") => Err(PyValueError::new_err("ordering key needs a key")),
            Some(order @ ("fifo" | "unordered")) => {
                Err(PyValueError::new_err(format!("ordering {order} has no key")))
            }
            other => Err(crate::error::unknown_word("ordering", other.unwrap_or_default())),
        }
    }

    fn retry(&self) -> PyResult<Retry> {
        let mut retry = Retry::DEFAULT;
        retry.max_attempts = self.max_attempts.or(retry.max_attempts);
        if self.retry_forever == Some(true) {
            retry.max_attempts = None;
        }
        if let Some(value) = self.backoff_seconds {
            retry.backoff = millis("backoff_seconds", value)?;
        }
        retry.multiplier = self.backoff_multiplier.unwrap_or(retry.multiplier);
        if let Some(value) = self.max_backoff_seconds {
            retry.max_backoff = millis("max_backoff_seconds", value)?;
        }
        Ok(retry)
    }

    fn give_up(&self) -> PyResult<GiveUp> {
        let after = self.give_up_after_seconds;
        let after = after.map(|it| millis("give_up_after_seconds", it)).transpose()?;
        let only_connected = self.give_up_only_connected.unwrap_or(false);
        let words = [("dead", Then::Dead), ("hold", Then::Hold), ("stop", Then::Stop)];
        let then = self.then.as_deref().map_or(Ok(Then::Dead), |it| word("then", it, &words))?;
        Ok(GiveUp { after, only_connected, then })
    }

    fn send(&self, sender: &mut SenderOptions) -> PyResult<()> {
        sender.window = self.window.unwrap_or(sender.window);
        if self.any_content.unwrap_or(false) {
            sender.content_type = ContentType::Any;
        }
        sender.expects_reply = self.expects_reply.unwrap_or(false);
        sender.max_reply = self.max_reply_bytes.unwrap_or(sender.max_reply);
        if let Some(profile) = &self.profile {
            sender.profile = word("profile", profile, &PROFILES)?;
        }
        if let Some((start, end, trailer)) = self.framing {
            sender.framing = framing(start, end, trailer)?;
        }
        if let Some(scan) = &self.scan {
            sender.scan = word("scan", scan, &SCANS)?;
        }
        if let Some(rules) = &self.rules {
            let wrong = |error| PyValueError::new_err(format!("rules: {error}"));
            sender.rules = Rules::parse(rules).map_err(wrong)?;
        }
        if let Some(text) = &self.reply_code_actions {
            let dialect = dialect(self.reply_code_dialect.as_deref())?;
            let actions = ReplyActions::parse(text, dialect).map_err(PyValueError::new_err)?;
            sender.actions = Some(actions);
        }
        for (name, value, time) in [
            ("connect_timeout_seconds", self.connect_timeout_seconds, &mut sender.connect),
            ("send_timeout_seconds", self.send_timeout_seconds, &mut sender.send),
            ("reply_timeout_seconds", self.reply_timeout_seconds, &mut sender.reply),
            ("trailer_timeout_seconds", self.trailer_timeout_seconds, &mut sender.trailer),
            ("reconnect_seconds", self.reconnect_seconds, &mut sender.back_off),
            ("max_reconnect_seconds", self.max_reconnect_seconds, &mut sender.max_back_off),
        ] {
            if let Some(value) = value {
                *time = seconds(name, value)?;
            }
        }
        if let Some(value) = self.keep_alive_seconds {
            sender.keep_alive = keep_alive(value)?;
        }
        sender.tls = self.tls()?;
        Ok(())
    }

    fn tls(&self) -> PyResult<Option<SenderTls>> {
        let certificate = certificate(self.tls_certificate.clone(), self.tls_key.clone())?;
        let min_version = tls_version(self.tls_min_version.as_deref())?;
        let server_name = self.tls_server_name.clone();
        match self.tls_authorities.clone() {
            Some(authorities) => {
                Ok(Some(SenderTls { authorities, server_name, certificate, min_version }))
            }
            None if certificate.is_some() || server_name.is_some() => Err(PyValueError::new_err(
                "tls_authorities is missing: without it the partner's certificate is not checked",
            )),
            None => Ok(None),
        }
    }
}
