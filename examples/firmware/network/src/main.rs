//! An MLLP gateway on a microcontroller with Ethernet: TCP port 2575, messages of any length.
//!
//! The board is an MPS2 with the FPGA image AN385, as QEMU emulates it. Bytes come from the Ethernet
//! controller through smoltcp to a [`StreamResponder`](mllp_link::StreamResponder) for each
//! connection, which lends them on span by span and answers from the header alone. There is no
//! operating system, no allocator and no interrupt: one loop does what there is to do.

#![no_std]
#![no_main]

mod answer;
mod board;
mod connection;
mod ethernet;
mod identity;
mod memory;
mod register;
mod segments;
mod semihosting;
mod settings;
mod stack;
mod start;

use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::socket::tcp::{Socket, SocketBuffer};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpCidr, Ipv4Address};

use crate::board::{Clock, log};
use crate::connection::{Connection, Host};
use crate::ethernet::Ethernet;
use crate::identity::Identity;
use crate::memory::Memory;
use crate::settings::Settings;
use crate::stack::Stack;

/// The address that QEMU's network forwards ports to, and its router.
const ADDRESS: Ipv4Address = Ipv4Address::new(10, 0, 2, 15);
const ROUTER: Ipv4Address = Ipv4Address::new(10, 0, 2, 2);

/// The gateway, for ever.
fn run(memory: &'static mut Memory) -> ! {
    let mut clock = Clock::start();
    let settings = Settings::read();
    let started = semihosting::seconds();
    let mut host = Host {
        config: settings.link,
        identity: Identity::new(started),
        stack: Stack::new(settings.measure),
    };

    let mut ethernet = Ethernet::start(&mut memory.frames);
    let mut config = Config::new(HardwareAddress::Ethernet(ethernet.address()));
    // For TCP's initial sequence numbers.
    config.random_seed = u64::from(started) << 32 | clock.now();
    let interface =
        memory.interface.insert(Interface::new(config, &mut ethernet, Instant::from_millis(0)));
    interface.update_ip_addrs(|addresses| {
        let _ = addresses.push(IpCidr::new(ADDRESS.into(), 24));
    });
    let _ = interface.routes_mut().add_default_ipv4_route(ROUTER);

    let mut sockets = SocketSet::new(&mut memory.sockets[..]);
    let mut connections = memory.connections.each_mut().map(|memory| {
        let (received, sent) = (&mut memory.received[..], &mut memory.sent[..]);
        let socket = Socket::new(SocketBuffer::new(received), SocketBuffer::new(sent));
        (sockets.add(socket), Connection::new(&mut memory.link))
    });
    log!("ready");
    loop {
        let now = clock.now();
        interface.poll(Instant::from_millis(now as i64), &mut ethernet, &mut sockets);
        for (socket, connection) in &mut connections {
            connection.serve(sockets.get_mut(*socket), &mut host, now);
        }
    }
}
