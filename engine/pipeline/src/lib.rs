//! The decisions of the durable engine, as a state machine without a clock, a socket, a database or
//! a user's function.
//!
//! The host tells [`Fact`]s: received, committed, routed, transformed, delivered, failed. The
//! pipeline answers with [`Order`]s: commit these records, answer that sender, run this router,
//! deliver this. What must be durable before something else may happen is decided here and nowhere
//! else, so whole lives of an engine can be simulated in virtual time.
//!
//! # The way of a message
//!
//! ```text
//! Received ─► Commit(Message, Append to ingress) ─► Answer AA
//!                                                └► Route ─► Transform
//!                       Commit(Append to outbounds, ingress cursor + 1) ◄─┘
//!                                                └► Deliver ─► Delivered
//!                       Commit(Outcome PROCESSED, outbound cursor + 1) ◄─┘
//! ```
//!
//! A commit takes everything that waits, of all lanes, and the next one begins when its outcome is
//! known. A router and its handlers are pure, so what they did may be thrown away and done again.
//!
//! # What holds
//!
//! * No positive answer leaves before the commit that holds its message is durable.
//! * A lane is consumed in order of its sequence numbers, through retries and restarts.
//! * A delivery leaves only when a durable `sent_to` covers it, so what may be sent twice after a
//!   crash is known and listed.
//! * A fault of the store or of a worker never ends a message.
//!
//! # The host's loop
//!
//! One thread owns the pipeline. It tells every fact, calls [`Pipeline::on_time`], and follows the
//! orders until there are none; then it waits for the next fact, or for
//! [`Pipeline::next_deadline`].
//!
//! ```
//! use mllp_pipeline::*;
//!
//! # struct Store { tail: u64, sent_to: u64 }
//! # impl Store {
//! #     fn commit(&mut self, transaction: &Transaction) -> CommitOutcome {
//! #         let mut lanes = std::collections::BTreeMap::new();
//! #         for record in &transaction.records {
//! #             if let Record::Append(row) = record {
//! #                 self.tail = 1;
//! #                 lanes.insert(row.lane, 1);
//! #             }
//! #         }
//! #         for update in &transaction.lanes { lanes.insert(update.lane, 1); }
//! #         let mark = |lane| LaneMark { lane, tail: Seq(1), sent_to: Seq(1), appended: 7 };
//! #         let lanes = lanes.into_keys().map(mark).collect();
//! #         CommitOutcome::Committed(Committed { lanes, ..Committed::default() })
//! #     }
//! # }
//! # let mut store = Store { tail: 0, sent_to: 0 };
//! # let head = |lane| Head::new(lane, Epoch(1));
//! # let now = Now::default();
//! let (inbound, handler, outbound) = (LaneId(1), LaneId(2), LaneId(3));
//! let graph = Graph {
//!     inbounds: vec![Inbound::new(inbound)],
//!     handlers: vec![Handler::new(handler)],
//!     outbounds: vec![Outbound::new(outbound)],
//!     orphans: Vec::new(),
//!     limits: Limits::DEFAULT,
//! };
//! // The store has told the rows of all lanes and the highest numbers in use.
//! let heads = vec![head(inbound), head(handler), head(outbound)];
//! let start = Start { heads, next_message: MessageId(1), next_stamp: Stamp(1) };
//! let mut pipeline = Pipeline::new(graph, start, now);
//!
//! // Facts come from listeners, senders, workers and the store's thread, here from a list.
//! let mut facts = std::collections::VecDeque::from([
//!     Fact::Ready { lane: outbound, ready: true },
//!     Fact::Received(Received::new(
//!         Ticket(1),
//!         inbound,
//!         Body::Inline((*b"MSH|...").into()),
//!         Piece::from(&b"MSH|...MSA|AA"[..]),
//!     )),
//! ]);
//! let mut done = Vec::new();
//! while let Some(fact) = facts.pop_front() {
//!     pipeline.tell(fact, now);
//!     pipeline.on_time(now);
//!     while let Some(order) = pipeline.next_order(now) {
//!         match order {
//!             // To the store's thread; facts go on coming until it has the outcome.
//!             Order::Commit(transaction) => {
//!                 let outcome = store.commit(&transaction);
//!                 drop(transaction);
//!                 facts.push_back(Fact::Outcome(outcome));
//!             }
//!             // To the connection, which sends answers in the order of its messages.
//!             Order::Answer { ticket, answer, .. } => done.push(format!("answered {ticket}")),
//!             // To a worker, or run here. One result for each message, in order.
//!             Order::Route { call, work, .. } => {
//!                 let results = work.iter().map(|_| Ok(vec![handler])).collect();
//!                 facts.push_back(Fact::Routed { call, results });
//!             }
//!             Order::Transform { call, work, .. } => {
//!                 let results = work.iter().map(|_| Ok(vec![Sent::to(outbound)])).collect();
//!                 facts.push_back(Fact::Transformed { call, results });
//!             }
//!             // To the sender of that lane, in this order. Exactly one Delivered or Failed follows,
//!             // unless the heads of the lane are read first.
//!             Order::Deliver { lane, seq, .. } => {
//!                 done.push(format!("delivered {lane}/{seq}"));
//!                 let note = Note("AA".into());
//!                 facts.push_back(Fact::Delivered { lane, seq, milliseconds: 3, note });
//!             }
//!             // To the operator who told a command; to those who own the connections of a lane.
//!             Order::Told { .. } | Order::Switched(_) => unreachable!(),
//!             // To a reader of the store: Loaded, Heads, Compared.
//!             Order::Load { .. } | Order::ReadHeads(_) | Order::Compare { .. } => unreachable!(),
//!             // To the thread that writes chunks of large bodies.
//!             Order::GiveUp(_) => unreachable!(),
//!         }
//!     }
//!     // Now wait for a fact, at most until pipeline.next_deadline(), and read from the senders of an
//!     // inbound only while pipeline.wants_input(inbound, now).
//! }
//! assert_eq!(done, ["answered 1", "delivered 3/1"]);
//!
//! // To stop: nothing new begins. Go on until nothing is in progress, or until the deadline.
//! pipeline.stop();
//! assert!(pipeline.left().is_at_rest());
//! ```

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod assemble;
mod batch;
mod body;
mod by_key;
mod call;
mod capacity;
mod command;
mod completion;
mod decision;
mod delivery;
mod disposition;
mod duplicates;
mod event;
mod fact;
mod failure;
mod giving_up;
mod graph;
mod handler;
mod handoff;
mod hours;
mod ids;
mod ingress;
mod intake;
mod job;
mod keyed;
mod lane;
mod operating;
mod order;
mod orphan;
mod outcome;
mod pipeline;
mod record;
mod renewal;
mod restored;
mod retry;
mod room;
mod routing;
#[cfg(feature = "sabotage")]
mod sabotage;
mod settling;
mod shared;
mod stage;
mod standing;
mod started;
mod status;
mod switch;
mod told;
mod turns;
mod verdicts;

pub use body::{Body, IdHash, Keys, Piece, field_hash};
pub use command::{Act, Command, CommandOutcome, Edit, Parked, Replay, Take};
pub use decision::{Decision, End};
pub use event::{By, Event, Note, What};
pub use fact::{
    CallFailure, CommitOutcome, Committed, Entry, Fact, First, Head, LaneMark, Received, Refusal,
    Sent, Start,
};
pub use failure::Failure;
pub use graph::{
    Acknowledge, Capacity, Closed, GiveUp, Graph, Handler, Inbound, Limits, OnFull, Ordering,
    Orphan, Outbound, Retry, Then,
};
pub use ids::{
    BodyId, CallId, CommandId, Epoch, LaneId, MessageId, Millis, Now, Seq, Stage, Stamp, Ticket,
};
pub use job::{Job, Position};
pub use order::{Answer, Order, Sameness, Source, Stored, Work};
pub use pipeline::Pipeline;
pub use record::{
    Append, Disposition, LaneUpdate, List, NewMessage, Part, Record, Reopened, RowBody, Transaction,
};
pub use room::{Room, StoreState, Trouble};
#[cfg(feature = "sabotage")]
pub use sabotage::Sabotage;
pub use settling::Leaving;
pub use standing::{Progress, Standing};
pub use started::Started;
pub use status::{Delivering, LaneStatus, Left};
pub use switch::{Flow, Side, Switch};
