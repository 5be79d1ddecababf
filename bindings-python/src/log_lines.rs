//! Lines of the log to a standard stream.

use std::fs::File;
use std::io::{self, Write};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// What a pipe takes whole (PIPE_BUF), so that lines of several processes do not mix.
const WHOLE: usize = 4096;

/// Write lines to standard output or standard error, as many as fit into a pipe at a time.
///
/// Without Python's lock from the first byte to the last. A thread that gives the lock up for each
/// piece gets it back only after some milliseconds where another computes, and would fall behind it.
///
/// Like `os.write`: returns how many bytes are written, and raises OSError if none is.
#[pyfunction]
pub(crate) fn write_lines(py: Python<'_>, descriptor: i32, lines: &[u8]) -> PyResult<usize> {
    if !(1..=2).contains(&descriptor) {
        return Err(PyValueError::new_err("descriptor must be 1 or 2"));
    }
    py.detach(|| {
        let mut stream = standard_stream(descriptor)?;
        let mut written = 0;
        while let Some(piece) = piece(lines.get(written..).unwrap_or_default()) {
            match stream.write(piece) {
                Ok(taken) if taken > 0 => written += taken,
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if written == 0 => return Err(error.into()),
                Err(_) => break,
            }
        }
        Ok(written)
    })
}

/// The next lines that a pipe takes whole, or a longer line on its own.
fn piece(lines: &[u8]) -> Option<&[u8]> {
    let Some(start) = lines.get(..WHOLE) else {
        return if lines.is_empty() { None } else { Some(lines) };
    };
    let is_end = |byte: &u8| *byte == b'\n';
    match start.iter().rposition(is_end).or_else(|| lines.iter().position(is_end)) {
        Some(end) => lines.get(..=end),
        None => Some(lines),
    }
}

/// A copy of the descriptor: the stream of the standard library has a lock, which a fork would leave
/// locked in the child for ever.
#[cfg(unix)]
fn standard_stream(descriptor: i32) -> io::Result<File> {
    use std::os::fd::AsFd;
    let (output, error) = (io::stdout(), io::stderr());
    let stream = if descriptor == 1 { output.as_fd() } else { error.as_fd() };
    Ok(File::from(stream.try_clone_to_owned()?))
}

#[cfg(windows)]
fn standard_stream(descriptor: i32) -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    let (output, error) = (io::stdout(), io::stderr());
    let stream = if descriptor == 1 { output.as_handle() } else { error.as_handle() };
    Ok(File::from(stream.try_clone_to_owned()?))
}
