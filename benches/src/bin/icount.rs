//! Runs one scenario a number of times, for an instruction counter: `icount NAME COUNT`. Without
//! arguments, lists the names.

use fastmllp_benches::scenarios;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (name, count) = (arguments.next(), arguments.next());
    let Some(name) = name else {
        scenarios().iter().for_each(|scenario| println!("{}", scenario.name));
        return;
    };
    let scenario = scenarios().into_iter().find(|scenario| scenario.name == name).expect("a name");
    let count: u64 = count.expect("a count").parse().expect("a count");
    let mut run = (scenario.make)();
    let mut found = 0;
    for _ in 0..count {
        found = run.run();
    }
    assert!(scenario.is_right(found, &*run), "{name}: {found}");
}
