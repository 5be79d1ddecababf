//! What a process is told.

use std::sync::Arc;

use mllp_io::{Source, read_piece};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc::UnboundedReceiver;

use super::protocol::FromEngine;
use crate::program::Payload;

/// Something to be written.
pub(super) enum Out {
    Frame(Vec<u8>),
    /// A piece of a delivery, which is read when it is its turn.
    Piece {
        token: u64,
        n: u32,
        source: Arc<dyn Source>,
    },
}

/// Writes until the process is gone, or nobody has anything to tell it.
pub(super) async fn write(mut socket: OwnedWriteHalf, mut outgoing: UnboundedReceiver<Out>) {
    while let Some(out) = outgoing.recv().await {
        let bytes = match out {
            Out::Frame(bytes) => bytes,
            Out::Piece { token, n, source } => match read_piece(&*source, n).await {
                Some(piece) => FromEngine::Piece(token, Payload(&piece)).bytes(),
                None => FromEngine::Unreadable(token).bytes(),
            },
        };
        if socket.write_all(&bytes).await.is_err() {
            break;
        }
    }
    // Its end is the reader's affair.
    socket.forget();
}
