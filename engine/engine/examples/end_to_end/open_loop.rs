//! Messages at a fixed rate, whatever comes back, and one message at a time.

use std::sync::Arc;
use std::sync::mpsc::{Sender as Telling, channel};
use std::time::{Duration, Instant};

use mllp_io::{Outcome, Report, Reports, Sender, SenderOptions};
use tokio::runtime::Runtime;

use crate::engine::{Clock, Partners, Running};
use crate::message;

const CONNECTIONS: usize = 64;

/// Says of each message when its answer has come.
struct Heard(Telling<(u64, Instant)>);

impl Reports for Heard {
    fn reported(&self, _sender: u32, reports: &mut Vec<Report>) {
        let now = Instant::now();
        for report in reports.drain(..) {
            assert_eq!(report.outcome, Outcome::Delivered, "{}", report.number);
            let _ = self.0.send((report.number, now));
        }
    }

    fn ready(&self, _sender: u32, _ready: bool) {}
}

fn senders(runtime: &Runtime, port: u16, count: usize, window: usize) -> (Vec<Sender>, Answers) {
    let (told, answers) = channel();
    let _inside = runtime.enter();
    let options =
        |at: usize| SenderOptions { window, ..SenderOptions::new(at as u32, "127.0.0.1", port) };
    let heard = Arc::new(Heard(told));
    let start = |at| Sender::start(options(at), Arc::clone(&heard) as Arc<dyn Reports>);
    ((0..count).map(start).collect(), answers)
}

type Answers = std::sync::mpsc::Receiver<(u64, Instant)>;

/// Quantiles of the time from when a message was due to its acknowledgment, and to its delivery. The
/// longest acknowledgment bounds the longest pause of the writer.
pub fn run(data: &str, inbound: &str, rate: u64, seconds: u64) {
    let running = Running::start(data, inbound, "change");
    let (senders, answers) = senders(&running.runtime, running.port(inbound), CONNECTIONS, 64);
    let count = rate * seconds;
    let due = |number: u64| Duration::from_nanos(number * 1_000_000_000 / rate);
    let began = Instant::now() + Duration::from_millis(200);
    let sent = (0..count).map(|it| due(it).as_micros() as u64).collect();
    let clock = Clock { began, sent, took: Vec::with_capacity(count as usize) };
    *running.partners.clock.lock().expect("not poisoned") = Some(clock);
    for number in 0..count {
        let at = began + due(number);
        if let Some(wait) = at.checked_duration_since(Instant::now()) {
            std::thread::sleep(wait);
        }
        let sender = &senders[number as usize % CONNECTIONS];
        sender.deliver(0, number, Arc::<[u8]>::from(message(9, number)));
    }
    let took = |(number, at): (u64, Instant)| {
        at.saturating_duration_since(began + due(number)).as_micros() as u64
    };
    let mut acknowledged: Vec<_> = answers.iter().take(count as usize).map(took).collect();
    while running.partners.taken() < count {
        std::thread::sleep(Duration::from_millis(1));
    }
    let clock = running.partners.clock.lock().expect("not poisoned").take();
    let mut delivered = clock.map(|it| it.took).unwrap_or_default();
    let (acknowledged, delivered) =
        (Quantiles::of(&mut acknowledged), Quantiles::of(&mut delivered));
    println!(
        "{{\"p50_us\":{},\"p99_us\":{},\"max_us\":{},\"delivered_p50_us\":{},\
         \"delivered_p99_us\":{}}}",
        acknowledged.p50, acknowledged.p99, acknowledged.max, delivered.p50, delivered.p99,
    );
    running.stop();
}

struct Quantiles {
    p50: u64,
    p99: u64,
    max: u64,
}

impl Quantiles {
    fn of(times: &mut [u64]) -> Quantiles {
        times.sort_unstable();
        let quantile = |q: f64| times[((times.len() - 1) as f64 * q) as usize];
        Quantiles { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1.0) }
    }
}

/// Microseconds from a delivery to the report of it, without an engine.
pub fn round_trip(count: u64) {
    let runtime = Runtime::new().expect("a runtime");
    let partners = Partners::new();
    let listener = partners.listen(&runtime);
    let (senders, answers) = senders(&runtime, listener.address().port(), 1, 1);
    let mut began = Instant::now();
    for number in 0..count + 100 {
        if number == 100 {
            began = Instant::now();
        }
        senders[0].deliver(0, number, Arc::<[u8]>::from(message(9, number)));
        let _ = answers.recv().expect("an answer");
    }
    println!("{{\"round_trip_us\":{:.1}}}", began.elapsed().as_micros() as f64 / count as f64);
    runtime.shutdown_timeout(Duration::ZERO);
}
