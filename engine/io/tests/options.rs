//! Who may connect, which answer a message gets, and what is refused before anything starts.

mod common;

use std::time::Duration;

use common::{ends, frame, framed, listener, message, msa, write};
use mllp_core::{Framing, Profile};
use mllp_io::{AckMode, Incoming, ListenerOptions, Reply, SenderOptions, TurnedAway};
use mllp_link::OverLimit;
use tokio::net::TcpStream;

fn accept(message: Incoming) {
    let answer = Reply::Acknowledgment(message.acknowledgment);
    message.reply_to.answer(answer);
}

/// A message that asks for acknowledgments in MSH-15 and MSH-16.
fn asking(control_id: &str, accept: &str, application: &str) -> Vec<u8> {
    format!("MSH|^~\\&|LAB|L|HIS|H|2026||ADT^A01|{control_id}|P|2.5|||{accept}|{application}\r")
        .into_bytes()
}

#[tokio::test]
async fn a_peer_of_a_foreign_network_is_turned_away_unread() {
    for (networks, may) in [
        (vec!["10.0.0.0/8", "::1"], false),
        (vec!["10.0.0.0/8", "127.0.0.0/8"], true),
        (vec!["::ffff:127.0.0.1"], true),
        (vec![], true),
    ] {
        let allow = networks.iter().map(|it| it.parse().unwrap()).collect();
        let (listener, mut inbox, _) =
            listener(ListenerOptions { allow, ..ListenerOptions::default() }).await;
        let mut peer = TcpStream::connect(listener.address()).await.unwrap();
        let _ = tokio::io::AsyncWriteExt::write_all(&mut peer, &framed(&message("M1"))).await;
        if may {
            accept(inbox.next().await);
            assert_eq!(msa(&frame(&mut peer).await), "AA M1", "{networks:?}");
        } else {
            assert!(ends(&mut peer).await);
            assert_eq!(inbox.turned_away().await, TurnedAway::NotAllowed);
            assert!(inbox.is_empty());
        }
    }
}

#[tokio::test]
async fn a_message_gets_the_answer_that_its_mode_has() {
    // What MSH-15 and MSH-16 say, and the answer when it is stored and when it is not.
    let cases = [
        (AckMode::Original, ("AL", "NE"), Some("AA"), Some("AE")),
        (AckMode::Enhanced, ("", ""), Some("AA"), Some("AE")),
        (AckMode::Enhanced, ("AL", "NE"), Some("CA"), Some("CE")),
        (AckMode::Enhanced, ("AL", "AL"), Some("CA"), Some("CE")),
        (AckMode::Enhanced, ("NE", "AL"), Some("AA"), Some("AE")),
        (AckMode::Enhanced, ("ER", "NE"), None, Some("CE")),
        (AckMode::Enhanced, ("NE", "NE"), None, None),
        (AckMode::None, ("", ""), None, None),
    ];
    for (ack_mode, (accepts, applies), stored, refused) in cases {
        let (listener, mut inbox, _) =
            listener(ListenerOptions { ack_mode, ..ListenerOptions::default() }).await;
        let mut peer = TcpStream::connect(listener.address()).await.unwrap();
        write(&mut peer, &framed(&asking("M1", accepts, applies))).await;
        let received = inbox.next().await;
        assert!(received.accepted);
        assert_eq!(received.acknowledgment.is_empty(), stored.is_none());
        accept(received);
        if let Some(code) = stored {
            assert_eq!(msa(&frame(&mut peer).await), format!("{code} M1"), "{ack_mode:?}");
        }
        write(&mut peer, &framed(&asking("M2", accepts, applies))).await;
        inbox.next().await.reply_to.answer(Reply::NotStored);
        match refused {
            Some(code) => assert_eq!(msa(&frame(&mut peer).await), format!("{code} M2")),
            // Without an answer the end of the connection is what says so.
            None => assert!(ends(&mut peer).await, "{ack_mode:?}"),
        }
    }
}

#[tokio::test]
async fn a_message_above_the_limit_is_refused_by_its_mode_or_ends_its_connection() {
    let limit = ListenerOptions { max_message: 200, ..ListenerOptions::default() };
    let mut large = asking("M1", "AL", "NE");
    large.resize(5000, b'x');
    let enhanced = ListenerOptions { ack_mode: AckMode::Enhanced, ..limit.clone() };
    let (enhanced, mut inbox, _) = listener(enhanced).await;
    let mut peer = TcpStream::connect(enhanced.address()).await.unwrap();
    write(&mut peer, &framed(&large)).await;
    assert_eq!(msa(&frame(&mut peer).await), "CR M1");
    assert_eq!(msa(&inbox.next().await.acknowledgment), "CR M1");
    let closing = ListenerOptions { over_limit: OverLimit::Close, ..limit };
    let (closing, mut inbox, _) = listener(closing).await;
    let mut peer = TcpStream::connect(closing.address()).await.unwrap();
    write(&mut peer, &framed(&large)).await;
    assert!(ends(&mut peer).await);
    let seen = inbox.next().await;
    assert!(!seen.accepted && seen.acknowledgment.is_empty(), "it was not answered");
}

#[tokio::test]
async fn framing_and_profile_are_those_of_the_listener() {
    let framing = Framing::new(0x02, 0x03, None).unwrap();
    let options =
        ListenerOptions { framing, profile: Profile::Permissive, ..ListenerOptions::default() };
    assert_eq!(options.faults(), [""; 0]);
    let (listener, mut inbox, _) = listener(options).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut peer, &[b"\x02", &message("M1")[..], b"\x03"].concat()).await;
    accept(inbox.next().await);
    let mut start = [0];
    tokio::io::AsyncReadExt::read_exact(&mut peer, &mut start).await.unwrap();
    assert_eq!(start, [0x02]);
}

#[tokio::test]
async fn commit_blocks_say_what_was_stored() {
    let options = ListenerOptions { commit_blocks: true, ..ListenerOptions::default() };
    let (listener, mut inbox, _) = listener(options).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut peer, &framed(&message("M1"))).await;
    accept(inbox.next().await);
    assert_eq!(frame(&mut peer).await, b"\x06");
    assert_eq!(msa(&frame(&mut peer).await), "AA M1");
    write(&mut peer, &framed(&message("M2"))).await;
    inbox.next().await.reply_to.answer(Reply::NotStored);
    assert_eq!(frame(&mut peer).await, b"\x15");
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let listener = ListenerOptions {
        max_message: 0,
        max_connections: 0,
        connect: Duration::ZERO,
        keep_alive: Some(Duration::ZERO),
        commit_blocks: true,
        ack_mode: AckMode::None,
        framing: Framing::new(0x02, 0x03, None).unwrap(),
        ..ListenerOptions::default()
    };
    assert_eq!(listener.faults().len(), 6, "{:?}", listener.faults());
    assert_eq!(ListenerOptions::default().faults(), [""; 0]);
    let sender = SenderOptions {
        window: 65,
        max_reply: 0,
        reply: Duration::ZERO,
        back_off: Duration::from_secs(60),
        ..SenderOptions::new(0, "", 0)
    };
    assert_eq!(sender.faults().len(), 6, "{:?}", sender.faults());
    assert_eq!(SenderOptions::new(0, "h", 1).faults(), [""; 0]);
}
