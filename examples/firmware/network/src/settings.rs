//! What can be set without building: words such as `policy=conformant` from the emulator.

use ack_gen::Policy;
use mllp_core::Profile;
use mllp_link::{OverLimit, ResponderConfig, Times};

use crate::semihosting;

/// The settings of the gateway.
pub struct Settings {
    /// Of every connection.
    pub link: ResponderConfig,
    /// Measure the stack of the protocol.
    pub measure: bool,
}

impl Settings {
    /// The longest answer in bytes. One that quotes the longest header that is kept fits, without the
    /// names of it.
    pub const MAX_ANSWER: usize = 640;

    /// `resync`, because a sender that dies in mid-message must not have two messages fused, and a
    /// gateway that passes spans on cannot take them back. A message over the limit is refused.
    const DEFAULT: Settings = Settings {
        link: ResponderConfig {
            decoder: mllp_core::Config {
                profile: Profile::Resync,
                max_payload_len: 64 * 1024 * 1024,
                ..mllp_core::Config::DEFAULT
            },
            over_limit: OverLimit::Refuse,
            max_answer_len: Self::MAX_ANSWER,
            ..ResponderConfig::DEFAULT
        },
        measure: false,
    };

    /// The defaults, with what the emulator was started with.
    pub fn read() -> Settings {
        let mut buffer = [0; 128];
        let mut settings = Settings::DEFAULT;
        for word in semihosting::arguments(&mut buffer).split(' ') {
            match word.split_once('=') {
                Some(("policy", "conformant")) => settings.link.policy = Policy::Conformant,
                Some(("profile", "permissive")) => {
                    settings.link.decoder.profile = Profile::Permissive;
                }
                Some(("limit", bytes)) => {
                    let limit = bytes.parse().unwrap_or(settings.link.decoder.max_payload_len);
                    settings.link.decoder.max_payload_len = limit;
                }
                // Both for silence between frames and inside of one.
                Some(("idle", millis)) => {
                    let idle = millis.parse().unwrap_or(settings.link.times.idle);
                    settings.link.times = Times { idle, byte: idle, ..settings.link.times };
                }
                Some(("measure", "stack")) => settings.measure = true,
                _ => {}
            }
        }
        settings
    }
}
