//! The sequence number protocol (2.9.1): MSH-13 and MSA-4.

/// The receiver's side: which number it expects next.
///
/// A refusal is AR in original mode and CE in enhanced mode (2.8.3.1 c).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SequenceReceiver {
    /// The number that the next message must have; `None` before the first one, and after the
    /// sender asked to start over.
    pub expected: Option<i64>,
}

/// What the receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceAnswer {
    /// Whether the number fits, so that the message may be processed.
    pub fits: bool,
    /// MSA-4.
    pub expected_sequence_number: i64,
}

impl SequenceReceiver {
    /// Takes MSH-13 of a message and moves on if it fits.
    ///
    /// ```
    /// use ack_gen::SequenceReceiver;
    ///
    /// let mut receiver = SequenceReceiver { expected: Some(7) };
    /// assert!(receiver.receive(b"7").fits);
    /// let late = receiver.receive(b"7");
    /// assert!(!late.fits);
    /// assert_eq!(late.expected_sequence_number, 8);
    /// ```
    pub fn receive(&mut self, sequence_number: &[u8]) -> SequenceAnswer {
        let expected = self.expected.unwrap_or(-1);
        let answer =
            |fits, expected_sequence_number| SequenceAnswer { fits, expected_sequence_number };
        match (parse(sequence_number), self.expected) {
            (Some(-1), _) => {
                self.expected = None;
                answer(true, -1)
            }
            (Some(0), _) => answer(true, expected),
            (Some(number @ 1..), None) => {
                self.expected = Some(number.saturating_add(1));
                answer(true, number)
            }
            (Some(number @ 1..), Some(wanted)) if number == wanted => {
                self.expected = Some(number.saturating_add(1));
                answer(true, number)
            }
            _ => answer(false, expected),
        }
    }
}

/// What a sender does after a refusal for its sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SequenceAction {
    /// Only the acknowledgment was lost: go on with the next message.
    Continue,
    /// The receiver misses messages: send again from this number, or stop.
    RestartFrom(i64),
    /// The two sides disagree: stop the link and call for a person.
    Freeze,
}

impl SequenceAction {
    /// From the number of the refused message and MSA-4 of the refusal.
    ///
    /// ```
    /// use ack_gen::SequenceAction;
    ///
    /// assert_eq!(SequenceAction::after_refusal(7, b"8"), SequenceAction::Continue);
    /// assert_eq!(SequenceAction::after_refusal(7, b"5"), SequenceAction::RestartFrom(5));
    /// assert_eq!(SequenceAction::after_refusal(7, b"9"), SequenceAction::Freeze);
    /// assert_eq!(SequenceAction::after_refusal(-2, b"-1"), SequenceAction::Freeze);
    /// ```
    pub fn after_refusal(sent: i64, expected_sequence_number: &[u8]) -> SequenceAction {
        match parse(expected_sequence_number) {
            // Only a number from 1 on was counted; 0 and -1 are never refused for being taken.
            Some(number @ 2..) if Some(number) == sent.checked_add(1) => SequenceAction::Continue,
            Some(number @ 1..) if number < sent => SequenceAction::RestartFrom(number),
            _ => SequenceAction::Freeze,
        }
    }
}

/// A whole decimal number, with a minus sign or without.
fn parse(text: &[u8]) -> Option<i64> {
    let (digits, sign) = match text {
        [b'-', digits @ ..] => (digits, -1),
        digits => (digits, 1),
    };
    if digits.is_empty() {
        return None;
    }
    let number = digits.iter().try_fold(0i64, |number, digit| {
        let value = digit.checked_sub(b'0').filter(|value| *value < 10)?;
        number.checked_mul(10)?.checked_add(i64::from(value))
    })?;
    Some(number * sign)
}
