//! A partner that lies: whatever it answers, a delivery is completed by its own AA alone, is tried again
//! until then, and keeps its place.

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use common::{DEADLINE, Peer, control_id, disposition, framed, journey, message, wait_until_idle};
use mllp_engine::{Engine, Retry, Send};
use tempfile::TempDir;

/// Longer than an answer takes on a busy machine, and short for a test.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What is answered in place of an AA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    /// AA for a message that was never sent.
    Foreign,
    /// AA for the message before.
    Another,
    /// AA for a message that is still to come.
    Early,
    /// AA, after the sender has stopped waiting.
    Late,
    /// A frame that is not HL7.
    Text,
    /// An HL7 message that acknowledges nothing.
    NoMsa,
    /// A code that there is not.
    NoCode,
    /// An empty frame.
    Empty,
    /// A negative answer of the commit block of MLLP 2.
    Nak,
    /// The beginning of a frame, and never its end.
    Endless,
    /// Bytes without a frame.
    Noise,
    /// Half an AA, and the end of the connection.
    Half,
    /// Nothing.
    Silence,
    /// The end of the connection.
    Close,
}

const LIES: [Lie; 14] = [
    Lie::Foreign,
    Lie::Another,
    Lie::Early,
    Lie::Late,
    Lie::Text,
    Lie::NoMsa,
    Lie::NoCode,
    Lie::Empty,
    Lie::Nak,
    Lie::Endless,
    Lie::Noise,
    Lie::Half,
    Lie::Silence,
    Lie::Close,
];

fn answer(code: &str, id: &str) -> Vec<u8> {
    framed(format!("MSH|^~\\&|P|P|E|E|2026||ACK|R{id}|P|2.5\rMSA|{code}|{id}\r").as_bytes())
}

/// Lies to the first message that comes, and takes every other; tells what comes.
struct Liar {
    address: SocketAddr,
    arrived: Receiver<String>,
}

impl Liar {
    fn start(lie: Lie) -> Liar {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, arrived) = channel();
        std::thread::spawn(move || {
            let mut lies = Some(lie);
            while let Ok((mut stream, _)) = listener.accept() {
                while let Some(payload) = frame(&mut stream) {
                    let id = control_id(&payload);
                    // The message before M2 is taken.
                    let lie = if id == "M2" { lies.take() } else { None };
                    if sender.send(id.clone()).is_err() {
                        return;
                    }
                    let goes_on = match lie {
                        None => stream.write_all(&answer("AA", &id)).is_ok(),
                        Some(lie) => tell(&mut stream, lie, &id),
                    };
                    if !goes_on {
                        break;
                    }
                }
            }
        });
        Liar { address, arrived }
    }

    fn next(&self, lie: Lie) -> String {
        let next = self.arrived.recv_timeout(DEADLINE);
        next.unwrap_or_else(|_| panic!("{lie:?}: no delivery"))
    }
}

/// Returns whether the connection goes on.
fn tell(stream: &mut TcpStream, lie: Lie, id: &str) -> bool {
    let aa = answer("AA", id);
    let half = &aa[..aa.len() / 2];
    let bytes = match lie {
        Lie::Foreign => answer("AA", "NOBODY"),
        Lie::Another => answer("AA", "M1"),
        Lie::Early => answer("AA", "M3"),
        Lie::Text => framed(b"thank you"),
        Lie::NoMsa => framed(b"MSH|^~\\&|P|P|E|E|2026||ACK|R1|P|2.5\r"),
        Lie::NoCode => answer("OK", id),
        Lie::Empty => framed(b""),
        Lie::Nak => framed(b"\x15"),
        Lie::Endless => b"\x0bMSH|^~\\&|P|P|E|E|2026||ACK|R1|P|2.5\rMSA|AA|".to_vec(),
        Lie::Noise => b"\r\n\x1c\x1c220 welcome\r\n".to_vec(),
        Lie::Half => half.to_vec(),
        Lie::Late | Lie::Silence | Lie::Close => Vec::new(),
    };
    let _ = stream.write_all(&bytes);
    match lie {
        Lie::Half | Lie::Close => false,
        Lie::Late => {
            // Until the engine has given up.
            let _ = stream.set_read_timeout(Some(DEADLINE));
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(&aa);
            false
        }
        _ => true,
    }
}

fn frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\x1c\r") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    Some(bytes[1..bytes.len() - 2].to_vec())
}

#[test]
fn a_delivery_is_completed_by_its_own_aa_alone() {
    std::thread::scope(|scope| {
        LIES.iter().for_each(|lie| drop(scope.spawn(|| is_seen_through(*lie))));
    });
}

fn is_seen_through(lie: Lie) {
    let (data, liar) = (TempDir::new().unwrap(), Liar::start(lie));
    let engine = Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| [Send::unchanged("OB")])
        .outbound("OB", &liar.address.ip().to_string(), liar.address.port())
        .timeout(TIMEOUT)
        .retry(Retry { max_attempts: None, backoff: 20, multiplier: 1, max_backoff: 20 })
        .start()
        .unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for name in ["M1", "M2", "M3"] {
        assert_eq!(sender.send(&message(name)), Some(format!("AA {name}")), "{lie:?}");
    }
    let arrived: Vec<_> = (0..4).map(|_| liar.next(lie)).collect();
    assert_eq!(arrived, ["M1", "M2", "M2", "M3"], "{lie:?}");
    wait_until_idle(&engine);
    for id in 1..=3 {
        assert_eq!(disposition(&engine, id), "PROCESSED", "{lie:?}");
    }
    let journey = journey(&engine, 2).to_string();
    assert!(journey.contains("attempt 1"), "{lie:?}: {journey}");
    engine.stop(DEADLINE).unwrap();
}
