//! The journey of a message, line by line, as the store tells it.

mod common;

use std::net::TcpListener;
use std::path::Path;

use common::{DEADLINE, Partner, Peer, accept, disposition, msa, until};
use mllp_engine::{Builder, Engine, MessageId, Retry, Send};
use tempfile::TempDir;

const MESSAGE: &[u8] = b"MSH|^~\\&|ADT|H|OLD|H|20261201||ADT^A08|M000123|P|2.5\rPV1|1|I|W1^12^A\r";

/// To a laboratory, changed in two fields, and to billing, unchanged.
fn feeds(data: &Path, lab: u16, bill: u16) -> Builder {
    Engine::builder(data)
        .configuration("9c41e02f00d")
        .inbound("IB_ADT", "127.0.0.1:0", "adt")
        .router("adt", |_| ["to_lab", "to_bill"])
        .handler("to_lab", |message| {
            let text = String::from_utf8(message.payload().to_vec()).unwrap();
            let changed = text.replace("|OLD|", "|LAB|").replace("W1^", "W2^");
            [Send::bytes("OB_LAB", changed.into_bytes())]
        })
        .handler("to_bill", |_| [Send::unchanged("OB_BILL")])
        .outbound("OB_LAB", "127.0.0.1", lab)
        .outbound("OB_BILL", "127.0.0.1", bill)
        .retry(Retry { backoff: 20, max_backoff: 50, ..Retry::DEFAULT })
}

fn answer(partner: &mut Peer, id: &str, ack: &str) {
    let header = format!("MSH|^~\\&|P|P|E|E|2026||ACK|{ack}|P|2.5\r");
    partner.write(format!("{header}MSA|AA|{id}\r").as_bytes());
}

/// Times, dates and milliseconds as letters, and what was random as a name.
fn plain(text: &str, names: &[(&str, &str)]) -> String {
    let is_time = |it: &str| it.len() == 12 && it.is_char_boundary(12) && it.as_bytes()[2] == b':';
    let words = |line: &str| {
        let words = line.split(' ').map(|word| match word.trim_end_matches('Z') {
            word if is_time(word) => "TIME",
            word if word.len() == 10 && word.starts_with("20") && word.contains('-') => "DATE",
            _ => word,
        });
        words.collect::<Vec<_>>().join(" ")
    };
    let lines: Vec<_> = text.lines().map(words).collect();
    let text = names.iter().fold(lines.join("\n"), |text, (from, to)| text.replace(from, to));
    let mut plain = String::new();
    for line in text.lines() {
        match line
            .split_once(" ms")
            .and_then(|(before, rest)| Some((before.rsplit_once(' ')?.0, rest)))
        {
            Some((before, rest)) => plain.push_str(&format!("{before} N ms{rest}\n")),
            None => plain.push_str(&format!("{line}\n")),
        }
    }
    plain
}

const EXPECTED: &str = "\
1  ADT^A08  control ID M000123  IB_ADT  from SENDER  69 bytes  session 1
configuration 9c41e02
DATE (UTC)
TIME  received      IB_ADT
              stored, answered AA (ACK control ID ACK)
TIME  routed        adt -> to_lab, to_bill
TIME  transformed   to_lab -> OB_LAB (2 fields differ: MSH-5, PV1-3.1)
TIME  transformed   to_bill -> OB_BILL (unchanged)
TIME  delivered     OB_BILL  AA RM000123  N ms
TIME  attempt 1     OB_LAB  transport
TIME  possibly sent OB_LAB  (engine started DATE TIME after a crash)
TIME  delivered     OB_LAB  AA L20017  N ms  possibly sent before (engine started DATE TIME after a crash)
PROCESSED DATE TIME
";

#[test]
fn every_fact_of_a_journey_comes_from_the_store() {
    let (data, lab) = (TempDir::new().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let bill = Partner::start(accept);
    let ports = (lab.local_addr().unwrap().port(), bill.address.port());
    let engine = feeds(data.path(), ports.0, ports.1).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB_ADT").unwrap());
    sender.write(MESSAGE);
    let ack = sender.frame().unwrap();
    assert_eq!(msa(&ack), "AA M000123");
    bill.next();
    // It is lost once, and the second time the engine is lost.
    let mut partner = Peer::new(lab.accept().unwrap().0);
    partner.frame().unwrap();
    drop(partner);
    let mut partner = Peer::new(lab.accept().unwrap().0);
    partner.frame().unwrap();
    until("billing is done", || {
        let text = engine.journey(MessageId(1)).unwrap().unwrap().to_string();
        text.contains("delivered     OB_BILL")
    });
    drop(engine);
    let engine = feeds(data.path(), ports.0, ports.1).configuration("another").start().unwrap();
    let mut partner = Peer::new(lab.accept().unwrap().0);
    partner.frame().unwrap();
    answer(&mut partner, "M000123", "L20017");
    until("it is delivered", || disposition(&engine, 1) == "PROCESSED");
    let text = engine.journey(MessageId(1)).unwrap().unwrap().to_string();
    let address = sender.local().to_string();
    let ack_id = String::from_utf8(ack).unwrap().split('|').nth(9).unwrap().to_owned();
    let names = [(address.as_str(), "SENDER"), (ack_id.as_str(), "ACK")];
    // Which of the two is first, billing or the lost connection, is not decided.
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines[8..10].sort();
        lines
    };
    assert_eq!(sorted(&plain(&text, &names)), sorted(EXPECTED), "{text}");
    engine.stop(DEADLINE).unwrap();
    // What ends by a stop is no crash, and another life has another configuration.
    let engine = feeds(data.path(), ports.0, ports.1).configuration("another").start().unwrap();
    let mut sender = Peer::connect(engine.address("IB_ADT").unwrap());
    let second = String::from_utf8(MESSAGE.to_vec()).unwrap().replace("M000123", "M2");
    assert_eq!(sender.send(second.as_bytes()).as_deref(), Some("AA M2"));
    until("it is routed", || disposition(&engine, 2) == "ROUTED");
    let journey = engine.journey(MessageId(2)).unwrap().unwrap();
    assert_eq!(journey.configuration(), Some("another"));
    let life = journey.life(journey.events()[0].stamp).unwrap();
    assert!(!life.after_crash);
}

#[test]
fn what_was_received_and_not_routed_has_no_configuration() {
    let data = TempDir::new().unwrap();
    let engine = feeds(data.path(), 1, 1).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB_ADT").unwrap());
    sender.write(b"no message");
    let ack = sender.frame().unwrap();
    assert!(msa(&ack).starts_with("AR"));
    let journey = engine.journey(MessageId(1)).unwrap().unwrap();
    assert_eq!((journey.configuration(), journey.acknowledgment().code.as_str()), (None, "AR"));
    assert!(journey.to_string().contains("stored, answered AR (ACK control ID "), "{journey}");
}
