//! What becomes of a delivery for each reply of the partner, in the letters of IRIS.

use std::fmt;

use ack_gen::AckCode;
use hl7_peek::{Message, Path, Scan};
use mllp_link::{Fate, ReplyKind, Verdict};

/// Pairs of what a reply is and what becomes of its delivery, such as `:?R=RF,:?E=S,:?A=C`.
///
/// Those whose letters are `W` alone warn, each that matches. Of the others the first that matches
/// decides. If only warnings match, the delivery is completed. A reply that nothing matches completes it
/// if it is AA or CA, and has it held otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyActions(Vec<(Selector, ReplyAction)>);

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplyAction {
    /// Whether it is tried again first, as often and as long as its outbound says.
    pub retries: bool,
    /// What becomes of it then.
    pub end: ReplyEnd,
    /// Whether its journey says that the reply was no plain success.
    pub warns: bool,
}

/// The end of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplyEnd {
    /// It is delivered.
    Completed,
    /// It is held for an operator.
    Held,
    /// It is dead.
    Dead,
    /// The lane stops, with the delivery first.
    Stopped,
}

/// Whose letters are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// C completed, W warned, R retried, S suspended, D disabled, F failed.
    #[default]
    Iris,
    /// S succeeded, W warned, R retried, F failed.
    Hie,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Selector {
    /// `:AA`
    Code(AckCode),
    /// `:?A`: the second letter.
    Class(u8),
    /// `:~`: HL7 without MSA.
    NoMsa,
    /// `:_`: MSA-1 is empty.
    NoCode,
    /// `:*`: any code that no other entry names.
    OtherCode,
    /// `:I?`: an acknowledgment of another message.
    WrongId,
    /// `:T?`: MSH-9.1 is not ACK.
    WrongType,
    /// `X`: none came in time.
    NoReply,
    /// `E`: the connection was lost, or what came is not HL7.
    Broken,
}

/// What has come.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    kind: ReplyKind,
    /// MSA-1, if there is an MSA.
    code: Option<Vec<u8>>,
    is_ack: bool,
    /// Why there is no answer, if there is none.
    absence: Absence,
}

/// Why a message has no answer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// Its time is over.
    Late,
    /// The connection has ended.
    Lost,
    /// We have given the connection up for another message: that says nothing of this one.
    GivenUp,
}

const COMPLETE: ReplyAction =
    ReplyAction { retries: false, end: ReplyEnd::Completed, warns: false };
const HOLD: ReplyAction = ReplyAction { retries: false, end: ReplyEnd::Held, warns: false };

impl ReplyActions {
    /// Reads pairs with commas between them.
    ///
    /// # Errors
    ///
    /// What is wrong, with the pair that it is about.
    pub fn parse(text: &str, dialect: Dialect) -> Result<ReplyActions, String> {
        let mut pairs: Vec<(Selector, ReplyAction)> = Vec::new();
        for pair in text.split(',').map(str::trim) {
            let wrong = |why: &str| format!("\"{}\": {why}", pair.escape_debug());
            let (selector, letters) =
                pair.split_once('=').ok_or_else(|| wrong("it is no pair such as :?E=R"))?;
            let selector = Selector::parse(selector.trim())
                .ok_or_else(|| wrong("it selects none of :AA :?A :~ :_ :* :I? :T? X E"))?;
            let action = parse_letters(letters.trim(), dialect).map_err(|why| wrong(&why))?;
            if pairs.iter().any(|it| it.0 == selector) {
                return Err(wrong("the same is selected before it"));
            }
            let unanswered = matches!(selector, Selector::NoReply | Selector::Broken);
            if unanswered && action.end == ReplyEnd::Completed {
                return Err(wrong("without an answer nothing is completed"));
            }
            pairs.push((selector, action));
        }
        Ok(ReplyActions(pairs))
    }

    /// What is not done as it is written, a text for each.
    pub fn notes(&self) -> Vec<String> {
        let foreign = |(selector, action): &&(Selector, ReplyAction)| {
            *selector == Selector::WrongId && action.end == ReplyEnd::Completed
        };
        let note = "an acknowledgment of another message completes nothing: it is held";
        self.0.iter().filter(foreign).map(|_| format!(":I?: {note}")).collect()
    }

    /// Whether a reply without a code of table 0008 may complete a message. The link has to credit it to
    /// one then.
    pub(super) fn complete_without_a_code(&self) -> bool {
        let uncoded = |it: &Selector| {
            matches!(
                it,
                Selector::NoMsa | Selector::NoCode | Selector::OtherCode | Selector::WrongType
            )
        };
        self.0.iter().any(|(selector, it)| uncoded(selector) && it.end == ReplyEnd::Completed)
    }

    /// What becomes of a message with this verdict; `None`: what the class of its failure says, because
    /// nothing was answered and nothing is said of that.
    ///
    /// Only an answer that was credited to the message completes it. What came in place of one, while
    /// several may have been meant, decides nothing if the connection ended before the time was over.
    pub(super) fn action(
        &self,
        verdict: &Verdict,
        fate: Fate,
        reply: Reply,
    ) -> Option<ReplyAction> {
        if matches!(fate, Fate::Stored | Fate::Unasked) {
            return None;
        }
        let is_answered = fate == Fate::Answered;
        let reply = match verdict.reply {
            ReplyKind::NoMsa | ReplyKind::WrongId
                if !is_answered && reply.absence != Absence::Late =>
            {
                Reply { kind: ReplyKind::NoReply, ..reply }
            }
            _ => reply,
        };
        let action = self.of(&reply)?;
        let is_bare = action.end == ReplyEnd::Completed && !is_answered;
        Some(if is_bare { ReplyAction { warns: action.warns, ..HOLD } } else { action })
    }

    fn of(&self, reply: &Reply) -> Option<ReplyAction> {
        let matching = || self.0.iter().filter(|(selector, _)| self.matches(*selector, reply));
        let is_warning = |it: &ReplyAction| it.warns && it.end == ReplyEnd::Completed;
        let warns = matching().any(|(_, action)| action.warns);
        let decides = matching().map(|it| it.1).find(|action| !is_warning(action));
        let action = match (decides, reply.kind) {
            (Some(action), _) => action,
            (None, _) if warns => COMPLETE,
            (None, ReplyKind::Code(AckCode::AA | AckCode::CA)) => COMPLETE,
            (None, ReplyKind::Code(_) | ReplyKind::NoMsa | ReplyKind::WrongId) => HOLD,
            (None, ReplyKind::NoReply | ReplyKind::NotHl7) => return None,
        };
        // Whatever is written: an answer to another message is none to this.
        let is_foreign = reply.kind == ReplyKind::WrongId && action.end == ReplyEnd::Completed;
        let action = if is_foreign { HOLD } else { action };
        Some(ReplyAction { warns: warns || action.warns, ..action })
    }

    fn matches(&self, selector: Selector, reply: &Reply) -> bool {
        let own =
            !matches!(reply.kind, ReplyKind::WrongId | ReplyKind::NoReply | ReplyKind::NotHl7);
        let code = reply.code.as_deref().filter(|_| own);
        match selector {
            Selector::Code(one) => code == Some(one.as_str().as_bytes()),
            Selector::Class(class) => {
                code.is_some_and(|it| matches!(it, [b'A' | b'C', second] if *second == class))
            }
            Selector::NoMsa => own && code.is_none(),
            Selector::NoCode => code.is_some_and(<[u8]>::is_empty),
            Selector::OtherCode => {
                let named = |it: &(Selector, ReplyAction)| {
                    matches!(it.0, Selector::Code(_) | Selector::Class(_) | Selector::NoCode)
                        && self.matches(it.0, reply)
                };
                code.is_some() && !self.0.iter().any(named)
            }
            Selector::WrongId => reply.kind == ReplyKind::WrongId,
            Selector::WrongType => own && !reply.is_ack,
            Selector::NoReply => reply.kind == ReplyKind::NoReply && reply.absence == Absence::Late,
            Selector::Broken => {
                let is_lost = reply.kind == ReplyKind::NoReply && reply.absence == Absence::Lost;
                reply.kind == ReplyKind::NotHl7 || is_lost
            }
        }
    }
}

impl Reply {
    pub(super) fn new(kind: ReplyKind, bytes: Option<&[u8]>, absence: Absence) -> Reply {
        let message = bytes.and_then(|it| Message::parse_lenient(it, Scan::SingleByte));
        let value = |path| message.as_ref()?.get(Path::parse(path).ok()?).map(<[u8]>::to_vec);
        let has_msa = bytes.is_some_and(|it| it.split(|byte| *byte == b'\r').any(is_msa));
        let code = has_msa.then(|| value("MSA-1").unwrap_or_default());
        // A code of its own is known though its bytes are gone.
        let code = match kind {
            ReplyKind::Code(known) => Some(known.as_str().as_bytes().to_vec()),
            _ => code,
        };
        let is_ack = value("MSH-9.1").is_none_or(|it| it == b"ACK");
        Reply { kind, code, is_ack, absence }
    }

    /// The same for a message that was waiting when it came, and has this verdict now.
    pub(super) fn since(self, kind: ReplyKind, absence: Absence) -> Reply {
        Reply { kind, absence, ..self }
    }
}

fn is_msa(segment: &[u8]) -> bool {
    segment.strip_prefix(b"\n").unwrap_or(segment).starts_with(b"MSA")
}

impl Selector {
    fn parse(text: &str) -> Option<Selector> {
        Some(match text {
            ":?A" => Selector::Class(b'A'),
            ":?E" => Selector::Class(b'E'),
            ":?R" => Selector::Class(b'R'),
            ":~" => Selector::NoMsa,
            ":_" => Selector::NoCode,
            ":*" => Selector::OtherCode,
            ":I?" => Selector::WrongId,
            ":T?" => Selector::WrongType,
            "X" => Selector::NoReply,
            "E" => Selector::Broken,
            _ => {
                let code = text.strip_prefix(':')?;
                let all =
                    [AckCode::AA, AckCode::AE, AckCode::AR, AckCode::CA, AckCode::CE, AckCode::CR];
                Selector::Code(all.into_iter().find(|it| it.as_str() == code)?)
            }
        })
    }
}

fn parse_letters(text: &str, dialect: Dialect) -> Result<ReplyAction, String> {
    let (mut retries, mut warns, mut end) = (false, false, None);
    for letter in text.chars() {
        let ends = match (letter, dialect) {
            ('R', _) if !retries => {
                retries = true;
                continue;
            }
            ('W', _) if !warns => {
                warns = true;
                continue;
            }
            ('C', Dialect::Iris) | ('S', Dialect::Hie) => ReplyEnd::Completed,
            ('S', Dialect::Iris) => ReplyEnd::Held,
            ('D', Dialect::Iris) => ReplyEnd::Stopped,
            ('F', _) => ReplyEnd::Dead,
            _ => return Err(unknown(letter, dialect)),
        };
        if end.replace(ends).is_some() {
            return Err("more than one end".to_owned());
        }
    }
    let end = match (end, retries) {
        (Some(ReplyEnd::Completed), true) | (None, true) if warns => None,
        (Some(ReplyEnd::Completed), true) => None,
        (None, true) => Some(if dialect == Dialect::Hie { ReplyEnd::Dead } else { ReplyEnd::Held }),
        (None, false) if warns => Some(ReplyEnd::Completed),
        (end, _) => end,
    };
    match end {
        Some(end) => Ok(ReplyAction { retries, end, warns }),
        None if retries => Err("what was refused and retried is not completed then".to_owned()),
        None => Err("there is no letter".to_owned()),
    }
}

fn unknown(letter: char, dialect: Dialect) -> String {
    let letters = match dialect {
        Dialect::Iris => "C, W, R, S, D and F, each once",
        Dialect::Hie => "S, W, R and F, each once",
    };
    format!("'{}' is none of the letters {letters}", letter.escape_debug())
}

impl fmt::Display for ReplyEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReplyEnd::Completed => "completed",
            ReplyEnd::Held => "held",
            ReplyEnd::Dead => "dead",
            ReplyEnd::Stopped => "the lane stops",
        })
    }
}

#[cfg(test)]
mod tests;
