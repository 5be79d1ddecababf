//! The places of messages among the answers of a connection.
//!
//! In Rust a `Ticket` cannot be copied and is given away with the answer, so that no message is
//! answered twice, and nothing that was lost positively. C has no such types: the state keeps the
//! tickets, and C holds their numbers.

use mllp_link::{Refusal, Refuse, Ticket, Unanswered, Unrefused};

use crate::code::numbered;
use crate::status::{Failure, MLLP_ERR_LOST, MLLP_ERR_NO_TICKET, MLLP_OK, mllp_status_t};

/// The place of one complete message among the answers: good for one answer. A zeroed one is none, and
/// one of another responder, or from before the responder was prepared anew, is recognised, unless
/// that was in the same millisecond: a caller who answers late asks whether the connection is still
/// the same.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_ticket_t {
    /// The place among the answers of the connection, counted from 0 and wrapping: see
    /// `mllp_responder_is_settled`. With commit blocks a message has two places, and this is the
    /// second.
    pub number: u32,
    _link: u32,
}

/// The place of a message that was lost: it can be refused, never accepted. A zeroed one is none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_refusal_t {
    /// The place among the answers of the connection: see `mllp_ticket_t`.
    pub number: u32,
    _link: u32,
}

/// How a message that was lost is refused: `MLLP_REFUSE_*`. There is no positive way.
pub type mllp_refuse_t = u32;

/// With AE or CE.
pub const MLLP_REFUSE_ERROR: mllp_refuse_t = 1;
/// With AR or CR.
pub const MLLP_REFUSE_REJECT: mllp_refuse_t = 2;

numbered!(Refuse {
    Refuse::Error = MLLP_REFUSE_ERROR, c"error";
    Refuse::Reject = MLLP_REFUSE_REJECT, c"reject";
});

impl mllp_ticket_t {
    pub(crate) const NONE: mllp_ticket_t = mllp_ticket_t { number: 0, _link: 0 };
}

impl mllp_refusal_t {
    pub(crate) const NONE: mllp_refusal_t = mllp_refusal_t { number: 0, _link: 0 };
}

/// The tickets that were given out and not used.
///
/// Whoever has one has a place in the window, and the places in the window are numbered one behind
/// the other: no two of them are the same modulo its size.
pub(crate) struct Tickets<const WINDOW: usize> {
    /// Tells this connection from the one before it in the same memory, and from others. Never 0.
    link: u32,
    places: [Place; WINDOW],
}

enum Place {
    Free,
    Complete(Ticket),
    Lost(Refusal),
}

impl<const WINDOW: usize> Tickets<WINDOW> {
    /// Numbers wrap: what is left of them by the window has to go on where they do.
    const WRAPS: () = assert!(WINDOW.is_power_of_two());

    /// Puts them where they are to stand, for a state at this address that is prepared now.
    ///
    /// # Safety
    ///
    /// There is room for them at `tickets`.
    pub(crate) unsafe fn prepare(tickets: *mut Self, address: usize, now: u64) {
        const { Self::WRAPS };
        // Multiplied by the golden ratio (Knuth), so that a step of either changes the upper half.
        let mixed = (address as u64).rotate_left(32).wrapping_add(now);
        let link = (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32 | 1;
        // SAFETY: the caller's promise. One place after the other, so that the stack never holds all.
        unsafe {
            (&raw mut (*tickets).link).write(link);
            let places = (&raw mut (*tickets).places).cast::<Place>();
            for at in 0..WINDOW {
                places.add(at).write(Place::Free);
            }
        }
    }

    pub(crate) fn keep(&mut self, ticket: Ticket) -> mllp_ticket_t {
        let number = ticket.number();
        self.put(number, Place::Complete(ticket));
        mllp_ticket_t { number, _link: self.link }
    }

    pub(crate) fn keep_refusal(&mut self, refusal: Refusal) -> mllp_refusal_t {
        let number = refusal.number();
        self.put(number, Place::Lost(refusal));
        mllp_refusal_t { number, _link: self.link }
    }

    /// The ticket, as long as it is not taken.
    pub(crate) fn find(&mut self, ticket: mllp_ticket_t) -> Result<&Ticket, Failure> {
        match self.place(ticket.number, ticket._link)? {
            Place::Complete(found) if found.number() == ticket.number => Ok(found),
            Place::Lost(found) if found.number() == ticket.number => Err(Failure(MLLP_ERR_LOST)),
            _ => Err(Failure(MLLP_ERR_NO_TICKET)),
        }
    }

    pub(crate) fn take(&mut self, ticket: mllp_ticket_t) -> Result<Ticket, Failure> {
        self.find(ticket)?;
        let place = self.place(ticket.number, ticket._link)?;
        match core::mem::replace(place, Place::Free) {
            Place::Complete(ticket) => Ok(ticket),
            // `find` has seen that it is there.
            _ => Err(Failure(MLLP_ERR_NO_TICKET)),
        }
    }

    pub(crate) fn take_refusal(&mut self, refusal: mllp_refusal_t) -> Result<Refusal, Failure> {
        let place = self.place(refusal.number, refusal._link)?;
        match core::mem::replace(place, Place::Free) {
            Place::Lost(found) if found.number() == refusal.number => Ok(found),
            other => {
                *place = other;
                Err(Failure(MLLP_ERR_NO_TICKET))
            }
        }
    }

    /// An answer that was not taken leaves its ticket good.
    pub(crate) fn answered(
        &mut self,
        answered: Result<(), Unanswered>,
    ) -> Result<mllp_status_t, Failure> {
        answered.map(|()| MLLP_OK).map_err(|Unanswered { ticket, error }| {
            self.keep(ticket);
            error.into()
        })
    }

    /// A refusal that was not taken stays good.
    pub(crate) fn refused(
        &mut self,
        refused: Result<(), Unrefused>,
    ) -> Result<mllp_status_t, Failure> {
        refused.map(|()| MLLP_OK).map_err(|Unrefused { refusal, error }| {
            self.keep_refusal(refusal);
            error.into()
        })
    }

    fn put(&mut self, number: u32, kept: Place) {
        if let Ok(place) = self.place(number, self.link) {
            *place = kept;
        }
    }

    fn place(&mut self, number: u32, link: u32) -> Result<&mut Place, Failure> {
        let known = link == self.link;
        let place = self.places.get_mut(number as usize % WINDOW).filter(|_| known);
        place.ok_or(Failure(MLLP_ERR_NO_TICKET))
    }
}

/// Whether the place with this number is done, when `settled` is the first that is not.
pub(crate) const fn is_settled(settled: u32, number: u32) -> bool {
    // Numbers wrap.
    settled.wrapping_sub(number).wrapping_sub(1) < 1 << 31
}
