use alloc::vec;

use super::*;
use crate::ids::Stamp;

const MESSAGE: MessageId = MessageId(7);

fn ended(disposition: Disposition) -> Transaction {
    let outcome = Record::Outcome { message: MESSAGE, stamp: Stamp(1), disposition, at: 0 };
    Transaction { records: vec![outcome], lanes: Vec::new() }
}

fn waiting() -> Verdicts {
    let mut verdicts = Verdicts::default();
    let (ticket, acknowledgment) = (Ticket(1), Piece::from(&b"AA"[..]));
    verdicts.wait(MESSAGE, Waiter { ticket, own: MESSAGE, acknowledgment, deadline: 9 });
    verdicts
}

fn answers(verdicts: &mut Verdicts) -> Vec<Answer> {
    let mut orders = VecDeque::new();
    verdicts.decide(&mut orders);
    let answer = |order| match order {
        Order::Answer { answer, .. } => answer,
        other => panic!("{other:?}"),
    };
    orders.into_iter().map(answer).collect()
}

#[test]
fn an_outcome_is_no_verdict_on_a_message_to_which_an_operator_has_added_work() {
    for first in [Disposition::Processed, Disposition::Error] {
        for end in [Disposition::Processed, Disposition::Error] {
            let mut verdicts = waiting();
            let open = Committed { open: vec![MESSAGE], ..Committed::default() };
            verdicts.learn(&ended(first), &open);
            assert_eq!(answers(&mut verdicts), []);
            // The store adds up what became of its parts.
            let finals = vec![(MESSAGE, end)];
            verdicts.learn(&ended(first), &Committed { finals, ..Committed::default() });
            let accepted = end == Disposition::Processed;
            let acknowledgment = Answer::Acknowledgment(Piece::from(&b"AA"[..]));
            let right = if accepted { acknowledgment } else { Answer::NotDelivered };
            assert_eq!(answers(&mut verdicts), [right]);
        }
    }
}

#[test]
fn an_outcome_is_the_verdict_on_any_other_message() {
    let mut verdicts = waiting();
    verdicts.learn(&ended(Disposition::Error), &Committed::default());
    assert_eq!(answers(&mut verdicts), [Answer::NotDelivered]);
    let mut verdicts = waiting();
    verdicts.doubt(&ended(Disposition::Processed));
    assert_eq!(answers(&mut verdicts), [Answer::Close]);
}

fn held(is_held: bool, seq: u64) -> Transaction {
    let (lane, seq, message) = (LaneId(3), Seq(seq), MESSAGE);
    let record = match is_held {
        true => Record::Held { lane, seq, message, why: None, at: 0 },
        false => Record::Unlisted { list: List::Held, lane, seq, message },
    };
    Transaction { records: vec![record], lanes: Vec::new() }
}

fn wait_again(verdicts: &mut Verdicts) {
    let (ticket, acknowledgment) = (Ticket(2), Piece::from(&b"AA"[..]));
    verdicts.wait(MESSAGE, Waiter { ticket, own: MessageId(8), acknowledgment, deadline: 9 });
}

#[test]
fn a_sender_hears_at_once_that_a_delivery_is_held() {
    let mut verdicts = waiting();
    verdicts.watch(MESSAGE);
    verdicts.learn(&held(true, 1), &Committed::default());
    assert_eq!(answers(&mut verdicts), [Answer::NotDelivered]);
    wait_again(&mut verdicts);
    assert_eq!(answers(&mut verdicts), [Answer::NotDelivered], "so does its retry");
    verdicts.learn(&held(false, 1), &Committed::default());
    wait_again(&mut verdicts);
    assert_eq!(answers(&mut verdicts), [], "it was released");
    verdicts.learn(&held(true, 2), &Committed::default());
    assert_eq!(answers(&mut verdicts), [Answer::NotDelivered], "and is held again");
    verdicts.unwatch(MESSAGE);
    assert!(verdicts.entries.is_empty());
}

#[test]
fn what_the_store_says_of_held_deliveries_counts_less_than_what_was_committed_since() {
    let first = First {
        message: MESSAGE,
        disposition: Disposition::Routed,
        acknowledgment: Piece::default(),
        held: vec![(LaneId(3), Seq(1))],
        dead: Vec::new(),
        was_sent: true,
    };
    for released in [false, true] {
        let mut verdicts = Verdicts::default();
        verdicts.watch(MESSAGE);
        if released {
            verdicts.learn(&held(false, 1), &Committed::default());
        }
        verdicts.found(&first);
        wait_again(&mut verdicts);
        let right = if released { vec![] } else { vec![Answer::NotDelivered] };
        assert_eq!(answers(&mut verdicts), right);
    }
}

#[test]
fn it_is_unknown_whether_a_delivery_is_held() {
    let mut verdicts = waiting();
    verdicts.doubt(&held(true, 1));
    assert_eq!(answers(&mut verdicts), [Answer::Close]);
    let mut verdicts = waiting();
    verdicts.watch(MESSAGE);
    verdicts.learn(&held(true, 1), &Committed::default());
    assert_eq!(answers(&mut verdicts), [Answer::NotDelivered]);
    verdicts.doubt(&held(false, 1));
    wait_again(&mut verdicts);
    assert_eq!(answers(&mut verdicts), [Answer::Close], "it may have been released");
}

#[test]
fn a_release_in_doubt_stays_in_doubt_though_the_message_is_known_to_be_open() {
    let mut verdicts = waiting();
    verdicts.watch(MESSAGE);
    verdicts.learn(&held(true, 1), &Committed::default());
    assert_eq!(answers(&mut verdicts), [Answer::NotDelivered]);
    verdicts.doubt(&held(false, 1));
    let open = Committed { open: vec![MESSAGE], ..Committed::default() };
    verdicts.learn(&ended(Disposition::Processed), &open);
    wait_again(&mut verdicts);
    assert_eq!(answers(&mut verdicts), [Answer::Close], "it may have been released");
    verdicts.learn(&held(false, 1), &Committed::default());
    wait_again(&mut verdicts);
    assert_eq!(answers(&mut verdicts), [], "it was");
}
