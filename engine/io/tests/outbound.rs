//! Sending: one report for each delivery, and only an answer of its own is a success.

mod common;

use std::time::Duration;

use common::{Ear, Told, framed, message, reply, reports, whole, write};
use mllp_io::{Outcome, Report, Sender, SenderOptions};
use tokio::net::{TcpListener, TcpStream};

async fn partner() -> (TcpListener, SenderOptions) {
    let partner = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = partner.local_addr().unwrap().port();
    (partner, SenderOptions::new(7, "127.0.0.1", port))
}

fn start(options: SenderOptions) -> (Sender, Ear) {
    let (reports, ear) = reports();
    (Sender::start(options, reports), ear)
}

async fn accepted(partner: &TcpListener) -> TcpStream {
    tokio::time::timeout(common::DEADLINE, partner.accept()).await.unwrap().unwrap().0
}

async fn control_id(stream: &mut TcpStream) -> String {
    let payload = common::frame(stream).await;
    let text = String::from_utf8(payload).unwrap();
    text.split('|').nth(9).unwrap().to_owned()
}

fn outcome(report: &Report) -> (u64, Outcome, &str) {
    (report.number, report.outcome, &report.note.0)
}

#[tokio::test]
async fn an_answer_decides_by_its_code() {
    let (partner, options) = partner().await;
    let (sender, mut ear) = start(options);
    let mut stream = accepted(&partner).await;
    assert_eq!(ear.next().await, Told::Ready(true));
    let codes = [
        ("AA", Outcome::Delivered),
        ("CA", Outcome::Delivered),
        ("AE", Outcome::RefusedForNow),
        ("CE", Outcome::RefusedForNow),
        ("AR", Outcome::RefusedForGood),
        ("CR", Outcome::RefusedForGood),
    ];
    for (number, (code, expected)) in (1..).zip(codes) {
        let name = format!("M{number}");
        sender.deliver(0, number, whole(message(&name)));
        assert_eq!(control_id(&mut stream).await, name);
        write(&mut stream, &reply(code, &name)).await;
        let said = if code.ends_with('A') { format!("{code} R") } else { code.to_owned() };
        assert_eq!(outcome(&ear.report().await), (number, expected, &*said));
    }
}

#[tokio::test]
async fn a_note_has_what_the_partner_said() {
    let (partner, options) = partner().await;
    let (sender, mut ear) = start(options);
    let mut stream = accepted(&partner).await;
    sender.deliver(0, 1, whole(message("M1")));
    control_id(&mut stream).await;
    let busy = b"MSH|^~\\&|H|H|L|L|2026||ACK|R|P|2.5\rMSA|AE|M1|lab system busy\r";
    write(&mut stream, &framed(busy)).await;
    let report = ear.report().await;
    assert_eq!(outcome(&report), (1, Outcome::RefusedForNow, "AE lab system busy"));
    assert!(!format!("{report:?}").contains("busy"), "a partner's words stay out of debug output");
}

#[tokio::test]
async fn deliveries_leave_in_order_and_one_at_a_time() {
    let (partner, options) = partner().await;
    let (sender, mut ear) = start(options);
    let mut stream = accepted(&partner).await;
    for number in 0..5 {
        sender.deliver(0, number, whole(message(&format!("M{number}"))));
    }
    for number in 0..5 {
        let name = format!("M{number}");
        assert_eq!(control_id(&mut stream).await, name);
        assert!(common::is_quiet(&stream).await, "nothing more before the answer");
        write(&mut stream, &reply("AA", &name)).await;
        assert_eq!(ear.report().await.number, number);
    }
}

#[tokio::test]
async fn a_window_lets_more_leave() {
    let (partner, options) = partner().await;
    let (sender, mut ear) = start(SenderOptions { window: 3, ..options });
    let mut stream = accepted(&partner).await;
    for number in 0..4 {
        sender.deliver(0, number, whole(message(&format!("M{number}"))));
    }
    for number in 0..3 {
        assert_eq!(control_id(&mut stream).await, format!("M{number}"));
    }
    // Answers in any order, each to its own.
    write(&mut stream, &[reply("AA", "M2"), reply("AR", "M0"), reply("AA", "M1")].concat()).await;
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        let report = ear.report().await;
        outcomes.push((report.number, report.outcome));
    }
    assert_eq!(
        outcomes,
        [(2, Outcome::Delivered), (0, Outcome::RefusedForGood), (1, Outcome::Delivered)]
    );
    assert_eq!(control_id(&mut stream).await, "M3");
}

#[tokio::test]
async fn a_foreign_answer_is_no_success() {
    let (partner, options) = partner().await;
    let (sender, mut ear) = start(options.with_timeout(Duration::from_millis(200)));
    let mut stream = accepted(&partner).await;
    sender.deliver(0, 1, whole(message("M1")));
    control_id(&mut stream).await;
    write(&mut stream, &reply("AA", "M9")).await;
    assert_eq!(ear.report().await.outcome, Outcome::NoReply);
    // The late one comes on a connection that is gone: it is credited to nothing.
    let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &reply("AA", "M1")).await;
    let mut stream = {
        sender.deliver(0, 2, whole(message("M2")));
        accepted(&partner).await
    };
    assert_eq!(control_id(&mut stream).await, "M2");
    write(&mut stream, &reply("AA", "M2")).await;
    assert_eq!(outcome(&ear.report().await), (2, Outcome::Delivered, "AA R"));
}

#[tokio::test]
async fn silence_that_was_asked_for_is_a_success() {
    let (partner, options) = partner().await;
    let (sender, mut ear) = start(options);
    let mut stream = accepted(&partner).await;
    let quiet = b"MSH|^~\\&|LAB|L|HIS|H|20260101||ADT^A01|M1|P|2.5|||NE|NE\rPID|1\r";
    sender.deliver(0, 1, whole(quiet));
    assert_eq!(outcome(&ear.report().await), (1, Outcome::Delivered, ""));
    assert_eq!(control_id(&mut stream).await, "M1");
}

#[tokio::test]
async fn a_stored_message_is_delivered_and_not_waited_for() {
    let (partner, options) = partner().await;
    let (sender, mut ear) = start(options);
    let mut stream = accepted(&partner).await;
    let both = b"MSH|^~\\&|LAB|L|HIS|H|20260101||ADT^A01|M1|P|2.5|||AL|AL\rPID|1\r";
    sender.deliver(0, 1, whole(both));
    control_id(&mut stream).await;
    write(&mut stream, &reply("CA", "M1")).await;
    assert_eq!(outcome(&ear.report().await), (1, Outcome::Delivered, "CA R"));
    drop(stream);
    drop(partner);
    // Whatever becomes of the connection, nothing else is said of it.
    sender.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_lost_connection_fails_what_had_no_answer() {
    let (partner, options) = partner().await;
    let (sender, mut ear) = start(SenderOptions { window: 2, ..options });
    let mut stream = accepted(&partner).await;
    sender.deliver(0, 1, whole(message("M1")));
    sender.deliver(0, 2, whole(message("M2")));
    control_id(&mut stream).await;
    control_id(&mut stream).await;
    write(&mut stream, &reply("AA", "M1")).await;
    drop(stream);
    assert_eq!(outcome(&ear.report().await), (1, Outcome::Delivered, "AA R"));
    assert_eq!(outcome(&ear.report().await), (2, Outcome::Transport, ""));
}

#[tokio::test]
async fn a_partner_that_is_down_is_dialed_until_it_is_there() {
    let (partner, options) = partner().await;
    let address = partner.local_addr().unwrap();
    drop(partner);
    let (sender, mut ear) = start(options);
    // Not ready from the beginning; what is given all the same fails, and nothing is kept.
    sender.deliver(0, 1, whole(message("M1")));
    assert_eq!(outcome(&ear.report().await), (1, Outcome::Transport, ""));
    let partner = TcpListener::bind(address).await.unwrap();
    let mut stream = accepted(&partner).await;
    assert_eq!(ear.next().await, Told::Ready(true));
    sender.deliver(0, 2, whole(message("M2")));
    assert_eq!(control_id(&mut stream).await, "M2");
    write(&mut stream, &reply("AA", "M2")).await;
    assert_eq!(ear.report().await.outcome, Outcome::Delivered);
    // Gone while nothing is to be sent: not known to be unreachable until it was dialed in vain.
    drop(stream);
    drop(partner);
    for number in 3.. {
        sender.deliver(0, number, whole(message("M3")));
        match ear.next().await {
            Told::Report(report) => assert_eq!(report.outcome, Outcome::Transport),
            Told::Ready(ready) => {
                assert!(!ready);
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_sender_that_is_told_to_dial_does_not_wait() {
    let (partner, options) = partner().await;
    let address = partner.local_addr().unwrap();
    drop(partner);
    let hour = std::time::Duration::from_secs(3600);
    let (sender, mut ear) = start(SenderOptions { back_off: hour, max_back_off: hour, ..options });
    // It rests: what is given has failed.
    sender.deliver(0, 1, whole(message("M1")));
    assert_eq!(outcome(&ear.report().await), (1, Outcome::Transport, ""));
    let partner = TcpListener::bind(address).await.unwrap();
    sender.dial();
    let mut stream = accepted(&partner).await;
    assert_eq!(ear.next().await, Told::Ready(true));
    sender.deliver(0, 2, whole(message("M2")));
    assert_eq!(control_id(&mut stream).await, "M2");
    // On a connection it means nothing, and it is not kept for later.
    sender.dial();
    write(&mut stream, &reply("AA", "M2")).await;
    assert_eq!(ear.report().await.outcome, Outcome::Delivered);
}

#[tokio::test]
async fn what_cannot_be_sent_says_so_and_holds_nothing_up() {
    let (partner, options) = partner().await;
    let (sender, mut ear) = start(options);
    let mut stream = accepted(&partner).await;
    sender.deliver(0, 1, whole(b"MSH|^~\\&|\x1c|"));
    sender.deliver(0, 2, whole(message(&"x".repeat(300))));
    sender.deliver(0, 3, whole(message("M3")));
    assert_eq!(ear.report().await.outcome, Outcome::Unsendable);
    assert_eq!(outcome(&ear.report().await), (2, Outcome::Unsendable, "id_too_long"));
    assert_eq!(control_id(&mut stream).await, "M3");
}

#[tokio::test]
async fn two_deliveries_with_one_control_id_wait_for_each_other() {
    let (partner, options) = partner().await;
    let (sender, mut ear) = start(SenderOptions { window: 8, ..options });
    let mut stream = accepted(&partner).await;
    sender.deliver(0, 1, whole(message("M1")));
    sender.deliver(0, 2, whole(message("M1")));
    control_id(&mut stream).await;
    assert!(common::is_quiet(&stream).await);
    write(&mut stream, &reply("AA", "M1")).await;
    assert_eq!(ear.report().await.number, 1);
    control_id(&mut stream).await;
    write(&mut stream, &reply("AE", "M1")).await;
    assert_eq!(outcome(&ear.report().await), (2, Outcome::RefusedForNow, "AE"));
}

#[tokio::test]
async fn what_is_abandoned_has_no_report() {
    let (partner, options) = partner().await;
    let (sender, mut ear) = start(options);
    let mut first = accepted(&partner).await;
    sender.deliver(0, 1, whole(message("M1")));
    control_id(&mut first).await;
    sender.abandon(1);
    sender.deliver(0, 9, whole(message("M9")));
    sender.deliver(1, 2, whole(message("M2")));
    let mut stream = accepted(&partner).await;
    assert_eq!(control_id(&mut stream).await, "M2");
    write(&mut stream, &reply("AA", "M2")).await;
    assert_eq!(ear.report().await.number, 2);
}

#[tokio::test]
async fn a_stop_waits_for_the_answer_that_is_due() {
    let (partner, options) = partner().await;
    let (sender, mut ear) = start(options);
    let mut stream = accepted(&partner).await;
    sender.deliver(0, 1, whole(message("M1")));
    control_id(&mut stream).await;
    let stopping = tokio::spawn(sender.stop(Duration::from_secs(30)));
    write(&mut stream, &reply("AA", "M1")).await;
    assert_eq!(ear.report().await.outcome, Outcome::Delivered);
    stopping.await.unwrap();
}
