//! What a sender does with a reply: accept, retry, suspend or fail, by a list of rules.

use core::fmt;

use ack_gen::{AckCode, Outcome};
use heapless::Vec;

/// What came for a message that waits for its acknowledgment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplyKind {
    /// An acknowledgment of this message, with this MSA-1.
    Code(AckCode),
    /// HL7 without an MSA, or without a code of table 0008 in MSA-1.
    NoMsa,
    /// An acknowledgment of another message: MSA-2 is not the MSH-10 that was sent.
    WrongId,
    /// Nothing: the deadline passed, or the connection was lost.
    NoReply,
    /// A frame that is not HL7.
    NotHl7,
}

impl ReplyKind {
    const OTHERS: [Self; 4] = [Self::NoMsa, Self::WrongId, Self::NoReply, Self::NotHl7];

    /// As it is written in a list of rules.
    pub const fn name(self) -> &'static str {
        match self {
            ReplyKind::Code(code) => code.as_str(),
            ReplyKind::NoMsa => "no-msa",
            ReplyKind::WrongId => "wrong-id",
            ReplyKind::NoReply => "no-reply",
            ReplyKind::NotHl7 => "not-hl7",
        }
    }

    fn built_in(self) -> Rule {
        let (action, warn) = match self {
            ReplyKind::Code(AckCode::AA | AckCode::CA) => (Action::Accept, false),
            ReplyKind::Code(AckCode::AE | AckCode::CE) => (Action::Fail, true),
            ReplyKind::Code(AckCode::AR | AckCode::CR) => (Action::Retry, true),
            ReplyKind::NoMsa => (Action::Suspend, true),
            ReplyKind::WrongId | ReplyKind::NotHl7 => (Action::Retry, true),
            ReplyKind::NoReply => (Action::Retry, false),
        };
        let condition = match self {
            ReplyKind::Code(code) => Condition::Outcome(code.outcome()),
            _ => Condition::Reply(self),
        };
        Rule { condition, action, warn }
    }
}

/// When a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// To this reply: one of the six codes, `no-msa`, `wrong-id`, `no-reply` or `not-hl7`.
    Reply(ReplyKind),
    /// To either code of this class: `accept` (AA, CA), `error` (AE, CE) or `reject` (AR, CR).
    Outcome(Outcome),
    /// `*`: to every reply; with the action `accept`, to every code and nothing else.
    Any,
}

impl Condition {
    /// As it is written in a list of rules.
    pub const fn name(self) -> &'static str {
        match self {
            Condition::Reply(reply) => reply.name(),
            Condition::Outcome(Outcome::Accept) => "accept",
            Condition::Outcome(Outcome::Error) => "error",
            Condition::Outcome(Outcome::Reject) => "reject",
            Condition::Any => "*",
        }
    }

    fn from_name(name: &str) -> Option<Condition> {
        let replies = AckCode::ALL.map(ReplyKind::Code).into_iter().chain(ReplyKind::OTHERS);
        let classes = [Outcome::Accept, Outcome::Error, Outcome::Reject].map(Condition::Outcome);
        let mut all = replies.map(Condition::Reply).chain(classes).chain([Condition::Any]);
        all.find(|condition| condition.name().eq_ignore_ascii_case(name))
    }
}

/// What becomes of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// It is delivered and may be forgotten.
    Accept,
    /// It is sent again, unchanged, as often and as late as the sender's limits say.
    Retry,
    /// Nothing more is sent until somebody has looked and says so.
    Suspend,
    /// It is undeliverable as it is, and the next one follows.
    Fail,
}

impl Action {
    /// As it is written in a list.
    pub const fn name(self) -> &'static str {
        match self {
            Action::Accept => "accept",
            Action::Retry => "retry",
            Action::Suspend => "suspend",
            Action::Fail => "fail",
        }
    }
}

/// One `condition=action` or `condition=action+warn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// When.
    pub condition: Condition,
    /// What is done.
    pub action: Action,
    /// Whether an operator is told.
    pub warn: bool,
}

impl Rule {
    fn parse(text: &str) -> Result<Rule, RuleErrorKind> {
        // Searching a set of one compiles without a panic; searching a single character does not.
        let (condition, action) = text.split_once(['=']).unwrap_or((text, ""));
        let condition = Condition::from_name(condition).ok_or(RuleErrorKind::UnknownCondition)?;
        let (action, warn) = match action.split_once(['+']) {
            None if action.is_empty() => return Err(RuleErrorKind::MissingAction),
            None => (action, false),
            Some((action, flag)) if flag.eq_ignore_ascii_case("warn") => (action, true),
            Some(_) => return Err(RuleErrorKind::UnknownAction),
        };
        let mut all = [Action::Accept, Action::Retry, Action::Suspend, Action::Fail].into_iter();
        let action = all.find(|it| it.name().eq_ignore_ascii_case(action));
        let action = action.ok_or(RuleErrorKind::UnknownAction)?;
        let never_delivered = [ReplyKind::WrongId, ReplyKind::NoReply, ReplyKind::NotHl7];
        if action == Action::Accept && never_delivered.map(Condition::Reply).contains(&condition) {
            return Err(RuleErrorKind::UnsafeAccept);
        }
        Ok(Rule { condition, action, warn })
    }

    fn applies(self, reply: ReplyKind) -> bool {
        // CA relieves the sender of sending again (2.8.3), whatever a list says.
        if reply == ReplyKind::Code(AckCode::CA) && self.action == Action::Retry {
            return false;
        }
        match (self.condition, reply) {
            (Condition::Reply(expected), _) => expected == reply,
            (Condition::Outcome(outcome), ReplyKind::Code(code)) => code.outcome() == outcome,
            (Condition::Outcome(_), _) => false,
            (Condition::Any, ReplyKind::Code(_)) => true,
            // Who writes that every answer will do does not mean none, or one to something else.
            (Condition::Any, _) => self.action != Action::Accept,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warn = if self.warn { "+warn" } else { "" };
        write!(f, "{}={}{warn}", self.condition.name(), self.action.name())
    }
}

/// At most `N` rules; the first that applies acts. If none does, AA and CA are accepted, and:
///
/// | reply | built-in rule | why |
/// |---|---|---|
/// | AE, CE | `error=fail+warn` | wrong content (2.8.2) stays wrong; for a CE that means full storage (2.8.3.1) write `CE=retry` |
/// | AR, CR | `reject=retry+warn` | often not the message's fault: a system that is down (2.8.2) |
/// | no MSA | `no-msa=suspend+warn` | such peers always answer like that: somebody must decide |
/// | another MSA-2 | `wrong-id=retry+warn` | most often the late reply to an earlier message |
/// | nothing | `no-reply=retry` | a restart at the other end |
/// | not HL7 | `not-hl7=retry+warn` | noise on the line |
///
/// A reply that is not the message's own ends no wait, because its own may still come: the last such
/// reply is judged when the wait is over. One without MSA ends it at once where a rule accepts it.
/// A retry can deliver twice, which MSH-10 shows. CA is never retried, since the receiver has stored
/// the message (2.8.3): a rule with that action does not apply to it. A late, foreign, unreadable or missing reply never
/// means delivery: `wrong-id=accept`, `no-reply=accept` and `not-hl7=accept` are errors, `*=accept`
/// is for codes, refusals included. `no-msa=accept` trusts any HL7 message that comes back.
///
/// ```
/// use mllp_link::{ReplyKind, Rules};
/// let rules = Rules::<8>::parse("CE=retry; error=suspend+warn  # all others\n *=retry")?;
/// assert_eq!(rules.judge(ReplyKind::NoReply).to_string(), "no-reply: retry by rule 3 (*=retry)");
/// # Ok::<(), mllp_link::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules<const N: usize> {
    list: Vec<Rule, N>,
}

impl<const N: usize> Rules<N> {
    /// Reads rules that are separated by commas, semicolons, blanks or line ends, with no blank
    /// inside; `#` begins a comment that ends with the line. Case is ignored. The list may be empty.
    /// The error is about the first rule that is wrong. `Display` writes such a list, with commas.
    pub fn parse(text: &str) -> Result<Rules<N>, RuleError> {
        let lines = text.split(['\r', '\n']).filter_map(|line| line.split(['#']).next());
        let separator = |it: char| matches!(it, ',' | ';') || it.is_ascii_whitespace();
        let rules = lines.flat_map(|line| line.split(separator)).filter(|rule| !rule.is_empty());
        let mut list = Vec::new();
        for (index, rule) in rules.enumerate() {
            let error = |kind| RuleError { at: index.saturating_add(1), kind };
            let rule = Rule::parse(rule).map_err(error)?;
            list.push(rule).map_err(|_| error(RuleErrorKind::TooMany))?;
        }
        Ok(Rules { list })
    }

    /// What is done about a reply, and by which rule.
    pub fn judge(&self, reply: ReplyKind) -> Verdict {
        let at = self.list.iter().position(|rule| rule.applies(reply));
        let listed = at.and_then(|at| self.list.get(at)).copied();
        let Rule { condition, action, warn } = listed.unwrap_or_else(|| reply.built_in());
        Verdict { reply, action, warn, condition, rule: at.map(|at| at.saturating_add(1)) }
    }
}

/// The built-in rules, as far as there is room; the others act all the same.
impl<const N: usize> Default for Rules<N> {
    fn default() -> Rules<N> {
        let codes = [AckCode::AA, AckCode::AE, AckCode::AR].map(ReplyKind::Code);
        let mut list = Vec::new();
        for reply in codes.into_iter().chain(ReplyKind::OTHERS) {
            let _ = list.push(reply.built_in());
        }
        Rules { list }
    }
}

impl<const N: usize> fmt::Display for Rules<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.iter().enumerate().try_for_each(|(index, rule)| {
            f.write_str(if index == 0 { "" } else { "," })?;
            rule.fmt(f)
        })
    }
}

/// What is done about a reply, and why; its `Display` says both in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// What came.
    pub reply: ReplyKind,
    /// What becomes of the message.
    pub action: Action,
    /// Whether an operator is told.
    pub warn: bool,
    /// The condition of the rule.
    pub condition: Condition,
    /// The number of the rule in the list, from 1; `None` is a built-in rule.
    pub rule: Option<usize>,
}

impl Verdict {
    /// No reply came, and none was asked for. No rule says so, because none may accept silence.
    pub(crate) const UNASKED: Verdict = Verdict {
        reply: ReplyKind::NoReply,
        action: Action::Accept,
        warn: false,
        condition: Condition::Reply(ReplyKind::NoReply),
        rule: None,
    };
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Verdict::UNASKED {
            return f.write_str("no-reply: accept, since no answer was asked for");
        }
        let Verdict { reply, action, warn, condition, rule } = *self;
        let (text, warn) = (Rule { condition, action, warn }, if warn { "+warn" } else { "" });
        write!(f, "{}: {}{warn} by ", reply.name(), action.name())?;
        match rule {
            Some(number) => write!(f, "rule {number} ({text})"),
            None => write!(f, "the built-in rule ({text})"),
        }
    }
}

/// Which rule of a list is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RuleError {
    /// Its number, from 1.
    pub at: usize,
    /// What is wrong with it.
    pub kind: RuleErrorKind,
}

/// What can be wrong with a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleErrorKind {
    /// The text before `=` is not a condition.
    UnknownCondition,
    /// The text after `=` is not an action.
    UnknownAction,
    /// Nothing stands behind the condition.
    MissingAction,
    /// The list has no room for it.
    TooMany,
    /// It would take a message for delivered that nobody has accepted.
    UnsafeAccept,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.kind {
            RuleErrorKind::UnknownCondition => "unknown condition",
            RuleErrorKind::UnknownAction => "unknown action",
            RuleErrorKind::MissingAction => "the action is missing",
            RuleErrorKind::TooMany => "too many rules",
            RuleErrorKind::UnsafeAccept => {
                "such a reply never means that the message was delivered"
            }
        };
        write!(f, "rule {}: {why}", self.at)
    }
}

impl core::error::Error for RuleError {}
