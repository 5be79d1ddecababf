//! A receiving link for hosts that read although no input is wanted.

use std::ops::{Deref, DerefMut};

use mllp_link::{Millis, Responder, ResponderEvent};

use crate::storage::Growing;

/// Messages that one connection may have without an answer, or with one that is not sent yet.
const WINDOW: usize = 16;

pub(crate) type Link = Responder<Growing, Growing, WINDOW>;

/// The link, and what it does not take yet: a loop may hand over bytes that it had read before it was
/// asked not to.
pub(crate) struct Receiving {
    link: Box<Link>,
    backlog: Vec<u8>,
    /// How the stream ended behind the backlog.
    end: Option<End>,
}

#[derive(Clone, Copy)]
pub(crate) enum End {
    PeerClosed,
    Closed,
}

impl Deref for Receiving {
    type Target = Link;

    fn deref(&self) -> &Link {
        &self.link
    }
}

impl DerefMut for Receiving {
    fn deref_mut(&mut self) -> &mut Link {
        &mut self.link
    }
}

impl Receiving {
    pub(crate) fn new(link: Link) -> Self {
        Receiving { link: Box::new(link), backlog: Vec::new(), end: None }
    }

    pub(crate) fn wants_input(&self) -> bool {
        self.link.wants_input() && self.backlog.is_empty()
    }

    /// Takes bytes, or keeps them for when there is room again.
    pub(crate) fn take(&mut self, data: &[u8], now: Millis) {
        let taken = if self.backlog.is_empty() { self.link.receive(data, now) } else { 0 };
        self.backlog.extend_from_slice(data.get(taken..).unwrap_or_default());
    }

    /// The next event, of the backlog too as soon as there is room for it.
    pub(crate) fn next_event(&mut self, now: Millis) -> Option<ResponderEvent> {
        loop {
            if let Some(event) = self.link.next_event(now) {
                return Some(event);
            }
            if self.backlog.is_empty() || !self.link.wants_input() {
                return None;
            }
            let backlog = std::mem::take(&mut self.backlog);
            self.take(&backlog, now);
            if let (true, Some(end)) = (self.backlog.is_empty(), self.end.take()) {
                self.end(end, now);
            }
        }
    }

    /// Nothing more is received behind the backlog.
    pub(crate) fn end(&mut self, end: End, now: Millis) {
        match end {
            _ if !self.backlog.is_empty() => self.end = self.end.or(Some(end)),
            End::PeerClosed => self.link.peer_closed(now),
            End::Closed => self.link.close(now),
        }
    }
}
