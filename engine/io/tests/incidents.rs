//! What a peer does that brings no message is reported, once for each kind and connection.

mod common;

use common::{DEADLINE, Inbox, ends, frame, framed, listener, message, msa, write};
use mllp_io::{Expired, Fault, Incident, ListenerOptions, Protocol, Reply, Times};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Waits until as many incidents were reported as are expected, and compares.
async fn reported(inbox: &Inbox, expected: &[Incident], what: &str) {
    let waited = async {
        while inbox.bodies.lock().unwrap().incidents.len() < expected.len() {
            tokio::task::yield_now().await;
        }
    };
    let _ = tokio::time::timeout(DEADLINE, waited).await;
    assert_eq!(std::mem::take(&mut inbox.bodies.lock().unwrap().incidents), expected, "{what}");
}

#[tokio::test]
async fn each_kind_is_reported_once() {
    let again: Vec<u8> = [b"\x0b", &message("M1")[..]].concat().repeat(50);
    let noise = |between: &str| {
        [&framed(&message("M1"))[..], between.as_bytes(), &framed(&message("M2"))].concat()
    };
    let lost = |fault| vec![Incident::Lost(fault)];
    let cases = [
        ("tls", b"\x16\x03\x01\x02\x00\x01\x00".to_vec(), vec![Incident::Protocol(Protocol::Tls)]),
        ("http", b"GET / HTTP/1.1\r\n".to_vec(), vec![Incident::Protocol(Protocol::Http)]),
        ("cut", b"\x0bMSH|^~\\&|".to_vec(), lost(Fault::Truncated)),
        ("again and again", [again, framed(&[])].concat(), lost(Fault::SbInBlock)),
        ("noise", noise("x\r\nyz"), vec![Incident::Outside(5)]),
        ("blank noise", noise("\r\n\r\n"), vec![]),
        ("nothing", framed(&message("M1")), vec![]),
    ];
    for (what, bytes, expected) in cases {
        let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
        let mut peer = TcpStream::connect(listener.address()).await.unwrap();
        write(&mut peer, &bytes).await;
        if what.contains("noise") || what == "nothing" {
            for _ in 0..1 + usize::from(what != "nothing") {
                let message = inbox.next().await;
                let answer = Reply::Acknowledgment(message.acknowledgment);
                message.reply_to.answer(answer);
                assert!(msa(&frame(&mut peer).await).starts_with("AA"));
            }
        }
        peer.shutdown().await.unwrap();
        reported(&inbox, &expected, what).await;
    }
}

#[tokio::test]
async fn a_peer_that_is_too_slow_is_named_and_one_that_is_quiet_is_not() {
    let slow = Times { byte: 50, ..Times::DEFAULT };
    let (slow, inbox, _) = listener(ListenerOptions { times: slow, ..Default::default() }).await;
    let mut peer = TcpStream::connect(slow.address()).await.unwrap();
    write(&mut peer, b"\x0bMSH|").await;
    assert!(ends(&mut peer).await);
    let expected = [Incident::Lost(Fault::Truncated), Incident::Expired(Expired::Byte)];
    reported(&inbox, &expected, "in the middle of a frame").await;
    let quiet = Times { idle: 50, ..Times::DEFAULT };
    let (quiet, inbox, _) = listener(ListenerOptions { times: quiet, ..Default::default() }).await;
    let mut peer = TcpStream::connect(quiet.address()).await.unwrap();
    assert!(ends(&mut peer).await);
    reported(&inbox, &[], "between frames").await;
}
