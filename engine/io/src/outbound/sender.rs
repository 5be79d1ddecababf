//! The life of a sender: dial, send, and dial again.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use mllp_link::{Handle, Initiator, SubmitError};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::back_off::BackOff;
use super::content::PieceTo;
use super::options::{SenderOptions, WINDOW};
use super::plain::Plain;
use super::queue::{Delivery, Piece, Queue};
use super::wire::{Ended, Wire};
use super::{Content, Loss, Note, Outcome, ReplyAction, Report, Reports};
use crate::certificates::{Certificates, Seen};
use crate::inbound::ContentType;
use crate::storage::Growing;
use crate::transport::Transport;
use crate::{clock, socket};

/// The longest MSH-10 that an answer can be matched by.
const ID: usize = 256;

pub(super) type Link = Initiator<Growing, WINDOW, ID>;

/// A connection to a partner, opened when there is something to send and again after it has ended.
pub struct Sender {
    queue: Arc<Queue>,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl Sender {
    /// Begins to dial. Belongs to the runtime that this is called in.
    pub fn start(options: SenderOptions, reports: Arc<dyn Reports>) -> Sender {
        let queue = Arc::new(Queue::default());
        queue.close(options.closed);
        let life = Life::new(options, Arc::clone(&queue), reports);
        let seen = Arc::clone(&life.seen);
        Sender { queue, seen, task: tokio::spawn(life.run()) }
    }

    /// Sends a payload after those given before; exactly one report with the number follows, unless
    /// everything is abandoned. `generation` is that of the last [`abandon`](Sender::abandon), 0 before
    /// the first. Returns at once.
    pub fn deliver(&self, generation: u64, number: u64, content: impl Into<Content>) {
        let content = content.into();
        self.queue.deliver(Delivery { number, generation, content });
    }

    /// Forgets everything that was given and has no report yet, and gives the connection up: what is
    /// on it may still arrive. What is delivered from now on with an earlier generation than this is
    /// forgotten as well. Reports of earlier generations may still come that were made before.
    pub fn abandon(&self, generation: u64) {
        self.queue.abandon(generation);
    }

    /// Lets answers come that are still due, then closes the connection and opens none until
    /// [`open`](Sender::open). Returns at once; nothing is to be given meanwhile.
    pub fn close(&self) {
        self.queue.close(true);
    }

    /// Dials again.
    pub fn open(&self) {
        self.queue.close(false);
    }

    /// Dials now, if it waits before it dials again.
    pub fn dial(&self) {
        self.queue.dial();
    }

    /// Until when what it shows is valid, and what the partner has shown: when it connected last.
    pub fn certificates(&self) -> Certificates {
        self.seen.certificates()
    }

    /// Lets answers come that are still due, up to a deadline, and ends.
    pub async fn stop(mut self, deadline: Duration) {
        self.queue.stop();
        if tokio::time::timeout(deadline, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

/// A delivery that the link has, and that has no report.
pub(super) struct Open {
    pub(super) handle: Handle,
    pub(super) name: Name,
    pub(super) content: Content,
    /// When its first byte was handed out.
    pub(super) began: Option<u64>,
}

impl Delivery {
    pub(super) const fn name(&self) -> Name {
        Name { number: self.number, generation: self.generation }
    }
}

/// How a delivery is called in its report.
pub(super) struct Name {
    number: u64,
    generation: u64,
}

/// What a sender knows, connected or not.
pub(super) struct Life {
    pub(super) options: SenderOptions,
    pub(super) queue: Arc<Queue>,
    pub(super) link: Link,
    pub(super) open: VecDeque<Open>,
    /// Deliveries that the link has no room for, or whose control ID it has already.
    pub(super) waiting: VecDeque<Delivery>,
    pub(super) stopping: bool,
    pub(super) closed: bool,
    /// Somebody does not want to wait for the next dial.
    hurried: bool,
    /// The piece that has come, and the question it answers.
    pub(super) piece: Option<(u64, Piece)>,
    questions: u64,
    seen: Arc<Seen>,
    reports: Arc<dyn Reports>,
    unreported: Vec<Report>,
    is_ready: bool,
}

impl Life {
    fn new(options: SenderOptions, queue: Arc<Queue>, reports: Arc<dyn Reports>) -> Self {
        let link = Link::new(Growing::default(), options.link());
        let closed = options.closed;
        Life {
            options,
            queue,
            link,
            open: VecDeque::new(),
            waiting: VecDeque::new(),
            stopping: false,
            closed,
            hurried: false,
            piece: None,
            questions: 0,
            seen: Arc::default(),
            reports,
            unreported: Vec::new(),
            is_ready: false,
        }
    }

    async fn run(mut self) {
        let mut back_off = BackOff::new(self.options.back_off, self.options.max_back_off);
        // The first dial tells whether the partner is there; later ones have something to send.
        let mut wanted = !self.closed;
        loop {
            while !wanted && !self.stopping {
                let was_closed = self.closed;
                self.queue.arrived().await;
                self.take();
                // Once it is open again, the first dial tells once more whether the partner is there.
                wanted = self.has_work() || was_closed && !self.closed;
            }
            if self.stopping && !self.has_work() {
                return;
            }
            self.hurried = false;
            match self.dial().await {
                Ok(transport) => {
                    back_off.succeeded();
                    self.reports.connected(self.options.number);
                    self.set_ready(true);
                    match self.converse(transport).await {
                        Ended::Stopped => return,
                        Ended::Closed => self.set_ready(false),
                        Ended::Lost => {}
                    }
                    wanted = self.has_work();
                }
                Err(why) => {
                    self.fail_all();
                    self.lose(Loss::NotReached(why));
                    self.set_ready(false);
                    if self.stopping {
                        return;
                    }
                    let wait = back_off.next();
                    self.reports.dials(self.options.number, wait);
                    self.rest(wait).await;
                    wanted = !self.closed;
                }
            }
        }
    }

    async fn converse(&mut self, transport: Transport) -> Ended {
        match self.options.content_type {
            ContentType::Hl7 => Wire::new(transport).converse(self).await,
            ContentType::Any => Plain::new(transport, self).converse(self).await,
        }
    }

    /// Connects, with the handshake of TLS; the error says why it could not.
    async fn dial(&self) -> Result<Transport, String> {
        let (host, port) = &self.options.address;
        // Read each time: certificates may have been renewed.
        let tls = self.options.tls.as_ref().map(|it| it.load(host)).transpose();
        let tls = tls.map_err(|error| error.to_string())?;
        self.seen.read(tls.as_ref().and_then(|it| it.valid_until));
        let connecting = async {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            socket::prepare(&stream, self.options.keep_alive);
            match tls {
                None => Ok(Transport::plain(stream)),
                Some(dialing) => {
                    let transport = Transport::connect(stream, dialing).await?;
                    self.seen.shown(transport.peer_valid_until());
                    Ok(transport)
                }
            }
        };
        match tokio::time::timeout(self.options.connect, connecting).await {
            Ok(connected) => connected.map_err(|error: Error| match error.raw_os_error() {
                Some(_) => error.kind().to_string(),
                None => error.to_string(),
            }),
            Err(_) => Err(ErrorKind::TimedOut.to_string()),
        }
    }

    /// Tells why there is no connection.
    pub(super) fn lose(&self, why: Loss) {
        self.reports.lost(self.options.number, why);
    }

    /// Waits before the next dial. What is given meanwhile has failed already.
    async fn rest(&mut self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while !self.stopping && !self.closed && !self.hurried {
            tokio::select! {
                () = tokio::time::sleep_until(end) => return,
                () = self.queue.arrived() => {}
            }
            self.take();
            self.fail_all();
        }
    }

    fn has_work(&self) -> bool {
        !self.open.is_empty() || !self.waiting.is_empty()
    }

    /// Takes what was told; true: everything before it is abandoned.
    pub(super) fn take(&mut self) -> bool {
        let told = self.queue.take();
        self.stopping |= told.stop;
        self.closed = told.closed;
        self.hurried |= told.dial;
        if told.abandon {
            self.link = Link::new(Growing::default(), self.options.link());
            self.open.clear();
            self.waiting.clear();
        }
        self.piece = told.piece.or(self.piece.take());
        self.waiting.extend(told.deliveries);
        self.submit();
        self.report();
        told.abandon
    }

    /// Gives the link what it has room for, in order.
    pub(super) fn submit(&mut self) {
        if self.options.content_type == ContentType::Any {
            // The link reads what it sends.
            return;
        }
        let now = clock::now();
        while let Some(delivery) = self.waiting.pop_front() {
            let submitted = match &delivery.content {
                Content::Whole(payload) => self.link.submit(payload, now),
                Content::Pieces { beginning, len, .. } => {
                    self.link.submit_header(beginning, *len, now)
                }
            };
            match submitted {
                Ok(handle) => {
                    let Delivery { number, generation, mut content } = delivery;
                    if let Content::Pieces { beginning, .. } = &mut content {
                        // The link knows what it needs.
                        *beginning = [].into();
                    }
                    let name = Name { number, generation };
                    self.open.push_back(Open { handle, name, content, began: None });
                }
                // Those behind it wait as well: the order is the lane's.
                Err(SubmitError::Full | SubmitError::IdInUse) => {
                    self.waiting.push_front(delivery);
                    break;
                }
                Err(error @ (SubmitError::IdTooLong | SubmitError::Frame(_))) => {
                    let note = Note(error.name().to_owned());
                    self.ended(&delivery.name(), None, Outcome::Unsendable, note);
                }
            }
        }
    }

    /// Asks for a piece; returns the number of the question.
    pub(super) fn ask(&mut self, read: impl FnOnce(PieceTo)) -> u64 {
        self.questions += 1;
        read(PieceTo::new(Arc::clone(&self.queue), self.questions));
        self.questions
    }

    /// No connection: nothing of what is open has left.
    pub(super) fn fail_all(&mut self) {
        self.link = Link::new(Growing::default(), self.options.link());
        let open = std::mem::take(&mut self.open).into_iter().map(|it| it.name);
        let waiting = std::mem::take(&mut self.waiting).into_iter().map(|it| it.name());
        for name in open.chain(waiting).collect::<Vec<_>>() {
            self.ended(&name, None, Outcome::Transport, Note::default());
        }
        self.report();
    }

    pub(super) fn ended(&mut self, name: &Name, began: Option<u64>, outcome: Outcome, note: Note) {
        let milliseconds = began.map_or(0, |it| clock::now().saturating_sub(it));
        let Name { number, generation } = *name;
        let action = None;
        self.unreported.push(Report { number, generation, milliseconds, outcome, note, action });
    }

    /// The last report says what becomes of its delivery.
    pub(super) fn decide(&mut self, action: Option<ReplyAction>) {
        if let Some(report) = self.unreported.last_mut() {
            report.action = action;
        }
    }

    /// Tells what has become known.
    pub(super) fn report(&mut self) {
        if !self.unreported.is_empty() {
            self.reports.reported(self.options.number, &mut self.unreported);
            self.unreported.clear();
        }
    }

    fn set_ready(&mut self, ready: bool) {
        if self.is_ready != ready {
            self.is_ready = ready;
            self.reports.ready(self.options.number, ready);
        }
    }
}
