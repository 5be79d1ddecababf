//! What is printed for a developer holds no byte of a payload.

use mllp_core::{Config, ReceiveBuffer, Scanner};

#[test]
fn a_scanner_in_the_midst_of_a_payload() {
    let mut scanner = Scanner::new(Config::DEFAULT);
    let other = format!("{scanner:?}");
    for input in [&b"\x0b"[..], b"\xb9"] {
        assert_eq!(scanner.step(input).consumed, 1);
    }
    let text = format!("{scanner:?}");
    assert_ne!(text, other);
    assert!(!text.contains("185") && !text.to_lowercase().contains("b9"), "{text}");
}

#[test]
fn a_receive_buffer_with_half_a_frame() {
    let mut buffer = ReceiveBuffer::new([0; 64], Config::DEFAULT);
    assert!(buffer.feed(b"\x0b\xb9\xb9\xb9").event.is_none());
    let text = format!("{buffer:?}");
    assert!(!text.contains("185"), "{text}");
}
