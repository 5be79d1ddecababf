//! The store in memory keeps the contract, and fails as it is told.

use mllp_pipeline::{CommitOutcome, Refusal, Seq, Stage, Transaction};
use mllp_store::conformance::{self, Subject};
use mllp_store::{Fault, LaneName, MemoryStore, Store, StoreError};

struct Memory(MemoryStore);

impl Subject for Memory {
    fn open(&mut self) -> Box<dyn Store> {
        Box::new(self.0.clone())
    }

    fn take_over(&mut self, name: &LaneName) {
        self.0.own(std::slice::from_ref(name)).unwrap();
    }
}

#[test]
fn memory_keeps_the_contract() {
    conformance::run(&mut || Box::new(Memory(MemoryStore::new())));
}

#[test]
fn faults_come_one_for_each_commit_in_order() {
    let mut store = MemoryStore::new();
    let lane = store.own(&[LaneName { stage: Stage::Ingress, name: "IN".into() }]).unwrap()[0].lane;
    let row = mllp_pipeline::Append::new(lane, mllp_pipeline::MessageId(1));
    let transaction =
        Transaction { records: vec![mllp_pipeline::Record::Append(row)], lanes: vec![] };
    store.fail_next(Fault::Refuse(Refusal::Full));
    store.fail_next(Fault::Unknown { written: false });
    store.fail_next(Fault::Unknown { written: true });
    store.fail_next(Fault::End(StoreError::SyncFailed("told to".into())));
    let tail = || store.clone().heads(&[lane]).unwrap()[0].tail;
    let commit = || store.clone().commit(&transaction);
    assert_eq!(commit(), Ok(CommitOutcome::Refused(Refusal::Full)));
    assert_eq!(commit(), Ok(CommitOutcome::Unknown));
    assert_eq!(tail(), Seq(0));
    assert_eq!(commit(), Ok(CommitOutcome::Unknown));
    assert_eq!(tail(), Seq(1));
    assert_eq!(commit().unwrap_err().exit_status(), 5);
    assert_eq!(tail(), Seq(1));
    assert!(matches!(commit(), Ok(CommitOutcome::Committed(_))));
    assert_eq!(tail(), Seq(2));
}
