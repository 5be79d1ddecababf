//! An engine, and the partners that it delivers to, in one process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mllp_engine::{Builder, Engine, Send};
use mllp_io::{Chunk, Gate, Incoming, Intake, Listener, ListenerOptions, Reply};
use tokio::runtime::Runtime;

pub const PARTNERS: usize = 4;

/// Partners that take everything.
#[derive(Default)]
pub struct Partners {
    taken: AtomicU64,
    /// When each message was sent, and how long it took to get here; by the last digits of MSH-10.
    pub clock: Mutex<Option<Clock>>,
}

/// Microseconds since the beginning at which messages were sent, and those that they took.
pub struct Clock {
    pub began: Instant,
    pub sent: Vec<u64>,
    pub took: Vec<u64>,
}

impl Partners {
    pub fn new() -> Arc<Partners> {
        Arc::default()
    }

    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    pub fn listen(self: &Arc<Self>, runtime: &Runtime) -> Listener {
        let address = "127.0.0.1:0".parse().expect("an address");
        let partners: Arc<Partners> = Arc::clone(self);
        let bound = Listener::bind(address, ListenerOptions::default(), partners, Gate::new());
        runtime.block_on(bound).expect("it listens")
    }

    fn note(&self, messages: &[Incoming]) {
        let mut clock = self.clock.lock().expect("not poisoned");
        let Some(clock) = clock.as_mut() else { return };
        let now = clock.began.elapsed().as_micros() as u64;
        for message in messages {
            let number = std::str::from_utf8(&message.control_id[2..]).expect("digits");
            let sent = clock.sent[number.parse::<usize>().expect("a number")];
            clock.took.push(now.saturating_sub(sent));
        }
    }
}

impl Intake for Partners {
    fn received(&self, messages: &mut Vec<Incoming>) {
        self.taken.fetch_add(messages.len() as u64, Ordering::Relaxed);
        self.note(messages);
        for message in messages.drain(..) {
            message.reply_to.answer(Reply::Acknowledgment(message.acknowledgment));
        }
    }

    fn begin(&self) -> u64 {
        0
    }

    fn store(&self, chunk: Chunk) {
        chunk.stored();
    }

    fn give_up(&self, _body: u64) {}
}

pub struct Running {
    engine: Engine,
    pub partners: Arc<Partners>,
    pub runtime: Runtime,
    _listeners: Vec<Listener>,
}

impl Running {
    /// `change` sets one field, `plain` none, and each message goes to one of four partners of window
    /// 64; `filter` sends nothing; `one` has one partner of window 1; `late` none that is there.
    pub fn start(data: &str, inbound: &str, graph: &str) -> Running {
        let runtime = Runtime::new().expect("a runtime");
        let partners = Partners::new();
        let listeners: Vec<_> = (0..PARTNERS).map(|_| partners.listen(&runtime)).collect();
        let builder = Engine::builder(data).inbound(inbound, "127.0.0.1:0", "all");
        let port = |at: usize| listeners[at].address().port();
        let builder = match graph {
            "change" => four(handled(builder, true), port),
            "plain" => four(handled(builder, false), port),
            "filter" => builder.router("all", |_| ["change"]).handler("change", |_| []),
            "one" => builder
                .router("all", |_| ["change"])
                .handler("change", |_| [Send::unchanged("ONE")])
                .outbound("ONE", "127.0.0.1", port(0)),
            // There is no listener at port 1.
            "late" => builder
                .router("all", |_| ["change"])
                .handler("change", |_| [Send::unchanged("LATE")])
                .outbound("LATE", "127.0.0.1", 1),
            other => panic!("no such graph: {other}"),
        };
        let engine = builder.start().expect("it starts");
        Running { engine, partners, runtime, _listeners: listeners }
    }

    pub fn port(&self, inbound: &str) -> u16 {
        self.engine.address(inbound).expect("it listens").port()
    }

    pub fn is_idle(&self) -> bool {
        self.engine.status().expect("it runs").is_idle
    }

    /// Deliveries, whether nothing is in progress, and the bytes that the process has written.
    pub fn figures(&self) -> String {
        let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
        let written = io.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap_or("0");
        let (taken, idle) = (self.partners.taken(), self.is_idle());
        format!("{{\"delivered\":{taken},\"idle\":{idle},\"written\":{written}}}")
    }

    pub fn stop(self) {
        self.engine.stop(Duration::from_secs(30)).expect("it stops");
        self.runtime.shutdown_timeout(Duration::ZERO);
    }
}

fn handled(builder: Builder, changes: bool) -> Builder {
    builder.router("all", |_| ["change"]).handler("change", move |message| {
        // One partner for each message by its control ID.
        let digit = message.get("MSH-10").and_then(|it| it.last()).map_or(0, |it| it % 4);
        let outbound = format!("OUT{digit}");
        if !changes {
            return [Send::unchanged(outbound)];
        }
        // MSH-5, the fifth field when the separator counts as the first.
        let payload = message.payload();
        let mut bars = (0..payload.len()).filter(|at| payload[*at] == b'|').skip(3);
        let (from, to) = (bars.next().unwrap_or(0), bars.next().unwrap_or(0));
        [Send::bytes(outbound, [&payload[..from], b"|LAB", &payload[to..]].concat())]
    })
}

fn four(builder: Builder, port: impl Fn(usize) -> u16) -> Builder {
    (0..PARTNERS).fold(builder, |builder, at| {
        builder.outbound(&format!("OUT{at}"), "127.0.0.1", port(at)).window(64)
    })
}
