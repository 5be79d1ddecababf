//! Which message a reply ends, and how.

use mllp_core::Profile;
use mllp_link::SubmitError;

use crate::*;

#[test]
fn every_code_ends_its_message() {
    for (code, expected) in [
        ("AA", "0: AA accept"),
        ("CA", "0: CA accept"),
        ("AE", "0: AE fail"),
        ("CE", "0: CE fail"),
        ("AR", "0: AR again at 17"),
        ("CR", "0: CR again at 17"),
    ] {
        let mut link = link(config());
        sent(&mut link, "1", 0);
        assert_eq!(hear(&mut link, &reply(code, "1"), 7), [expected]);
        assert_eq!(link.open_messages(), usize::from(expected.contains("again")));
    }
}

#[test]
fn replies_in_any_order_go_to_their_messages() {
    let mut link = link(config());
    for id in ["1", "2", "3"] {
        sent(&mut link, id, 0);
    }
    assert_eq!(hear(&mut link, &reply("AE", "3"), 1), ["2: AE fail"]);
    let both = [reply("AA", "1"), reply("AE", "2")].concat();
    assert_eq!(hear(&mut link, &both, 2), ["0: AA accept", "1: AE fail"]);
}

#[test]
fn the_reply_is_at_hand_with_its_event_and_no_longer() {
    let mut link = link(config());
    sent(&mut link, "1", 0);
    let bytes = reply("AA", "1");
    link.receive(&bytes, 1);
    assert!(matches!(link.next_event(1), Some(InitiatorEvent::Verdict { .. })));
    assert_eq!(link.reply(), bytes.get(1..bytes.len() - 2));
    assert_eq!(link.next_event(1), None);
    assert_eq!(link.reply(), None);
}

#[test]
fn a_reply_byte_by_byte_is_a_reply() {
    let mut link = link(config());
    sent(&mut link, "1", 0);
    let bytes = reply("AA", "1");
    let (end, all) = bytes.split_last().expect("a trailer");
    let (end_block, all) = all.split_last().expect("an end block");
    for byte in all {
        assert_eq!(hear(&mut link, &[*byte], 1), [""; 0]);
    }
    assert_eq!(hear(&mut link, &[*end_block], 1), ["0: AA accept"]);
    assert_eq!(hear(&mut link, &[*end], 1), [""; 0]);
}

#[test]
fn a_message_without_a_name_takes_the_first_reply_that_is_nobody_elses() {
    let mut link = link(config());
    sent(&mut link, "2", 0);
    assert_eq!(hear(&mut link, &reply("AE", "2"), 1), ["0: AE fail"]);
    sent(&mut link, "", 1);
    assert_eq!(hear(&mut link, &reply("AA", "2"), 1), ["doubled"]);
    assert_eq!(hear(&mut link, &reply("AA", "made up"), 1), ["1: AA accept"]);
}

#[test]
fn a_rule_takes_what_has_no_name_for_the_only_message_in_flight() {
    let no_msa = frame(b"MSH|^~\\&|C|D|A|B|20260101||ACK|9|P|2.5\r");
    let mut link = link(with_rules("no-msa=accept"));
    sent(&mut link, "1", 0);
    sent(&mut link, "2", 0);
    assert_eq!(hear(&mut link, &no_msa, 1), ["no_msa"]);
    assert_eq!(hear(&mut link, &reply("AA", "2"), 1), ["1: AA accept"]);
    assert_eq!(hear(&mut link, &no_msa, 1), ["0: no-msa accept"]);
}

#[test]
fn no_connections_end_is_a_receipt() {
    let no_msa = frame(b"MSH|^~\\&|C|D|A|B|20260101||ACK|9|P|2.5\r");
    let mut link = link(with_rules("no-msa=accept,no-reply=fail"));
    sent(&mut link, "1", 0);
    sent(&mut link, "2", 0);
    assert_eq!(hear(&mut link, &no_msa, 1), ["no_msa"]);
    link.disconnected(2);
    assert_eq!(
        events(&mut link, 2),
        ["0: no-reply fail, uncertain", "1: no-reply fail, uncertain"]
    );
}

#[test]
fn what_had_come_before_the_end_of_a_connection_counts() {
    let mut link = link(config());
    sent(&mut link, "1", 0);
    sent(&mut link, "2", 0);
    let half = &reply("AA", "2")[..20];
    assert_eq!(
        link.receive(&[reply("AA", "1"), half.to_vec()].concat(), 1),
        reply("AA", "1").len() + 20
    );
    link.disconnected(2);
    assert!(!link.wants_connection(2), "not before its events are taken");
    let expected = ["0: AA accept", "truncated", "dropped", "1: no-reply again at 12"];
    assert_eq!(events(&mut link, 2), expected);
    assert!(link.wants_connection(12));
    link.connected();
    assert_eq!(send(&mut link, 12), Some(1));
    // The other half, on another connection, is no reply.
    assert_eq!(hear(&mut link, &reply("AA", "2")[20..], 13), [""; 0]);
    assert_eq!(hear(&mut link, &reply("AE", "2"), 13), ["outside", "1: AE fail"]);
}

#[test]
fn a_reply_without_its_trailer_ends_with_a_pause() {
    let mut link = link(with_profile(Profile::Resync));
    sent(&mut link, "1", 0);
    let bytes = reply("AA", "1");
    assert_eq!(hear(&mut link, &bytes[..bytes.len() - 1], 5), [""; 0]);
    assert_eq!(link.next_deadline(), Some(25));
    assert_eq!(pass(&mut link, 24), [""; 0]);
    assert_eq!(pass(&mut link, 25), ["0: AA accept"]);

    sent(&mut link, "2", 30);
    let bytes = reply("AA", "2");
    assert_eq!(hear(&mut link, &bytes[..bytes.len() - 1], 30), [""; 0]);
    link.disconnected(31);
    assert_eq!(events(&mut link, 31), ["1: AA accept"]);
}

#[test]
fn two_replies_are_never_fused_by_resync() {
    let mut link = link(with_profile(Profile::Resync));
    sent(&mut link, "1", 0);
    let whole = reply("AA", "1");
    let half = &whole[..whole.len() - 2];
    let expected = ["sb_in_block", "dropped", "0: AE fail"];
    assert_eq!(hear(&mut link, &[half, &reply("AE", "1")].concat(), 1), expected);
}

#[test]
fn a_nameless_message_travels_alone() {
    let mut link = link(config());
    for id in ["", "", "3"] {
        submit(&mut link, id, 0);
    }
    link.connected();
    assert_eq!(send(&mut link, 0), Some(0));
    assert_eq!(send(&mut link, 0), None, "two replies without a name could be mistaken");
    assert_eq!(hear(&mut link, &reply("AA", "x"), 1), ["0: AA accept"]);
    assert_eq!(send(&mut link, 1), Some(1));
    assert_eq!(send(&mut link, 1), None);
    assert_eq!(hear(&mut link, &reply("AE", "y"), 2), ["1: AE fail"]);
    assert_eq!(send(&mut link, 2), Some(2));
}

#[test]
fn trailing_blanks_do_not_count() {
    // MSH-10, MSA-1 and MSA-2; each of them may be padded, by either side (2.A.75).
    for (id, code, msa_2) in [
        ("1", "AA", "1 "),
        ("1  ", "AA", "1"),
        ("1 ", "AA", "1                                        "),
        ("1", "AA  ", "1"),
        ("A|B", "AA", "A\\F\\B  "),
    ] {
        let mut link = link(config());
        let id = id.replace('|', "&");
        let msa_2 = msa_2.replace("\\F\\", "\\T\\");
        sent(&mut link, &id, 0);
        let again = link.submit(&message(&format!("{id}   "), "", ""), 0);
        assert_eq!(again, Err(SubmitError::IdInUse), "{id:?}");
        assert_eq!(hear(&mut link, &reply(code, &msa_2), 1), ["0: AA accept"], "{msa_2:?}");
        assert_eq!(hear(&mut link, &reply(code, &msa_2), 2), ["doubled"], "{msa_2:?}");
    }
    // Blanks in front do, and blanks alone are no name.
    let mut link = link(config());
    sent(&mut link, "1", 0);
    assert_eq!(hear(&mut link, &reply("AA", " 1"), 1), ["foreign"]);
    assert_eq!(hear(&mut link, &reply("AA", "1"), 1), ["0: AA accept"]);
    sent(&mut link, "   ", 2);
    assert_eq!(hear(&mut link, &reply("AA", "any"), 3), ["1: AA accept"]);
}

#[test]
fn a_message_without_a_name_does_not_take_the_reply_to_one_that_waits() {
    // Somebody has written half of message 2 before, and it was refused.
    let mut link = link(config());
    sent(&mut link, "", 0);
    submit(&mut link, "2", 0);
    assert_eq!(hear(&mut link, &reply("AR", "2"), 1), ["foreign"]);
    assert_eq!(hear(&mut link, &reply("AA", "any"), 2), ["0: AA accept"]);
}

#[test]
fn a_nameless_message_takes_no_reply_that_names_one_that_the_host_keeps() {
    let mut link = link(config());
    sent(&mut link, "", 0);
    assert_eq!(link.check(&message("5 ", "", "")), Ok(&b"5"[..]));
    link.receive(&[reply("AA", "5"), reply("AE", "6")].concat(), 1);
    let held = |id: &[u8]| id == b"5";
    let stray = link.next_event_beside(&held, 1);
    assert_eq!(stray, Some(InitiatorEvent::Stray(mllp_link::Stray::Foreign)));
    let own = link.next_event_beside(&held, 1);
    assert!(matches!(own, Some(InitiatorEvent::Verdict { fate: Fate::Answered, .. })));
    assert_eq!(link.open_messages(), 0);
}
