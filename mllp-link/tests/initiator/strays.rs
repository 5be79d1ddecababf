//! Replies that belong to no message, and what remains of them when no better one comes.

use crate::*;

const NO_MSA: &[u8] = b"MSH|^~\\&|C|D|A|B|20260101||ACK|9|P|2.5\r";
const NO_CODE: &[u8] = b"MSH|^~\\&|C|D|A|B|20260101||ACK|9|P|2.5\rMSA|OK|1\r";

/// What is reported for these bytes while message `1` waits, and for its absence afterwards. A reply
/// that comes after all is still its own.
fn while_one_waits(bytes: &[u8], stray: &str, absence: &str) {
    let mut waits = link(config());
    sent(&mut waits, "1", 0);
    assert_eq!(hear(&mut waits, bytes, 1), [stray]);
    assert_eq!(hear(&mut waits, &reply("AA", "1"), 2), ["0: AA accept"]);

    let mut waits = link(config());
    sent(&mut waits, "1", 0);
    assert_eq!(hear(&mut waits, bytes, 1), [stray]);
    assert_eq!(pass(&mut waits, 99), [""; 0]);
    assert_eq!(pass(&mut waits, 100), [absence, "reconnect"]);
}

#[test]
fn no_stray_ends_a_message() {
    while_one_waits(&frame(b"\x06"), "commit_block", "0: no-reply again at 110");
    while_one_waits(&frame(b"\x15"), "commit_block", "0: no-reply again at 110");
    while_one_waits(&reply("AA", "other"), "foreign", "0: wrong-id again at 110");
    while_one_waits(&reply("AA", ""), "foreign", "0: wrong-id again at 110");
    while_one_waits(&frame(NO_MSA), "no_msa", "0: no-msa suspend, uncertain");
    while_one_waits(&frame(NO_CODE), "no_msa", "0: no-msa suspend, uncertain");
    while_one_waits(&frame(b"250 OK"), "not_hl7", "0: not-hl7 again at 110");
    while_one_waits(&frame(b""), "not_hl7", "0: not-hl7 again at 110");
}

#[test]
fn an_unframed_reply_is_none() {
    let mut link = link(config());
    sent(&mut link, "1", 0);
    assert_eq!(hear(&mut link, b"MSH|^~\\&|\rMSA|AA|1\r", 1), [""; 0]);
    assert_eq!(hear(&mut link, &reply("AA", "1"), 1), ["outside", "0: AA accept"]);
}

#[test]
fn a_second_reply_is_doubled() {
    let mut link = link(config());
    sent(&mut link, "1", 0);
    let twice = [reply("AA", "1"), reply("AE", "1")].concat();
    assert_eq!(hear(&mut link, &twice, 1), ["0: AA accept", "doubled"]);
    // Also while another message waits, which does not get it.
    sent(&mut link, "2", 2);
    assert_eq!(hear(&mut link, &reply("AA", "1"), 3), ["doubled"]);
    assert_eq!(pass(&mut link, 102), ["1: wrong-id again at 112", "reconnect"]);
}

#[test]
fn a_reply_to_a_message_that_was_given_up_is_late() {
    let mut link = link(with_rules("no-reply=fail"));
    sent(&mut link, "1", 0);
    assert_eq!(pass(&mut link, 100), ["0: no-reply fail, uncertain", "reconnect"]);
    link.connected();
    sent(&mut link, "2", 100);
    assert_eq!(hear(&mut link, &reply("AA", "1"), 101), ["late"]);
    assert_eq!(hear(&mut link, &reply("AA", "2"), 101), ["1: AA accept"]);
}

#[test]
fn a_late_reply_counts_while_its_message_is_sent_again() {
    let mut link = link(config());
    sent(&mut link, "1", 0);
    assert_eq!(pass(&mut link, 100), ["0: no-reply again at 110", "reconnect"]);
    link.connected();
    assert_eq!(hear(&mut link, &reply("AA", "1"), 105), ["late"], "it waits to be sent");
    assert_eq!(send(&mut link, 110), Some(0));
    assert_eq!(hear(&mut link, &reply("AA", "1"), 111), ["0: AA accept"]);
}

#[test]
fn a_receipt_for_half_a_message_is_early() {
    let mut link = link(config());
    let handle = submit(&mut link, "1", 0);
    assert_eq!(link.next_to_send(0), Some(handle));
    assert_eq!(hear(&mut link, &reply("AA", "1"), 1), ["early"]);
    link.sent(handle, 2);
    assert_eq!(hear(&mut link, &reply("AA", "1"), 3), ["0: AA accept"]);
}

#[test]
fn a_refusal_of_half_a_message_counts_and_costs_the_connection() {
    let mut link = link(config());
    let handle = submit(&mut link, "1", 0);
    assert_eq!(link.next_to_send(0), Some(handle));
    assert_eq!(hear(&mut link, &reply("AR", "1"), 1), ["0: AR again at 11", "reconnect"]);
    assert!(link.wants_connection(11));
}

#[test]
fn what_came_without_a_question_costs_the_connection() {
    // Half a frame could swallow the next reply.
    let mut half = link(config());
    assert_eq!(hear(&mut half, b"\x0bMSH|", 0), [""; 0]);
    submit(&mut half, "1", 0);
    assert_eq!(half.next_to_send(0), None);
    assert_eq!(events(&mut half, 0), ["reconnect"]);
    half.connected();
    assert_eq!(send(&mut half, 0), Some(0));
    // So could what is left of one that is lost.
    let mut lost = link(config());
    assert_eq!(
        hear(&mut lost, &[b"\x0b", &[b'x'; 511][..]].concat(), 0),
        ["too_large", "reconnect"]
    );
}
