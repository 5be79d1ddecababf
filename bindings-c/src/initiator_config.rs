//! What an initiator is told once.

use core::ptr;

use hl7_peek::Scan;
use mllp_link::{InitiatorConfig, Rules};

use crate::code::Numbered;
use crate::config::mllp_config_t;
use crate::delimiters::mllp_scan_t;
use crate::rules::mllp_rules_t;
use crate::state::state;
use crate::status::Failure;

/// The settings of an initiator. Times are in milliseconds.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_initiator_config_t {
    /// How replies are cut into frames, and the longest one.
    pub decoder: mllp_config_t,
    /// What a reply, or its absence, means; NULL for the built-in rules. Copied by the `_init`.
    pub rules: *const mllp_rules_t,
    /// How many messages may be without a reply on the connection at a time. 1 is what the standard
    /// expects; more need a receiver that reads ahead. After CA a message does not count.
    pub window: usize,
    /// How delimiters are found in messages and replies.
    pub scan: mllp_scan_t,
    /// How often a message is sent in all before the action `retry` becomes `fail`.
    pub max_attempts: u32,
    /// For writing one message, from its first byte to its last. 0 waits for ever.
    pub send: u64,
    /// From the last byte of a message to its reply. 0 waits for ever.
    pub reply: u64,
    /// Behind an end block whose trailer has not come, where the profile `resync` waits for it: a
    /// pause of this length ends the reply. 0 waits as long as for the whole reply.
    pub trailer: u64,
    /// From the accept acknowledgment to the application acknowledgment, where both are asked for.
    pub application: u64,
    /// Before the second attempt; it doubles with each further one.
    pub back_off: u64,
    /// The longest time before an attempt.
    pub max_back_off: u64,
}

impl mllp_initiator_config_t {
    /// # Safety
    ///
    /// Rules 2 and 7, for the rules.
    pub(crate) unsafe fn read(&self) -> Result<InitiatorConfig, Failure> {
        let rules = if self.rules.is_null() {
            Rules::default()
        } else {
            // SAFETY: the caller's promise is the same.
            Rules::clone(unsafe { state(self.rules) }?)
        };
        Ok(InitiatorConfig {
            decoder: self.decoder.read()?,
            rules,
            window: self.window,
            scan: Scan::from_number(self.scan)?,
            send: self.send,
            reply: self.reply,
            trailer: self.trailer,
            application: self.application,
            max_attempts: self.max_attempts,
            back_off: self.back_off,
            max_back_off: self.max_back_off,
        })
    }
}

/// The built-in rules; one message at a time, written within 10 seconds and answered within 10 more,
/// application acknowledgments within 60; five attempts, one second apart at first and one minute at
/// most.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_initiator_config_default() -> mllp_initiator_config_t {
    let config = InitiatorConfig::default();
    mllp_initiator_config_t {
        decoder: mllp_config_t::of(config.decoder),
        rules: ptr::null(),
        window: config.window,
        scan: config.scan.number(),
        max_attempts: config.max_attempts,
        send: config.send,
        reply: config.reply,
        trailer: config.trailer,
        application: config.application,
        back_off: config.back_off,
        max_back_off: config.max_back_off,
    }
}
