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

/// The code of a reply and its text for people.
pub(super) fn note(verdict: &Verdict, reply: Option<&[u8]>) -> Note {
    let code = match verdict.reply {
        ReplyKind::Code(code) => code.as_str(),
        _ => return Note::default(),
    };
    let message = reply.and_then(|it| Message::parse_lenient(it, Scan::SingleByte));
    let text = message.and_then(|message| {
        let mut paths = TEXTS.iter().filter_map(|text| Path::parse(text).ok());
        paths.find_map(|path| message.get(path).filter(|it| !it.is_empty()))
    });
    match text {
        Some(text) => {
            let text = String::from_utf8_lossy(text);
            let note = format!("{code} {text}");
            Note(note.chars().take(MAX_NOTE).collect())
        }
        None => Note(code.to_owned()),
    }
}
