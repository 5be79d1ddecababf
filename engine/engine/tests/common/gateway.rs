//! The example `gateway` as a process, and disks for it to run on.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

use tempfile::TempDir;

use super::Peer;

/// How a process has ended.
pub struct Ended {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The program. Cargo has built it already, unless it was asked for this test alone.
fn program() -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let path = BUILT.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().and_then(Path::parent).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--offline", "--package", "mllp-engine"]);
        cargo.args(["--example", "gateway"]);
        cargo.arg("--target-dir").arg(profile.parent().unwrap());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success());
        profile.join("examples/gateway")
    });
    Command::new(path)
}

/// Runs it to its end, without input.
pub fn run(arguments: &[&str]) -> Ended {
    finish(program().args(arguments))
}

fn finish(command: &mut Command) -> Ended {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A gateway that listens.
pub struct Gateway {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Gateway {
    pub fn start(data: &Path, partner: Option<SocketAddr>, broken: Option<&Broken>) -> Gateway {
        let mut command = command(data, partner);
        if let Some(broken) = broken {
            broken.apply(&mut command);
        }
        let piped = || Stdio::piped();
        let mut child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening ").map(|it| it.parse().unwrap());
        let address = address.unwrap_or_else(|| {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("it does not listen: {said}")
        });
        Gateway { stdin: child.stdin.take(), child, stdout, address }
    }

    pub fn start_in_vain(data: &Path, broken: &Broken) -> Ended {
        let mut command = command(data, None);
        broken.apply(&mut command);
        finish(&mut command)
    }

    pub fn connect(&self) -> Peer {
        Peer::connect(self.address)
    }

    pub fn journey(&mut self, id: u64) -> String {
        writeln!(self.stdin.as_mut().unwrap(), "{id}").unwrap();
        let mut text = String::new();
        while !text.ends_with("\n\n") && self.stdout.read_line(&mut text).unwrap() > 0 {}
        text
    }

    /// The most memory that it has used so far, in bytes; `None`: the system does not say.
    pub fn peak(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10)
    }

    /// Ends its input, and waits for its end.
    pub fn stop(mut self) -> Ended {
        drop(self.stdin.take());
        self.wait()
    }

    /// Tells it to look whether it has come to its end, and waits for that.
    pub fn ended(&mut self) -> Ended {
        drop(self.stdin.take());
        self.wait()
    }

    fn wait(&mut self) -> Ended {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        Ended { status: self.child.wait().unwrap().code(), stdout, stderr }
    }

    /// Ends it in the midst of whatever it does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(data: &Path, partner: Option<SocketAddr>) -> Command {
    let partner = partner.map_or("127.0.0.1:1".to_owned(), |it| it.to_string());
    let mut command = program();
    command.arg(data).args(["127.0.0.1:0", &partner, "127.0.0.1:1"]);
    command
}

/// Every file below a path, or the path itself, with its bytes and the time of its last change.
pub fn contents(path: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let Ok(about) = path.metadata() else { return all };
    let bytes = fs::read(path).unwrap_or_default();
    all.insert(path.to_owned(), (about.modified().unwrap(), bytes));
    for entry in fs::read_dir(path).into_iter().flatten() {
        all.extend(contents(&entry.unwrap().path()));
    }
    all
}

/// A small disk of its own. Only root may mount one, and not in every container.
pub struct Tmpfs(TempDir);

impl Tmpfs {
    /// `None`, and a line that says so: it may not be mounted here.
    pub fn mount(size: &str) -> Option<Tmpfs> {
        let at = TempDir::new().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(at.path());
        if mount.output().is_ok_and(|it| it.status.success()) {
            return Some(Tmpfs(at));
        }
        eprintln!("skipped: a small disk cannot be mounted here");
        None
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn read_only(&self) {
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", "remount,ro"]).arg(self.path()).status().unwrap().success());
    }

    /// Leaves no room; the file that takes it is returned.
    pub fn fill(&self) -> PathBuf {
        let path = self.path().join("filling");
        let mut file = fs::File::create(&path).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        path
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// A C library in front of the system's, whose writes or syncs fail or hang as a file says.
pub struct Broken(TempDir);

const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The first letter of the file that says how: s, w, f, q, h, or nothing. */
static char how(void) {
    char letter = 0;
    int file = open(getenv("BROKEN"), O_RDONLY);
    if (file >= 0) {
        if (read(file, &letter, 1) != 1) letter = 0;
        close(file);
    }
    return letter;
}

static int sync_fails(void) {
    struct timespec moment = {0, 5000000};
    while (how() == 'h') nanosleep(&moment, 0);
    return how() == 's';
}

int fsync(int file) {
    if (sync_fails()) { errno = EIO; return -1; }
    return syscall(SYS_fsync, file);
}

int fdatasync(int file) {
    if (sync_fails()) { errno = EIO; return -1; }
    return syscall(SYS_fdatasync, file);
}

ssize_t pwrite64(int file, const void *bytes, size_t len, off_t at) {
    char now = how();
    if (now == 'w') { errno = EIO; return -1; }
    if (now == 'f') { errno = ENOSPC; return -1; }
    if (now == 'q') { errno = EDQUOT; return -1; }
    return syscall(SYS_pwrite64, file, bytes, len, at);
}

ssize_t pwrite(int file, const void *bytes, size_t len, off_t at) {
    return pwrite64(file, bytes, len, at);
}
"#;

impl Broken {
    /// `None`, and a line that says so: there is no C compiler, or this is not Linux.
    pub fn new() -> Option<Broken> {
        let home = TempDir::new().unwrap();
        let source = home.path().join("broken.c");
        fs::write(&source, LIBRARY).unwrap();
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-o"]).arg(home.path().join("broken.so")).arg(source);
        if cfg!(target_os = "linux") && cc.output().is_ok_and(|it| it.status.success()) {
            return Some(Broken(home));
        }
        let reason = "there is no C compiler, or this is not Linux";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{reason}");
        eprintln!("skipped: {reason}");
        None
    }

    /// `sync`, `write` or `hang`; `full`: no write to a database finds room, whatever the file
    /// system says; `quota`: the room of its owner is used up; nothing: everything works.
    pub fn set(&self, how: &str) {
        // In one step: the library never reads half of it.
        let new = self.0.path().join("new");
        fs::write(&new, how).unwrap();
        fs::rename(new, self.0.path().join("how")).unwrap();
    }

    fn apply(&self, command: &mut Command) {
        command.env("LD_PRELOAD", self.0.path().join("broken.so"));
        command.env("BROKEN", self.0.path().join("how"));
    }
}
