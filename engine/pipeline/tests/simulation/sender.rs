//! Who sends to an inbound, and what it believes.

use std::collections::{BTreeMap, VecDeque};

use mllp_pipeline::{
    Acknowledge, Body, BodyId, Fact, IdHash, Keys, LaneId, Millis, Piece, Received, Ticket,
};

use crate::functions::{control_id, undecodable};
use crate::rng::hash;
use crate::world::World;

pub struct Sender {
    pub lane: LaneId,
    /// What is still to be sent, in order, without its header.
    pub unsent: VecDeque<Vec<u8>>,
    /// What was sent and not answered, and when.
    pub waiting: BTreeMap<Ticket, (Vec<u8>, Millis)>,
    /// How long it waits for a verdict; `None`: an answer says that its message is stored.
    pub within: Option<Millis>,
    /// What was answered with its own acknowledgment or that of a first.
    pub acknowledged: Vec<Vec<u8>>,
    pub not_before: u64,
}

/// The acknowledgment that the host makes for a ticket.
pub fn acknowledgment(ticket: Ticket) -> Vec<u8> {
    format!("ack {ticket}").into_bytes()
}

/// The ticket of such an acknowledgment.
pub fn ticket_of(acknowledgment: &[u8]) -> Option<u64> {
    std::str::from_utf8(acknowledgment).ok()?.strip_prefix("ack ")?.parse().ok()
}

impl Sender {
    pub fn new(lane: LaneId, number: usize, world: &mut World) -> Sender {
        let body = |n: usize, world: &mut World| {
            let filler = "x".repeat(world.rng.below(20) as usize);
            format!("{number}:{n}:{}:{filler}", world.rng.below(1 << 20)).into_bytes()
        };
        let unsent = (0..world.scenario.messages).map(|n| body(n, world)).collect();
        let mut inbounds = world.scenario.graph.inbounds.iter();
        let inbound = inbounds.find(|it| it.lane == lane).expect("inbound");
        let within = match inbound.acknowledge {
            Acknowledge::Stored => None,
            Acknowledge::Delivered { within } => Some(within),
        };
        let (waiting, acknowledged) = (BTreeMap::new(), Vec::new());
        Sender { lane, unsent, waiting, within, acknowledged, not_before: 0 }
    }

    pub fn is_done(&self) -> bool {
        self.unsent.is_empty() && self.waiting.is_empty()
    }

    /// The next message, if the sender sends one now.
    pub fn next(&mut self, world: &mut World) -> Option<Fact> {
        if world.now < self.not_before || self.waiting.len() >= world.scenario.outstanding {
            return None;
        }
        let unsent = self.unsent.pop_front()?;
        let bytes = match self.within {
            // Another time in each.
            Some(_) => [format!("h{}\r", world.rng.below(1 << 30)).as_bytes(), &unsent].concat(),
            None => unsent.clone(),
        };
        world.last_ticket += 1;
        let ticket = Ticket(world.last_ticket);
        self.waiting.insert(ticket, (unsent.clone(), world.now));
        if world.strikes(3 * world.scenario.doubled) {
            // A second connection sends the same at the same time.
            self.unsent.push_front(unsent.clone());
            self.not_before = world.now;
        } else {
            self.not_before = world.now + world.rng.below(if world.calm { 2 } else { 60 });
        }
        let (accepted, control_id) = (!undecodable(&unsent), control_id(&unsent));
        // Without a control ID nothing tells a retry from another message.
        let nameless = self.within.is_some() && control_id.is_empty();
        let strong = u128::from(hash(&unsent, 1)) << 64 | u128::from(hash(&unsent, 2));
        let weak = u128::from(hash(&unsent, 1) % 3 + 1) << 64;
        let identity = if world.scenario.weak_hash { weak } else { strong };
        let body = if world.rng.one_in(world.scenario.chunked) {
            let id = ticket.0;
            let len = bytes.len() as u64;
            world.store.chunks.insert(id, bytes);
            Body::Chunked { id: BodyId(id), len }
        } else {
            Body::Inline(bytes.into())
        };
        Some(Fact::Received(Received {
            ticket,
            inbound: self.lane,
            identity: if nameless { 0 } else { identity },
            name: IdHash::of(&control_id),
            control_id: control_id.as_slice().into(),
            message_type: Piece::default(),
            indexed: Keys::NONE,
            body,
            acknowledgment: acknowledgment(ticket).as_slice().into(),
            accepted,
            origin: Piece::from(&b"10.1.4.17:51022"[..]),
            session: None,
        }))
    }

    /// Its connections are gone, and with them the answers.
    pub fn disconnected(&mut self, now: u64) {
        // The order among them is kept, as a sender would keep it.
        for (bytes, _) in std::mem::take(&mut self.waiting).into_values().rev() {
            self.unsent.push_front(bytes);
        }
        self.not_before = now;
    }
}
