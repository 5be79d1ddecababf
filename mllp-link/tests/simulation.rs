//! Seeded simulation: an initiator and responders on a network that splits, delays, stalls, cuts
//! and swallows. `SIM_SEED=n` replays a run, `SIM_SECONDS=n` runs for that long.

mod network;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use ack_gen::AckCode;
use mllp_link::{
    Action, Handle, Initiator, InitiatorConfig, InitiatorEvent, OverLimit, ReplyKind,
    ResponderConfig, Times,
};
use network::Rng;
use network::server::{LARGE, Log, Server};

const CALM_LIMIT: u64 = 60_000;

struct Client<const W: usize> {
    initiator: Initiator<[u8; 2048], W, 64>,
    open: HashMap<Handle, Vec<u8>>,
    verdicts: HashMap<Vec<u8>, Action>,
    /// The connection, as a place among the servers.
    connection: Option<usize>,
    writing: Option<(Handle, Vec<u8>, usize)>,
}

impl<const W: usize> Client<W> {
    fn submit(&mut self, id: Vec<u8>, length: usize, now: u64, log: &mut Log) -> bool {
        let mut payload = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|".to_vec();
        payload.extend(&id);
        payload.extend(b"|P|2.5\rPID|1||");
        payload.resize(payload.len() + length, b'0');
        payload.extend(b"END\r");
        log.payloads.insert(id.clone(), payload.clone());
        let Ok(handle) = self.initiator.submit(&payload, now) else { return false };
        assert!(self.open.insert(handle, id).is_none(), "a handle twice");
        true
    }

    fn give_up<const R: usize>(&mut self, servers: &mut [Server<R>]) {
        self.writing = None;
        if let Some(server) = self.connection.take().and_then(|at| servers.get_mut(at)) {
            server.inward.closed = true;
            server.outward.cut(0);
        }
    }

    fn events<const R: usize>(&mut self, now: u64, servers: &mut [Server<R>], log: &Log) {
        while let Some(event) = self.initiator.next_event(now) {
            match event {
                InitiatorEvent::Verdict { handle, verdict } => {
                    let id = self.open.remove(&handle).expect("a second verdict");
                    let seen = log.seen.get(&id);
                    if let ReplyKind::Code(code) = verdict.reply {
                        let large = log.payloads[&id].len() > LARGE && code == AckCode::AR;
                        let given = seen.is_some_and(|codes| codes.contains(&code));
                        assert!(given || large, "{code:?} was never given");
                    }
                    let accepted = verdict.reply == ReplyKind::Code(AckCode::AA);
                    assert_eq!(verdict.action == Action::Accept, accepted, "{verdict}");
                    assert!(self.verdicts.insert(id, verdict.action).is_none(), "two verdicts");
                    if self.writing.as_ref().is_some_and(|(it, ..)| *it == handle) {
                        assert!(self.connection.is_none(), "a verdict while it is written");
                    }
                }
                InitiatorEvent::Reconnect => self.give_up(servers),
                _ => {}
            }
        }
        assert!(!self.initiator.is_suspended(), "no rule does that here");
    }

    fn step<const R: usize>(
        &mut self,
        now: u64,
        calm: bool,
        rng: &mut Rng,
        servers: &mut Vec<Server<R>>,
        config: ResponderConfig,
        log: &Log,
    ) {
        if self.initiator.next_deadline().is_some_and(|at| at <= now) {
            self.initiator.on_time(now);
            self.events(now, servers, log);
        }
        if self.initiator.wants_connection(now) {
            assert!(self.connection.is_none(), "a second connection");
            if !calm && rng.one_in(4) {
                self.initiator.connect_failed(now);
            } else {
                self.initiator.connected();
                self.connection = Some(servers.len());
                servers.push(Server::new(config, now));
            }
        }
        let Some(at) = self.connection else { return };
        // Write.
        loop {
            if self.writing.is_none() {
                let next = self.initiator.next_to_send(now);
                self.writing = next.map(|handle| {
                    let id = self.open.get(&handle).expect("a message with its verdict");
                    let frame = [b"\x0b", &log.payloads[id][..], b"\x1c\r"].concat();
                    (handle, frame, 0)
                });
            }
            let Some((handle, frame, from)) = &mut self.writing else { break };
            let pipe = &mut servers[at].inward;
            let mut len = (frame.len() - *from).min(pipe.room(if calm { 10_000 } else { 300 }));
            if !calm && len > 1 && rng.one_in(2) {
                len = 1 + rng.below(len as u64) as usize;
            }
            if len == 0 {
                break;
            }
            pipe.write(&frame[*from..*from + len], now + rng.below(if calm { 3 } else { 30 }));
            *from += len;
            if *from == frame.len() {
                let handle = *handle;
                self.writing = None;
                self.initiator.sent(handle, now);
            } else if !calm && rng.one_in(2) {
                break;
            }
        }
        // Read.
        let bytes = servers[at].outward.peek(1 + rng.below(400) as usize, now);
        let taken = self.initiator.receive(&bytes, now);
        assert_eq!(taken, bytes.len(), "replies fit");
        servers[at].outward.take(taken);
        self.events(now, servers, log);
        if self.connection == Some(at) && servers[at].outward.ended(now) {
            self.give_up(servers);
            self.initiator.disconnected(now);
            self.events(now, servers, log);
        }
        if self.connection.is_some() {
            let next = self.initiator.next_deadline();
            assert!(next.is_none_or(|at| at > now || self.writing.is_none()), "it would spin");
        }
    }
}

fn fault<const R: usize>(server: &mut Server<R>, now: u64, rng: &mut Rng) {
    match rng.below(9) {
        0 => {
            server.inward.cut(rng.below(1 + server.inward.len() as u64) as usize);
            server.outward.cut(rng.below(1 + server.outward.len() as u64) as usize);
        }
        1 => server.inward.cut(rng.below(1 + server.inward.len() as u64) as usize),
        2 => {
            server.inward.silence();
            server.outward.silence();
        }
        3 => server.responder.close(now),
        4 | 5 => server.inward.stalled = now + rng.below(900),
        _ => server.outward.stalled = now + rng.below(900),
    }
}

fn run<const I: usize, const R: usize>(seed: u64) {
    let (mut rng, mut log, mut now) = (Rng(seed), Log::default(), 0);
    let over_limit = if rng.one_in(2) { OverLimit::Refuse } else { OverLimit::Close };
    let times = Times { idle: 1000, byte: 700, frame: 1500, send: 500, ..Times::DEFAULT };
    // Room for four answers and hardly more: they are moved often.
    let base = ResponderConfig { max_answer_len: 290, ..ResponderConfig::DEFAULT };
    let config = ResponderConfig { over_limit, times, ..base };
    let base = InitiatorConfig::default();
    let limits = InitiatorConfig { window: I, reply: 600, back_off: 10, max_back_off: 200, ..base };
    let mut client = Client::<I> {
        initiator: Initiator::new([0; 2048], limits),
        open: HashMap::new(),
        verdicts: HashMap::new(),
        connection: None,
        writing: None,
    };
    let mut servers: Vec<Server<R>> = Vec::new();
    let (messages, faults_end) = (3 + rng.below(12), 500 + rng.below(3000));
    let fault_rate = 10 + rng.below(100);
    let (mut submitted, mut fresh) = (0, 0);
    loop {
        let calm = now >= faults_end;
        let pause = if rng.one_in(10) { 100 } else { 8 };
        now += rng.below(pause);
        let before = client.verdicts.len() + client.open.len();
        if submitted < messages && (calm || rng.one_in(6)) {
            let length = if rng.one_in(20) { 4100 + rng.below(500) } else { rng.below(250) };
            let id = format!("M{submitted}").into_bytes();
            submitted += u64::from(client.submit(id, length as usize, now, &mut log));
        } else if submitted == messages && calm && fresh < 3 && client.open.is_empty() {
            let id = format!("FRESH{fresh}").into_bytes();
            fresh += u64::from(client.submit(id, 50, now, &mut log));
        }
        assert!(client.verdicts.len() + client.open.len() <= before + 1);
        assert_eq!(client.open.len(), client.initiator.open_messages());
        client.step(now, calm, &mut rng, &mut servers, config, &log);
        for server in &mut servers {
            if calm {
                (server.inward.stalled, server.outward.stalled) = (0, 0);
            } else if !server.finished && rng.one_in(fault_rate) {
                fault(server, now, &mut rng);
            }
            server.step(now, calm, &mut rng, &mut log);
        }
        assert!(now < faults_end + CALM_LIMIT, "no end: {} open", client.open.len());
        if calm && submitted == messages && fresh == 3 && client.open.is_empty() {
            client.give_up(&mut servers);
            if servers.iter().all(|server| server.finished) {
                break;
            }
        }
    }
    assert_eq!(client.verdicts.len() as u64, messages + 3);
    for fresh in [&b"FRESH0"[..], b"FRESH1", b"FRESH2"] {
        assert_eq!(client.verdicts[fresh], Action::Accept, "no progress after the faults");
    }
}

fn run_seed(seed: u64) {
    let shapes = [run::<1, 1>, run::<4, 1>, run::<1, 4>, run::<4, 4>];
    let failed = std::panic::catch_unwind(|| shapes[(seed % 4) as usize](seed)).is_err();
    assert!(!failed, "failed: replay it with SIM_SEED={seed}");
}

#[test]
fn the_link_survives_the_network() {
    let number = |name| std::env::var(name).ok().and_then(|it| it.parse::<u64>().ok());
    if let Some(seed) = number("SIM_SEED") {
        return run_seed(seed);
    }
    if let Some(seconds) = number("SIM_SECONDS") {
        let start = Instant::now();
        let mut rng = Rng(std::process::id().into());
        while start.elapsed() < Duration::from_secs(seconds) {
            run_seed(rng.next());
        }
        return;
    }
    (0..if cfg!(debug_assertions) { 500 } else { 20_000 }).for_each(run_seed);
}
