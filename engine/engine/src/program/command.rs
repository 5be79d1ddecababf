//! How a process is started.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A program whose processes the engine starts. Such a process speaks with it through
/// [`worker::Child`](crate::worker::Child).
#[derive(Clone, Debug)]
pub struct Program {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    shows_output: bool,
}

impl Program {
    /// A program by its path, or by its name if it is in `PATH`. It gets the environment of this process.
    pub fn new(program: impl Into<PathBuf>) -> Program {
        Program {
            program: program.into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            directory: None,
            shows_output: false,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Sets its working directory; without this it is that of this process.
    #[must_use]
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Shows what it prints, on standard error of this process. Without this it is dropped,
    /// because it may hold health data: only for development.
    #[must_use]
    pub fn with_output(mut self) -> Self {
        self.shows_output = true;
        self
    }

    /// What starts it, apart from its standard input and output.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command.stderr(if self.shows_output { Stdio::inherit() } else { Stdio::null() });
        command
    }
}
