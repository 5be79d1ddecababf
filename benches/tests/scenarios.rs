//! Every scenario gives the right answer, the first time and again.

use fastmllp_benches::scenarios;

#[test]
fn every_scenario_checks_its_answer() {
    for scenario in scenarios() {
        let mut run = (scenario.make)();
        for _ in 0..2 {
            let found = run.run();
            let reply = run.reply().map(<[u8]>::escape_ascii).map(|reply| reply.to_string());
            assert!(scenario.is_right(found, &*run), "{}: {found} {reply:?}", scenario.name);
        }
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<String> = scenarios().into_iter().map(|scenario| scenario.name).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
