//! Enhanced mode: the accept acknowledgment, and the application acknowledgment behind it.

use crate::*;

/// A link with one message that asks for these acknowledgments, sent at 0.
fn asking(accept: &str, application: &str) -> Link {
    let mut link = link(config());
    link.submit(&message("1", accept, application), 0).expect("room for a message");
    assert_eq!(send(&mut link, 0), Some(0));
    link
}

#[test]
fn a_stored_message_waits_for_its_application() {
    for (code, verdict) in [("AA", "0: AA accept"), ("AE", "0: AE fail"), ("CE", "0: CE fail")] {
        let mut link = asking("AL", "AL");
        assert_eq!(hear(&mut link, &reply("CA", "1"), 9), ["0: stored"]);
        assert_eq!(link.open_messages(), 1);
        assert_eq!(link.next_deadline(), Some(309));
        assert_eq!(hear(&mut link, &reply("CA", "1"), 10), ["doubled"]);
        assert_eq!(link.next_deadline(), Some(309), "a second CA wins no time");
        assert_eq!(hear(&mut link, &reply(code, "1"), 11), [verdict]);
    }
}

#[test]
fn without_both_the_first_acknowledgment_is_the_last() {
    for (accept, application) in [("AL", "NE"), ("AL", ""), ("AL", "ER"), ("", "")] {
        let mut link = asking(accept, application);
        assert_eq!(
            hear(&mut link, &reply("CA", "1"), 1),
            ["0: CA accept"],
            "{accept} {application}"
        );
    }
    for (accept, application) in [("NE", "AL"), ("", "AL"), ("AL", "AL")] {
        let mut link = asking(accept, application);
        assert_eq!(
            hear(&mut link, &reply("AA", "1"), 1),
            ["0: AA accept"],
            "{accept} {application}"
        );
    }
}

#[test]
fn what_is_not_stored_gets_no_second_acknowledgment() {
    let mut refused = asking("AL", "AL");
    assert_eq!(hear(&mut refused, &reply("CE", "1"), 1), ["0: CE fail"]);
    let mut rejected = asking("AL", "AL");
    assert_eq!(hear(&mut rejected, &reply("CR", "1"), 1), ["0: CR again at 11"]);
    assert_eq!(send(&mut rejected, 11), Some(0));
    assert_eq!(hear(&mut rejected, &reply("CA", "1"), 12), ["0: stored"]);
}

#[test]
fn an_application_acknowledgment_may_come_on_another_connection() {
    let mut link = asking("AL", "AL");
    assert_eq!(hear(&mut link, &reply("CA", "1"), 1), ["0: stored"]);
    link.disconnected(2);
    assert_eq!(events(&mut link, 2), [""; 0]);
    assert!(!link.wants_connection(2), "nothing is to be sent");
    submit(&mut link, "2", 3);
    assert!(link.wants_connection(3));
    link.connected();
    assert_eq!(send(&mut link, 3), Some(1));
    assert_eq!(hear(&mut link, &reply("AA", "1"), 4), ["0: AA accept"]);
}

#[test]
fn an_application_acknowledgment_that_does_not_come_leaves_the_message_stored() {
    let mut link = asking("AL", "AL");
    assert_eq!(hear(&mut link, &reply("CA", "1"), 1), ["0: stored"]);
    assert_eq!(pass(&mut link, 300), [""; 0]);
    // The connection is kept: an acknowledgment that is late is named as such.
    assert_eq!(pass(&mut link, 301), ["0: CA accept, stored"]);
    submit(&mut link, "2", 301);
    assert_eq!(send(&mut link, 301), Some(1));
    let late = [reply("AE", "1"), reply("AA", "2")].concat();
    assert_eq!(hear(&mut link, &late, 302), ["late", "1: AA accept"]);
}

#[test]
fn a_stored_message_makes_room_for_the_next() {
    let mut link = link(InitiatorConfig { window: 1, ..config() });
    link.submit(&message("1", "AL", "AL"), 0).expect("room for a message");
    submit(&mut link, "2", 0);
    assert_eq!((send(&mut link, 0), send(&mut link, 0)), (Some(0), None));
    assert_eq!(hear(&mut link, &reply("CA", "1"), 1), ["0: stored"]);
    assert_eq!(send(&mut link, 1), Some(1));
    let both = [reply("AA", "2"), reply("AE", "1")].concat();
    assert_eq!(hear(&mut link, &both, 2), ["1: AA accept", "0: AE fail"]);
}

#[test]
fn a_rule_may_refuse_what_was_stored() {
    for (rules, verdict) in [("CA=fail", "0: CA fail"), ("CA=suspend", "0: CA suspend")] {
        let mut link = link(with_rules(rules));
        link.submit(&message("1", "AL", "AL"), 0).expect("room for a message");
        assert_eq!(send(&mut link, 0), Some(0));
        assert_eq!(hear(&mut link, &reply("CA", "1"), 1), [verdict]);
    }
}
