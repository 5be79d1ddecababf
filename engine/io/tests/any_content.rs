//! Payloads that are not HL7: framed as agreed, never fused or cut, and nothing read from them.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Ear, ends, is_quiet, listener, reports, whole, write};
use mllp_io::{
    AckMode, CHUNK, Content, ContentType, Framing, ListenerOptions, Outcome, PieceTo, Profile,
    Reply, Report, Sender, SenderOptions, Source, WHOLE,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const STX: u8 = 0x02;
const ETX: u8 = 0x03;

fn framing() -> Framing {
    Framing::new(STX, ETX, None).unwrap()
}

fn framed(payload: &[u8]) -> Vec<u8> {
    [&[STX], payload, &[ETX]].concat()
}

fn receiving() -> ListenerOptions {
    ListenerOptions {
        content_type: ContentType::Any,
        framing: framing(),
        profile: Profile::Permissive,
        ack_mode: AckMode::None,
        ..ListenerOptions::default()
    }
}

#[tokio::test]
async fn what_has_no_header_is_taken_wherever_it_is_split() {
    let (listener, mut inbox, _) = listener(receiving()).await;
    let stream = [framed(b"{\"k\": 4.1}"), framed(b"MSH|looks like one"), framed(b"")].concat();
    for at in 0..=stream.len() {
        let mut peer = TcpStream::connect(listener.address()).await.unwrap();
        write(&mut peer, &stream[..at]).await;
        tokio::task::yield_now().await;
        write(&mut peer, &stream[at..]).await;
        for expected in [&b"{\"k\": 4.1}"[..], b"MSH|looks like one"] {
            let received = inbox.next().await;
            assert_eq!(inbox.bytes(&received), expected, "split at {at}");
            assert!(received.accepted && received.acknowledgment.is_empty());
            assert!(received.control_id.is_empty() && received.message_type.is_empty());
            assert_eq!((received.identity, received.name), (0, 0), "none is a duplicate");
            received.reply_to.answer(Reply::Acknowledgment(received.acknowledgment));
        }
        let empty = inbox.next().await;
        assert!(!empty.accepted, "a frame without a byte in it is kept, and refused");
        empty.reply_to.answer(Reply::Acknowledgment(empty.acknowledgment));
        assert!(is_quiet(&peer).await, "nothing is answered");
    }
}

#[tokio::test]
async fn what_is_not_stored_ends_the_connection() {
    let (listener, mut inbox, _) = listener(receiving()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut peer, &framed(b"result")).await;
    inbox.next().await.reply_to.answer(Reply::NotStored);
    assert!(ends(&mut peer).await, "its sender would think that it is safe");
}

#[tokio::test]
async fn two_messages_are_never_taken_for_one() {
    let (listener, mut inbox, _) = listener(receiving()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    // Its sender was restarted behind a converter that kept the connection.
    write(&mut peer, &[&[STX], &b"potassium 4"[..], &framed(b"sodium 140")].concat()).await;
    let both = inbox.next().await;
    assert!(!both.accepted, "an operator looks at it");
    assert_eq!(inbox.bytes(&both), b"potassium 4\x02sodium 140");
    both.reply_to.answer(Reply::Acknowledgment(both.acknowledgment));
    write(&mut peer, &framed(b"glucose 90")).await;
    let next = inbox.next().await;
    assert!(next.accepted);
    assert_eq!(inbox.bytes(&next), b"glucose 90");
    let large = [&[STX], &vec![b'x'; 2 * WHOLE][..], &framed(b"end")].concat();
    write(&mut peer, &large).await;
    assert!(!inbox.next().await.accepted, "however long it is");
}

#[tokio::test]
async fn hl7_without_a_trailer_is_not_fused_either() {
    let options = ListenerOptions { content_type: ContentType::Hl7, ..receiving() };
    let (listener, mut inbox, _) = listener(options).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    let both = [&[STX], &common::message("M1")[..], &framed(&common::message("M2"))].concat();
    write(&mut peer, &both).await;
    let refused = inbox.next().await;
    assert!(!refused.accepted);
    refused.reply_to.answer(Reply::Acknowledgment(refused.acknowledgment));
    write(&mut peer, &framed(&common::message("M3"))).await;
    let next = inbox.next().await;
    assert_eq!((next.accepted, &next.control_id[..]), (true, &b"M3"[..]));
    next.reply_to.answer(Reply::Acknowledgment(next.acknowledgment));
    write(&mut peer, &framed(b"{}")).await;
    assert!(!inbox.next().await.accepted, "it has no header");
}

#[tokio::test]
async fn a_large_payload_is_stored_in_chunks() {
    let (listener, mut inbox, _) = listener(receiving()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    let payload: Vec<u8> = (0..3 * CHUNK + 7).map(|at| b'a' + (at % 23) as u8).collect();
    write(&mut peer, &framed(&payload)).await;
    let received = inbox.next().await;
    assert!(received.accepted && received.identity == 0);
    assert_eq!(inbox.bytes(&received), payload);
}

#[tokio::test]
async fn where_answers_are_wanted_they_name_no_message() {
    let options = ListenerOptions { content_type: ContentType::Any, ..ListenerOptions::default() };
    let (listener, mut inbox, _) = listener(options).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut peer, &common::framed(b"{}")).await;
    let received = inbox.next().await;
    assert!(received.accepted);
    received.reply_to.answer(Reply::Acknowledgment(received.acknowledgment));
    assert!(common::msa(&common::frame(&mut peer).await).starts_with("AA "));
    write(&mut peer, &common::framed(b"[]")).await;
    inbox.next().await.reply_to.answer(Reply::NotStored);
    assert!(common::msa(&common::frame(&mut peer).await).starts_with("AE "));
}

struct Sending {
    partner: TcpListener,
    sender: Sender,
    ear: Ear,
}

impl Sending {
    async fn start(expects_reply: bool) -> (Sending, TcpStream) {
        let partner = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = partner.local_addr().unwrap().port();
        let options = SenderOptions {
            content_type: ContentType::Any,
            framing: framing(),
            expects_reply,
            reply: Duration::from_millis(300),
            back_off: Duration::from_millis(1),
            ..SenderOptions::new(0, "127.0.0.1", port)
        };
        let (reports, ear) = reports();
        let sending = Sending { partner, sender: Sender::start(options, reports), ear };
        let stream = sending.accepted().await;
        (sending, stream)
    }

    async fn accepted(&self) -> TcpStream {
        let accepted = tokio::time::timeout(common::DEADLINE, self.partner.accept());
        let (stream, _) = accepted.await.unwrap().unwrap();
        // What it says leaves at once, though nothing has come back for what it said before.
        stream.set_nodelay(true).unwrap();
        stream
    }

    async fn outcome(&mut self) -> (u64, Outcome, String) {
        let Report { number, outcome, note, .. } = self.ear.report().await;
        (number, outcome, note.0)
    }
}

async fn comes(stream: &mut TcpStream, bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    let all = tokio::time::timeout(common::DEADLINE, stream.read_exact(&mut read));
    all.await.expect("in time").expect("all of it");
    assert!(read == bytes, "other bytes came");
}

fn delivered(number: u64, note: &str) -> (u64, Outcome, String) {
    (number, Outcome::Delivered, note.to_owned())
}

#[tokio::test]
async fn without_replies_a_delivery_ends_when_it_has_left() {
    let (mut sending, mut stream) = Sending::start(false).await;
    for number in 1..=3 {
        let payload = format!("result {number}");
        sending.sender.deliver(0, number, whole(&payload));
        assert_eq!(sending.outcome().await, delivered(number, ""));
        comes(&mut stream, &framed(payload.as_bytes())).await;
    }
    // What it says is nobody's reply, and does not fill anything up.
    write(&mut stream, &framed(b"hello").repeat(1000)).await;
    sending.sender.deliver(0, 4, whole("more"));
    assert_eq!(sending.outcome().await, delivered(4, ""));
    comes(&mut stream, &framed(b"more")).await;
}

#[tokio::test]
async fn a_partner_that_has_left_is_noticed_before_anything_is_given_to_it() {
    let (mut sending, mut stream) = Sending::start(false).await;
    stream.shutdown().await.unwrap();
    assert!(ends(&mut stream).await);
    sending.sender.deliver(0, 1, whole("again"));
    let mut stream = sending.accepted().await;
    comes(&mut stream, &framed(b"again")).await;
    assert_eq!(sending.outcome().await, delivered(1, ""));
}

#[tokio::test]
async fn what_does_not_fit_into_a_frame_is_refused_before_its_first_byte() {
    let (mut sending, mut stream) = Sending::start(false).await;
    for (number, payload) in (1..).zip([&b"a\x03b"[..], b"a\x02b"]) {
        sending.sender.deliver(0, number, whole(payload));
        let (its, outcome, note) = sending.outcome().await;
        assert_eq!((its, outcome, &note[..]), (number, Outcome::Unsendable, "reserved_byte"));
    }
    let mut large = vec![b'x'; 2 * CHUNK];
    large.push(ETX);
    sending.sender.deliver(0, 3, pieces(large, None));
    assert_eq!(sending.outcome().await.1, Outcome::Unsendable);
    sending.sender.deliver(0, 4, whole("good"));
    assert_eq!(sending.outcome().await, delivered(4, ""));
    comes(&mut stream, &framed(b"good")).await;
}

#[tokio::test]
async fn a_large_payload_is_read_while_it_is_sent() {
    let (mut sending, mut stream) = Sending::start(false).await;
    let payload: Vec<u8> = (0..40 * CHUNK + 7).map(|at| b'a' + (at % 23) as u8).collect();
    sending.sender.deliver(0, 1, pieces(payload.clone(), None));
    comes(&mut stream, &framed(&payload)).await;
    assert_eq!(sending.outcome().await, delivered(1, ""));
    sending.sender.deliver(0, 2, pieces(payload, Some(3)));
    assert_eq!(sending.outcome().await.1, Outcome::Unreadable);
    assert!(is_quiet(&stream).await, "it is looked at whole before its first byte leaves");
}

#[tokio::test]
async fn the_next_frame_is_the_reply_whatever_it_holds() {
    let (mut sending, mut stream) = Sending::start(true).await;
    // In MLLP's release 2 a block of 06 or 15 alone would be something else.
    for (number, reply) in (1..).zip([&b"ok"[..], b"", b"error", b"\x06", b"\x15"]) {
        // Nobody asked for this one.
        write(&mut stream, &framed(b"good morning")).await;
        sending.sender.deliver(0, number, whole("ask"));
        comes(&mut stream, &framed(b"ask")).await;
        write(&mut stream, &framed(reply)).await;
        let note = format!("a reply of {} bytes", reply.len());
        assert_eq!(sending.outcome().await, delivered(number, &note));
    }
}

#[tokio::test]
async fn the_end_of_a_frame_that_nobody_asked_for_is_no_reply() {
    let (mut sending, mut stream) = Sending::start(true).await;
    write(&mut stream, &[STX, b'h', b'e']).await;
    sending.sender.deliver(0, 1, whole("ask"));
    comes(&mut stream, b"\x02ask").await;
    assert!(is_quiet(&stream).await, "it ends once the partner has spoken");
    write(&mut stream, b"llo\x03").await;
    comes(&mut stream, &[ETX]).await;
    write(&mut stream, &framed(b"four")).await;
    assert_eq!(sending.outcome().await, delivered(1, "a reply of 4 bytes"));
}

#[tokio::test]
async fn what_comes_while_a_message_leaves_is_no_reply() {
    let (mut sending, mut stream) = Sending::start(true).await;
    let payload = vec![b'x'; 40 * CHUNK];
    sending.sender.deliver(0, 1, pieces(payload.clone(), None));
    comes(&mut stream, &framed(&payload)[..CHUNK]).await;
    write(&mut stream, &framed(b"heartbeat")).await;
    comes(&mut stream, &framed(&payload)[CHUNK..]).await;
    assert_eq!(sending.outcome().await.1, Outcome::NoReply);
}

#[tokio::test]
async fn a_reply_that_is_too_long_is_one_all_the_same() {
    let (mut sending, mut stream) = Sending::start(true).await;
    sending.sender.deliver(0, 1, whole("ask"));
    comes(&mut stream, &framed(b"ask")).await;
    // It may be hung up on before the end of it.
    let long = [&[STX], &vec![b'r'; 2 * 1024 * 1024][..]].concat();
    let _ = stream.write_all(&long).await;
    assert_eq!(sending.outcome().await, delivered(1, "a reply of more than 1048576 bytes"));
    sending.sender.deliver(0, 2, whole("next"));
    comes(&mut sending.accepted().await, &framed(b"next")).await;
}

#[tokio::test]
async fn a_partner_that_closes_after_each_message_gets_all_of_them() {
    let (mut sending, mut stream) = Sending::start(false).await;
    for number in 1..=50 {
        sending.sender.deliver(0, number, whole("one"));
        assert_eq!(sending.outcome().await, delivered(number, ""));
        comes(&mut stream, &framed(b"one")).await;
        drop(stream);
        // It has the next before the sender can know that this one is over.
        sending.sender.deliver(0, 1000 + number, whole("two"));
        stream = sending.accepted().await;
        comes(&mut stream, &framed(b"two")).await;
        assert_eq!(sending.outcome().await, delivered(1000 + number, ""));
    }
}

#[tokio::test]
async fn a_late_reply_is_nobodys() {
    let (mut sending, mut stream) = Sending::start(true).await;
    sending.sender.deliver(0, 1, whole("one"));
    comes(&mut stream, &framed(b"one")).await;
    assert_eq!(sending.outcome().await.1, Outcome::NoReply);
    assert!(ends(&mut stream).await, "a reply that is on its way ends with its connection");
    sending.sender.deliver(0, 2, whole("two"));
    let mut stream = sending.accepted().await;
    comes(&mut stream, &framed(b"two")).await;
    write(&mut stream, &framed(b"ok")).await;
    assert_eq!(sending.outcome().await, delivered(2, "a reply of 2 bytes"));
}

#[tokio::test]
async fn a_partner_that_leaves_without_a_reply_has_not_taken_it() {
    let (mut sending, mut stream) = Sending::start(true).await;
    for number in 1..=3 {
        sending.sender.deliver(0, number, whole("ask"));
    }
    comes(&mut stream, &framed(b"ask")).await;
    drop(stream);
    for number in 1..=3 {
        let (its, outcome, _) = sending.outcome().await;
        assert_eq!((its, outcome), (number, Outcome::Transport), "none passes another");
    }
}

#[tokio::test]
async fn what_is_abandoned_is_not_reported() {
    let (mut sending, mut stream) = Sending::start(true).await;
    sending.sender.deliver(0, 1, whole("old"));
    comes(&mut stream, &framed(b"old")).await;
    sending.sender.abandon(1);
    assert!(ends(&mut stream).await);
    sending.sender.deliver(1, 2, whole("new"));
    let mut stream = sending.accepted().await;
    comes(&mut stream, &framed(b"new")).await;
    write(&mut stream, &framed(b"ok")).await;
    assert_eq!(sending.outcome().await.0, 2);
}

/// A payload in pieces.
struct Stored(Vec<u8>, Option<u32>);

impl Source for Stored {
    fn read(&self, n: u32, to: PieceTo) {
        let from = n as usize * CHUNK;
        if self.1 != Some(n) {
            to.give(self.0[from..self.0.len().min(from + CHUNK)].into());
        }
    }
}

fn pieces(payload: Vec<u8>, missing: Option<u32>) -> Content {
    let (beginning, len) = (payload[..1000].into(), payload.len() as u64);
    Content::Pieces { beginning, len, source: Arc::new(Stored(payload, missing)) }
}
