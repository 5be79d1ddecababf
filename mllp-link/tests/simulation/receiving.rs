//! A receiver as its host sees it. Tickets stay here: the host names places, in order of arrival.

mod spans;
mod whole;

use ack_gen::Ack;
use mllp_link::{CloseReason, ResponderConfig};

use crate::scenario::Scenario;
use spans::Spans;
use whole::WholeMessages;

/// The number of a message on its connection, from 0.
pub type Place = usize;

/// What a host must know of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Message(Place),
    /// To be refused.
    TooLarge(Place),
    /// Over the limit, and the connection ends.
    Lost,
    Commit(bool),
    /// So many places were given up.
    AnswersLost(u32),
    Closing(CloseReason),
    Other,
}

pub trait Receiving {
    fn wants_input(&self) -> bool;
    fn receive(&mut self, bytes: &[u8], now: u64) -> usize;
    fn next_event(&mut self, now: u64) -> Option<Told>;
    fn payload(&self) -> &[u8];
    /// How many bytes have been looked at.
    fn looked_at(&self) -> u64;
    /// False: the answer could not be stored. `kept` is the payload, where it is not at hand.
    fn answer(&mut self, place: Place, kept: Option<&[u8]>, ack: &Ack<'_>, now: u64) -> bool;
    fn leave_unanswered(&mut self, place: Place, now: u64);
    fn refuse(&mut self, place: Place, ack: &Ack<'_>, now: u64) -> bool;
    fn leave_unrefused(&mut self, place: Place, now: u64);
    fn commit(&mut self, place: Place, now: u64);
    fn refuse_commit(&mut self, place: Place, now: u64);
    fn outgoing(&self) -> &[u8];
    fn sent(&mut self, len: usize, now: u64);
    fn next_deadline(&self) -> Option<u64>;
    fn on_time(&mut self, now: u64);
    fn peer_closed(&mut self, now: u64);
    fn close(&mut self, now: u64);
    fn is_finished(&self) -> bool;
    fn waiting(&self) -> usize;
}

/// The receiver that the scenario asks for.
pub fn receiver(scenario: &Scenario, config: ResponderConfig, now: u64) -> Box<dyn Receiving> {
    match (scenario.window, scenario.spans) {
        (1, false) => Box::new(WholeMessages::<1>::new(scenario, config, now)),
        (2, false) => Box::new(WholeMessages::<2>::new(scenario, config, now)),
        (_, false) => Box::new(WholeMessages::<4>::new(scenario, config, now)),
        (1, true) => Box::new(Spans::<1>::new(scenario, config, now)),
        (2, true) => Box::new(Spans::<2>::new(scenario, config, now)),
        (_, true) => Box::new(Spans::<4>::new(scenario, config, now)),
    }
}
