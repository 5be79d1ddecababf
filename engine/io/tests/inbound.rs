//! Receiving: every message once, every answer in order, whatever becomes of either side.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{ends, frame, framed, listener, message, msa, write};
use mllp_io::{Incoming, ListenerOptions, Reply};
use mllp_link::Times;
use tokio::net::TcpStream;

fn accept(message: Incoming) {
    let answer = Reply::Acknowledgment(message.acknowledgment);
    message.reply_to.answer(answer);
}

#[tokio::test]
async fn a_message_is_answered_when_it_was_taken() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut peer, &framed(&message("M1"))).await;
    let received = inbox.next().await;
    assert_eq!(inbox.bytes(&received), message("M1"));
    assert_eq!(
        (&received.control_id[..], &received.message_type[..]),
        (&b"M1"[..], &b"ADT^A01"[..])
    );
    assert!(received.accepted && received.identity != 0);
    let stored = received.acknowledgment.clone();
    accept(received);
    assert_eq!(frame(&mut peer).await, stored[..], "what was stored is what is sent");
    assert_eq!(msa(&stored), "AA M1");
}

#[tokio::test]
async fn answers_leave_in_the_order_of_the_messages() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    let stream: Vec<u8> = (0..10).flat_map(|n| framed(&message(&format!("M{n}")))).collect();
    write(&mut peer, &stream).await;
    let mut received = Vec::new();
    for _ in 0..10 {
        received.push(inbox.next().await);
    }
    received.into_iter().rev().for_each(accept);
    for n in 0..10 {
        assert_eq!(msa(&frame(&mut peer).await), format!("AA M{n}"));
    }
}

#[tokio::test]
async fn more_messages_than_the_window_are_read_and_answered() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    let stream: Vec<u8> = (0..300).flat_map(|n| framed(&message(&format!("M{n}")))).collect();
    write(&mut peer, &stream).await;
    let mut waiting = Vec::new();
    for n in 1..=300 {
        waiting.push(inbox.next().await);
        // Whole windows are answered at once, so that only their leaving makes room.
        if n % 64 == 0 || n == 300 {
            waiting.drain(..).for_each(accept);
        }
    }
    for n in 0..300 {
        assert_eq!(msa(&frame(&mut peer).await), format!("AA M{n}"));
    }
}

#[tokio::test]
async fn what_was_not_stored_is_refused_for_now() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut peer, &framed(&message("M1"))).await;
    inbox.next().await.reply_to.answer(Reply::NotStored);
    assert_eq!(msa(&frame(&mut peer).await), "AE M1");
    // The connection goes on.
    write(&mut peer, &framed(&message("M2"))).await;
    accept(inbox.next().await);
    assert_eq!(msa(&frame(&mut peer).await), "AA M2");
}

#[tokio::test]
async fn an_unknown_outcome_closes_the_connection_without_an_answer() {
    for drops in [false, true] {
        let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
        let mut peer = TcpStream::connect(listener.address()).await.unwrap();
        write(&mut peer, &framed(&message("M1"))).await;
        let received = inbox.next().await;
        match drops {
            true => drop(received),
            false => received.reply_to.answer(Reply::Close),
        }
        assert!(ends(&mut peer).await);
    }
}

#[tokio::test]
async fn a_message_without_a_header_is_rejected_and_handed_on() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut peer, &framed(b"PID|1\r")).await;
    let received = inbox.next().await;
    assert!(!received.accepted);
    assert_eq!(received.identity, 0);
    accept(received);
    assert!(msa(&frame(&mut peer).await).starts_with("AR "));
}

#[tokio::test]
async fn a_message_above_the_limit_is_refused_and_the_connection_goes_on() {
    let options = ListenerOptions { max_message: 200, ..ListenerOptions::default() };
    let (listener, mut inbox, _) = listener(options).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    let mut large = message("M1");
    large.resize(5000, b'x');
    write(&mut peer, &framed(&large)).await;
    assert_eq!(msa(&frame(&mut peer).await), "AR M1");
    let refused = inbox.next().await;
    assert!(!refused.accepted && refused.identity == 0, "handed on to be looked at");
    assert_eq!(
        (&refused.control_id[..], msa(&refused.acknowledgment)),
        (&b"M1"[..], "AR M1".into())
    );
    assert!(large.starts_with(&inbox.bytes(&refused)) && !inbox.bytes(&refused).is_empty());
    accept(refused);
    write(&mut peer, &framed(&message("M2"))).await;
    accept(inbox.next().await);
    assert_eq!(msa(&frame(&mut peer).await), "AA M2");
}

#[tokio::test]
async fn two_messages_of_a_sender_that_died_are_not_fused() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    let stream = [&b"\x0b"[..], &message("M1")[..20], &framed(&message("M2"))].concat();
    write(&mut peer, &stream).await;
    assert_eq!(&inbox.next().await.control_id[..], b"M2");
}

#[tokio::test]
async fn a_peer_that_leaves_loses_nothing_that_it_has_sent() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut peer, &[framed(&message("M1")), framed(&message("M2"))].concat()).await;
    drop(peer);
    assert_eq!(&inbox.next().await.control_id[..], b"M1");
    assert_eq!(&inbox.next().await.control_id[..], b"M2");
}

#[tokio::test]
async fn a_closed_gate_stops_reading_and_not_answering() {
    let (listener, mut inbox, gate) = listener(ListenerOptions::default()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut peer, &framed(&message("M1"))).await;
    let first = inbox.next().await;
    gate.set(false);
    accept(first);
    assert_eq!(msa(&frame(&mut peer).await), "AA M1");
    write(&mut peer, &framed(&message("M2"))).await;
    // Another connection is not read either: after its turn the first would have been.
    let mut other = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut other, &framed(&message("M3"))).await;
    tokio::task::yield_now().await;
    assert!(inbox.is_empty());
    gate.set(true);
    let mut names = [inbox.next().await.control_id, inbox.next().await.control_id];
    names.sort();
    assert_eq!((&names[0][..], &names[1][..]), (&b"M2"[..], &b"M3"[..]));
}

#[tokio::test]
async fn a_stop_answers_what_was_received() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    let address = listener.address();
    let mut peer = TcpStream::connect(address).await.unwrap();
    write(&mut peer, &framed(&message("M1"))).await;
    let received = inbox.next().await;
    let stopping = tokio::spawn(listener.stop());
    accept(received);
    assert_eq!(msa(&frame(&mut peer).await), "AA M1");
    assert!(ends(&mut peer).await);
    drop(peer);
    stopping.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_an_answer_for_ever() {
    let stop = Duration::from_millis(50);
    let options = ListenerOptions { stop, ..ListenerOptions::default() };
    let (listener, mut inbox, _) = listener(options).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut peer, &framed(&message("M1"))).await;
    let held = inbox.next().await;
    listener.stop().await;
    drop(held);
}

#[tokio::test]
async fn further_connections_are_closed_at_once() {
    let options = ListenerOptions { max_connections: 1, ..ListenerOptions::default() };
    let (listener, mut inbox, _) = listener(options).await;
    let mut first = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut first, &framed(&message("M1"))).await;
    accept(inbox.next().await);
    frame(&mut first).await;
    let mut second = TcpStream::connect(listener.address()).await.unwrap();
    assert!(ends(&mut second).await);
    // The place is free again once the first is gone.
    drop(first);
    loop {
        let mut third = TcpStream::connect(listener.address()).await.unwrap();
        let _ = tokio::io::AsyncWriteExt::write_all(&mut third, &framed(&message("M2"))).await;
        if let Ok(received) = tokio::time::timeout(Duration::from_millis(200), inbox.next()).await {
            assert_eq!(&received.control_id[..], b"M2");
            break;
        }
    }
}

#[tokio::test]
async fn a_frame_that_does_not_end_ends_its_connection() {
    let times = Times { byte: 50, frame: 50, ..ListenerOptions::default().times };
    let options = ListenerOptions { times, ..ListenerOptions::default() };
    let (listener, mut inbox, _) = listener(options).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut peer, b"\x0bMSH|^~\\&|LAB").await;
    assert!(ends(&mut peer).await);
    assert!(inbox.is_empty());
}

#[tokio::test]
async fn a_foreign_protocol_is_closed_and_nothing_of_it_is_a_message() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    for hello in [&b"\x16\x03\x01\x00\x0b\x0bx\x1c\r"[..], b"GET /\x0bx\x1c\r HTTP/1.1\r\n\r\n"] {
        let mut peer = TcpStream::connect(listener.address()).await.unwrap();
        write(&mut peer, hello).await;
        assert!(ends(&mut peer).await);
    }
    assert!(inbox.is_empty());
}

#[tokio::test]
async fn the_same_bytes_have_the_same_identity_and_others_another() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    let mut identities = Vec::new();
    for name in ["M1", "M1", "M2"] {
        let mut peer = TcpStream::connect(listener.address()).await.unwrap();
        write(&mut peer, &framed(&message(name))).await;
        let received: Arc<Incoming> = Arc::new(inbox.next().await);
        identities.push(received.identity);
    }
    assert_eq!(identities[0], identities[1]);
    assert_ne!(identities[0], identities[2]);
}
