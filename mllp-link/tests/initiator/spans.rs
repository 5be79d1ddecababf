//! Messages of which the host has only the beginning.

use mllp_core::Error;
use mllp_link::{SpanError, SubmitError};

use crate::*;

/// Submits a message of `len` bytes by its header, and begins to write it.
fn begin(link: &mut Link, id: &str, len: usize, now: u64) -> Handle {
    let handle = link.submit_header(&message(id, "", ""), len as u64, now).expect("room");
    assert_eq!(link.next_to_send(now), Some(handle));
    handle
}

#[test]
fn a_message_is_shown_span_by_span_and_answered() {
    let mut link = link(config());
    let header = message("1", "", "");
    let len = header.len() + 300;
    let handle = begin(&mut link, "1", len, 0);
    assert_eq!(link.span(handle, &header, 0), Ok(300));
    link.span_left(handle, 1);
    assert_eq!(link.span(handle, &[b'x'; 200], 2), Ok(100));
    assert_eq!(link.span(handle, &[], 2), Ok(100));
    assert_eq!(link.span(handle, &[b'x'; 100], 3), Ok(0));
    link.sent(handle, 4);
    assert_eq!(hear(&mut link, &reply("AA", "1"), 5), ["0: AA accept"]);
}

#[test]
fn half_a_message_is_never_sent() {
    let mut link = link(config());
    let handle = begin(&mut link, "1", 500, 0);
    link.span(handle, &message("1", "", ""), 0).unwrap();
    link.sent(handle, 1);
    assert_eq!(hear(&mut link, &reply("AA", "1"), 2), ["early"], "the partner cannot have it yet");
    assert_eq!(link.next_to_send(2), None, "it is still being written");
    assert_eq!(link.next_to_send_along(2), None);
}

#[test]
fn what_cannot_be_framed_is_not_written() {
    let mut link = link(config());
    let header = message("1", "", "");
    let handle = begin(&mut link, "1", header.len() + 10, 0);
    link.span(handle, &header, 0).unwrap();
    let reserved = Err(SpanError::Frame(Error::ReservedByte { index: 1 }));
    assert_eq!(link.span(handle, b"x\x1c\r", 0), reserved);
    assert_eq!(link.span(handle, b"x\x0b", 0), reserved);
    assert_eq!(link.span(handle, b"12345678901", 0), Err(SpanError::TooLong));
    assert_eq!(link.span(handle, b"123", 0), Ok(7), "what was refused does not count");
    assert!(link.break_off(handle));
    assert!(!link.break_off(handle));
    assert_eq!(link.span(handle, b"4567890", 0), Err(SpanError::NotWriting));
    assert_eq!(events(&mut link, 0), ["reconnect"], "without a verdict");
    assert_eq!(link.open_messages(), 0);
}

#[test]
fn a_message_that_is_broken_off_costs_the_others_their_connection() {
    let mut link = link(config());
    sent(&mut link, "1", 0);
    let handle = begin(&mut link, "2", 500, 0);
    link.break_off(handle);
    assert_eq!(events(&mut link, 1), ["reconnect", "0: no-reply again at 11"]);
    link.connected();
    assert_eq!(hear(&mut link, &reply("AA", "2"), 11), ["late"]);
}

#[test]
fn the_beginning_has_to_hold_the_header() {
    let mut link = link(config());
    let header = message("1", "", "");
    let end = header.iter().position(|byte| *byte == b'\r').unwrap();
    for len in [12, 30, end] {
        let taken = link.submit_header(&header[..len], 500, 0);
        assert_eq!(taken, Err(SubmitError::IdTooLong), "{len} bytes");
    }
    assert!(link.submit_header(&header[..end + 1], 500, 0).is_ok());
    assert_eq!(link.submit_header(&header, 500, 0), Err(SubmitError::IdInUse));
    // A payload that is here whole needs no end of its segment.
    let whole = &message("2", "", "")[..end];
    assert!(link.submit_header(whole, whole.len() as u64, 0).is_ok());
    let reserved = Err(SubmitError::Frame(Error::ReservedByte { index: 0 }));
    assert_eq!(link.submit_header(b"\x0b", 500, 0), reserved);
}

#[test]
fn the_time_for_sending_is_the_time_without_progress() {
    let mut link = link(config()); // 50 for sending
    let handle = begin(&mut link, "1", 5000, 0);
    assert_eq!(link.next_deadline(), None, "it is the host's turn");
    link.span(handle, &message("1", "", ""), 70).unwrap();
    assert_eq!(link.next_deadline(), Some(120));
    link.span_advanced(handle, 100);
    assert_eq!(link.next_deadline(), Some(150));
    link.span_left(handle, 140);
    assert_eq!(link.next_deadline(), None);
    link.span(handle, b"x", 300).unwrap();
    assert_eq!(pass(&mut link, 349), [""; 0]);
    assert_eq!(pass(&mut link, 350), ["0: no-reply again at 360", "reconnect"]);
}

#[test]
fn the_end_block_has_its_time_too() {
    let mut link = link(config());
    let header = message("1", "", "");
    let handle = begin(&mut link, "1", header.len(), 0);
    assert_eq!(link.span(handle, &header, 0), Ok(0));
    link.span_left(handle, 10);
    assert_eq!(link.next_deadline(), Some(60));
}

#[test]
fn the_next_attempt_begins_at_the_first_byte() {
    let mut link = link(config());
    let header = message("1", "", "");
    let handle = begin(&mut link, "1", header.len() + 5, 0);
    link.span(handle, &header, 0).unwrap();
    link.disconnected(1);
    assert_eq!(events(&mut link, 1), ["0: no-reply again at 11"]);
    link.connected();
    assert_eq!(link.next_to_send(11), Some(handle));
    assert_eq!(link.span(handle, &header, 11), Ok(5));
    assert_eq!(link.span(handle, b"12345", 11), Ok(0));
    link.sent(handle, 12);
    assert_eq!(hear(&mut link, &reply("AA", "1"), 13), ["0: AA accept"]);
}

#[test]
fn another_message_waits_for_the_last_span() {
    let mut link = link(config());
    let header = message("1", "", "");
    let handle = begin(&mut link, "1", header.len() + 5, 0);
    let next = submit(&mut link, "2", 0);
    link.span(handle, &header, 0).unwrap();
    assert_eq!(link.next_to_send_along(0), None);
    link.span(handle, b"12345", 0).unwrap();
    assert_eq!(link.next_to_send_along(0), Some(next), "its frame follows the end block");
}

#[test]
fn a_refusal_in_the_middle_ends_it() {
    let mut link = link(config());
    let handle = begin(&mut link, "1", 500, 0);
    link.span(handle, &message("1", "", ""), 0).unwrap();
    let heard = hear(&mut link, &reply("AE", "1"), 1);
    assert_eq!(heard, ["0: AE fail", "reconnect"]);
    assert_eq!(link.span(handle, b"x", 1), Err(SpanError::NotWriting));
}

#[test]
fn a_message_that_was_submitted_whole_has_no_spans() {
    let mut link = link(config());
    let handle = submit(&mut link, "1", 0);
    assert_eq!(link.next_to_send(0), Some(handle));
    assert_eq!(link.span(handle, b"x", 0), Err(SpanError::NotWriting));
    link.span_left(handle, 20);
    assert_eq!(link.next_deadline(), Some(50), "its time goes on");
    link.sent(handle, 1);
    assert_eq!(hear(&mut link, &reply("AA", "1"), 2), ["0: AA accept"]);
}
