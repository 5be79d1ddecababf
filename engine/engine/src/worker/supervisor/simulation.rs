//! Lives of workers in virtual time: functions that die, hang, raise or are slow, workers that die by
//! themselves, cannot be started or break the protocol, and an engine that is stopped meanwhile.

use std::collections::BTreeMap;

use mllp_pipeline::{CallId, Failure, LaneId};

use super::*;

struct Rng(u64);

impl Rng {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// How a function behaves on a message.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Nature {
    Good,
    Slow,
    Raises,
    Dies,
    Hangs,
}

/// A process.
#[derive(Default)]
struct Process {
    has_run: bool,
    was_probed: bool,
    /// What it runs: the call, the messages, how many are done, and when the next thing happens.
    runs: Option<(CallId, Vec<usize>, usize)>,
    due: Option<Millis>,
    says_hello: bool,
    probed: bool,
    ends: bool,
}

struct World {
    rng: Rng,
    now: Millis,
    supervisor: Supervisor<(u64, usize)>,
    processes: BTreeMap<WorkerId, Process>,
    natures: BTreeMap<CallId, Vec<Nature>>,
    finished: BTreeMap<CallId, Vec<Made<(u64, usize)>>>,
    /// Processes that each message has ended alone, and whether the last had run nothing and answered a
    /// probe.
    alone: BTreeMap<(CallId, usize), (u32, bool)>,
    most: usize,
    /// Until then things go wrong by themselves.
    trouble: Millis,
}

impl World {
    fn tell(&mut self, fact: Fact<(u64, usize)>) {
        self.supervisor.tell(fact, self.now);
    }

    fn duration(&mut self, nature: Nature) -> Option<Millis> {
        match nature {
            Nature::Hangs => None,
            Nature::Slow => Some(300 + self.rng.below(400)),
            _ => Some(1 + self.rng.below(3)),
        }
    }

    fn carry_out(&mut self) {
        self.supervisor.on_time(self.now);
        while let Some(order) = self.supervisor.next_order() {
            match order {
                Order::Spawn { worker, .. } => {
                    let due = Some(self.now + 50 + self.rng.below(300));
                    self.processes.insert(worker, Process { due, ..Process::default() });
                    self.most = self.most.max(self.processes.len());
                }
                Order::Probe(id) => {
                    let (process, now) = (self.processes.get_mut(&id), self.now);
                    let process = process.expect("it lives");
                    assert!(!process.has_run, "a suspect gets a fresh worker");
                    (process.probed, process.due) = (true, Some(now + 1));
                }
                Order::Run { worker, call, items } => {
                    let nature = self.natures[&call][items[0]];
                    let due = self.duration(nature).map(|it| self.now + it);
                    let process = self.processes.get_mut(&worker).expect("it lives");
                    assert!(process.says_hello && process.runs.is_none(), "it has nothing to do");
                    (process.runs, process.due) = (Some((call, items, 0)), due);
                }
                Order::Look(worker) => {
                    let process = &self.processes[&worker];
                    let index = process.runs.as_ref().map(|it| it.2);
                    let mark = Marked { index, returned: false, waits: false };
                    self.tell(Fact::Mark { worker, mark });
                }
                Order::End(id) | Order::Kill(id) => {
                    let now = self.now;
                    if let Some(process) = self.processes.get_mut(&id) {
                        (process.ends, process.due) = (true, Some(now + 1));
                    }
                }
                Order::Finish { call, results, .. } => {
                    assert!(self.finished.insert(call, results).is_none(), "it is finished once");
                }
                Order::Switched { .. } => unreachable!(),
            }
        }
    }

    fn end(&mut self, worker: WorkerId, why: Gone) {
        let Some(process) = self.processes.remove(&worker) else { return };
        let (mut done, mut mark) = (Vec::new(), Marked::default());
        if let Some((call, items, at)) = process.runs {
            mark.index = Some(at);
            if self.rng.below(2) == 0 {
                done = items[..at].iter().map(|it| self.made(call, *it)).collect();
            }
            let is_own = matches!(why, Gone::Ended(_)) && !process.ends;
            if is_own && items.len() == 1 {
                let fresh = !process.has_run && process.was_probed;
                let of_it = self.alone.entry((call, items[0])).or_default();
                *of_it = (of_it.0 + 1, fresh);
            }
        }
        self.tell(Fact::Gone { worker, done, mark, why });
    }

    fn made(&self, call: CallId, item: usize) -> Made<(u64, usize)> {
        match self.natures[&call][item] {
            Nature::Raises => {
                let note = Note("raised".to_owned());
                Err(CallFailure { failure: Failure::Content, note })
            }
            _ => Ok((call.0, item)),
        }
    }

    /// What is due at a process happens.
    fn step(&mut self, worker: WorkerId) {
        let (now, dice) = (self.now, self.rng.below(1_000));
        let in_trouble = now < self.trouble;
        let process = self.processes.get_mut(&worker).expect("it lives");
        process.due = None;
        if process.ends {
            return self.end(worker, Gone::Ended("ended".to_owned()));
        }
        if in_trouble && dice < 15 {
            return self.end(worker, Gone::Fault("broken".to_owned()));
        }
        if in_trouble && dice < 25 {
            return self.end(worker, Gone::Ended("killed".to_owned()));
        }
        if !process.says_hello {
            process.says_hello = true;
            return self.tell(Fact::Hello(worker));
        }
        if std::mem::take(&mut process.probed) {
            process.was_probed = true;
            return self.tell(Fact::Alive(worker));
        }
        let Some((call, items, at)) = process.runs.clone() else { return };
        if self.natures[&call][items[at]] == Nature::Dies {
            return self.end(worker, Gone::Ended("died".to_owned()));
        }
        if at + 1 < items.len() {
            let due = self.duration(self.natures[&call][items[at + 1]]).map(|it| now + it);
            let process = self.processes.get_mut(&worker).expect("it lives");
            (process.runs, process.due) = (Some((call, items, at + 1)), due);
            return;
        }
        (process.runs, process.has_run) = (None, true);
        let results = items.iter().map(|it| self.made(call, *it)).collect();
        let memory = if dice < 100 { u64::MAX } else { 0 };
        self.tell(Fact::Results { worker, results, memory });
    }
}

fn live(seed: u64) {
    let mut rng = Rng(seed);
    let limits = WorkerLimits { processes: 1 + rng.below(3) as usize, ..WorkerLimits::DEFAULT };
    let mut world = World {
        rng,
        now: 1_000,
        supervisor: Supervisor::new(limits),
        processes: BTreeMap::new(),
        natures: BTreeMap::new(),
        finished: BTreeMap::new(),
        alone: BTreeMap::new(),
        most: 0,
        trouble: 60_000,
    };
    let calls = 20;
    let mut next_call = 1_000;
    while world.finished.len() < calls {
        assert!(world.now < 3_600_000, "seed {seed}: what was called is finished");
        if world.natures.len() < calls && world.now >= next_call {
            let call = CallId(world.natures.len() as u64);
            let count = 1 + world.rng.below(8) as usize;
            let natures = (0..count).map(|_| match world.rng.below(40) {
                0 => Nature::Dies,
                1 => Nature::Hangs,
                2 => Nature::Slow,
                3 => Nature::Raises,
                _ => Nature::Good,
            });
            let natures = natures.collect();
            world.natures.insert(call, natures);
            world.tell(Fact::Call { call, lane: LaneId(1), count });
            next_call = world.now + world.rng.below(500);
        }
        world.carry_out();
        if world.finished.len() == calls {
            break;
        }
        let due = world.processes.iter().filter_map(|(id, it)| Some((it.due?, *id))).min();
        let call = (world.natures.len() < calls).then_some(next_call);
        let deadline = world.supervisor.next_deadline(world.now);
        let next = [due.map(|it| it.0), call, deadline].into_iter().flatten().min();
        world.now =
            next.unwrap_or_else(|| panic!("seed {seed}: nothing is to come")).max(world.now);
        // The engine is stopped, and its workers go on.
        if world.rng.below(200) == 0 {
            world.now += world.rng.below(60_000);
        }
        if let Some((_, id)) = due.filter(|it| it.0 <= world.now) {
            world.step(id);
        }
    }
    judge(&world, seed, limits);
}

fn judge(world: &World, seed: u64, limits: WorkerLimits) {
    for (call, results) in &world.finished {
        let natures = &world.natures[call];
        assert_eq!(results.len(), natures.len(), "seed {seed}: a result for each");
        for (item, (result, nature)) in results.iter().zip(natures).enumerate() {
            let note = result.as_ref().err().map(|it| (it.failure, it.note.0.as_str()));
            let what = format!("seed {seed}: {nature:?} of {call} at {item}: {note:?}");
            match note {
                None => {
                    assert_eq!(*result.as_ref().unwrap(), (call.0, item), "{what}");
                    assert!(matches!(nature, Nature::Good | Nature::Slow), "{what}");
                }
                Some((Failure::Content, "raised")) => assert_eq!(*nature, Nature::Raises, "{what}"),
                Some((Failure::Content, "timed out after 10 s")) => {
                    assert_eq!(*nature, Nature::Hangs, "{what}");
                }
                Some((Failure::Content, "killed its worker twice")) => {
                    let alone = world.alone.get(&(*call, item));
                    assert!(alone.is_some_and(|it| it.0 >= 2 && it.1), "{what}: {alone:?}");
                }
                _ => panic!("{what}"),
            }
        }
    }
    // Those that were told to end and have not yet are there as well.
    assert!(world.most <= 2 * (limits.processes + SPARES), "seed {seed}: {} workers", world.most);
}

#[test]
fn every_message_gets_its_own_result_and_only_the_guilty_are_blamed() {
    (0..2_000).for_each(live);
}
