//! The command line.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::str::FromStr;

const HELP: &str = "usage: mllpload --addr 127.0.0.1:PORT [--message ADT|250B|ORU] [--conns 1] \
    [--window 1] [--seconds 5] [--warmup 0.5] [--max-msgs N] [--split BYTES] [--rate R] \
    [--reconnect] [--idle N] [--hold 0.5] [--pid SERVER] [--print]";

/// Times in seconds.
pub struct Arguments {
    pub addr: SocketAddrV4,
    pub message: String,
    pub conns: usize,
    /// Messages without an answer on each connection.
    pub window: usize,
    pub seconds: f64,
    pub warmup: f64,
    /// Ends earlier, after so many answers.
    pub max_msgs: u64,
    /// Bytes of one send; 0 for as many as there are.
    pub split: usize,
    /// Messages per second; 0 for a closed loop.
    pub rate: f64,
    pub reconnect: bool,
    pub idle: usize,
    pub hold: f64,
    /// Process of the server; 0 for none.
    pub pid: u32,
    pub print: bool,
}

impl Arguments {
    pub fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            addr: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 2575),
            message: "ADT".to_owned(),
            conns: 1,
            window: 1,
            seconds: 5.0,
            warmup: 0.5,
            max_msgs: u64::MAX,
            split: 0,
            rate: 0.0,
            reconnect: false,
            idle: 0,
            hold: 0.5,
            pid: 0,
            print: false,
        };
        while let Some(option) = given.next() {
            match option.as_str() {
                "--reconnect" => arguments.reconnect = true,
                "--print" => arguments.print = true,
                name => {
                    let value = given.next().ok_or(HELP)?;
                    arguments.set(name, &value).ok_or_else(|| format!("{name} {value}\n{HELP}"))?;
                }
            }
        }
        if !arguments.addr.ip().is_loopback() {
            return Err("loopback addresses only".to_owned());
        }
        let bounded = arguments.seconds <= 120.0 && arguments.conns.max(arguments.idle) <= 10_000;
        if !bounded || arguments.conns == 0 || arguments.window == 0 {
            return Err("at most 120 seconds, 1 to 10,000 connections, a window from 1".to_owned());
        }
        Ok(arguments)
    }

    /// `None` for an option that does not exist, or a value that it does not take.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "--addr" => read(value, &mut self.addr),
            "--message" => read(value, &mut self.message),
            "--conns" => read(value, &mut self.conns),
            "--window" => read(value, &mut self.window),
            "--seconds" => read(value, &mut self.seconds),
            "--warmup" => read(value, &mut self.warmup),
            "--max-msgs" => read(value, &mut self.max_msgs),
            "--split" => read(value, &mut self.split),
            "--rate" => read(value, &mut self.rate),
            "--idle" => read(value, &mut self.idle),
            "--hold" => read(value, &mut self.hold),
            "--pid" => read(value, &mut self.pid),
            _ => None,
        }
    }
}

fn read<T: FromStr>(value: &str, into: &mut T) -> Option<()> {
    *into = value.parse().ok()?;
    Some(())
}
