//! What is wrong with a graph, all of it at once.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use mllp_io::AckMode;
use mllp_pipeline::Acknowledge;

use crate::builder::Builder;
use crate::specs::{Delivers, Feed, InboundSpec};

impl Builder {
    /// Everything that is wrong with the graph.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = self.misplaced.clone();
        let inbounds = self.inbounds.iter().map(|it| it.name.as_str());
        let outbounds = self.outbounds.iter().map(|it| it.name.as_str());
        repeated("inbound", inbounds, &mut faults);
        repeated("router", self.routers.iter().map(|(name, _)| name.as_str()), &mut faults);
        repeated("handler", self.handlers.iter().map(|(name, _)| name.as_str()), &mut faults);
        repeated("outbound", outbounds, &mut faults);
        for (name, _) in &self.handlers {
            if self.outbounds.iter().any(|it| it.name == *name) {
                faults.push(format!("handler {name}: an outbound has the same name"));
            }
        }
        // A handler sends to it by this name.
        for InboundSpec { name, .. } in self.inbounds.iter().filter(|it| !it.receives()) {
            if self.outbounds.iter().any(|it| it.name == *name) {
                faults.push(format!("inbound {name}: an outbound has the same name"));
            }
            if self.handlers.iter().any(|(known, _)| known == name) {
                faults.push(format!("inbound {name}: a handler has the same name"));
            }
        }
        for name in self.capacities.keys() {
            if !self.handlers.iter().any(|(known, _)| known == name) {
                faults.push(format!("capacity of \"{name}\", which is not declared before"));
            }
        }
        self.inbounds.iter().for_each(|it| self.inbound_faults(it, &mut faults));
        for outbound in &self.outbounds {
            let its = match &outbound.delivers {
                Delivers::Sender(options) => options.faults(),
                Delivers::Connector { program, window } => program.faults(Some(*window)),
            };
            faults.extend(its.iter().map(|it| format!("outbound {}: {it}", outbound.name)));
            faults.extend(outbound.order_faults());
        }
        let in_worker = |kind: &str, name: &str| format!("{kind} {name} is to run in a worker");
        let routers = self.routers.iter().filter(|it| it.1.is_none());
        let routers = routers.map(|(name, _)| in_worker("router", name));
        let handlers = self.handlers.iter().filter(|it| it.1.is_none());
        let handlers = handlers.map(|(name, _)| in_worker("handler", name));
        let mut in_workers = routers.chain(handlers).peekable();
        if self.worker_program.is_none() {
            faults.extend(in_workers.map(|it| format!("{it}, and the workers have no program")));
        } else if in_workers.peek().is_none() {
            faults.push("the workers have a program, and nothing to run".to_owned());
        }
        if self.inbounds.is_empty() {
            faults.push("there is no inbound".to_owned());
        }
        faults
    }

    fn inbound_faults(&self, inbound: &InboundSpec, faults: &mut Vec<String>) {
        let InboundSpec { name, router, .. } = inbound;
        let mut check = |is_right: bool, fault: &str| {
            if !is_right {
                faults.push(format!("inbound {name}: {fault}"));
            }
        };
        let is_known = self.routers.iter().any(|(known, _)| known == router);
        check(is_known, &format!("unknown router \"{router}\""));
        let options = match &inbound.feed {
            Feed::Listener { address, options } => {
                let has_address = address.parse::<SocketAddr>().is_ok();
                check(has_address, &format!("\"{address}\" is not ADDRESS:PORT"));
                Some(options)
            }
            Feed::Handlers => None,
            Feed::Connector { program, options } => {
                program.faults(None).iter().for_each(|fault| check(false, fault));
                check(options.max_message > 0, "max_message must be at least 1");
                None
            }
        };
        if let Acknowledge::Delivered { .. } = inbound.acknowledge {
            let mut needs =
                |is_so, what| check(is_so, &format!("an answer after delivery needs {what}"));
            needs(inbound.deduplicate, "duplicates to be recognised");
            // Any other acknowledgment says that it is stored, or nothing.
            let is_original = options.is_none_or(|it| it.ack_mode == AckMode::Original);
            needs(is_original, "ack_mode original");
            needs(options.is_none_or(|it| !it.commit_blocks), "a wire without commit_blocks");
        }
        options
            .map_or_else(Vec::new, |it| it.faults())
            .iter()
            .for_each(|fault| check(false, fault));
    }
}

fn repeated<'a>(kind: &str, names: impl Iterator<Item = &'a str>, faults: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.is_empty() {
            faults.push(format!("{kind} without a name"));
        } else if !seen.insert(name) {
            faults.push(format!("{kind} {name} is declared twice"));
        }
    }
}
