//! `fastmllp-torture`: kills the engine, cuts its power, fills its disk, and verifies what is left.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, io};

use fastmllp_torture::{Plan, Sabotage, Verdict, child, disk_full, kill, power_cut, verify};

const USAGE: &str = "\
usage: fastmllp-torture [--plan kill|power-cut|disk-full] --seconds N [--seed S] [--keep FOLDER]
       fastmllp-torture verify --data D --acks A --sinks S

Without --plan all of them run in turn, N seconds together. --keep leaves data and ledgers in a folder.
Exit status: 0 clean, 1 a finding, 2 wrong usage.";

const PLANS: [&str; 3] = ["kill", "power-cut", "disk-full"];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let run = match arguments.first().map(String::as_str) {
        Some("engine") => return ExitCode::from(child::run(&arguments[1..])),
        Some("verify") => Options::parse(&arguments[1..]).and_then(|it| it.verify()),
        Some("--help" | "-h") => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => Options::parse(&arguments).and_then(|it| it.plans()),
    };
    let Some(run) = run else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            println!("FINDING  {error}");
            ExitCode::from(1)
        }
    }
}

/// What the command line asks for.
#[derive(Default)]
struct Options {
    plan: Option<String>,
    seconds: Option<u64>,
    seed: Option<u64>,
    sabotage: Option<Sabotage>,
    keep: Option<PathBuf>,
    data: Option<PathBuf>,
    acks: Option<PathBuf>,
    sinks: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> Option<Options> {
        let mut options = Options::default();
        let (pairs, rest) = arguments.as_chunks::<2>();
        for [name, value] in pairs {
            match name.as_str() {
                "--plan" => options.plan = Some(value.clone()),
                "--seconds" => options.seconds = Some(value.parse().ok()?),
                "--seed" => options.seed = Some(value.parse().ok()?),
                "--sabotage" => options.sabotage = Some(Sabotage::parse(value)?),
                "--keep" => options.keep = Some(value.into()),
                "--data" => options.data = Some(value.into()),
                "--acks" => options.acks = Some(value.into()),
                "--sinks" => options.sinks = Some(value.into()),
                _ => return None,
            }
        }
        rest.is_empty().then_some(options)
    }

    fn verify(self) -> Option<io::Result<bool>> {
        let (data, acks, sinks) = (self.data?, self.acks?, self.sinks?);
        Some(verify::files(&data, &acks, &sinks).map(|verdict| say(&verdict)))
    }

    fn plans(self) -> Option<io::Result<bool>> {
        let plan = self.plan.as_deref().or(self.sabotage.map(Sabotage::plan));
        let plans = match plan {
            None => PLANS.to_vec(),
            Some(plan) => vec![*PLANS.iter().find(|it| **it == plan)?],
        };
        let seconds = self.seconds? / plans.len() as u64;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seed = self.seed.unwrap_or(since.as_millis() as u64);
        Some(plans.into_iter().try_fold(true, |clean, plan| {
            println!("{plan}, {seconds} seconds, seed {seed}");
            self.run(plan, seconds, seed).map(|verdict| say(&verdict) && clean)
        }))
    }

    fn run(&self, plan: &str, seconds: u64, seed: u64) -> io::Result<Verdict> {
        let temporary = tempfile::tempdir()?;
        let folder = self.keep.as_deref().unwrap_or(temporary.path());
        let folder = folder.join(plan);
        std::fs::create_dir_all(&folder)?;
        let (sabotage, program) = (self.sabotage, env::current_exe()?);
        let asked = Plan { seconds, seed, sabotage, program, folder };
        match plan {
            "kill" => kill::run(&asked),
            "disk-full" => disk_full::run(&asked),
            _ => power_cut::run(&asked),
        }
    }
}

fn say(verdict: &Verdict) -> bool {
    println!("{verdict}");
    verdict.is_clean()
}
