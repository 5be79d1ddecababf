//! A PostgreSQL server of the test's own, in a temporary folder.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Long enough for a machine under load: only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that is reached through a socket in its folder alone.
pub struct Server {
    folder: TempDir,
    programs: PathBuf,
    child: Child,
}

impl Server {
    /// Starts one; `None`, with the reason printed, where the machine has none.
    ///
    /// # Panics
    ///
    /// It has none and `CI=true`, or it does not start.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let reason = "no PostgreSQL in /usr/lib/postgresql/*/bin (Debian: postgresql)";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{reason}");
            println!("skipped: {reason}");
            return None;
        };
        let folder = TempDir::new().unwrap();
        // The server's user, who is not always ours, makes its folder in here.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let data = folder.path().join("data");
        let mut make = as_nobody(&programs.join("initdb"), folder.path());
        make.arg("-D").arg(&data).args(["-U", "engine", "-A", "trust", "-E", "UTF8"]);
        make.args(["--no-locale", "--no-sync"]);
        let made = make.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let child = launch(&programs, folder.path());
        Some(Server { folder, programs, child })
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(".s.PGSQL.5432")
    }

    /// The connection string that leads to it.
    pub fn parameters(&self) -> String {
        format!("host={} user=engine dbname=postgres", self.folder.path().display())
    }

    /// Does something that the store has no words for.
    pub fn sql(&self, statements: &str) {
        assert!(self.psql(statements), "{statements}");
    }

    /// The same, to an end that is none.
    pub fn sql_fails(&self, statements: &str) {
        assert!(!self.psql(statements), "{statements}");
    }

    fn psql(&self, statements: &str) -> bool {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.arg(self.parameters()).args(["-q", "-v", "ON_ERROR_STOP=1", "-c", statements]);
        psql.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }

    /// SIGKILL, as a machine that fails would end it.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again after it was killed.
    pub fn restart(&mut self) {
        self.child = launch(&self.programs, self.folder.path());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The newest version's programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let programs = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    programs.filter(|path| path.join("initdb").exists() && path.join("postgres").exists()).max()
}

/// PostgreSQL refuses to run as root, who is the owner of our folder if that is what we are.
fn as_nobody(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    if fs::metadata(folder).unwrap().uid() == 0 {
        command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]).arg(program);
    }
    command.current_dir(folder);
    command
}

/// Starts the server and returns when it takes connections. One that was killed leaves its memory to
/// processes that take a moment to notice; until then the next one refuses to start.
fn launch(programs: &Path, folder: &Path) -> Child {
    let end = Instant::now() + PATIENCE;
    loop {
        let mut server = as_nobody(&programs.join("postgres"), folder);
        server.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
        server.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=50"]);
        server.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = server.spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            let mut ask = Command::new(programs.join("pg_isready"));
            ask.arg("-q").arg("-h").arg(folder).args(["-U", "engine", "-d", "postgres"]);
            if ask.status().unwrap().success() {
                return child;
            }
            assert!(Instant::now() < end, "the server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(Instant::now() < end, "the server ends at once");
        std::thread::sleep(Duration::from_millis(100));
    }
}
