//! Times every scenario and prints one table. Scenarios that are compared run in turn (A B A B), so
//! that whatever else the machine does falls on all of them. A ratio is the median of the ratios
//! within each round; only ratios mean something on another machine. `table PREFIX` runs the
//! scenarios whose names begin so.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fastmllp_benches::{Run, Scenario, scenarios};

/// Rounds for each scenario.
const ROUNDS: usize = 101;
/// How long one round of one scenario takes, unless a single run takes longer.
const ROUND: Duration = Duration::from_millis(1);

fn main() {
    // What stands before the last part of the name is compared with each other.
    let mut groups: BTreeMap<String, Vec<Scenario>> = BTreeMap::new();
    let mut order = Vec::new();
    let prefix = std::env::args().nth(1).unwrap_or_default();
    for scenario in scenarios().into_iter().filter(|scenario| scenario.name.starts_with(&prefix)) {
        let (group, _) = scenario.name.rsplit_once('/').unwrap_or_default();
        if !groups.contains_key(group) {
            order.push(group.to_owned());
        }
        groups.entry(group.to_owned()).or_default().push(scenario);
    }
    println!("{:<44} {:>14} {:>10} {:>8}", "scenario", "ns", "ns/byte", "ratio");
    for group in order {
        let group = groups.remove(&group).unwrap_or_default();
        let rounds = rounds(&group);
        for (at, scenario) in group.iter().enumerate() {
            let time = median(rounds.iter().map(|times| times[at]));
            // How many times longer than the first of the group, which is ours.
            let ratio = median(rounds.iter().map(|times| times[at] / times[0]));
            let per_byte = time / scenario.expected as f64;
            println!("{:<44} {time:>14.0} {per_byte:>10.4} {ratio:>8.2}", scenario.name);
        }
        println!();
    }
}

/// For each round, the time of one run of each scenario, in nanoseconds.
fn rounds(group: &[Scenario]) -> Vec<Vec<f64>> {
    let mut runs: Vec<Box<dyn Run>> = group.iter().map(|scenario| (scenario.make)()).collect();
    let counts: Vec<u32> = group.iter().zip(&mut runs).map(|(s, run)| calibrate(s, run)).collect();
    let mut round = || {
        let turn = group.iter().zip(&mut runs).zip(&counts);
        turn.map(|((scenario, run), &count)| {
            time(scenario, run, count).as_nanos() as f64 / f64::from(count)
        })
        .collect()
    };
    (0..ROUNDS).map(|_| round()).collect()
}

/// How many runs fill a round.
fn calibrate(scenario: &Scenario, run: &mut Box<dyn Run>) -> u32 {
    let mut count = 1;
    while count < 1 << 20 && time(scenario, run, count) < ROUND {
        count *= 2;
    }
    count
}

fn time(scenario: &Scenario, run: &mut Box<dyn Run>, count: u32) -> Duration {
    let start = Instant::now();
    let mut found = 0;
    for _ in 0..count {
        found = run.run();
    }
    let elapsed = start.elapsed();
    assert!(scenario.is_right(found, &**run), "{}: {found}", scenario.name);
    elapsed
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
