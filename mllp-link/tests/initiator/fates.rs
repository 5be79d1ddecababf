//! What became of a message: what is true of it whatever the rules are.

use crate::*;

/// A link that sends up to two messages at a time, with this message already sent at 0.
fn asking(id: &str, accept: &str, application: &str) -> Link {
    let mut link = link(InitiatorConfig { window: 2, ..config() });
    submit_asking(&mut link, id, accept, application, 0);
    assert_eq!(send(&mut link, 0), Some(0));
    link
}

fn submit_asking(link: &mut Link, id: &str, accept: &str, application: &str, now: u64) -> Handle {
    link.submit(&message(id, accept, application), now).expect("room for a message")
}

#[test]
fn nothing_is_sent_again_after_ca() {
    // Neither a rule that says so, nor an application that refuses, nor silence, nor noise.
    for rules in ["*=retry", "CA=retry", "accept=retry, *=retry", "no-reply=fail", ""] {
        for (reply_to_it, verdict) in [
            (Some(reply("AR", "1")), "0: AR retry"),
            (Some(reply("CR", "1")), "0: CR retry"),
            (Some(reply("AA", "other")), "0: CA accept, stored"),
            (Some(frame(b"noise")), "0: CA accept, stored"),
            (None, "0: CA accept, stored"),
        ] {
            let mut link = link(with_rules(rules));
            submit_asking(&mut link, "1", "AL", "AL", 0);
            assert_eq!(send(&mut link, 0), Some(0));
            assert_eq!(hear(&mut link, &reply("CA", "1"), 1), ["0: stored"], "{rules}");
            let mut all = reply_to_it.map_or(Vec::new(), |it| hear(&mut link, &it, 2));
            link.disconnected(3);
            all.extend(events(&mut link, 3));
            all.extend(pass(&mut link, 1000));
            assert!(all.contains(&verdict.to_string()), "{rules}: {all:?}");
            assert!(!link.wants_connection(10_000) && link.open_messages() == 0);
        }
    }
    let mut link = link(with_rules("CA=retry"));
    sent(&mut link, "1", 0);
    assert_eq!(hear(&mut link, &reply("CA", "1"), 1), ["0: CA accept"]);
}

#[test]
fn noise_does_not_undo_that_a_nameless_message_is_stored() {
    let mut link = asking("", "AL", "AL");
    assert_eq!(hear(&mut link, &reply("CA", "x"), 1), ["0: stored"]);
    assert_eq!(hear(&mut link, &frame(b"noise"), 2), ["not_hl7"]);
    assert_eq!(pass(&mut link, 301), ["0: CA accept, stored"]);
}

#[test]
fn an_application_acknowledgment_of_the_success_is_waited_for() {
    let mut link = asking("1", "AL", "SU");
    assert_eq!(hear(&mut link, &reply("CA", "1"), 1), ["0: stored"]);
    assert_eq!(pass(&mut link, 301), ["0: CA accept, stored"]);
}

#[test]
fn a_stored_message_can_be_taken_back() {
    let mut link = asking("1", "AL", "AL");
    let handle = Handle::from_number(0);
    assert!(!link.withdraw(handle), "its reply may come");
    assert_eq!(hear(&mut link, &reply("CA", "1"), 1), ["0: stored"]);
    assert!(link.withdraw(handle));
    assert_eq!((link.open_messages(), link.next_deadline()), (0, None));
    assert_eq!(hear(&mut link, &reply("AA", "1"), 2), ["late"]);
}

#[test]
fn a_message_that_asks_for_no_answer_does_not_wait() {
    for (accept, application) in [("NE", "NE"), ("NE", ""), ("", "NE")] {
        let mut link = asking("1", accept, application);
        assert_eq!(link.next_deadline(), Some(0), "there is an event to take");
        assert_eq!(events(&mut link, 0), ["0: no-reply accept, unasked"]);
        assert_eq!(link.next_deadline(), None);
        // An answer that comes all the same disturbs nobody, not even by its absence.
        sent(&mut link, "2", 1);
        assert_eq!(hear(&mut link, &reply("AA", "1"), 2), ["unasked"]);
        assert_eq!(pass(&mut link, 101), ["1: no-reply again at 111", "reconnect"]);
    }
}

#[test]
fn silence_of_a_message_that_asks_for_errors_is_its_success() {
    for (accept, application) in [("ER", "NE"), ("ER", "ER"), ("NE", "ER"), ("", "ER")] {
        let mut link = asking("1", accept, application);
        assert_eq!(hear(&mut link, &reply("AA", "other"), 50), ["foreign"]);
        assert_eq!(pass(&mut link, 99), [""; 0]);
        assert_eq!(pass(&mut link, 100), ["0: no-reply accept, unasked"], "the connection is kept");
        assert_eq!(hear(&mut link, &reply("AA", "1"), 101), ["unasked"]);

        let mut refused = asking("1", accept, application);
        assert_eq!(hear(&mut refused, &reply("AE", "1"), 50), ["0: AE fail"]);
        let mut answered = asking("1", accept, application);
        assert_eq!(hear(&mut answered, &reply("AA", "1"), 50), ["0: AA accept"]);
        // The end of the connection is no silence. It may well have been heard, so it is sent once.
        let mut lost = asking("1", accept, application);
        lost.disconnected(50);
        assert_eq!(events(&mut lost, 50), ["0: no-reply retry, uncertain"]);
        // Nor is an answer that could have been its own.
        let mut unclear = asking("1", accept, application);
        assert_eq!(hear(&mut unclear, &frame(b"ERROR"), 50), ["not_hl7"]);
        assert_eq!(pass(&mut unclear, 100), ["0: not-hl7 retry, uncertain", "reconnect"]);
    }
}

#[test]
fn silence_of_a_message_that_asks_for_the_success_is_none() {
    for (accept, application) in [("SU", "NE"), ("NE", "SU"), ("", "SU"), ("SU", "ER")] {
        let mut link = asking("1", accept, application);
        assert_eq!(pass(&mut link, 100), ["0: no-reply again at 110", "reconnect"]);
    }
}

#[test]
fn an_answer_that_nobody_asked_for_is_credited_to_nobody() {
    let no_msa = frame(b"MSH|^~\\&|C|D|A|B|20260101||ACK|9|P|2.5\r");
    // To a message without a name, which would take any: it begins with a new connection.
    for (first, second) in [("1", ""), ("", ""), ("1", "1")] {
        let mut link = asking(first, "NE", "NE");
        assert_eq!(events(&mut link, 0), ["0: no-reply accept, unasked"]);
        submit(&mut link, second, 1);
        assert_eq!(send(&mut link, 1), None);
        assert_eq!(events(&mut link, 1), ["reconnect"]);
        link.connected();
        assert_eq!(send(&mut link, 1), Some(1));
        assert_eq!(hear(&mut link, &reply("AA", second), 2), ["1: AA accept"]);
    }
    // Another name is safe, and so is a message that takes no answer either.
    for (first, second, stray) in [("1", "2", "unasked"), ("", "2", "foreign")] {
        let mut link = asking(first, "NE", "NE");
        assert_eq!(events(&mut link, 0), ["0: no-reply accept, unasked"]);
        sent(&mut link, second, 1);
        let both = [reply("AA", first), reply("AE", second)].concat();
        assert_eq!(hear(&mut link, &both, 2), [stray, "1: AE fail"]);
    }
    let mut link = asking("", "NE", "NE");
    let second = submit_asking(&mut link, "", "NE", "NE", 0);
    assert_eq!(events(&mut link, 0), ["0: no-reply accept, unasked"]);
    assert_eq!(link.next_to_send(0), Some(second));
    assert_eq!(hear(&mut link, &reply("AR", ""), 1), ["foreign"], "it is for the first");
    // Nor does a rule take it for a receipt of another.
    let mut link = link_with_rule_for_no_msa();
    assert_eq!(hear(&mut link, &no_msa, 2), ["no_msa"]);
    assert_eq!(pass(&mut link, 101), ["1: no-reply again at 111", "reconnect"]);
}

#[test]
fn a_reply_without_a_name_is_nobodys_while_another_message_is_written() {
    let mut link = link(InitiatorConfig { window: 2, ..with_rules("no-msa=accept") });
    sent(&mut link, "1", 0);
    let second = submit_asking(&mut link, "2", "NE", "NE", 0);
    assert_eq!(link.next_to_send(0), Some(second));
    let no_msa = frame(b"MSH|^~\\&|C|D|A|B|20260101||ACK|9|P|2.5\r");
    assert_eq!(hear(&mut link, &no_msa, 1), ["no_msa"]);
    assert_eq!(hear(&mut link, &reply("AA", "1"), 2), ["0: AA accept"]);
    assert_eq!(hear(&mut link, &no_msa, 3), ["no_msa"], "the second takes no answer");
}

/// A message that asked for no answer was sent, and another one waits for its own.
fn link_with_rule_for_no_msa() -> Link {
    let mut link = link(with_rules("no-msa=accept"));
    submit_asking(&mut link, "1", "NE", "NE", 0);
    assert_eq!(send(&mut link, 0), Some(0));
    assert_eq!(events(&mut link, 0), ["0: no-reply accept, unasked"]);
    sent(&mut link, "2", 1);
    link
}

#[test]
fn an_answer_that_the_list_has_forgotten_is_credited_to_nobody() {
    let mut link = asking("0", "NE", "NE");
    assert_eq!(events(&mut link, 0), ["0: no-reply accept, unasked"]);
    for number in 1..40 {
        sent(&mut link, &number.to_string(), 0);
        let own = reply("AA", &number.to_string());
        assert_eq!(hear(&mut link, &own, 0), [format!("{number}: AA accept")]);
    }
    submit(&mut link, "", 1);
    assert_eq!(send(&mut link, 1), None);
    assert_eq!(events(&mut link, 1), ["reconnect"]);
}

#[test]
fn a_message_that_needs_a_new_connection_waits_for_those_of_the_old_one() {
    let mut link = asking("1", "NE", "NE");
    assert_eq!(events(&mut link, 0), ["0: no-reply accept, unasked"]);
    sent(&mut link, "2", 0);
    submit(&mut link, "1", 0);
    assert_eq!(send(&mut link, 0), None);
    assert_eq!(events(&mut link, 0), [""; 0]);
    assert_eq!(link.next_deadline(), Some(100), "the host does not spin");
    assert_eq!(hear(&mut link, &reply("AA", "2"), 1), ["1: AA accept"]);
    assert_eq!(link.next_deadline(), Some(0));
    assert_eq!(send(&mut link, 1), None);
    assert_eq!(events(&mut link, 1), ["reconnect"]);
}

#[test]
fn what_was_handed_out_counts_as_possibly_left() {
    let once = || InitiatorConfig { max_attempts: 1, ..config() };
    let uncertain = ["0: no-reply retry, uncertain"];
    let not_sent = ["0: no-reply retry, not_sent"];
    for (says, expected) in [(false, &uncertain), (true, &not_sent)] {
        let mut lost = link(once());
        let handle = submit(&mut lost, "1", 0);
        assert_eq!(lost.next_to_send(0), Some(handle));
        if says {
            lost.not_sent(handle);
        }
        lost.disconnected(1);
        assert_eq!(&events(&mut lost, 1), expected);

        let mut stuck = link(once());
        let handle = submit(&mut stuck, "1", 0);
        assert_eq!(stuck.next_to_send(0), Some(handle));
        if says {
            stuck.not_sent(handle);
        }
        assert_eq!(&pass(&mut stuck, 50)[..1], expected);
    }
}

#[test]
fn that_nothing_has_left_counts_for_one_call() {
    let mut link = link(InitiatorConfig { max_attempts: 1, ..config() });
    let handle = submit(&mut link, "1", 0);
    assert_eq!(link.next_to_send(0), Some(handle));
    link.not_sent(handle);
    assert_eq!(pass(&mut link, 10), [""; 0]);
    // Some of it leaves; the host does not say so again.
    assert_eq!(pass(&mut link, 50), ["0: no-reply retry, uncertain", "reconnect"]);
}

#[test]
fn a_message_of_which_an_earlier_attempt_left_is_uncertain() {
    let mut link = link(InitiatorConfig { max_attempts: 2, ..config() });
    let handle = submit(&mut link, "1", 0);
    assert_eq!(link.next_to_send(0), Some(handle));
    link.disconnected(0);
    assert_eq!(events(&mut link, 0), ["0: no-reply again at 10"]);
    link.connected();
    assert_eq!(link.next_to_send(10), Some(handle));
    link.not_sent(handle);
    link.disconnected(11);
    assert_eq!(events(&mut link, 11), ["0: no-reply retry, uncertain"]);
}

#[test]
fn each_message_of_one_write_has_its_own_fate() {
    let mut link = link(InitiatorConfig { max_attempts: 1, ..config() });
    let handles = ["1", "2", "3"].map(|id| submit(&mut link, id, 0));
    assert_eq!(link.next_to_send(0), Some(handles[0]));
    assert_eq!(link.next_to_send_along(0), Some(handles[1]));
    assert_eq!(link.next_to_send_along(0), Some(handles[2]));
    link.sent(handles[0], 0);
    link.not_sent(handles[0]); // It has left: that cannot be taken back.
    link.not_sent(handles[2]);
    let expected = [
        "1: no-reply retry, uncertain",
        "2: no-reply retry, not_sent",
        "reconnect",
        "0: no-reply retry, uncertain",
    ];
    assert_eq!(pass(&mut link, 50), expected);
}
