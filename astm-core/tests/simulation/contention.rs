//! Both ends offer a message, at every offset.

use astm_core::Role;

use crate::end::{End, Fate};
use crate::line::{EVERY_NOISE, Quality};
use crate::random::Random;
use crate::sabotage::Sabotage;
use crate::world::World;

const MESSAGE: &[u8] = b"H|\\^&|||A\rP|1\rO|1|S1\rR|1|^^^GLU|5\rL|1|N\r";

/// Ten minutes are enough for both, in any order and for any roles.
#[test]
fn both_deliver_at_every_offset() {
    for delay in [5, 400] {
        at_every_offset(delay);
    }
}

fn at_every_offset(delay: u64) {
    let quality = Quality { noise: 0, kinds: EVERY_NOISE.to_vec(), delay, stalls: 0, breaks: 0 };
    let roles = [
        ([Role::Computer, Role::Instrument], [0, 0]),
        ([Role::Instrument, Role::Computer], [0, 0]),
        // Two of a kind wait for different times.
        ([Role::Computer, Role::Computer], [0, 700]),
        ([Role::Instrument, Role::Instrument], [0, 300]),
    ];
    let mut contentions = 0;
    for (roles, more) in roles {
        for offset in (0..=25_000).step_by(100).chain(1..40) {
            for first in 0..2 {
                let mut ends =
                    [0, 1].map(|side| End::new(roles[side], more[side], 0, Sabotage::None));
                for (side, end) in ends.iter_mut().enumerate() {
                    end.messages = vec![MESSAGE.to_vec(); 2];
                    end.fates = vec![Fate::default(); 2];
                    end.offer_at = if side == first { 0 } else { offset };
                }
                let mut world = World::of(ends, quality.clone(), Random::new(offset));
                world.run();
                for end in &world.ends {
                    let delivered = end.fates.iter().all(|fate| fate.delivered);
                    assert!(delivered, "{roles:?} {offset} {:?}", end.fates);
                    assert_eq!(end.store.len(), 2, "{roles:?} {offset}");
                    contentions += u32::from(end.seen.contains("sees_contention"));
                }
                assert!(world.now < 600_000, "{roles:?} {offset}: {} ms", world.now);
            }
        }
    }
    assert!(contentions > 20, "{contentions}");
}
