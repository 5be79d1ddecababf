//! Messages that come on no socket: a program submits them, one after the other.

use std::sync::Arc;

use hl7_peek::{MessageHeader, whole_fields};
use tokio::sync::oneshot;

use super::connection::is_header_cut;
use super::identity::{Identity, Recognise, identity, name};
use super::mailbox::{Mailbox, Reply, ReplyTo, Stored};
use super::upload::{Kept, Upload};
use super::{ContentType, Gate, Incoming, Intake, Payload, WHOLE};

/// How a feed receives.
#[derive(Clone, Debug)]
pub struct FeedOptions {
    /// Given to every message, so that one intake can serve many feeds and listeners.
    pub number: u32,
    /// The longest payload in bytes.
    pub max_message: usize,
    /// By what a message is recognised when it comes again.
    pub recognise: Recognise,
    /// What its messages are. Where they may be anything, one is recognised by all of its bytes.
    pub content_type: ContentType,
}

impl Default for FeedOptions {
    fn default() -> Self {
        let max_message = 128 * 1024 * 1024;
        FeedOptions {
            number: 0,
            max_message,
            recognise: Recognise::Bytes,
            content_type: ContentType::Hl7,
        }
    }
}

/// What became of a message that was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// It is stored.
    Stored(Stored),
    /// It is stored, and was not delivered, or not yet.
    NotDelivered(Stored),
    /// It is recorded and goes nowhere: it is too long, or has no header.
    Refused(Stored),
    /// It is not stored, and submitting it again is right.
    NotStored,
    /// It is unknown whether it is stored. Submitted again it is recognised, if it was.
    Unknown,
}

/// The way in of messages that are submitted. A message above [`WHOLE`] never lies in memory whole.
/// Dropped in the middle of a message, it gives that message up.
pub struct Feed {
    options: FeedOptions,
    intake: Arc<dyn Intake>,
    gate: Gate,
    mailbox: Arc<Mailbox>,
    /// What has come of a message that is small so far.
    part: Vec<u8>,
    /// A message that is not.
    upload: Option<Box<Upload<()>>>,
    /// The first bytes of a message that is too long.
    too_long: Option<Arc<[u8]>>,
}

impl Feed {
    /// A feed whose messages go to this intake.
    pub fn new(options: FeedOptions, intake: Arc<dyn Intake>, gate: Gate) -> Feed {
        let mailbox = Arc::default();
        Feed { options, intake, gate, mailbox, part: Vec::new(), upload: None, too_long: None }
    }

    /// Takes the next bytes of a message. Returns when more can be taken: the disk may be slow.
    pub async fn take(&mut self, bytes: &[u8]) {
        if self.too_long.is_some() {
            return;
        }
        let len = self.upload.as_ref().map_or(self.part.len() as u64, |it| it.len());
        if len + bytes.len() as u64 > self.options.max_message as u64 {
            return self.pass_by(bytes);
        }
        match &mut self.upload {
            Some(upload) => upload.take(bytes),
            None => self.part.extend_from_slice(bytes),
        }
        if self.part.len() > WHOLE {
            let (intake, gate) = (Arc::clone(&self.intake), &self.gate);
            let (mailbox, part) = (Arc::clone(&self.mailbox), std::mem::take(&mut self.part));
            let upload = Upload::begin(intake, gate, self.options.recognise, mailbox, part);
            self.upload = Some(Box::new(upload));
        }
        self.advance(|upload| upload.advance()).await;
    }

    /// The message is over the limit: its beginning is kept, and the rest passes by.
    fn pass_by(&mut self, bytes: &[u8]) {
        let beginning = match self.upload.take() {
            Some(upload) => Arc::clone(&upload.beginning),
            None => {
                self.part.extend_from_slice(&bytes[..bytes.len().min(WHOLE)]);
                self.part[..self.part.len().min(WHOLE).min(self.options.max_message)].into()
            }
        };
        self.part = Vec::new();
        self.too_long = Some(beginning);
    }

    /// The rest of the message will not come: nothing of it is stored.
    pub fn give_up(&mut self) {
        (self.part, self.upload, self.too_long) = (Vec::new(), None, None);
    }

    /// The message has ended. Returns when it is committed, or is not to be.
    pub async fn end(&mut self) -> Submitted {
        if let Some(upload) = &mut self.upload {
            upload.ended = Some(());
        }
        self.advance(Upload::is_done).await;
        let (asker, answer) = oneshot::channel();
        let Some(message) = self.message(ReplyTo::feed(asker)) else {
            return Submitted::NotStored;
        };
        let accepted = message.accepted;
        self.intake.received(&mut vec![message]);
        match answer.await {
            Ok((Reply::Acknowledgment(_), Some(stored))) if accepted => Submitted::Stored(stored),
            Ok((Reply::Acknowledgment(_), Some(stored))) => Submitted::Refused(stored),
            Ok((Reply::NotDelivered, Some(stored))) => Submitted::NotDelivered(stored),
            Ok((Reply::NotStored, _)) => Submitted::NotStored,
            Ok(_) | Err(_) => Submitted::Unknown,
        }
    }

    /// Writes a large message further, until this is true of it.
    async fn advance(&mut self, is_so: impl Fn(&mut Upload<()>) -> bool) {
        let Some(upload) = &mut self.upload else { return };
        loop {
            // What happens after this wakes it.
            self.mailbox.take(&mut Vec::new());
            if is_so(upload) {
                return;
            }
            match upload.wanted() {
                Some(wanted) => upload.permit = wanted.acquire_owned().await.ok(),
                None => self.mailbox.arrived().await,
            }
        }
    }

    /// The message that has ended; `None`: a chunk of it was lost.
    fn message(&mut self, reply_to: ReplyTo) -> Option<Incoming> {
        let (part, too_long) = (std::mem::take(&mut self.part), self.too_long.take());
        let is_too_long = too_long.is_some();
        let Some(mut upload) = self.upload.take() else {
            let payload = too_long.unwrap_or_else(|| part.into());
            let header = self.header(whole_fields(&payload).into());
            let identity = match &header {
                Header { control_id, .. } if self.options.content_type.is_hl7() => {
                    identity(self.options.recognise, control_id, &payload)
                }
                _ => bytes_identity(&payload),
            };
            let message = self.incoming(reply_to, header, Payload::Whole(payload));
            if is_too_long {
                return Some(Incoming { accepted: false, ..message });
            }
            return Some(Incoming { identity, ..message });
        };
        let beginning: Arc<[u8]> = match self.options.content_type.is_hl7() {
            // A field that was cut would be another one.
            true => whole_fields(&upload.beginning).into(),
            false => Arc::clone(&upload.beginning),
        };
        let is_cut = self.options.content_type.is_hl7() && is_header_cut(&beginning);
        let header = self.header(Arc::clone(&beginning));
        let kept = match self.options.content_type.is_hl7() {
            true => upload.keep(&header.control_id),
            false => upload.keep_bytes(),
        };
        let Kept { body, len, identity } = kept?;
        let message = self.incoming(reply_to, header, Payload::Stored { body, len, beginning });
        let accepted = message.accepted && !is_cut;
        Some(Incoming { identity, accepted, ..message })
    }

    fn header(&self, beginning: Arc<[u8]>) -> Header {
        if !self.options.content_type.is_hl7() {
            return Header { is_accepted: true, ..Header::default() };
        }
        MessageHeader::parse_lenient(&beginning).map_or_else(Header::default, |it| Header {
            control_id: it.message_control_id().into(),
            message_type: it.message_type().into(),
            name: name(&it),
            is_accepted: true,
        })
    }

    fn incoming(&self, reply_to: ReplyTo, header: Header, payload: Payload) -> Incoming {
        Incoming {
            listener: self.options.number,
            reply_to,
            payload,
            control_id: header.control_id,
            message_type: header.message_type,
            origin: Arc::default(),
            indexed: Vec::new(),
            identity: 0,
            name: header.name,
            acknowledgment: Arc::default(),
            accepted: header.is_accepted,
        }
    }

    /// Returns once messages are taken: at once, unless the gate is closed.
    pub async fn opened(&self) {
        // A gate that is gone is open: what is submitted then is refused.
        let _ = self.gate.watch().wait_for(|is_open| *is_open).await;
    }

    /// Whether messages are taken now.
    pub fn is_open(&self) -> bool {
        self.gate.is_open()
    }
}

/// What the header of a message says.
#[derive(Default)]
struct Header {
    control_id: Arc<[u8]>,
    message_type: Arc<[u8]>,
    name: u64,
    is_accepted: bool,
}

fn bytes_identity(payload: &[u8]) -> u128 {
    let mut identity = Identity::new(Recognise::Bytes);
    identity.take(payload);
    identity.of_bytes()
}
