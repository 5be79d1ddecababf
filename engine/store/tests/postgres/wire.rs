//! A wire to the server that stops at what the client sends.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

/// Where the wire stops: at bytes of the client that hold these.
#[derive(Clone, Copy)]
pub enum Stop {
    /// They are not passed on.
    Before(&'static [u8]),
    /// They are passed on and answered, and the answer is not.
    After(&'static [u8]),
}

/// Told by the wire that it has stopped, and waited for by it.
type Trap = Arc<Mutex<Option<(Stop, Sender<()>, Receiver<()>)>>>;

/// A TCP port that leads to the server.
pub struct Wire {
    port: SocketAddr,
    trap: Trap,
}

/// A wire that will stop once.
pub struct Armed {
    reached: Receiver<()>,
    release: Sender<()>,
}

impl Armed {
    /// Waits until the wire has stopped.
    pub fn reached(&self) {
        self.reached.recv().unwrap();
    }

    /// Ends the connection.
    pub fn release(&self) {
        self.release.send(()).unwrap();
    }
}

impl Wire {
    pub fn to(socket: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap();
        let trap = Trap::default();
        let (socket, of_all) = (socket.to_owned(), Arc::clone(&trap));
        thread::spawn(move || accept(&listener, &socket, &of_all));
        Wire { port, trap }
    }

    pub fn parameters(&self) -> String {
        format!("host=127.0.0.1 port={} user=engine dbname=postgres", self.port.port())
    }

    pub fn arm(&self, stop: Stop) -> Armed {
        let ((tell, reached), (release, wait)) = (channel(), channel());
        *self.trap.lock().unwrap() = Some((stop, tell, wait));
        Armed { reached, release }
    }
}

fn accept(listener: &TcpListener, socket: &Path, trap: &Trap) {
    for client in listener.incoming().map_while(Result::ok) {
        // A server that is down: the client sees its connection end.
        let Ok(server) = UnixStream::connect(socket) else { continue };
        let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let (trap, mute) = (Arc::clone(trap), Arc::new(AtomicBool::new(false)));
        let (muted, (tell, answers)) = (Arc::clone(&mute), channel());
        thread::spawn(move || answer(from, to, &muted, &tell));
        thread::spawn(move || ask(client, server, &trap, (&mute, &answers)));
    }
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|it| it == what)
}

/// Passes on what the client sends.
fn ask(
    mut client: TcpStream,
    mut server: UnixStream,
    trap: &Trap,
    (mute, answers): (&AtomicBool, &Receiver<Vec<u8>>),
) {
    let mut buffer = [0; 65536];
    while let Ok(n @ 1..) = client.read(&mut buffer) {
        let bytes = &buffer[..n];
        let springs = |armed: &mut (Stop, _, _)| match armed.0 {
            Stop::Before(what) | Stop::After(what) => holds(bytes, what),
        };
        let sprung = trap.lock().unwrap().take_if(springs);
        let Some((stop, tell, release)) = sprung else {
            if server.write_all(bytes).is_err() {
                break;
            }
            continue;
        };
        if let Stop::After(what) = stop {
            mute.store(true, Ordering::SeqCst);
            server.write_all(bytes).unwrap();
            // The server names what it has done.
            while !holds(&answers.recv().unwrap(), what) {}
        }
        tell.send(()).unwrap();
        release.recv().unwrap();
        break;
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

/// Passes on what the server answers, or keeps it.
fn answer(
    mut server: UnixStream,
    mut client: TcpStream,
    mute: &AtomicBool,
    kept: &Sender<Vec<u8>>,
) {
    let mut buffer = [0; 65536];
    while let Ok(n @ 1..) = server.read(&mut buffer) {
        let bytes = &buffer[..n];
        let passed = match mute.load(Ordering::SeqCst) {
            true => kept.send(bytes.to_vec()).is_ok(),
            false => client.write_all(bytes).is_ok(),
        };
        if !passed {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}
