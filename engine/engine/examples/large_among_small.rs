//! Measures what one large message costs an engine and the small ones beside it.
//!
//! ```sh
//! cargo run --release -p mllp-engine --example large_among_small -- DATA SECONDS MEGABYTES
//! ```
//!
//! Sixteen senders send 5,000 small messages a second; after `SECONDS` one more connection sends a message of
//! `MEGABYTES`, which is delivered like the others. Prints quantiles of the time to the acknowledgment before
//! and meanwhile, and by how much the memory of the process has grown.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mllp_engine::{Engine, Send};
use mllp_io::{
    Chunk, Gate, Incoming, Intake, Listener, ListenerOptions, Reply, Report, Reports, Sender,
    SenderOptions,
};

const SENDERS: u32 = 16;
const RATE: u32 = 5_000;

/// A partner that takes everything and keeps nothing.
#[derive(Default)]
struct Takes {
    messages: AtomicU64,
    chunk_bytes: AtomicU64,
}

impl Intake for Takes {
    fn received(&self, messages: &mut Vec<Incoming>) {
        self.messages.fetch_add(messages.len() as u64, Ordering::Relaxed);
        for message in messages.drain(..) {
            message.reply_to.answer(Reply::Acknowledgment(message.acknowledgment));
        }
    }

    fn begin(&self) -> u64 {
        0
    }

    fn store(&self, chunk: Chunk) {
        self.chunk_bytes.fetch_add(chunk.bytes.len() as u64, Ordering::Relaxed);
        chunk.stored();
    }

    fn give_up(&self, _body: u64) {}
}

struct Heard(std::sync::mpsc::Sender<u64>);

impl Reports for Heard {
    fn reported(&self, _sender: u32, reports: &mut Vec<Report>) {
        for report in reports.drain(..) {
            let _ = self.0.send(report.number);
        }
    }

    fn ready(&self, _sender: u32, _ready: bool) {}
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, seconds, megabytes] = &arguments[..] else {
        panic!("usage: large_among_small DATA SECONDS MEGABYTES")
    };
    let seconds = Duration::from_secs_f64(seconds.parse().expect("SECONDS"));
    let len = megabytes.parse::<usize>().expect("MEGABYTES") * 1_000_000;

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let takes = Arc::new(Takes::default());
    let bound = Listener::bind(
        SocketAddr::from(([127, 0, 0, 1], 0)),
        ListenerOptions::default(),
        Arc::<Takes>::clone(&takes),
        Gate::new(),
    );
    let partner = runtime.block_on(bound).expect("it listens");
    let engine = passes_on(data, partner.address().port());
    let address = engine.address("IN").expect("it listens");

    let (is_over, is_large) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let senders: Vec<_> = (0..SENDERS)
        .map(|number| {
            let (over, large) = (Arc::clone(&is_over), Arc::clone(&is_large));
            let handle = runtime.handle().clone();
            std::thread::spawn(move || send_small(&handle, number, address, &over, &large))
        })
        .collect();
    std::thread::sleep(seconds);
    let before = peak(true);
    is_large.store(true, Ordering::Relaxed);
    let began = Instant::now();
    send_large(address, len);
    let acknowledged = began.elapsed();
    while takes.chunk_bytes.load(Ordering::Relaxed) < len as u64 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let delivered = began.elapsed();
    let grown = peak(false).saturating_sub(before);
    is_over.store(true, Ordering::Relaxed);
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for sender in senders {
        let times = sender.join().expect("a sender");
        times
            .into_iter()
            .for_each(|(large, time)| if large { &mut beside } else { &mut alone }.push(time));
    }
    println!("large: acknowledged after {acknowledged:.1?}, delivered after {delivered:.1?}");
    print_quantiles("small, alone", alone);
    print_quantiles("small, beside it", beside);
    println!("memory of the process has grown by {:.1} MiB at most", grown as f64 / 1024.0);
    engine.stop(Duration::from_secs(30)).expect("it stops");
}

/// An engine that gives every message to one partner.
fn passes_on(data: &str, port: u16) -> Engine {
    Engine::builder(data)
        .inbound("IN", "127.0.0.1:0", "all")
        .router("all", |message| message.get("MSH-9").map(|_| "pass"))
        .handler("pass", |_| [Send::unchanged("OUT")])
        .outbound("OUT", "127.0.0.1", port)
        .window(64)
        .start()
        .expect("it starts")
}

fn print_quantiles(name: &str, mut times: Vec<u64>) {
    times.sort_unstable();
    let quantile = |q: f64| times[((times.len() - 1) as f64 * q) as usize];
    let (p50, p99) = (quantile(0.5), quantile(0.99));
    println!("{name}: {} messages, acknowledged p50 {p50} us p99 {p99} us", times.len());
}

/// The most memory that the process has had, in KiB; `reset` forgets what was before.
fn peak(reset: bool) -> u64 {
    if reset {
        let _ = std::fs::write("/proc/self/clear_refs", "5");
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    line.and_then(|it| it.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Sends its share until it is over; microseconds to each answer, and whether the large one was beside.
fn send_small(
    runtime: &tokio::runtime::Handle,
    number: u32,
    address: SocketAddr,
    over: &AtomicBool,
    large: &AtomicBool,
) -> Vec<(bool, u64)> {
    let (reports, answers) = std::sync::mpsc::channel();
    let host = address.ip().to_string();
    let options = SenderOptions { window: 64, ..SenderOptions::new(number, &host, address.port()) };
    let inside = runtime.enter();
    let sender = Sender::start(options, Arc::new(Heard(reports)));
    drop(inside);
    let pause = Duration::from_secs(1) * SENDERS / RATE;
    let (began, mut sent_at, mut times) = (Instant::now(), Vec::new(), Vec::new());
    while !over.load(Ordering::Relaxed) || times.len() < sent_at.len() {
        let due = began + pause * sent_at.len() as u32;
        if Instant::now() >= due && !over.load(Ordering::Relaxed) {
            let id = sent_at.len() as u64;
            sent_at.push((large.load(Ordering::Relaxed), Instant::now()));
            let text = format!(
                "MSH|^~\\&|BENCH|S|HIS|H|2026||ADT^A08|{number:02}{id:09}|T|2.5\rNTE|1||{}\r",
                "x".repeat(1000)
            );
            sender.deliver(0, id, Arc::<[u8]>::from(text.as_bytes()));
        }
        let wait = due.saturating_duration_since(Instant::now()).max(Duration::from_micros(50));
        if let Ok(id) = answers.recv_timeout(wait) {
            let (large, at) = sent_at[id as usize];
            times.push((large, at.elapsed().as_micros() as u64));
        }
    }
    times
}

fn send_large(address: SocketAddr, len: usize) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let head = b"\x0bMSH|^~\\&|BENCH|L|HIS|H|2026||MDM^T02|LARGE|T|2.5\rOBX|1|ED|";
    stream.write_all(head).expect("it is written");
    let piece = [b'x'; 64 * 1024];
    let mut left = len;
    while left > 0 {
        let part = left.min(piece.len());
        stream.write_all(&piece[..part]).expect("it is written");
        left -= part;
    }
    stream.write_all(b"\r\x1c\r").expect("it is written");
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\x1c\r") {
        stream.read_exact(&mut byte).expect("an answer");
        answer.push(byte[0]);
    }
    assert!(String::from_utf8_lossy(&answer).contains("MSA|AA|LARGE"));
}
