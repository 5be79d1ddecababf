//! The bytes of a connection, as they are or through TLS.

use std::future::poll_fn;

use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rustls::client::ClientConnection;
use rustls::server::{ServerConfig, ServerConnection};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use crate::certificates::valid_until;
use crate::tls::Dialing;

/// A connection that is read and written without waiting.
pub(crate) struct Transport {
    stream: TcpStream,
    tls: Option<Box<Tls>>,
}

struct Tls {
    session: rustls::Connection,
    /// Bytes that were taken and have not left whole.
    unsent: usize,
    /// More may be here than was read: the socket says nothing of it.
    has_more: bool,
}

/// The socket, as the session reads and writes it.
struct Socket<'a>(&'a TcpStream);

impl Read for Socket<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(room)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport {
    /// Bytes as they are.
    pub(crate) fn plain(stream: TcpStream) -> Self {
        Transport { stream, tls: None }
    }

    /// Does the handshake of a server.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: it failed, or the peer left.
    pub(crate) async fn accept(stream: TcpStream, config: Arc<ServerConfig>) -> io::Result<Self> {
        let session = ServerConnection::new(config).map_err(io::Error::other)?;
        Transport::shake_hands(stream, session.into()).await
    }

    /// Does the handshake of a client.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: it failed, or the peer left.
    pub(crate) async fn connect(stream: TcpStream, dialing: Dialing) -> io::Result<Self> {
        let Dialing { config, name, .. } = dialing;
        let session = ClientConnection::new(config, name).map_err(io::Error::other)?;
        Transport::shake_hands(stream, session.into()).await
    }

    /// Until when what the peer has shown is valid.
    pub(crate) fn peer_valid_until(&self) -> Option<u64> {
        self.tls.as_ref()?.session.peer_certificates().and_then(valid_until)
    }

    async fn shake_hands(stream: TcpStream, session: rustls::Connection) -> io::Result<Self> {
        let mut tls = Box::new(Tls { session, unsent: 0, has_more: true });
        loop {
            match tls.flush(&stream) {
                Ok(()) if !tls.session.is_handshaking() => {
                    return Ok(Transport { stream, tls: Some(tls) });
                }
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    stream.writable().await?;
                    continue;
                }
                Err(error) => return Err(error),
            }
            stream.readable().await?;
            match tls.receive(&stream) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => {
                    // The alert that says why.
                    let _ = tls.flush(&stream);
                    return Err(error);
                }
            }
        }
    }

    /// Waits until it can be read, or written, or is broken. Without either it waits for ever. One
    /// task waits at a time.
    pub(crate) async fn ready(&self, reads: bool, writes: bool) {
        let tls = self.tls.as_ref();
        if reads && tls.is_some_and(|it| it.has_more) {
            return;
        }
        let writes = writes || tls.is_some_and(|it| it.session.wants_write());
        // These two keep one waker each, where a future of `ready` enters and leaves a list.
        poll_fn(|cx| {
            let readable = reads && self.stream.poll_read_ready(cx).is_ready();
            let writable = writes && self.stream.poll_write_ready(cx).is_ready();
            if readable || writable { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Reads what there is; 0: the peer has ended.
    ///
    /// # Errors
    ///
    /// [`io::Error`], with `WouldBlock` if there is nothing now.
    pub(crate) fn try_read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => try_read(&mut self.stream, room),
            Some(tls) => tls.try_read(&self.stream, room),
        }
    }

    /// Reads what has come by now, whether or not the runtime knows of it. Without TLS it leaves what
    /// [`ready`](Transport::ready) knows as it was.
    ///
    /// # Errors
    ///
    /// [`io::Error`], with `WouldBlock` if there is nothing now.
    pub(crate) fn read_at_once(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => (&*SockRef::from(&self.stream)).read(room),
            Some(tls) => tls.try_read(&self.stream, room),
        }
    }

    /// Writes what fits. `WouldBlock` means that some of it may be under way: call it again with
    /// bytes that begin with the same ones.
    ///
    /// # Errors
    ///
    /// [`io::Error`], with `WouldBlock` if the socket takes nothing more now.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.stream.try_write(bytes),
            Some(tls) => tls.try_write(&self.stream, bytes),
        }
    }

    /// Writes what TLS itself has to say; false: the connection broke.
    pub(crate) fn flush(&mut self) -> bool {
        let Some(tls) = &mut self.tls else { return true };
        match tls.flush(&self.stream) {
            Err(error) => error.kind() == ErrorKind::WouldBlock,
            Ok(()) => true,
        }
    }

    /// Tells the peer that nothing more is written, as far as TLS says so.
    pub(crate) fn say_goodbye(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.session.send_close_notify();
            let _ = tls.flush(&self.stream);
        }
    }

    /// Says that nothing more is written, and waits until the peer has ended as well.
    pub(crate) async fn end(mut self) {
        self.say_goodbye();
        let _ = self.stream.shutdown().await;
        let mut rest = vec![0; 4096];
        while self.stream.read(&mut rest).await.is_ok_and(|len| len > 0) {}
    }
}

/// Reads what there is. A read that leaves room has emptied the socket, which `poll_read` remembers;
/// after `TcpStream::try_read` the next one would have to find out.
fn try_read(stream: &mut TcpStream, room: &mut [u8]) -> io::Result<usize> {
    let mut room = ReadBuf::new(room);
    // A caller that waits for more says so in `ready`.
    match Pin::new(stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut room) {
        Poll::Ready(read) => read.map(|()| room.filled().len()),
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}

impl Tls {
    fn try_read(&mut self, stream: &TcpStream, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(room) {
                Ok(len) => {
                    self.has_more = len == room.len();
                    return Ok(len);
                }
                // Without the goodbye of TLS the end may be an attacker's. A frame that it cuts is
                // lost either way, and one that had come whole is one.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            self.has_more = false;
            self.receive(stream)?;
            match self.flush(stream) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
    }

    /// Takes what has come from the socket; 0: it has ended.
    fn receive(&mut self, stream: &TcpStream) -> io::Result<usize> {
        let len = self.session.read_tls(&mut Socket(stream))?;
        self.session.process_new_packets().map_err(io::Error::other)?;
        Ok(len)
    }

    fn try_write(&mut self, stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        self.flush(stream)?;
        // What was taken before has left.
        if self.unsent == 0 {
            self.unsent = self.session.writer().write(bytes)?;
            self.flush(stream)?;
        }
        Ok(std::mem::take(&mut self.unsent))
    }

    /// Writes what the session has to say.
    fn flush(&mut self, stream: &TcpStream) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut Socket(stream))?;
        }
        Ok(())
    }
}
