//! Kills the engine, cuts its power and fills its disk under load, and looks for what is lost, doubled
//! or out of order.
//!
//! [`kill`] runs the engine as a process of its own and ends it with SIGKILL every few seconds;
//! senders send again what was not acknowledged, and partners write down what they receive.
//! [`power_cut`] runs it on a disk in memory, and opens what a power cut may have left at any moment.
//! [`disk_full`] takes the room away at one write after another, and gives it back.
//! All end with [`verify`], which needs nothing but the store and the two ledgers.
//!
//! | module | |
//! |---|---|
//! | [`load`] | the messages, and where each has to go: decided by its control ID alone |
//! | `graph` | the engine under test |
//! | `sender`, `sink` | senders that do not give up, partners that misbehave |
//! | [`ledger`] | what was acknowledged, what has arrived; as lines of JSON |
//! | [`verify`] | the store held against the ledgers |
//! | `live` | an engine on a disk in memory, from its start to its stop |
//! | `process` | an engine in a process of its own |
//! | `operator` | somebody who pauses, holds, cancels, releases and sends again |
//! | `image` | what has to hold in the store that a power cut leaves |

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod child;
pub mod disk_full;
mod graph;
mod image;
pub mod kill;
pub mod ledger;
mod live;
pub mod load;
mod marks;
mod mllp;
mod operator;
mod partners;
mod plan;
pub mod power_cut;
mod process;
mod progress;
mod sabotage;
mod sender;
mod sink;
mod slow;
mod small_disk;
mod verdict;
pub mod verify;

pub use plan::Plan;
pub use sabotage::Sabotage;
pub use verdict::Verdict;
