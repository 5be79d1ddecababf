//! Messages for some seconds, and how many were answered.

use std::io;
use std::os::fd::OwnedFd;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventFlags};

use crate::arguments::Arguments;
use crate::connection::{Connection, Unanswered};
use crate::figures::{CpuTimes, status};
use crate::measured::Measured;
use crate::template::Template;

const READ_SIZE: usize = 256 * 1024;
const EVENTS: usize = 1024;
/// Longest wait for the sockets, and how long a silent server is waited for, in nanoseconds.
const WAIT: u64 = 50_000_000;
const STALL: u64 = 2_000_000_000;

pub struct Load<'a> {
    arguments: &'a Arguments,
    template: Template,
    poll: OwnedFd,
    pub connections: Vec<Connection>,
    pub measured: Measured,
    buffer: Vec<u8>,
    next_id: u64,
}

pub fn run(arguments: &Arguments, template: Template) -> io::Result<String> {
    let mut load = Load::open(arguments, template, arguments.conns)?;
    load.run()
}

impl<'a> Load<'a> {
    pub fn open(arguments: &'a Arguments, template: Template, count: usize) -> io::Result<Self> {
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        let open = |number| Connection::open(arguments.addr, &poll, number);
        let connections = (0..count).map(open).collect::<io::Result<_>>()?;
        Ok(Self {
            arguments,
            template,
            poll,
            connections,
            measured: Measured::new()?,
            buffer: vec![0; READ_SIZE],
            next_id: 1,
        })
    }

    fn run(&mut self) -> io::Result<String> {
        let warmup = (self.arguments.warmup * 1e9) as u64;
        let end = warmup + (self.arguments.seconds * 1e9) as u64;
        let is_open_loop = self.arguments.rate > 0.0;
        let mut due = 0.0;
        let (mut start, mut cpu) = (0, CpuTimes::now(self.arguments.pid));
        let mut events = Vec::with_capacity(EVENTS);
        if !is_open_loop {
            (0..self.connections.len()).for_each(|number| self.send(number, self.arguments.window));
        }
        loop {
            let now = self.measured.now();
            if !self.measured.is_on && now >= warmup {
                self.measured.is_on = true;
                (start, cpu) = (now, CpuTimes::now(self.arguments.pid));
            }
            let is_stalled = now - self.measured.last_answer > STALL;
            if now >= end
                || self.measured.answers >= self.arguments.max_msgs
                || is_stalled
                || self.connections.iter().all(|connection| connection.is_closed)
            {
                return Ok(self.report(now - start, cpu, is_stalled));
            }
            let mut wait = WAIT;
            if is_open_loop {
                due = self.send_due(due);
                wait = (due as u64).saturating_sub(self.measured.now()).min(WAIT);
            }
            self.wait(&mut events, wait)?;
            for event in &events {
                self.on_event(*event);
            }
        }
    }

    pub fn wait(&self, events: &mut Vec<Event>, nanoseconds: u64) -> io::Result<()> {
        events.clear();
        let nanoseconds = Timespec { tv_sec: 0, tv_nsec: nanoseconds as _ };
        match epoll::wait(&self.poll, rustix::buffer::spare_capacity(events), Some(&nanoseconds)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends what is due by now, in turn over the connections; when the next message is due.
    fn send_due(&mut self, mut due: f64) -> f64 {
        let now = self.measured.now() as f64;
        while due <= now {
            let number = self.next_id as usize % self.connections.len();
            self.push(number, due as u64);
            self.flush(number);
            due += 1e9 / self.arguments.rate;
        }
        due
    }

    /// Sends so many messages on a connection, in one write.
    pub fn send(&mut self, number: usize, count: usize) {
        let now = self.measured.now();
        for _ in 0..count {
            self.push(number, now);
        }
        self.flush(number);
    }

    fn push(&mut self, number: usize, at: u64) {
        let message = Unanswered { id: self.next_id, at };
        self.next_id += 1;
        self.connections[number].push(&self.template, message);
    }

    fn flush(&mut self, number: usize) {
        let split = if self.arguments.split == 0 { usize::MAX } else { self.arguments.split };
        let connection = &mut self.connections[number];
        if !connection.is_closed && connection.flush(&self.poll, split).is_err() {
            self.lose(number);
        }
    }

    fn lose(&mut self, number: usize) {
        self.measured.errors += 1;
        self.connections[number].close(&self.poll);
    }

    fn on_event(&mut self, event: Event) {
        let number = event.data.u64() as usize;
        if self.connections[number].is_closed {
            return;
        }
        let flags = event.flags;
        if flags.contains(EventFlags::OUT) {
            self.flush(number);
        }
        if flags.intersects(EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR)
        {
            let (answers, is_open) = self.receive(number);
            if self.arguments.reconnect {
                if answers > 0 || !is_open {
                    self.reconnect(number, answers);
                }
            } else if !is_open {
                self.lose(number);
            } else if self.arguments.rate == 0.0 && answers > 0 {
                // The window is filled by as many messages as were answered.
                self.send(number, answers);
            }
        }
    }

    /// Reads the answers of a connection: how many, and whether it is open.
    pub fn receive(&mut self, number: usize) -> (usize, bool) {
        let measured = &mut self.measured;
        let now = measured.now();
        let connection = &mut self.connections[number];
        let take = |frame: &[u8], message| measured.take(frame, message, now);
        connection.receive(&mut self.buffer, take).unwrap_or((0, false))
    }

    fn reconnect(&mut self, number: usize, answers: usize) {
        self.measured.errors += u64::from(answers == 0);
        let at = self.measured.now();
        self.connections[number].close(&self.poll);
        match Connection::open(self.arguments.addr, &self.poll, number) {
            Ok(connection) => {
                self.connections[number] = connection;
                self.push(number, at);
                self.flush(number);
            }
            Err(_) => self.measured.errors += 1,
        }
    }

    fn report(&self, nanoseconds: u64, start: CpuTimes, is_stalled: bool) -> String {
        let Arguments { conns, window, pid, .. } = self.arguments;
        let measured = &self.measured;
        let seconds = (nanoseconds as f64 / 1e9).max(1e-9);
        let cpu = CpuTimes::now(*pid).since(start);
        let per_message = |time: f64| time / measured.answers.max(1) as f64 * 1e6;
        let percent = |time: f64| time / seconds * 100.0;
        let outstanding: usize = self.connections.iter().map(Connection::unanswered).sum();
        format!(
            "{{\"conns\":{conns},\"window\":{window},\"seconds\":{seconds:.3},\"messages\":{},\
            \"per_second\":{:.1},\"p50_us\":{:.1},\"p99_us\":{:.1},\"max_us\":{:.1},\"bad\":{},\
            \"errors\":{},\"outstanding\":{outstanding},\"stalled\":{is_stalled},\
            \"server_user_us\":{:.3},\"server_system_us\":{:.3},\"server_cpu_us\":{:.3},\
            \"server_cpu_percent\":{:.1},\"own_cpu_percent\":{:.1},\"foreign_cpu_percent\":{:.1},\
            \"rss_kib\":{},\"threads\":{}}}",
            measured.answers,
            measured.answers as f64 / seconds,
            measured.quantile(0.5),
            measured.quantile(0.99),
            measured.quantile(1.0),
            measured.bad,
            measured.errors,
            per_message(cpu.server_user),
            per_message(cpu.server_system),
            per_message(cpu.server()),
            percent(cpu.server()),
            percent(cpu.own),
            percent(cpu.foreign()),
            status(*pid, "VmRSS"),
            status(*pid, "Threads"),
        )
    }
}
