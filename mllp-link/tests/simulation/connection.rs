//! One connection: the wire, and who is at the receiving end.

use crate::hostile::Hostile;
use crate::network::Wire;
use crate::server::Server;
use crate::world::World;

pub struct Connection {
    pub wire: Wire,
    peer: Peer,
}

enum Peer {
    Server(Box<Server>),
    Hostile(Hostile),
    Gone,
}

impl Connection {
    pub fn new(world: &mut World) -> Connection {
        let hostile = world.scenario.hostile;
        let peer = match !world.calm && hostile > 0 && world.rng.one_in(hostile) {
            true => Peer::Hostile(Hostile::new(world)),
            false => Peer::Server(Box::new(Server::new(world))),
        };
        Connection { wire: Wire::default(), peer }
    }

    pub fn is_finished(&self) -> bool {
        matches!(self.peer, Peer::Gone)
    }

    pub fn step(&mut self, world: &mut World) {
        if self.is_finished() {
            return;
        }
        if world.calm {
            (self.wire.inward.stalled, self.wire.outward.stalled) = (0, 0);
        } else if world.rng.one_in(world.scenario.fault_rate) {
            match &mut self.peer {
                Peer::Server(server) if world.rng.one_in(5) => server.close(world.now),
                _ => {
                    let fault = self.wire.fault(world.now, &mut world.rng);
                    world.tell(format_args!("network: {fault}"));
                }
            }
        }
        let goes_on = match &mut self.peer {
            Peer::Server(server) => server.step(&mut self.wire, world),
            Peer::Hostile(hostile) => hostile.step(&mut self.wire, world),
            Peer::Gone => false,
        };
        if !goes_on {
            self.peer = Peer::Gone;
        }
    }
}
