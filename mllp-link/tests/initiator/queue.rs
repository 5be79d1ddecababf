//! Messages wait, leave in order, and stop.

use mllp_core::Error;
use mllp_link::SubmitError;

use crate::*;

#[test]
fn what_cannot_be_taken_is_said_at_once() {
    let mut link = link(config());
    let mut take = |payload: &[u8]| link.submit(payload, 0).map(|handle| handle.number());
    assert_eq!(take(&message("12345678", "", "")), Ok(0));
    assert_eq!(take(&message("123456789", "", "")), Err(SubmitError::IdTooLong));
    assert_eq!(take(&message("12345678", "", "")), Err(SubmitError::IdInUse));
    assert_eq!(take(b"MSH|\x1c"), Err(SubmitError::Frame(Error::ReservedByte { index: 4 })));
    // Two without a name are told apart by their order; what is no HL7 has none either.
    for (payload, number) in
        [(message("", "", ""), 1), (message("\"\"", "", ""), 2), (b"x".to_vec(), 3)]
    {
        assert_eq!(take(&payload), Ok(number));
    }
    assert_eq!(take(&message("4", "", "")), Err(SubmitError::Full));
    assert_eq!(link.open_messages(), 4);
}

#[test]
fn a_name_is_free_again_with_the_verdict() {
    let mut link = link(config());
    sent(&mut link, "1", 0);
    assert_eq!(link.submit(&message("1", "", ""), 0), Err(SubmitError::IdInUse));
    assert_eq!(hear(&mut link, &reply("AA", "1"), 1), ["0: AA accept"]);
    sent(&mut link, "1", 2);
    assert_eq!(hear(&mut link, &reply("AE", "1"), 3), ["1: AE fail"]);
}

#[test]
fn messages_leave_in_order_and_one_at_a_time() {
    let mut link = link(InitiatorConfig { window: 2, ..config() });
    let handles = ["1", "2", "3"].map(|id| submit(&mut link, id, 0));
    assert_eq!(link.next_to_send(0), Some(handles[0]));
    assert_eq!(link.next_to_send(0), None, "the first is being written");
    link.sent(handles[1], 0);
    assert_eq!(link.next_to_send(0), None, "that was another");
    link.sent(handles[0], 0);
    assert_eq!(send(&mut link, 0), Some(1));
    assert_eq!(send(&mut link, 0), None, "the window is full");
    assert_eq!(hear(&mut link, &reply("AA", "2"), 1), ["1: AA accept"]);
    assert_eq!(send(&mut link, 1), Some(2));
}

#[test]
fn messages_may_leave_with_one_write() {
    let mut link = link(InitiatorConfig { window: 3, ..config() });
    let handles = ["1", "2", "3", "4"].map(|id| submit(&mut link, id, 0));
    assert_eq!(link.next_to_send(0), Some(handles[0]));
    assert_eq!(link.next_to_send_along(0), Some(handles[1]));
    assert_eq!(link.next_to_send(0), None, "two are being written");
    assert_eq!(link.next_to_send_along(0), Some(handles[2]));
    assert_eq!(link.next_to_send_along(0), None, "the window is full");
    link.sent(handles[0], 1);
    assert_eq!(hear(&mut link, &reply("AA", "1"), 1), ["0: AA accept"]);
    assert_eq!(hear(&mut link, &reply("AA", "2"), 1), ["early"], "that one has not left");
    assert_eq!(link.next_to_send(1), None, "two are being written");
    link.sent(handles[1], 2);
    link.sent(handles[2], 2);
    assert_eq!(hear(&mut link, &reply("AA", "2"), 3), ["1: AA accept"]);
    assert_eq!(link.next_to_send(3), Some(handles[3]));
}

#[test]
fn a_message_without_a_name_shares_no_write() {
    let mut link = link(config());
    let named = submit(&mut link, "1", 0);
    let nameless = submit(&mut link, "", 0);
    assert_eq!(link.next_to_send(0), Some(named));
    assert_eq!(link.next_to_send_along(0), None);
    link.sent(named, 0);
    assert_eq!(hear(&mut link, &reply("AA", "1"), 0), ["0: AA accept"]);
    submit(&mut link, "2", 0);
    assert_eq!(link.next_to_send(0), Some(nameless));
    assert_eq!(link.next_to_send_along(0), None);
}

#[test]
fn nothing_overtakes_a_message_that_waits_for_its_next_attempt() {
    let mut link = link(config());
    sent(&mut link, "1", 0);
    submit(&mut link, "2", 0);
    assert_eq!(hear(&mut link, &reply("AR", "1"), 1), ["0: AR again at 11"]);
    assert_eq!(send(&mut link, 10), None);
    assert_eq!((send(&mut link, 11), send(&mut link, 11)), (Some(0), Some(1)));
}

#[test]
fn a_suspended_link_sends_nothing_and_still_listens() {
    let mut link = link(with_rules("AE=suspend"));
    sent(&mut link, "1", 0);
    sent(&mut link, "2", 0);
    submit(&mut link, "3", 0);
    assert_eq!(hear(&mut link, &reply("AE", "1"), 1), ["0: AE suspend"]);
    assert!(link.is_suspended());
    assert_eq!(send(&mut link, 1), None);
    assert_eq!(hear(&mut link, &reply("AA", "2"), 2), ["1: AA accept"]);
    assert_eq!(link.next_deadline(), None, "what may not be sent waits for no time");
    link.disconnected(3);
    assert_eq!(events(&mut link, 3), [""; 0]);
    assert!(!link.wants_connection(3));
    link.resume();
    assert!(!link.is_suspended() && link.wants_connection(3));
    link.connected();
    assert_eq!(send(&mut link, 3), Some(2));
}

#[test]
fn nothing_is_sent_without_a_connection() {
    let mut link: Link = Initiator::new([0; 512], config());
    submit(&mut link, "1", 0);
    assert_eq!(link.next_to_send(0), None);
    link.connected();
    assert_eq!(link.next_to_send(0).map(|it| it.number()), Some(0));
    link.disconnected(0);
    assert_eq!(link.next_to_send(0), None);
    assert_eq!(events(&mut link, 0), ["0: no-reply again at 10"]);
}
