//! What a verdict of the link means for a delivery.

use ack_gen::AckCode;
use hl7_peek::{Message, Path, Scan};
use mllp_link::{Action, Fate, ReplyKind, Verdict};

use super::{Note, Outcome};

/// Where a partner says something to people: ERR-8 from version 2.7 on, where MSA-3 is withdrawn.
const TEXTS: [&str; 3] = ["MSA-3", "ERR-8", "ERR-7"];
/// Characters of a note, which is for a person who looks for the cause.
const MAX_NOTE: usize = 200;

/// What became of a message whose verdict has come; without an answer of its own it is `unanswered`.
pub(super) fn outcome(verdict: &Verdict, fate: Fate, unanswered: Outcome) -> Outcome {
    match (fate, verdict.reply) {
        (Fate::Stored | Fate::Unasked, _) => Outcome::Delivered,
        (_, ReplyKind::Code(code)) => match code {
            AckCode::AA | AckCode::CA => Outcome::Delivered,
            AckCode::AE | AckCode::CE => Outcome::RefusedForNow,
            AckCode::AR | AckCode::CR => Outcome::RefusedForGood,
        },
        // A rule says that it is a receipt all the same.
        (Fate::Answered, _) if verdict.action == Action::Accept => Outcome::Delivered,
        _ => unanswered,
    }
}

/// The code of a reply, the control ID of one that takes the message over, and its text for people.
pub(super) fn note(verdict: &Verdict, reply: Option<&[u8]>) -> Note {
    match verdict.reply {
        ReplyKind::Code(code) => said(code, reply),
        _ => Note::default(),
    }
}

/// What a reply with this code says.
pub(super) fn said(code: AckCode, reply: Option<&[u8]>) -> Note {
    let message = reply.and_then(|it| Message::parse_lenient(it, Scan::SingleByte));
    let value = |path| {
        let value = message.as_ref()?.get(Path::parse(path).ok()?);
        value.filter(|it| !it.is_empty())
    };
    let id = value("MSH-10").filter(|_| matches!(code, AckCode::AA | AckCode::CA));
    let mut note = code.as_str().to_owned();
    for part in [id, TEXTS.into_iter().find_map(value)].into_iter().flatten() {
        note.push(' ');
        note.push_str(&String::from_utf8_lossy(part));
    }
    if note.len() > MAX_NOTE {
        note = note.chars().take(MAX_NOTE).collect();
    }
    Note(note)
}
