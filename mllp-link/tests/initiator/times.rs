//! Deadlines, attempts and the pauses between them.

use crate::*;

#[test]
fn a_message_without_a_reply_costs_the_connection() {
    let mut link = link(config());
    assert_eq!(link.next_deadline(), None);
    let handle = submit(&mut link, "1", 5);
    assert_eq!(link.next_deadline(), Some(5), "it may be sent");
    assert_eq!(link.next_to_send(5), Some(handle));
    assert_eq!(link.next_deadline(), Some(55), "for writing it");
    link.sent(handle, 20);
    assert_eq!(link.next_deadline(), Some(120));
    assert_eq!(pass(&mut link, 119), [""; 0]);
    assert_eq!(pass(&mut link, 120), ["0: no-reply again at 130", "reconnect"]);
    assert_eq!(link.next_deadline(), Some(130));
    assert_eq!((link.wants_connection(129), link.wants_connection(130)), (true, true));
}

#[test]
fn a_message_that_is_not_taken_costs_the_connection() {
    let mut link = link(config());
    let handle = submit(&mut link, "1", 0);
    assert_eq!(link.next_to_send(0), Some(handle));
    assert_eq!(pass(&mut link, 49), [""; 0]);
    assert_eq!(pass(&mut link, 50), ["0: no-reply again at 60", "reconnect"]);
    link.sent(handle, 51);
    link.connected();
    assert_eq!(send(&mut link, 60), Some(0), "the old writing is over");
}

#[test]
fn each_message_of_one_write_has_its_own_time() {
    let mut link = link(config());
    let handles = ["1", "2"].map(|id| submit(&mut link, id, 0));
    assert_eq!(link.next_to_send(0), Some(handles[0]));
    assert_eq!(link.next_to_send_along(0), Some(handles[1]));
    assert_eq!(link.next_deadline(), Some(50));
    link.sent(handles[0], 40);
    assert_eq!(link.next_deadline(), Some(90), "for writing the second");
    link.sent(handles[1], 80);
    assert_eq!(link.next_deadline(), Some(140), "for the reply to the first");
}

#[test]
fn one_missing_reply_gives_up_all_on_its_connection() {
    let mut link = link(config());
    sent(&mut link, "1", 0);
    sent(&mut link, "2", 50);
    let expected = ["0: no-reply again at 110", "reconnect", "1: no-reply again at 110"];
    assert_eq!(pass(&mut link, 100), expected);
    link.connected();
    assert_eq!((send(&mut link, 110), send(&mut link, 110)), (Some(0), Some(1)));
}

#[test]
fn attempts_are_further_and_further_apart_and_come_to_an_end() {
    let mut link = link(InitiatorConfig { max_attempts: 5, ..config() });
    submit(&mut link, "1", 0);
    let mut now = 0;
    for pause in [10, 20, 30, 30] {
        assert_eq!(send(&mut link, now), Some(0));
        now += 1;
        let again = now + pause;
        assert_eq!(hear(&mut link, &reply("AR", "1"), now), [format!("0: AR again at {again}")]);
        assert_eq!(send(&mut link, again - 1), None, "too early");
        assert_eq!(link.next_deadline(), Some(again));
        now = again;
    }
    assert_eq!(send(&mut link, now), Some(0));
    assert_eq!(hear(&mut link, &reply("AR", "1"), now), ["0: AR retry"], "used up");
    assert_eq!(link.open_messages(), 0);
}

#[test]
fn connections_are_tried_less_and_less_often() {
    let mut link: Link = Initiator::new([0; 512], config());
    assert!(!link.wants_connection(0), "there is nothing to send");
    submit(&mut link, "1", 0);
    let mut now = 0;
    for pause in [10, 20, 30, 30] {
        assert!(link.wants_connection(now));
        link.connect_failed(now);
        now += pause;
        assert!(!link.wants_connection(now - 1));
        assert_eq!(link.next_deadline(), Some(now));
    }
    link.connected();
    assert_eq!(send(&mut link, now), Some(0));
    link.disconnected(now);
    assert_eq!(events(&mut link, now), [format!("0: no-reply again at {}", now + 10)]);
    // A success is a new beginning.
    assert!(link.wants_connection(now));
    link.connect_failed(now);
    assert!(!link.wants_connection(now + 9) && link.wants_connection(now + 10));
}

#[test]
fn a_time_of_0_never_runs_out() {
    let never = InitiatorConfig { send: 0, reply: 0, application: 0, ..config() };
    let mut link = link(never);
    let handle = link.submit(&message("1", "AL", "AL"), 0).expect("room for a message");
    assert_eq!(link.next_to_send(0), Some(handle));
    assert_eq!(link.next_deadline(), None);
    link.sent(handle, 0);
    assert_eq!(link.next_deadline(), None);
    assert_eq!(hear(&mut link, &reply("CA", "1"), 0), ["0: stored"]);
    assert_eq!(link.next_deadline(), None);
    assert_eq!(pass(&mut link, u64::MAX), [""; 0]);
}

#[test]
fn no_clock_is_too_late() {
    let mut link = link(config());
    sent(&mut link, "1", u64::MAX - 5);
    assert_eq!(link.next_deadline(), Some(u64::MAX));
    let max = u64::MAX;
    assert_eq!(pass(&mut link, max), [&format!("0: no-reply again at {max}"), "reconnect"]);
}
