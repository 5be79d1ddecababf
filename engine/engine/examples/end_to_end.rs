//! Measures an engine end to end, beside the least that a durable pipeline on the same disk does.
//!
//! ```sh
//! cargo run --release -p mllp-engine --example end_to_end -- DATA SECONDS OUTSTANDING
//! ```
//!
//! Sixteen senders keep `OUTSTANDING` messages each without an answer; a handler sets one field, and
//! each message goes to one of four partners, window 64. Senders, engine and partners share this
//! process and the machine. Prints messages accepted in a second during the intake, delivered in a
//! second from the first message to the last delivery, and quantiles of the time to the
//! acknowledgment.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mllp_engine::{Engine, Send};
use mllp_io::{
    Gate, Incoming, Intake, Listener, ListenerOptions, Outcome, Reply, Report, Reports, Sender,
    SenderOptions,
};

const SENDERS: u32 = 16;
const PARTNERS: u32 = 4;
const LEN: usize = 1200;

/// A partner that takes everything.
struct Takes(AtomicU64);

impl Intake for Takes {
    fn received(&self, messages: &mut Vec<Incoming>) {
        self.0.fetch_add(messages.len() as u64, Ordering::Relaxed);
        for message in messages.drain(..) {
            message.reply_to.answer(Reply::Acknowledgment(message.acknowledgment.into()));
        }
    }
}

/// The reports of one sender, in a list that its thread takes.
struct Heard(std::sync::mpsc::Sender<u64>);

impl Reports for Heard {
    fn reported(&self, _sender: u32, reports: &mut Vec<Report>) {
        for report in reports.drain(..) {
            assert_eq!(report.outcome, Outcome::Delivered, "{}", report.number);
            let _ = self.0.send(report.number);
        }
    }

    fn ready(&self, _sender: u32, _ready: bool) {}
}

fn message(sender: u32, number: u64) -> Arc<[u8]> {
    let head = format!(
        "MSH|^~\\&|BENCH|FASTMLLP|HIS|H|20260101000000||ADT^A08|{sender:02}{number:09}|T|2.5\r\
         PID|1||4711||NOBODY^NAMED\rPV1|1|I|\rNTE|1||"
    );
    let filling = "x".repeat(LEN - head.len() - 1);
    [head.as_bytes(), filling.as_bytes(), b"\r"].concat().into()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, seconds, outstanding] = &arguments[..] else {
        panic!("usage: end_to_end DATA SECONDS OUTSTANDING")
    };
    let seconds = Duration::from_secs_f64(seconds.parse().expect("SECONDS"));
    let outstanding: usize = outstanding.parse().expect("OUTSTANDING");

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let partners = Arc::new(Takes(AtomicU64::new(0)));
    let listeners: Vec<Listener> = (0..PARTNERS).map(|_| partner(&runtime, &partners)).collect();
    let engine = engine(data, &listeners);
    let address = engine.address("IN").expect("it listens");

    let began = Instant::now();
    let threads: Vec<_> = (0..SENDERS)
        .map(|number| {
            let handle = runtime.handle().clone();
            std::thread::spawn(move || send(&handle, number, address, outstanding, began, seconds))
        })
        .collect();
    let mut times = Vec::new();
    threads.into_iter().for_each(|it| times.extend(it.join().expect("a sender")));
    let intake = began.elapsed().as_secs_f64();
    let delivered_meanwhile = partners.0.load(Ordering::Relaxed);
    while partners.0.load(Ordering::Relaxed) < times.len() as u64
        || !engine.status().expect("it runs").is_idle
    {
        std::thread::sleep(Duration::from_millis(1));
    }
    let drained = began.elapsed().as_secs_f64();
    times.sort_unstable();
    let quantile = |q: f64| times[((times.len() - 1) as f64 * q) as usize];
    println!(
        "{:.0} messages/s end to end, {:.0} accepted/s and {:.0} delivered/s during intake, \
         acknowledged p50 {} us p99 {} us",
        times.len() as f64 / drained,
        times.len() as f64 / intake,
        delivered_meanwhile as f64 / intake,
        quantile(0.5),
        quantile(0.99),
    );
    engine.stop(Duration::from_secs(30)).expect("it stops");
}

fn partner(runtime: &tokio::runtime::Runtime, takes: &Arc<Takes>) -> Listener {
    let address: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let intake: Arc<Takes> = Arc::clone(takes);
    let options = ListenerOptions::default();
    runtime.block_on(Listener::bind(address, options, intake, Gate::new())).expect("it listens")
}

fn engine(data: &str, partners: &[Listener]) -> Engine {
    let mut builder = Engine::builder(data)
        .inbound("IN", "127.0.0.1:0", "all")
        .router("all", |_| ["change"])
        .handler("change", |message| {
            // MSH-5, and one partner for each message by its control ID.
            let payload = message.payload();
            let at = payload.windows(5).position(|it| it == b"|HIS|").unwrap_or(0);
            let changed = [&payload[..at], b"|LAB|", &payload[at + 5..]].concat();
            let digit = message.get("MSH-10").and_then(|it| it.last()).map_or(0, |it| it % 4);
            [Send::bytes(format!("OUT{digit}"), changed)]
        });
    for (number, partner) in partners.iter().enumerate() {
        let port = partner.address().port();
        builder = builder.outbound(&format!("OUT{number}"), "127.0.0.1", port).window(64);
    }
    builder.start().expect("it starts")
}

/// Keeps messages without an answer until the time is over; returns microseconds to each answer.
fn send(
    runtime: &tokio::runtime::Handle,
    number: u32,
    address: SocketAddr,
    outstanding: usize,
    began: Instant,
    seconds: Duration,
) -> Vec<u64> {
    let (reports, answers) = std::sync::mpsc::channel();
    let options = SenderOptions {
        window: outstanding,
        ..SenderOptions::new(number, &address.ip().to_string(), address.port())
    };
    let inside = runtime.enter();
    let sender = Sender::start(options, Arc::new(Heard(reports)));
    drop(inside);
    let mut sent_at: Vec<Instant> = Vec::new();
    let mut times = Vec::new();
    let next = |sent_at: &mut Vec<Instant>| {
        let id = sent_at.len() as u64;
        sent_at.push(Instant::now());
        sender.deliver(id, message(number, id));
    };
    (0..outstanding).for_each(|_| next(&mut sent_at));
    while times.len() < sent_at.len() {
        let id = answers.recv().expect("an answer");
        times.push(sent_at[id as usize].elapsed().as_micros() as u64);
        if began.elapsed() < seconds {
            next(&mut sent_at);
        }
    }
    times
}
