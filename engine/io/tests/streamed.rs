//! Payloads that are read while they are sent.

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Ear, ends, framed, message, reply, reports, whole, write};
use mllp_io::{CHUNK, Content, Outcome, PieceTo, Sender, SenderOptions, Source};
use tokio::net::{TcpListener, TcpStream};

/// A payload in pieces, and what was asked of it.
#[derive(Default)]
struct Stored {
    payload: Vec<u8>,
    /// The piece with this number cannot be read.
    missing: Option<u32>,
    asked: Mutex<Vec<u32>>,
    /// Questions are kept in place of answered.
    hold: bool,
    held: Mutex<Vec<PieceTo>>,
}

impl Source for Stored {
    fn read(&self, n: u32, to: PieceTo) {
        self.asked.lock().unwrap().push(n);
        let from = n as usize * CHUNK;
        if self.hold {
            self.held.lock().unwrap().push(to);
        } else if self.missing != Some(n) {
            to.give(self.payload[from..self.payload.len().min(from + CHUNK)].into());
        }
    }
}

fn stored(payload: Vec<u8>) -> Arc<Stored> {
    Arc::new(Stored { payload, ..Stored::default() })
}

fn pieces(stored: &Arc<Stored>) -> Content {
    Content::Pieces {
        beginning: stored.payload[..stored.payload.len().min(1000)].into(),
        len: stored.payload.len() as u64,
        source: Arc::<Stored>::clone(stored),
    }
}

fn large(control_id: &str, len: usize) -> Vec<u8> {
    let mut bytes = message(control_id);
    bytes.extend((0..len - bytes.len()).map(|at| b'A' + (at / 7 + at / CHUNK) as u8 % 26));
    bytes
}

async fn connected(window: usize) -> (TcpListener, Sender, Ear, TcpStream) {
    let partner = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = partner.local_addr().unwrap().port();
    let (reports, ear) = reports();
    let options = SenderOptions { window, ..SenderOptions::new(0, "127.0.0.1", port) };
    let sender = Sender::start(options, reports);
    let stream = accepted(&partner).await;
    (partner, sender, ear, stream)
}

async fn accepted(partner: &TcpListener) -> TcpStream {
    tokio::time::timeout(common::DEADLINE, partner.accept()).await.unwrap().unwrap().0
}

/// Reads so many bytes.
async fn read(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let read = tokio::io::AsyncReadExt::read_exact(stream, &mut bytes);
    tokio::time::timeout(common::DEADLINE, read).await.unwrap().unwrap();
    bytes
}

#[tokio::test]
async fn a_large_payload_is_sent_piece_by_piece_and_in_its_turn() {
    let (_partner, sender, mut ear, mut stream) = connected(64).await;
    let parts = [stored(large("L2", 5 * CHUNK + 7)), stored(large("L3", 2 * CHUNK))];
    sender.deliver(0, 1, whole(message("M1")));
    sender.deliver(0, 2, pieces(&parts[0]));
    sender.deliver(0, 3, pieces(&parts[1]));
    sender.deliver(0, 4, whole(message("M4")));
    for payload in [&message("M1"), &parts[0].payload, &parts[1].payload, &message("M4")] {
        assert!(read(&mut stream, payload.len() + 3).await == framed(payload));
    }
    for name in ["M1", "L2", "L3", "M4"] {
        write(&mut stream, &reply("AA", name)).await;
    }
    for number in 1..=4 {
        let report = ear.report().await;
        assert_eq!((report.number, report.outcome), (number, Outcome::Delivered));
    }
    assert_eq!(*parts[0].asked.lock().unwrap(), [0, 1, 2, 3, 4, 5], "each piece once");
}

#[tokio::test]
async fn a_piece_is_asked_for_when_the_one_before_has_left() {
    let (_partner, sender, _ear, mut stream) = connected(1).await;
    let payload = large("L1", 200 * CHUNK);
    let source = stored(payload);
    sender.deliver(0, 1, pieces(&source));
    // The partner takes nothing more than its system does by itself.
    read(&mut stream, 10).await;
    let asked = || source.asked.lock().unwrap().len();
    let mut before = 0;
    while asked() > before {
        before = asked();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(before < 100, "{before} pieces were read for a partner that takes none");
    let rest = read(&mut stream, source.payload.len() + 3 - 10).await;
    assert!(rest[..] == framed(&source.payload)[10..]);
}

#[tokio::test]
async fn a_payload_that_cannot_be_read_is_broken_off_and_tried_again() {
    for missing in [0, 1] {
        let (partner, sender, mut ear, mut stream) = connected(1).await;
        let payload = large("L1", 3 * CHUNK);
        let source = Arc::new(Stored { missing: Some(missing), ..Stored::default() });
        let source = Arc::new(Stored {
            payload: payload.clone(),
            missing: source.missing,
            ..Stored::default()
        });
        sender.deliver(0, 1, pieces(&source));
        let report = ear.report().await;
        assert_eq!((report.number, report.outcome), (1, Outcome::Unreadable));
        let mut sent = Vec::new();
        let end = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut sent);
        let _ = tokio::time::timeout(common::DEADLINE, end).await.unwrap();
        assert!(!sent.ends_with(b"\x1c\r"), "half of it is never ended as if it were whole");
        sender.deliver(0, 2, pieces(&stored(payload.clone())));
        let mut stream = accepted(&partner).await;
        assert!(read(&mut stream, payload.len() + 3).await == framed(&payload));
        write(&mut stream, &reply("AA", "L1")).await;
        assert_eq!(ear.report().await.outcome, Outcome::Delivered);
    }
}

#[tokio::test]
async fn a_payload_that_cannot_be_framed_is_not_sent_to_its_end() {
    let (partner, sender, mut ear, mut stream) = connected(1).await;
    let mut payload = large("L1", 3 * CHUNK);
    payload[2 * CHUNK + 5] = 0x1c;
    sender.deliver(0, 1, pieces(&stored(payload)));
    let mut sent = Vec::new();
    let end = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut sent);
    let _ = tokio::time::timeout(common::DEADLINE, end).await.unwrap();
    assert!(sent.len() < 3 * CHUNK && !sent.contains(&0x1c));
    let report = ear.report().await;
    assert_eq!((report.outcome, &report.note.0[..]), (Outcome::Unsendable, "reserved_byte"));
    sender.deliver(0, 2, whole(message("M2")));
    let mut stream = accepted(&partner).await;
    assert!(read(&mut stream, message("M2").len() + 3).await == framed(&message("M2")));
}

#[tokio::test]
async fn a_payload_that_is_shorter_or_longer_than_was_said_is_not_sent() {
    for change in [-1, 1] {
        let (_partner, sender, mut ear, mut stream) = connected(1).await;
        let source = stored(large("L1", 2 * CHUNK));
        let Content::Pieces { beginning, len, source } = pieces(&source) else { unreachable!() };
        let len = len.checked_add_signed(change).unwrap();
        sender.deliver(0, 1, Content::Pieces { beginning, len, source });
        if change < 0 {
            assert_eq!(ear.report().await.outcome, Outcome::Unreadable);
        } else {
            read(&mut stream, 2 * CHUNK + 1).await;
            assert!(common::is_quiet(&stream).await || ends(&mut stream).await);
        }
    }
}

#[tokio::test]
async fn a_partner_that_refuses_in_the_middle_is_heard() {
    let (partner, sender, mut ear, mut stream) = connected(1).await;
    let source =
        Arc::new(Stored { payload: large("L1", 9 * CHUNK), hold: true, ..Stored::default() });
    sender.deliver(0, 1, pieces(&source));
    let held = async {
        loop {
            let next = source.held.lock().unwrap().pop();
            match next {
                Some(to) => return to,
                None => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(common::DEADLINE, held)
        .await
        .unwrap()
        .give(source.payload[..CHUNK].into());
    read(&mut stream, 1000).await;
    write(&mut stream, &reply("AR", "L1")).await;
    let report = ear.report().await;
    assert_eq!(report.outcome, Outcome::RefusedForGood);
    // Half a frame is on that connection.
    sender.deliver(0, 2, whole(message("M2")));
    let mut stream = accepted(&partner).await;
    assert!(read(&mut stream, message("M2").len() + 3).await == framed(&message("M2")));
}
