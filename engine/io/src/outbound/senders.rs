//! Several connections to one partner, for deliveries that need no common order.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::options::SenderOptions;
use super::sender::Sender;
use super::{Content, Loss, Report, Reports};
use crate::certificates::Certificates;

/// One or more senders to the same partner. Each delivery goes to the one with the fewest open
/// deliveries of those that are connected.
pub struct Senders(Vec<(Sender, Arc<Member>)>);

/// What is known of one of them.
struct Member {
    is_up: AtomicBool,
    /// Deliveries without a report.
    open: AtomicUsize,
    is_connected: AtomicBool,
    all: Arc<Mutex<All>>,
    reports: Arc<dyn Reports>,
}

/// How many of all there are.
#[derive(Default)]
struct All {
    up: usize,
    connected: usize,
}

impl Member {
    /// What is told under the lock comes in the right order, so that the last word is the right one.
    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Senders {
    /// Begins to dial, at least once. Belongs to the runtime that this is called in. Their reports
    /// bear the same number; the partner can be reached while one of them is connected.
    pub fn start(
        options: &SenderOptions,
        connections: usize,
        reports: &Arc<dyn Reports>,
    ) -> Senders {
        let all = Arc::<Mutex<All>>::default();
        let one = |_| {
            let member = Arc::new(Member {
                is_up: AtomicBool::new(false),
                open: AtomicUsize::new(0),
                is_connected: AtomicBool::new(false),
                all: Arc::clone(&all),
                reports: Arc::clone(reports),
            });
            let heard: Arc<Member> = Arc::clone(&member);
            (Sender::start(options.clone(), heard), member)
        };
        Senders((0..connections.max(1)).map(one).collect())
    }

    /// Sends a payload; exactly one report with the number follows, unless everything is abandoned.
    /// With one connection those given before go first. See [`Sender::deliver`]. Returns at once.
    pub fn deliver(&self, generation: u64, number: u64, content: impl Into<Content>) {
        let load = |(_, member): &&(Sender, Arc<Member>)| {
            let is_down = !member.is_up.load(Ordering::Relaxed);
            (is_down, member.open.load(Ordering::Relaxed))
        };
        if let Some((sender, member)) = self.0.iter().min_by_key(load) {
            member.open.fetch_add(1, Ordering::Relaxed);
            sender.deliver(generation, number, content);
        }
    }

    /// Until when what is shown is valid. See [`Sender::certificates`].
    pub fn certificates(&self) -> Certificates {
        let all = self.0.iter().map(|(sender, _)| sender.certificates());
        all.fold(Certificates::default(), Certificates::earliest)
    }

    /// Forgets everything that was given and has no report yet. See [`Sender::abandon`].
    pub fn abandon(&self, generation: u64) {
        for (sender, member) in &self.0 {
            sender.abandon(generation);
            member.open.store(0, Ordering::Relaxed);
        }
    }

    /// See [`Sender::close`].
    pub fn close(&self) {
        self.0.iter().for_each(|(sender, _)| sender.close());
    }

    /// See [`Sender::open`].
    pub fn open(&self) {
        self.0.iter().for_each(|(sender, _)| sender.open());
    }

    /// See [`Sender::dial`].
    pub fn dial(&self) {
        self.0.iter().for_each(|(sender, _)| sender.dial());
    }
}

impl Reports for Member {
    fn reported(&self, sender: u32, reports: &mut Vec<Report>) {
        let fewer = |open: usize| Some(open.saturating_sub(reports.len()));
        // Some may have been abandoned meanwhile: then they are not counted any more.
        let _ = self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
        self.reports.reported(sender, reports);
    }

    fn ready(&self, sender: u32, ready: bool) {
        self.is_up.store(ready, Ordering::Relaxed);
        let mut all = self.all();
        let before = all.up;
        all.up = if ready { before + 1 } else { before.saturating_sub(1) };
        if (before == 0) != (all.up == 0) {
            self.reports.ready(sender, ready);
        }
    }

    fn connected(&self, sender: u32) {
        let mut all = self.all();
        all.connected += usize::from(!self.is_connected.swap(true, Ordering::Relaxed));
        self.reports.connected(sender);
    }

    fn lost(&self, sender: u32, why: Loss) {
        let mut all = self.all();
        all.connected -= usize::from(self.is_connected.swap(false, Ordering::Relaxed));
        self.reports.lost(sender, why);
        if all.connected > 0 {
            self.reports.connected(sender);
        }
    }

    fn dials(&self, sender: u32, after: Duration) {
        self.reports.dials(sender, after);
    }
}
