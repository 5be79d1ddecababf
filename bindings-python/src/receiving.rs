//! A receiving link for hosts that read although no input is wanted.

use std::ops::{Deref, DerefMut};

use mllp_link::{Millis, Responder, ResponderEvent};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::input::Input;
use crate::storage::Growing;

/// Messages that one connection may have without an answer, or with one that is not sent yet.
const WINDOW: usize = 16;

pub(crate) type Link = Responder<Growing, Growing, WINDOW>;

/// The link, and what it does not take yet: a loop may hand over bytes that it had read before it was
/// asked not to.
pub(crate) struct Receiving {
    link: Box<Link>,
    backlog: Vec<u8>,
    /// A call is going through bytes that come before the backlog.
    reading: bool,
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
        Receiving { link: Box::new(link), backlog: Vec::new(), reading: false, end: None }
    }

    pub(crate) fn wants_input(&self) -> bool {
        self.link.wants_input() && self.backlog.is_empty()
    }

    /// Takes bytes, or keeps them for when there is room again.
    pub(crate) fn take(&mut self, data: &[u8], now: Millis) {
        let waits = self.reading || !self.backlog.is_empty();
        let taken = if waits { 0 } else { self.link.receive(data, now) };
        self.backlog.extend_from_slice(data.get(taken..).unwrap_or_default());
    }

    /// The bytes that a call goes through by itself: the backlog and `data`. `None` when an outer call
    /// does, which goes on with these.
    pub(crate) fn begin<'py>(
        &mut self,
        py: Python<'py>,
        data: Input<'py>,
    ) -> Option<Bound<'py, PyBytes>> {
        if !self.reading && self.backlog.is_empty() {
            self.reading = true;
            return Some(data.into_bytes(py));
        }
        self.backlog.extend_from_slice(&data);
        if self.reading {
            return None;
        }
        self.reading = true;
        Some(PyBytes::new(py, &std::mem::take(&mut self.backlog)))
    }

    /// The call is done but for the rest of its bytes. Whether what was kept can be taken at once.
    pub(crate) fn finish(&mut self, rest: &[u8], now: Millis) -> bool {
        self.reading = false;
        if !rest.is_empty() {
            self.backlog.splice(..0, rest.iter().copied());
        }
        if self.backlog.is_empty()
            && let Some(end) = self.end.take()
        {
            self.end(end, now);
            return true;
        }
        !self.backlog.is_empty() && self.link.wants_input()
    }

    /// The next event, of the backlog too as soon as there is room for it.
    pub(crate) fn next_event(&mut self, now: Millis) -> Option<ResponderEvent> {
        loop {
            if let Some(event) = self.link.next_event(now) {
                return Some(event);
            }
            if self.reading || self.backlog.is_empty() || !self.link.wants_input() {
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
            _ if self.reading || !self.backlog.is_empty() => self.end = self.end.or(Some(end)),
            End::PeerClosed => self.link.peer_closed(now),
            End::Closed => self.link.close(now),
        }
    }
}
