//! Prints what stands at each path of a message, as it stands there.
//!
//! ```sh
//! peek FILE PATH...
//! ```
//!
//! Exit status: 0 shown, 1 no message, 2 wrong usage. The same program: `../../../c/peek.c`,
//! `../../../python/peek.py`.

use std::io::{self, Write};
use std::process::ExitCode;
use std::{env, fs};

use hl7_peek::{Message, Path};

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file, paths @ ..] = arguments.as_slice() else { return Ok(usage()) };
    if paths.is_empty() {
        return Ok(usage());
    }
    let payload = fs::read(file)?;
    let message = match Message::parse(&payload) {
        Ok(message) => message,
        Err(error) => {
            eprintln!("{file}: {}", error.name());
            return Ok(ExitCode::from(1));
        }
    };
    let mut out = io::stdout().lock();
    for text in paths {
        let path = match Path::parse(text) {
            Ok(path) => path,
            Err(error) => {
                eprintln!("{text}: {}", error.name());
                return Ok(ExitCode::from(1));
            }
        };
        out.write_all(text.as_bytes())?;
        out.write_all(b"\t")?;
        out.write_all(message.get(path).unwrap_or(b"(absent)"))?;
        out.write_all(b"\n")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn usage() -> ExitCode {
    eprintln!("usage: peek FILE PATH...");
    ExitCode::from(2)
}
