//! Large messages: in chunks while they arrive, without delaying others, and given up if they end early.

mod common;

use common::{ends, frame, framed, listener, message, msa, write};
use mllp_io::{CHUNK, Incoming, ListenerOptions, Payload, Recognise, Reply, WHOLE};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Each byte says where it stands.
fn large(control_id: &str, len: usize) -> Vec<u8> {
    let mut bytes = message(control_id);
    bytes.extend((0..len - bytes.len()).map(|at| b'A' + (at / 7 + at / CHUNK) as u8 % 26));
    bytes
}

fn accept(message: Incoming) {
    let answer = Reply::Acknowledgment(message.acknowledgment);
    message.reply_to.answer(answer);
}

#[tokio::test]
async fn a_large_message_is_handed_over_in_chunks() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    for (name, len) in [("M1", WHOLE), ("M2", WHOLE + 1), ("M3", CHUNK), ("M4", 5 * CHUNK + 9)] {
        let sent = large(name, len);
        let frames = framed(&sent);
        let (_, received) = tokio::join!(write(&mut peer, &frames), inbox.next());
        assert!(inbox.bytes(&received) == sent, "{name}");
        assert_eq!(matches!(received.payload, Payload::Whole(_)), len == WHOLE);
        assert_eq!(received.identity, xxhash_rust::xxh3::xxh3_128(&sent), "{name}");
        assert_eq!((&received.control_id[..], received.accepted), (name.as_bytes(), true));
        accept(received);
        assert_eq!(msa(&frame(&mut peer).await), format!("AA {name}"));
    }
    assert!(inbox.bodies.lock().unwrap().given_up.is_empty());
}

#[tokio::test]
async fn a_slow_disk_stops_the_reading_of_one_connection() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    inbox.bodies.lock().unwrap().hold = true;
    let peer = TcpStream::connect(listener.address()).await.unwrap();
    let sent = [framed(&large("L1", 40 * CHUNK)), framed(&message("L2"))].concat();
    let (mut reading, mut writing) = peer.into_split();
    let writer = tokio::spawn(async move {
        writing.write_all(&sent).await.unwrap();
        writing
    });
    let mut held = vec![inbox.chunk().await, inbox.chunk().await];
    // Others are received and answered meanwhile.
    let mut other = TcpStream::connect(listener.address()).await.unwrap();
    for name in ["M1", "M2"] {
        write(&mut other, &framed(&message(name))).await;
        let received = inbox.next().await;
        assert_eq!(&received.control_id[..], name.as_bytes());
        accept(received);
        assert_eq!(msa(&frame(&mut other).await), format!("AA {name}"));
    }
    assert!(inbox.chunks.is_empty(), "no third chunk before the first is stored");
    let mut count = 0;
    while count < 40 {
        inbox.bodies.lock().unwrap().store(held.remove(0));
        count += 1;
        if count < 39 {
            held.push(inbox.chunk().await);
            assert!(inbox.chunks.is_empty(), "one more for each that is stored");
        }
    }
    let first = inbox.next().await;
    assert_eq!(&first.control_id[..], b"L1", "it comes once all of it is stored, and first");
    assert!(inbox.bytes(&first) == large("L1", 40 * CHUNK));
    let second = inbox.next().await;
    assert_eq!(&second.control_id[..], b"L2");
    accept(first);
    accept(second);
    let writing = writer.await.unwrap();
    reading = {
        let mut peer = reading.reunite(writing).unwrap();
        assert_eq!(msa(&frame(&mut peer).await), "AA L1");
        assert_eq!(msa(&frame(&mut peer).await), "AA L2");
        peer.into_split().0
    };
    drop(reading);
}

#[tokio::test]
async fn where_large_messages_are_refused_nothing_of_them_is_handed_over() {
    let (listener, mut inbox, gate) = listener(ListenerOptions::default()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    gate.refuse_large(true);
    let sent = [framed(&large("L1", 9 * CHUNK)), framed(&message("M1"))].concat();
    write(&mut peer, &sent).await;
    let small = inbox.next().await;
    assert_eq!(&small.control_id[..], b"M1", "small ones are still received");
    accept(small);
    assert_eq!(msa(&frame(&mut peer).await), "AE L1");
    assert_eq!(msa(&frame(&mut peer).await), "AA M1");
    assert_eq!(inbox.bodies.lock().unwrap().last, 0, "no body has begun");
    gate.refuse_large(false);
    write(&mut peer, &framed(&large("L1", 9 * CHUNK))).await;
    accept(inbox.next().await);
    assert_eq!(msa(&frame(&mut peer).await), "AA L1");
    assert!(inbox.bodies.lock().unwrap().given_up.is_empty());
}

#[tokio::test]
async fn a_large_message_that_comes_again_is_recognised_as_its_listener_says() {
    let recognise = Recognise::ControlIdAndBody;
    let (listener, mut inbox, _) =
        listener(ListenerOptions { recognise, ..Default::default() }).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    let sent = large("L1", 3 * CHUNK + 9);
    let another = |from: &str, to: &str| {
        String::from_utf8(sent.clone()).unwrap().replacen(from, to, 1).into_bytes()
    };
    let mut other_end = sent.clone();
    *other_end.last_mut().unwrap() = b'!';
    let mut of = Vec::new();
    for sent in [sent.clone(), another("20260101", "2026010211"), another("L1", "L2"), other_end] {
        let frames = framed(&sent);
        let (_, received) = tokio::join!(write(&mut peer, &frames), inbox.next());
        of.push((received.identity, received.name));
        accept(received);
        frame(&mut peer).await;
    }
    assert_eq!(of[0], of[1], "another time in the header");
    assert!(of[0].0 != of[2].0 && of[0].1 != of[2].1, "another control ID");
    assert!(of[0].0 != of[3].0 && of[0].1 == of[3].1, "other bytes");
}

#[tokio::test]
async fn a_connection_that_ends_in_the_middle_gives_the_chunks_up() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    let sent = framed(&large("M1", 3 * CHUNK));
    write(&mut peer, &sent[..2 * CHUNK + 100]).await;
    drop(peer);
    inbox.given_up(1).await;
    // A start block in the middle ends it as well.
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    write(&mut peer, &[&sent[..2 * CHUNK], &framed(&message("M2"))].concat()).await;
    assert_eq!(&inbox.next().await.control_id[..], b"M2");
    assert_eq!(inbox.bodies.lock().unwrap().given_up, [1, 2]);
}

#[tokio::test]
async fn a_message_that_has_come_whole_does_not_need_its_sender() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    inbox.bodies.lock().unwrap().hold = true;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    let sent = large("M1", CHUNK + 100);
    write(&mut peer, &framed(&sent)).await;
    let chunks = [inbox.chunk().await, inbox.chunk().await];
    drop(peer);
    for chunk in chunks {
        inbox.bodies.lock().unwrap().store(chunk);
    }
    let received = inbox.next().await;
    assert!(inbox.bytes(&received) == sent);
    assert!(inbox.bodies.lock().unwrap().given_up.is_empty());
}

#[tokio::test]
async fn a_message_of_which_a_chunk_is_lost_is_refused_for_now() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    for lost in 0..3 {
        inbox.bodies.lock().unwrap().hold = true;
        let mut peer = TcpStream::connect(listener.address()).await.unwrap();
        let sent = [framed(&large("M1", 3 * CHUNK)), framed(&message("M2"))].concat();
        let writer = tokio::spawn(async move {
            write(&mut peer, &sent).await;
            peer
        });
        for n in 0..=lost {
            let chunk = inbox.chunk().await;
            match n == lost {
                true => drop(chunk),
                false => inbox.bodies.lock().unwrap().store(chunk),
            }
        }
        // What came after it is dropped as well.
        inbox.bodies.lock().unwrap().hold = false;
        while let Ok(chunk) = inbox.chunks.try_recv() {
            drop(chunk);
        }
        let mut peer = writer.await.unwrap();
        accept(inbox.next().await);
        assert_eq!(msa(&frame(&mut peer).await), "AE M1");
        assert_eq!(msa(&frame(&mut peer).await), "AA M2");
        inbox.given_up(lost + 1).await;
        assert!(inbox.is_empty());
    }
}

#[tokio::test]
async fn a_large_message_above_the_limit_is_refused_with_what_identifies_it() {
    let options = ListenerOptions { max_message: 2 * CHUNK, ..ListenerOptions::default() };
    let (listener, mut inbox, _) = listener(options).await;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    let sent = large("M1", 4 * CHUNK);
    write(&mut peer, &framed(&sent)).await;
    assert_eq!(msa(&frame(&mut peer).await), "AR M1");
    let refused = inbox.next().await;
    assert!(!refused.accepted);
    assert_eq!(inbox.bytes(&refused), sent[..WHOLE]);
    inbox.given_up(1).await;
    drop(refused);
    peer.shutdown().await.unwrap();
    assert!(ends(&mut peer).await, "that was its only answer");
}

/// The room that is kept for deliveries would go to messages that had begun before it was low.
#[tokio::test]
async fn where_the_room_is_low_a_message_that_has_begun_goes_no_further() {
    let (listener, mut inbox, gate) = listener(ListenerOptions::default()).await;
    inbox.bodies.lock().unwrap().hold = true;
    let mut peer = TcpStream::connect(listener.address()).await.unwrap();
    let sent = [framed(&large("L1", 9 * CHUNK)), framed(&message("M1"))].concat();
    let writing = tokio::spawn(async move {
        write(&mut peer, &sent).await;
        peer
    });
    let first = [inbox.chunk().await, inbox.chunk().await];
    gate.refuse_large(true);
    gate.break_off_large(true);
    first.into_iter().for_each(|it| inbox.bodies.lock().unwrap().store(it));
    let mut peer = writing.await.unwrap();
    accept(inbox.next().await);
    assert_eq!(msa(&frame(&mut peer).await), "AE L1");
    assert_eq!(msa(&frame(&mut peer).await), "AA M1");
    assert!(inbox.chunks.is_empty(), "nothing more of it is handed over");
    inbox.given_up(1).await;
    // Where lanes alone are full it may still come to its end.
    inbox.bodies.lock().unwrap().hold = false;
    gate.break_off_large(false);
    gate.refuse_large(false);
    write(&mut peer, &framed(&large("L2", 2 * CHUNK))[..CHUNK + 9]).await;
    while inbox.bodies.lock().unwrap().stored.len() < 2 {
        tokio::task::yield_now().await;
    }
    gate.refuse_large(true);
    write(&mut peer, &framed(&large("L2", 2 * CHUNK))[CHUNK + 9..]).await;
    accept(inbox.next().await);
    assert_eq!(msa(&frame(&mut peer).await), "AA L2");
}

/// A control ID that was cut is another message's.
#[tokio::test]
async fn a_header_that_goes_on_beyond_the_beginning_is_refused_and_not_cut() {
    for (max_message, len) in [(4 * CHUNK, 2 * CHUNK), (CHUNK, 2 * CHUNK)] {
        let options = ListenerOptions { max_message, ..ListenerOptions::default() };
        let (listener, mut inbox, _) = listener(options).await;
        let before = "MSH|^~\\&||L|HIS|H|2026||ADT^A01|".len();
        let name = "x".repeat(WHOLE - before - 3);
        let header = format!("MSH|^~\\&|{name}|L|HIS|H|2026||ADT^A01|M12345|P|2.5\rPID|1\r");
        assert!(header[..WHOLE].ends_with("|M12"));
        let mut sent = header.into_bytes();
        sent.resize(len, b'x');
        let mut peer = TcpStream::connect(listener.address()).await.unwrap();
        write(&mut peer, &framed(&sent)).await;
        let received = inbox.next().await;
        assert_eq!((&received.control_id[..], received.accepted), (&b""[..], false));
        assert_eq!((received.identity, received.name), (0, 0));
        accept(received);
        // Without MSH-10 an acknowledgment names itself.
        let answer = msa(&frame(&mut peer).await);
        assert!(answer.starts_with("AR ") && !answer.starts_with("AR M"), "{answer}");
    }
}

#[tokio::test]
async fn connections_that_wait_for_memory_get_on_one_after_the_other() {
    let (listener, mut inbox, _) = listener(ListenerOptions::default()).await;
    inbox.bodies.lock().unwrap().hold = true;
    let mut peers = Vec::new();
    // Two chunks of each may be under way, and 64 of all; the last ones wait for a place.
    for number in 0..36 {
        let mut peer = TcpStream::connect(listener.address()).await.unwrap();
        let sent = framed(&large(&format!("L{number}"), 2 * CHUNK));
        peers.push(tokio::spawn(async move {
            write(&mut peer, &sent).await;
            peer
        }));
    }
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(inbox.chunk().await);
    }
    for _ in 64..72 {
        inbox.bodies.lock().unwrap().store(held.remove(0));
        held.push(inbox.chunk().await);
    }
    held.into_iter().for_each(|chunk| inbox.bodies.lock().unwrap().store(chunk));
    for _ in 0..36 {
        accept(inbox.next().await);
    }
    for peer in peers {
        assert!(msa(&frame(&mut peer.await.unwrap()).await).starts_with("AA L"));
    }
}
