//! One accepted connection: bytes in, messages to the intake, answers out in order.

mod arriving;

pub(super) use arriving::is_header_cut;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use mllp_link::{Millis, StreamResponder, Ticket};

use super::Incoming;
use super::listener::Shared;
use super::mailbox::{Mailbox, Reply};
use super::upload::Upload;
use crate::alarm::Alarm;
use crate::clock;
use crate::storage::Growing;
use crate::transport::Transport;

/// Messages of one connection that may be without an answer; then nothing more is read.
const WINDOW: usize = 64;
/// Bytes of a header that are kept for the refusal of a message over the limit: a refusal quotes what of
/// a longer one is whole. Every idle connection has them.
const HEADER: usize = 160;
const READ_SIZE: usize = 64 * 1024;
/// After our side is shut down for writing the peer gets this long to read its last answers: closing
/// with unread input makes the kernel send a reset, and a reset destroys what was not read yet.
const LINGER: Duration = Duration::from_secs(1);

thread_local! {
    /// What a connection reads into. An idle one has no memory for it.
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_SIZE].into());
}

pub(super) struct Connection {
    transport: Transport,
    peer: SocketAddr,
    /// The same as a text, once it has sent a message.
    origin: Option<Arc<[u8]>>,
    /// Kinds of incidents that were reported.
    reported: u8,
    shared: Arc<Shared>,
    responder: StreamResponder<Growing, HEADER, WINDOW>,
    mailbox: Arc<Mailbox>,
    /// What was read and cannot be taken in yet.
    unread: Unread,
    /// What has come of a message that is small so far.
    part: Vec<u8>,
    /// The message that has ended holds the beginning of another one.
    fused: bool,
    /// A message that is not.
    upload: Option<Box<Upload<Ticket>>>,
    /// Messages without an answer, in the order of their tickets, with what a refusal quotes.
    waiting: VecDeque<Waiting>,
    /// Messages of this turn, for the intake.
    incoming: Vec<Incoming>,
    /// Replies of this turn.
    replies: Vec<(u32, Reply)>,
    /// The link was told that the peer has ended.
    ended: bool,
    /// A reply has said to close at once.
    abandoned: bool,
}

/// Bytes that were read.
#[derive(Default)]
struct Unread {
    bytes: Vec<u8>,
    /// The first that was not taken in.
    from: usize,
}

/// What the listener says to all its connections.
struct Signals {
    gate_is_open: bool,
    stops: bool,
    /// Completes when one of these is out of date. It waits at one place from then to then.
    changed: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Signals {
    fn of(shared: &Shared) -> Signals {
        let (mut gate, mut stop) = (shared.gate.watch(), shared.stop.subscribe());
        let (gate_is_open, stops) = (*gate.borrow_and_update(), *stop.borrow_and_update());
        let changed = Box::pin(async move {
            tokio::select! {
                _ = gate.changed() => {}
                _ = stop.changed() => {}
            }
        });
        Signals { gate_is_open, stops, changed }
    }
}

struct Waiting {
    ticket: Ticket,
    /// What a refusal quotes: the first segment at least.
    payload: Arc<[u8]>,
}

impl Connection {
    pub(super) fn new(transport: Transport, peer: SocketAddr, shared: Arc<Shared>) -> Self {
        let config = shared.options.responder();
        Connection {
            transport,
            peer,
            origin: None,
            reported: 0,
            responder: StreamResponder::new(Growing::default(), config, clock::now()),
            shared,
            mailbox: Arc::default(),
            unread: Unread::default(),
            part: Vec::new(),
            fused: false,
            upload: None,
            waiting: VecDeque::new(),
            incoming: Vec::new(),
            replies: Vec::new(),
            ended: false,
            abandoned: false,
        }
    }

    pub(super) async fn run(mut self: Box<Self>) {
        let mut signals = Signals::of(&self.shared);
        let mut alarm = Alarm::new();
        let lost = loop {
            self.take_replies();
            // What leaves makes room for messages that were read already, and what they are may be
            // answered at once.
            if !self.flush() {
                break true;
            }
            self.go_on();
            if !self.flush() {
                break true;
            }
            if self.abandoned || self.responder.is_finished() {
                break self.abandoned;
            }
            if signals.stops {
                self.responder.close(clock::now());
                self.go_on();
                if self.responder.is_finished() {
                    break false;
                }
            }
            if !self.wait(&mut signals, &mut alarm).await {
                break true;
            }
        };
        if lost {
            self.finish_upload().await;
        } else {
            self.end().await;
        }
    }

    /// Waits for whatever comes next, and reads; false: the connection broke.
    async fn wait(&mut self, signals: &mut Signals, alarm: &mut Alarm) -> bool {
        let paused = !signals.gate_is_open || self.is_held_up();
        self.responder.set_paused(paused, clock::now());
        let takes = !self.ended && self.unread.bytes.is_empty();
        let reads = takes && !paused && self.responder.wants_input();
        let writes = !self.responder.outgoing().is_empty();
        let deadline = self.responder.next_deadline();
        let wanted = self.upload.as_ref().and_then(|it| it.wanted());
        let permit = async {
            match wanted {
                Some(wanted) => wanted.acquire_owned().await.ok(),
                None => std::future::pending().await,
            }
        };
        let (mut given, mut changed) = (None, false);
        // Whatever is ready ends the wait, and then everything is looked at: no need to draw lots.
        tokio::select! {
            biased;
            () = self.transport.ready(reads, writes) => {}
            () = self.mailbox.arrived() => {}
            it = permit => given = it,
            () = alarm.rings(deadline) => {}
            () = &mut signals.changed => changed = true,
        }
        if changed {
            *signals = Signals::of(&self.shared);
        }
        if let (Some(upload), Some(permit)) = (&mut self.upload, given) {
            upload.permit = Some(permit);
        }
        // Whatever ended the wait: what has come is read before a time is said to have run out.
        let whole = !reads || self.read();
        self.responder.on_time(clock::now());
        whole
    }

    /// Reads what there is; false: the connection broke.
    fn read(&mut self) -> bool {
        READ.with_borrow_mut(|room| match self.transport.try_read(room) {
            Ok(0) => {
                self.ended = true;
                self.responder.peer_closed(clock::now());
                true
            }
            Ok(len) => {
                let taken = self.take_in(&room[..len]);
                self.unread.bytes.extend_from_slice(&room[taken..len]);
                true
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            Err(_) => {
                // What was read before is still stored: a sender may leave without waiting.
                self.responder.peer_closed(clock::now());
                self.go_on();
                false
            }
        })
    }

    fn take_replies(&mut self) {
        let mut replies = std::mem::take(&mut self.replies);
        self.mailbox.take(&mut replies);
        let now = clock::now();
        for (number, reply) in replies.drain(..) {
            let place = self.waiting.iter().position(|it| it.ticket.number() == number);
            let Some(Waiting { ticket, payload }) = place.and_then(|at| self.waiting.remove(at))
            else {
                continue;
            };
            self.answer(ticket, &payload, &reply, now);
        }
        if self.waiting.is_empty() {
            // An idle connection keeps no memory for what it does not do.
            self.waiting = VecDeque::new();
        } else {
            self.replies = replies;
        }
    }

    fn answer(&mut self, ticket: Ticket, payload: &[u8], reply: &Reply, now: Millis) {
        let refused;
        let answer = match reply {
            Reply::Acknowledgment(answer) if answer.is_empty() => {
                return self.responder.leave_unanswered(ticket, now);
            }
            Reply::Acknowledgment(answer) => &answer[..],
            Reply::NotStored if self.shared.options.commit_blocks => {
                return self.responder.refuse_commit(ticket, now);
            }
            Reply::NotStored | Reply::NotDelivered => {
                refused = self.shared.refusal(payload, reply);
                if refused.is_empty() {
                    // It asked for no answer. Without one it has to learn of it in another way.
                    self.abandoned = true;
                    return;
                }
                &refused
            }
            Reply::Close => {
                self.abandoned = true;
                return;
            }
        };
        if let Err(unanswered) = self.responder.answer_with(ticket, answer, now) {
            // It cannot be framed. Silence in its place would hold those behind it for ever.
            self.responder.leave_unanswered(unanswered.ticket, now);
            self.abandoned = true;
        }
    }

    /// Writes what the socket takes; false: the connection broke.
    fn flush(&mut self) -> bool {
        if !self.transport.flush() {
            return false;
        }
        while !self.responder.outgoing().is_empty() {
            match self.transport.try_write(self.responder.outgoing()) {
                Ok(len) => self.responder.sent(len, clock::now()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        true
    }

    /// Tells the peer that nothing more comes, and waits for it to read its last answers.
    async fn end(self: Box<Self>) {
        let _ = tokio::time::timeout(LINGER, self.transport.end()).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinHandle;

    use super::*;
    use crate::inbound::{CHUNK, Chunk, Gate, Intake, ListenerOptions};

    /// Holds chunks until the test lets them go, and keeps the names of messages.
    #[derive(Default)]
    struct Held {
        chunks: Mutex<Vec<Chunk>>,
        names: Mutex<Vec<Box<[u8]>>>,
    }

    impl Intake for Held {
        fn received(&self, messages: &mut Vec<Incoming>) {
            let names = messages.drain(..).map(|it| it.control_id[..].into());
            self.names.lock().expect("names").extend(names);
        }

        fn begin(&self) -> u64 {
            1
        }

        fn store(&self, chunk: Chunk) {
            self.chunks.lock().expect("chunks").push(chunk);
        }

        fn give_up(&self, _body: u64) {}
    }

    fn framed(name: &str, len: usize) -> Vec<u8> {
        let header = format!("\x0bMSH|^~\\&|L|L|H|H|2026||ADT^A01|{name}|P|2.5\r");
        [header.as_bytes(), &vec![b'x'; len], b"\x1c\r"].concat()
    }

    /// A connection, its peer, and what holds its chunks.
    async fn connected() -> (Box<Connection>, TcpStream, Arc<Held>) {
        let listening = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listening.local_addr().expect("an address");
        let peer = TcpStream::connect(address).await.expect("a connection");
        let (stream, from) = listening.accept().await.expect("a connection");
        let held = Arc::new(Held::default());
        let intake = Arc::clone(&held);
        let shared = Shared::new(ListenerOptions::default(), intake, Gate::new(), None);
        let connection = Connection::new(Transport::plain(stream), from, Arc::new(shared));
        (Box::new(connection), peer, held)
    }

    /// Sends meanwhile; the peer is back when all of it has left.
    fn send(mut peer: TcpStream, bytes: Vec<u8>) -> JoinHandle<TcpStream> {
        tokio::spawn(async move {
            peer.write_all(&bytes).await.expect("room");
            peer
        })
    }

    /// The disk may come to an end with a large message between any two steps of a connection.
    #[tokio::test]
    async fn what_was_read_is_taken_in_before_anything_else_is_read() {
        let (mut connection, peer, held) = connected().await;
        let (mut signals, mut alarm) = (Signals::of(&connection.shared), Alarm::new());
        let writing = send(peer, [framed("A", CHUNK), framed("B", 9)].concat());
        while connection.unread.bytes.is_empty() {
            assert!(connection.wait(&mut signals, &mut alarm).await);
        }
        writing.await.expect("a peer").write_all(&framed("C", 9)).await.expect("room");
        connection.transport.ready(true, false).await;
        held.chunks.lock().expect("chunks").drain(..).for_each(Chunk::stored);
        while held.names.lock().expect("names").len() < 3 {
            assert!(connection.wait(&mut signals, &mut alarm).await);
            connection.go_on();
        }
        assert_eq!(held.names.lock().expect("names").concat(), b"ABC");
    }

    #[tokio::test]
    async fn a_peer_that_waits_for_the_disk_is_not_too_slow() {
        let (mut connection, peer, _held) = connected().await;
        let (mut signals, mut alarm) = (Signals::of(&connection.shared), Alarm::new());
        let writing = send(peer, framed("A", 9 * CHUNK));
        while !connection.is_held_up() {
            assert!(connection.wait(&mut signals, &mut alarm).await);
        }
        assert!(connection.responder.next_deadline().is_some());
        connection.mailbox.wake();
        assert!(connection.wait(&mut signals, &mut alarm).await);
        assert_eq!(connection.responder.next_deadline(), None);
        assert!(connection.unread.bytes.is_empty(), "nothing is read meanwhile");
        writing.abort();
    }
}
