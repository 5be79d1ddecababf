//! What a seed chooses before the run.

use ack_gen::Policy;
use mllp_core::{Config, Profile};
use mllp_link::{InitiatorConfig, OverLimit, ResponderConfig, Rules, Times};

use crate::memory::Memory;
use crate::network::Rng;

/// The longest payload that a receiver takes.
pub const LIMIT: usize = 4096 - 3;
/// The longest reply that a sender takes.
pub const REPLY_LIMIT: usize = 2048 - 3;
/// The most bytes that a host reads at once.
pub const READ: usize = 3000;

const RULES: [&str; 5] = [
    "accept=accept,error=fail+warn,reject=retry+warn,no-msa=suspend+warn,*=retry+warn",
    "accept=accept,CE=retry,error=suspend+warn,*=retry",
    "error=retry,reject=fail,no-msa=accept,wrong-id=suspend+warn,no-reply=suspend",
    "reject=suspend,error=fail,no-reply=fail,no-msa=fail,not-hl7=fail",
    "*=accept,no-reply=retry",
];

/// Which acknowledgments the messages ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Original,
    Enhanced,
    Mixed,
}

pub struct Scenario {
    pub responder: ResponderConfig,
    pub initiator: InitiatorConfig,
    /// How many messages the responder takes at once.
    pub window: usize,
    /// The receiver stores no payloads.
    pub spans: bool,
    growing: bool,
    answer_room: usize,
    pub mode: Mode,
    /// Some messages have no name. Only where every message gets one reply, and nobody writes
    /// others: a nameless message takes the first reply that is nobody else's.
    pub nameless: bool,
    /// The receiver also answers what asks for no answer.
    pub courteous: bool,
    /// One connection in so many meets a peer that is no responder; 0 is none.
    pub hostile: u64,
    /// A sender that begins again goes on in the same stream, as on a serial line.
    pub serial: bool,
    /// Bytes between frames.
    pub noise: bool,
    /// The length of most messages, at most.
    pub length: u64,
    /// How long a handler may take.
    pub patience: u64,
    /// The sender omits the trailer, as some do.
    pub bare: bool,
    /// The sender writes a few bytes at a time.
    pub slow: bool,
    pub messages: u64,
    pub faults_end: u64,
    /// One fault in so many steps.
    pub fault_rate: u64,
}

impl Scenario {
    pub fn new(rng: &mut Rng) -> Scenario {
        let profile = rng.pick(&[
            Profile::Permissive,
            Profile::Permissive,
            Profile::Resync,
            Profile::Resync,
            Profile::Strict,
        ]);
        // A fused pair is the price of `permissive`, and stated: there, one sender has one stream.
        let serial = profile != Profile::Permissive && rng.one_in(2);
        let hostile = if rng.one_in(3) { 2 + rng.below(2) } else { 0 };
        let mode = rng.pick(&[Mode::Original, Mode::Original, Mode::Enhanced, Mode::Mixed]);
        let commit_blocks = rng.one_in(5);
        let growing = rng.one_in(2);
        let slow = rng.one_in(8);
        let patience = rng.pick(&[100, 400, 400, 1500]);
        let window = 1 + rng.below(4) as usize;
        let plain = mode == Mode::Original && hostile == 0 && !serial && !commit_blocks;
        Scenario {
            responder: receiving(rng, profile, commit_blocks),
            initiator: sending(rng, profile, window, slow, patience),
            // With commit blocks a message takes two places.
            window: if commit_blocks { rng.pick(&[2, 4]) } else { rng.pick(&[1, 4]) },
            spans: rng.one_in(3),
            growing,
            // Room for so many answers and hardly more: they are moved often.
            answer_room: rng.pick(&[620, 1200]),
            mode,
            nameless: plain && rng.one_in(4),
            hostile,
            serial,
            length: rng.pick(&[250, 250, 1500]),
            patience,
            noise: rng.one_in(3),
            bare: profile != Profile::Strict && rng.one_in(6),
            slow,
            messages: 3 + rng.below(12),
            faults_end: 500 + rng.below(3000),
            fault_rate: 10 + rng.below(100),
            courteous: rng.one_in(3),
        }
    }

    /// How both ends cut their streams into frames.
    pub fn profile(&self) -> Profile {
        self.initiator.decoder.profile
    }

    pub fn incoming(&self) -> Memory {
        match self.growing {
            true => Memory::growing(4 * LIMIT, self.capacity()),
            false => Memory::fixed(self.capacity()),
        }
    }

    /// How many bytes a receiver may hold: one message, and one read where storage grows.
    pub fn capacity(&self) -> usize {
        LIMIT + 3 + if self.growing { READ } else { 0 }
    }

    /// As many answers as messages may wait.
    pub fn answers(&self) -> Memory {
        match self.growing {
            true => Memory::growing(100_000, self.window * self.responder.max_answer_len),
            false => Memory::fixed(self.answer_room),
        }
    }

    pub fn replies(&self) -> Memory {
        match self.growing {
            true => Memory::growing(4 * REPLY_LIMIT, REPLY_LIMIT + 3 + READ),
            false => Memory::fixed(REPLY_LIMIT + 3),
        }
    }
}

fn receiving(rng: &mut Rng, profile: Profile, commit_blocks: bool) -> ResponderConfig {
    ResponderConfig {
        decoder: Config { profile, max_payload_len: LIMIT, ..Config::DEFAULT },
        over_limit: rng.pick(&[OverLimit::Refuse, OverLimit::Close]),
        policy: rng.pick(&[Policy::Always, Policy::Conformant]),
        times: Times { idle: 1000, byte: 700, frame: 900, send: 500, trailer: 100 },
        max_answer_len: 290,
        commit_blocks,
    }
}

fn sending(
    rng: &mut Rng,
    profile: Profile,
    window: usize,
    slow: bool,
    patience: u64,
) -> InitiatorConfig {
    InitiatorConfig {
        decoder: Config { profile, max_payload_len: REPLY_LIMIT, ..Config::DEFAULT },
        rules: match rng.one_in(2) {
            true => Rules::default(),
            false => Rules::parse(rng.pick(&RULES)).expect("a good list"),
        },
        window,
        send: if slow { 3000 } else { 800 },
        reply: if patience > 1000 { 2500 } else { 600 },
        application: 900,
        max_attempts: 2 + rng.below(4) as u32,
        back_off: 10,
        max_back_off: 200,
        trailer: 150,
        ..InitiatorConfig::default()
    }
}
