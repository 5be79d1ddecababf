//! The control bytes of the link.

pub(crate) const STX: u8 = 0x02;
pub(crate) const ETX: u8 = 0x03;
pub(crate) const EOT: u8 = 0x04;
pub(crate) const ENQ: u8 = 0x05;
pub(crate) const ACK: u8 = 0x06;
pub(crate) const LF: u8 = 0x0A;
pub(crate) const CR: u8 = 0x0D;
pub(crate) const NAK: u8 = 0x15;
pub(crate) const ETB: u8 = 0x17;

/// A byte that is said between frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Control {
    /// `05`: the sender asks for the line.
    Enq,
    /// `04`: the sender gives the line back; in place of an ACK, the receiver asks for it.
    Eot,
    /// `06`: yes.
    Ack,
    /// `15`: no.
    Nak,
}

impl Control {
    /// The byte.
    pub const fn byte(self) -> u8 {
        match self {
            Control::Enq => ENQ,
            Control::Eot => EOT,
            Control::Ack => ACK,
            Control::Nak => NAK,
        }
    }

    pub(crate) const fn of(byte: u8) -> Option<Control> {
        match byte {
            ENQ => Some(Control::Enq),
            EOT => Some(Control::Eot),
            ACK => Some(Control::Ack),
            NAK => Some(Control::Nak),
            _ => None,
        }
    }

    /// ENQ or EOT: what a sender says when it begins or ends a session.
    pub(crate) const fn of_sender(byte: u8) -> Option<Control> {
        match byte {
            ENQ => Some(Control::Enq),
            EOT => Some(Control::Eot),
            _ => None,
        }
    }
}
