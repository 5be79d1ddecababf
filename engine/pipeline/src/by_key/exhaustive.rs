//! Every reachable state of a few messages, for every assignment of them to subsets of three keys,
//! against a model that knows no queues.

extern crate std;

use std::collections::HashMap;
use std::vec::Vec;
use std::{env, println};

use super::{ByKey, Parking};
use crate::ids::Seq;

/// How far a message has come. A delivered and a dead one are the same to the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Is {
    Waiting,
    Started,
    Refused,
    Finished,
}

/// Messages in order, each with its keys as the bits of a set; without one it is a barrier.
#[derive(Clone, Debug)]
struct Lane<'a> {
    keys: &'a [u8],
    window: usize,
    look_ahead: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    all: Vec<Is>,
    /// Messages that the cursor has passed, finished or parked.
    cursor: usize,
}

/// The model: the rule itself, looked up for each pair of messages.
impl Lane<'_> {
    fn conflict(&self, a: usize, b: usize) -> bool {
        self.keys[a] & self.keys[b] != 0 || self.keys[a] == 0 || self.keys[b] == 0
    }

    fn seen(&self, state: &State) -> usize {
        self.keys.len().min(state.cursor + self.look_ahead)
    }

    fn count(state: &State, of: Is) -> usize {
        state.all.iter().filter(|it| **it == of).count()
    }

    fn has_room(&self, state: &State) -> bool {
        Self::count(state, Is::Started) + Self::count(state, Is::Refused) < self.window
    }

    fn may_start(&self, state: &State, n: usize) -> bool {
        let waits_for = |m: usize| state.all[m] != Is::Finished && self.conflict(m, n);
        state.all[n] == Is::Waiting && !(0..n).any(waits_for)
    }

    fn parking(&self, state: &State, up_to: usize) -> Option<(Vec<usize>, usize)> {
        let seen = self.seen(state);
        let barrier = |n: usize| self.keys[n] == 0 && state.all[n] != Is::Finished;
        let stuck = self.has_room(state) && Self::count(state, Is::Refused) > 0;
        if !stuck || (0..seen).any(|n| self.may_start(state, n) || barrier(n)) {
            return None;
        }
        let end = (state.cursor..up_to).find(|n| state.all[*n] == Is::Started).unwrap_or(up_to);
        let rows: Vec<_> = (state.cursor..end).filter(|n| state.all[*n] != Is::Finished).collect();
        (!rows.is_empty()).then_some((rows, end))
    }
}

/// Walks the states of one lane, and returns how many there are.
fn walk(lane: &Lane<'_>) -> usize {
    let count = lane.keys.len();
    let start = State { all: std::vec![Is::Waiting; count], cursor: 0 };
    let mut by_key = ByKey::default();
    let mut entered = 0;
    look(lane, &start, &mut by_key, &mut entered);
    let mut known = HashMap::from([(start.clone(), by_key.clone())]);
    let mut next = std::vec![(start, by_key, entered)];
    while let Some((state, by_key, entered)) = next.pop() {
        check(lane, &state, &by_key, entered);
        for (state, mut by_key) in steps(lane, &state, &by_key, entered) {
            let mut entered = entered;
            look(lane, &state, &mut by_key, &mut entered);
            match known.get(&state) {
                // However a state was reached, it is the same one.
                Some(before) => assert_eq!(*before, by_key, "{lane:?} {state:?}"),
                None => {
                    known.insert(state.clone(), by_key.clone());
                    next.push((state, by_key, entered));
                }
            }
        }
    }
    known.len()
}

fn seq(n: usize) -> Seq {
    Seq(n as u64 + 1)
}

/// Enters what the look-ahead has reached, up to a barrier.
fn look(lane: &Lane<'_>, state: &State, by_key: &mut ByKey, entered: &mut usize) {
    while *entered < lane.seen(state) && by_key.is_open() {
        match lane.keys[*entered] {
            0 => by_key.enter_barrier(seq(*entered)),
            keys => {
                let of = |key: u64| (keys >> key & 1 == 1).then_some(key);
                // Not in order, and one of them twice.
                by_key.enter(seq(*entered), (0..3).rev().chain([2]).filter_map(of).collect());
            }
        }
        *entered += 1;
    }
}

/// The rule is kept, and nothing is forgotten.
fn check(lane: &Lane<'_>, state: &State, by_key: &ByKey, entered: usize) {
    let seen = lane.seen(state);
    let may: Vec<_> = (0..seen).filter(|n| lane.may_start(state, *n)).map(seq).collect();
    assert_eq!(by_key.free.iter().copied().collect::<Vec<_>>(), may, "{lane:?} {state:?}");
    let room = usize::from(lane.has_room(state));
    let may = by_key.startable(lane.window).count().min(1);
    assert_eq!(may, room.min(by_key.free.len()), "{lane:?} {state:?}");
    let unfinished = |n: &usize| state.all[*n] != Is::Finished;
    assert_eq!(by_key.len(), (0..entered).filter(unfinished).count(), "{lane:?} {state:?}");
    let first = (state.cursor..entered).find(unfinished).map(seq);
    assert_eq!(by_key.first_after(Seq(state.cursor as u64)), first, "{lane:?} {state:?}");
}

/// What can happen next.
fn steps(lane: &Lane<'_>, state: &State, by_key: &ByKey, entered: usize) -> Vec<(State, ByKey)> {
    let mut steps = Vec::new();
    let mut step = |n: usize, is: Is, change: &dyn Fn(&mut ByKey)| {
        let (mut state, mut by_key) = (state.clone(), by_key.clone());
        state.all[n] = is;
        while state.all.get(state.cursor) == Some(&Is::Finished) {
            state.cursor += 1;
        }
        change(&mut by_key);
        steps.push((state, by_key));
    };
    for n in 0..entered {
        let row = seq(n);
        match state.all[n] {
            Is::Waiting => {
                // An operator takes it out.
                step(n, Is::Finished, &|it| it.finish(row));
                if lane.has_room(state) && lane.may_start(state, n) {
                    step(n, Is::Started, &|it| assert!(it.start(row)));
                }
            }
            Is::Started => {
                step(n, Is::Finished, &|it| it.finish(row));
                step(n, Is::Refused, &|it| it.refused(row, true));
            }
            Is::Refused => {
                step(n, Is::Finished, &|it| it.finish(row));
                step(n, Is::Started, &|it| it.refused(row, false));
            }
            Is::Finished => {}
        }
    }
    let half = lane.seen(state).min(state.cursor + lane.look_ahead.div_ceil(2));
    let (cursor, up_to) = (Seq(state.cursor as u64), Seq(half as u64));
    let parking = by_key.parking(cursor, up_to, usize::MAX, lane.window);
    let model = lane.parking(state, half);
    let rows = |rows: &[usize]| rows.iter().copied().map(seq).collect();
    let model = model.map(|(all, end)| Parking { rows: rows(&all), cursor: Seq(end as u64) });
    assert_eq!(parking, model, "{lane:?} {state:?}");
    if let Some(Parking { cursor, .. }) = parking
        && lane.seen(state) < lane.keys.len()
    {
        let mut state = state.clone();
        state.cursor = cursor.0 as usize;
        while state.all.get(state.cursor) == Some(&Is::Finished) {
            state.cursor += 1;
        }
        steps.push((state, by_key.clone()));
    }
    steps
}

/// All assignments of `count` messages to subsets of three keys; with `all` also those that differ
/// only in the names of the keys.
fn assignments(count: u32, all: bool) -> impl Iterator<Item = Vec<u8>> {
    let of = move |n: u32| (0..count).map(|at| (n >> (3 * at) & 7) as u8).collect::<Vec<_>>();
    (0..1u32 << (3 * count)).map(of).filter(move |keys| all || is_first_of_its_kind(keys))
}

/// Whether no renaming of the keys gives an assignment that comes before it.
fn is_first_of_its_kind(keys: &[u8]) -> bool {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let renamed = |order: [u8; 3]| {
        let one = move |set: &u8| (0..3).map(|bit| (set >> bit & 1) << order[bit]).sum::<u8>();
        keys.iter().map(one).collect::<Vec<_>>()
    };
    orders.into_iter().all(|order| *keys <= *renamed(order))
}

fn walk_all(count: u32, all: bool) -> (usize, usize) {
    let (mut lanes, mut states) = (0, 0);
    for keys in assignments(count, all) {
        for window in [1, 2, 4] {
            for look_ahead in [2, count as usize] {
                states += walk(&Lane { keys: &keys, window, look_ahead });
                lanes += 1;
            }
        }
    }
    (lanes, states)
}

#[test]
fn every_state_of_up_to_five_messages() {
    // `make test-engine` runs them in release as well.
    let largest = if cfg!(debug_assertions) { 4 } else { 5 };
    for count in 1..=largest {
        let (lanes, states) = walk_all(count, count <= 3);
        println!("{count} messages: {lanes} lanes, {states} states");
    }
}

/// `make test-keys` sets it to 6, and finds 49,929,586 states of 274,560 lanes.
#[test]
fn every_state_of_more_messages() {
    let count = env::var("KEYS_MESSAGES").ok().and_then(|it| it.parse().ok());
    if let Some(count) = count {
        let (lanes, states) = walk_all(count, false);
        println!("{count} messages: {lanes} lanes, {states} states");
    }
}
