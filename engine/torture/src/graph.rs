//! The engine under test.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use mllp_engine::{Builder, Engine, GiveUp, Message, Send, Then};
use mllp_pipeline::Retry;

use crate::load::{
    self, AFTER_DELIVERY, GIVES_UP, HOLDS, HOP, INBOUNDS, OUTBOUNDS, Ordering, VERDICT_WITHIN,
};
use crate::sabotage::Sabotage;

/// Where an engine listens, and where its partners do; in the order of [`INBOUNDS`] and
/// [`OUTBOUNDS`].
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) inbounds: Vec<SocketAddr>,
    pub(crate) outbounds: Vec<SocketAddr>,
}

pub(crate) fn builder(data: &Path, places: &Places, sabotage: Option<Sabotage>) -> Builder {
    let mut builder = Engine::builder(data).workers(3);
    for (name, address) in INBOUNDS.iter().zip(&places.inbounds) {
        builder = builder.inbound(name, &address.to_string(), "by_number");
        if *name == AFTER_DELIVERY {
            builder = builder.ack_after_delivery(VERDICT_WITHIN);
        }
    }
    builder = builder
        .router("by_number", |message| sent(message).map_or(&[][..], load::Sent::handlers))
        .handler("copy", |message| send(message, "copy"))
        .handler("change", |message| {
            if sent(message).is_some_and(load::Sent::is_slow) {
                std::thread::sleep(Duration::from_millis(260));
            }
            send(message, "change")
        })
        .handler("further", |message| send(message, "further"))
        .pass_through(HOP, "by_name")
        .router("by_name", |message| sent(message).map(|_| "onward"))
        .handler("onward", |message| send(message, "onward"))
        .handler("spread", |message| send(message, "spread"))
        .handler("large", |message| send(message, "large"))
        .handler("fail", |message| -> Vec<Send> {
            panic!("a handler that fails on {} bytes", message.payload().len())
        });
    for ((name, window), address) in OUTBOUNDS.iter().zip(&places.outbounds) {
        builder = builder
            .outbound(name, &address.ip().to_string(), address.port())
            .window(*window as usize)
            .connections(load::connections(name))
            .timeout(load::timeout(name))
            .retry(retry(name));
        if *name == HOLDS {
            builder = builder.give_up(GiveUp { then: Then::Hold, ..GiveUp::DEFAULT });
        }
        builder = match load::ordering(name) {
            Ordering::Fifo => builder,
            Ordering::Key => builder.key("PID-3.1"),
            Ordering::Unordered => builder.unordered(),
        };
    }
    match sabotage {
        Some(sabotage) => sabotage.plant(builder),
        None => builder,
    }
}

fn retry(outbound: &str) -> Retry {
    let max_attempts = (outbound == GIVES_UP.0).then_some(GIVES_UP.1);
    Retry { max_attempts, backoff: 20, multiplier: 2, max_backoff: 200 }
}

fn sent(message: &Message<'_>) -> Option<load::Sent> {
    let control_id = message.get("MSH-10")?;
    load::Sent::parse(std::str::from_utf8(control_id).ok()?)
}

fn send(message: &Message<'_>, handler: &str) -> Vec<Send> {
    let Some(sent) = sent(message) else { return Vec::new() };
    let one = |outbound: &&str| match handler {
        "copy" | "spread" | "large" => Send::unchanged(*outbound),
        _ => Send::bytes(*outbound, sent.bytes_from(handler)),
    };
    let further = sent.sends_further(handler);
    let further = further.map(|it| Send::bytes(it, sent.bytes_from(handler)));
    sent.outbounds(handler).iter().map(one).chain(further).collect()
}
