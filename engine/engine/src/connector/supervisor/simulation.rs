//! Lives of connectors in virtual time: a process that dies, hangs and lies by a seed, and an engine
//! that gives, forgets, stops and starts.

use std::collections::{BTreeMap, VecDeque};

use super::*;

const LIMITS: Limits = Limits { timeout: 1_000, stop: 500, window: 2 };

/// Numbers by a seed: SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
}

/// A process as it really is.
#[derive(Default)]
struct Process {
    greeted: bool,
    told_to_end: bool,
    killed: bool,
    hangs: bool,
    midway: bool,
    has: VecDeque<u64>,
}

struct World {
    chance: Chance,
    supervisor: Supervisor<u64>,
    now: Millis,
    process: Option<Process>,
    /// What the engine believes of each delivery: given and without a report. By the number.
    open: BTreeMap<u64, u64>,
    /// Those of a process that it was certainly not given.
    in_process: Vec<u64>,
    generation: u64,
    next_number: u64,
    ready: bool,
    wanted: bool,
    /// When it was last in a state in which nothing can be waited for without an end.
    waits_since: Option<Millis>,
}

impl World {
    fn new(seed: u64) -> World {
        World {
            chance: Chance(seed),
            supervisor: Supervisor::new(LIMITS, true),
            now: 0,
            process: None,
            open: BTreeMap::new(),
            in_process: Vec::new(),
            generation: 0,
            next_number: 0,
            ready: false,
            wanted: true,
            waits_since: None,
        }
    }

    fn tell(&mut self, fact: Fact<u64>) {
        self.supervisor.tell(fact, self.now);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        self.supervisor.on_time(self.now);
        while let Some(order) = self.supervisor.next_order() {
            self.follow(order);
        }
    }

    fn follow(&mut self, order: Order<u64>) {
        match order {
            Order::Spawn => {
                assert!(self.process.is_none(), "two processes of one connection");
                assert!(self.wanted, "nobody wants it");
                let hangs = self.chance.below(6) == 0;
                self.process = Some(Process { hangs, ..Process::default() });
            }
            Order::End => {
                let process = self.process.as_mut().expect("a process to end");
                process.told_to_end = true;
            }
            Order::Kill => self.process.as_mut().expect("a process to kill").killed = true,
            Order::Give { token, delivery } => {
                assert!(self.ready, "it is not ready");
                let process = self.process.as_mut().expect("a process to give it to");
                assert!(process.greeted && !process.told_to_end, "it does not take any");
                process.has.push_back(token);
                assert!(process.has.len() <= LIMITS.window, "more than it has room for");
                self.in_process.push(delivery);
            }
            Order::Report(Ended { generation, number, outcome, .. }) => {
                // One of an earlier generation was made before it was forgotten; none is here.
                let of = self.open.remove(&number).expect("one report for each delivery");
                assert_eq!(of, generation);
                assert_eq!(generation, self.generation, "it was forgotten");
                let was_given = self.in_process.contains(&number);
                assert_eq!(outcome == Outcome::Transport, !was_given, "{number} {outcome:?}");
            }
            Order::Ready(ready) => {
                assert_ne!(std::mem::replace(&mut self.ready, ready), ready, "nothing new");
            }
            Order::Lost { .. } => {}
            Order::Runs => assert!(self.process.is_some()),
        }
    }

    fn step(&mut self) {
        match self.chance.below(12) {
            0..=1 => self.deliver(),
            2 if self.chance.below(8) == 0 => {
                self.generation += 1;
                self.open.clear();
                self.tell(Fact::Abandon(self.generation));
            }
            3 if self.chance.below(6) == 0 => {
                self.wanted = !self.wanted;
                self.tell(if self.wanted { Fact::Open } else { Fact::Close });
            }
            4 => self.tell(Fact::Hurry),
            5..=9 => self.live(),
            _ => self.wait(),
        }
    }

    fn deliver(&mut self) {
        self.next_number += 1;
        let (generation, number) = (self.generation, self.next_number);
        self.open.insert(number, generation);
        self.tell(Fact::Deliver { generation, number, delivery: number });
    }

    /// The process does something.
    fn live(&mut self) {
        let Some(process) = &mut self.process else { return };
        let dies = process.killed || self.chance.below(20) == 0;
        if dies || process.told_to_end && process.has.is_empty() && !process.hangs {
            self.process = None;
            self.in_process.retain(|it| self.open.contains_key(it));
            return self.tell(Fact::Gone("it ended".to_owned()));
        }
        if process.hangs {
            return;
        }
        let fact = match self.chance.below(8) {
            _ if !process.greeted => {
                process.greeted = true;
                Fact::Hello
            }
            0..=1 => Fact::Ready,
            2 => Fact::NotReady("no".to_owned()),
            3 => {
                process.midway = !process.midway;
                Fact::Midway(process.midway)
            }
            4 => {
                process.hangs = self.chance.below(4) == 0;
                Fact::Reads
            }
            _ => match process.has.pop_front() {
                Some(token) => {
                    Fact::Done { token, outcome: Outcome::Delivered, note: String::new() }
                }
                None => Fact::Useful,
            },
        };
        self.tell(fact);
    }

    fn wait(&mut self) {
        let next = self.supervisor.next_deadline();
        self.now = match next {
            Some(at) if self.chance.below(2) == 0 => self.now.max(at),
            _ => self.now + self.chance.below(300),
        };
        self.carry_out();
        if let Some(at) = self.supervisor.next_deadline() {
            assert!(at > self.now, "what is due was done");
        }
        self.check();
    }

    /// Whatever hangs is ended within its time, and who is wanted comes again.
    fn check(&mut self) {
        let has_work = self.process.as_ref().is_some_and(|it| {
            it.hangs && (!it.greeted || !it.has.is_empty() || it.told_to_end) && !it.killed
        });
        let is_missing = self.process.is_none() && self.wanted;
        if !(has_work || is_missing) {
            self.waits_since = None;
            return;
        }
        let since = *self.waits_since.get_or_insert(self.now);
        assert!(self.supervisor.next_deadline().is_some(), "it would wait for ever");
        assert!(self.now - since <= 2 * HELLO + AGAIN.1, "it waits too long");
    }

    /// At the end everything that was given is reported, and no process is left.
    fn end(mut self) {
        self.wanted = false;
        self.tell(Fact::Close);
        for _ in 0..100_000 {
            if self.supervisor.has_ended() {
                break;
            }
            self.live();
            self.wait();
        }
        assert!(self.supervisor.has_ended(), "it does not end");
        assert!(self.process.is_none() && !self.ready);
        assert!(self.open.is_empty(), "without a report: {:?}", self.open);
        assert_eq!(self.supervisor.next_deadline(), None);
    }
}

#[test]
fn every_delivery_has_one_true_report_and_nothing_waits_for_ever() {
    for seed in 0..3_000 {
        let mut world = World::new(seed);
        for _ in 0..400 {
            world.step();
        }
        world.end();
    }
}

/// What is said to the supervisor, and what it orders.
fn ordered(supervisor: &mut Supervisor<u64>, fact: Fact<u64>, now: Millis) -> Vec<Order<u64>> {
    supervisor.tell(fact, now);
    supervisor.on_time(now);
    std::iter::from_fn(|| supervisor.next_order()).collect()
}

#[test]
fn a_process_that_ends_at_once_is_started_again_after_a_wait_that_doubles() {
    let mut supervisor = Supervisor::<u64>::new(LIMITS, true);
    let mut now = 0;
    supervisor.on_time(now);
    let mut waits = Vec::new();
    for _ in 0..12 {
        let orders = ordered(&mut supervisor, Fact::Gone("status 1".to_owned()), now);
        let again = orders.iter().find_map(|it| match it {
            Order::Lost { again, .. } => *again,
            _ => None,
        });
        waits.push(again.expect("a wait"));
        assert_eq!(supervisor.next_deadline(), Some(now + waits[waits.len() - 1]));
        now += waits[waits.len() - 1];
        supervisor.on_time(now);
    }
    assert_eq!(waits[..4], [100, 200, 400, 800]);
    assert_eq!(waits[11], 30_000);
    ordered(&mut supervisor, Fact::Hello, now);
    ordered(&mut supervisor, Fact::Useful, now);
    ordered(&mut supervisor, Fact::Gone("status 1".to_owned()), now);
    assert_eq!(supervisor.next_deadline(), Some(now + 100), "it was of use");
}

#[test]
fn each_answer_gives_the_next_delivery_its_whole_time() {
    let mut supervisor = Supervisor::<u64>::new(LIMITS, true);
    supervisor.on_time(0);
    ordered(&mut supervisor, Fact::Hello, 0);
    ordered(&mut supervisor, Fact::Ready, 0);
    for number in [1, 2] {
        ordered(&mut supervisor, Fact::Deliver { generation: 0, number, delivery: number }, 0);
    }
    assert_eq!(supervisor.next_deadline(), Some(1_000));
    let (outcome, note) = (Outcome::Delivered, String::new());
    ordered(&mut supervisor, Fact::Done { token: 1, outcome, note }, 900);
    assert_eq!(supervisor.next_deadline(), Some(1_900));
    ordered(&mut supervisor, Fact::Reads, 1_500);
    assert_eq!(supervisor.next_deadline(), Some(2_500));
    supervisor.on_time(2_500);
    assert!(std::iter::from_fn(|| supervisor.next_order()).any(|it| it == Order::Kill));
    let orders = ordered(&mut supervisor, Fact::Gone("signal 9".to_owned()), 2_501);
    let report = orders.iter().find_map(|it| match it {
        Order::Report(ended) => Some((ended.number, ended.outcome, ended.note.as_str())),
        _ => None,
    });
    assert_eq!(report, Some((2, Outcome::NoReply, "it did not go on in time")));
}
