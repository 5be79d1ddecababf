//! What a sender does with a reply.

use core::ffi::c_char;
use core::mem::ManuallyDrop;
use core::mem::MaybeUninit;

use ack_gen::{AckCode, Outcome};
use mllp_link::{Action, Condition, MAX_RULES, ReplyKind, Rules, Verdict};

use crate::code::{Numbered, name, numbered};
use crate::slice::{bytes, place};
use crate::state::{State, init, state};
use crate::status::{Failure, MLLP_ERR_INVALID_ARGUMENT, MLLP_OK, mllp_status_t, status};

/// What came for a message that waits for its acknowledgment: `MLLP_REPLY_*`.
pub type mllp_reply_kind_t = u32;

/// Its acknowledgment, with AA in MSA-1.
pub const MLLP_REPLY_AA: mllp_reply_kind_t = 1;
/// With AE.
pub const MLLP_REPLY_AE: mllp_reply_kind_t = 2;
/// With AR.
pub const MLLP_REPLY_AR: mllp_reply_kind_t = 3;
/// With CA.
pub const MLLP_REPLY_CA: mllp_reply_kind_t = 4;
/// With CE.
pub const MLLP_REPLY_CE: mllp_reply_kind_t = 5;
/// With CR.
pub const MLLP_REPLY_CR: mllp_reply_kind_t = 6;
/// HL7 without an MSA, or without a code of table 0008 in MSA-1.
pub const MLLP_REPLY_NO_MSA: mllp_reply_kind_t = 7;
/// An acknowledgment of another message: MSA-2 is not the MSH-10 that was sent.
pub const MLLP_REPLY_WRONG_ID: mllp_reply_kind_t = 8;
/// Nothing: the deadline passed, or the connection was lost.
pub const MLLP_REPLY_NO_REPLY: mllp_reply_kind_t = 9;
/// A frame that is not HL7.
pub const MLLP_REPLY_NOT_HL7: mllp_reply_kind_t = 10;

numbered!(ReplyKind {
    ReplyKind::Code: AckCode::AA = MLLP_REPLY_AA, c"AA";
    ReplyKind::Code: AckCode::AE = MLLP_REPLY_AE, c"AE";
    ReplyKind::Code: AckCode::AR = MLLP_REPLY_AR, c"AR";
    ReplyKind::Code: AckCode::CA = MLLP_REPLY_CA, c"CA";
    ReplyKind::Code: AckCode::CE = MLLP_REPLY_CE, c"CE";
    ReplyKind::Code: AckCode::CR = MLLP_REPLY_CR, c"CR";
    ReplyKind::NoMsa = MLLP_REPLY_NO_MSA, c"no-msa";
    ReplyKind::WrongId = MLLP_REPLY_WRONG_ID, c"wrong-id";
    ReplyKind::NoReply = MLLP_REPLY_NO_REPLY, c"no-reply";
    ReplyKind::NotHl7 = MLLP_REPLY_NOT_HL7, c"not-hl7";
});

/// When a rule applies: to one reply, `MLLP_REPLY_*`, or to several, `MLLP_RULE_*`.
pub type mllp_rule_condition_t = u32;

/// To AA and CA.
pub const MLLP_RULE_ACCEPT: mllp_rule_condition_t = 11;
/// To AE and CE.
pub const MLLP_RULE_ERROR: mllp_rule_condition_t = 12;
/// To AR and CR.
pub const MLLP_RULE_REJECT: mllp_rule_condition_t = 13;
/// To every reply; with the action `accept`, to every code and nothing else.
pub const MLLP_RULE_ANY: mllp_rule_condition_t = 14;

/// What becomes of a message: `MLLP_ACTION_*`.
pub type mllp_action_t = u32;

/// It is delivered and may be forgotten.
pub const MLLP_ACTION_ACCEPT: mllp_action_t = 1;
/// It is sent again, unchanged, as often and as late as the sender's limits say.
pub const MLLP_ACTION_RETRY: mllp_action_t = 2;
/// Nothing more is sent until somebody has looked and says so.
pub const MLLP_ACTION_SUSPEND: mllp_action_t = 3;
/// It is undeliverable as it is, and the next one follows.
pub const MLLP_ACTION_FAIL: mllp_action_t = 4;

numbered!(Action {
    Action::Accept = MLLP_ACTION_ACCEPT, c"accept";
    Action::Retry = MLLP_ACTION_RETRY, c"retry";
    Action::Suspend = MLLP_ACTION_SUSPEND, c"suspend";
    Action::Fail = MLLP_ACTION_FAIL, c"fail";
});

/// How many rules a list holds.
pub const MLLP_MAX_RULES: usize = 16;

const _: () = assert!(MLLP_MAX_RULES == MAX_RULES);

/// What is done about a reply, and why.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_verdict_t {
    /// What came.
    pub reply: mllp_reply_kind_t,
    /// What becomes of the message.
    pub action: mllp_action_t,
    /// 1: tell an operator.
    pub warn: u32,
    /// The condition of the rule.
    pub condition: mllp_rule_condition_t,
    /// The number of the rule in the list, from 1; 0 is a built-in rule.
    pub rule: u32,
}

impl mllp_verdict_t {
    pub(crate) const NONE: mllp_verdict_t =
        mllp_verdict_t { reply: 0, action: 0, warn: 0, condition: 0, rule: 0 };

    pub(crate) fn of(verdict: &Verdict) -> mllp_verdict_t {
        mllp_verdict_t {
            reply: verdict.reply.number(),
            action: verdict.action.number(),
            warn: u32::from(verdict.warn),
            condition: match verdict.condition {
                Condition::Reply(reply) => reply.number(),
                Condition::Outcome(Outcome::Accept) => MLLP_RULE_ACCEPT,
                Condition::Outcome(Outcome::Error) => MLLP_RULE_ERROR,
                Condition::Outcome(Outcome::Reject) => MLLP_RULE_REJECT,
                Condition::Any => MLLP_RULE_ANY,
            },
            rule: verdict.rule.unwrap_or_default() as u32,
        }
    }
}

/// A list of rules; the first that applies acts. If none does, AA and CA are accepted, and:
///
/// AE, CE: `error=fail+warn`. AR, CR: `reject=retry+warn`. No MSA: `no-msa=suspend+warn`. Another
/// MSA-2: `wrong-id=retry+warn`. Nothing: `no-reply=retry`. Not HL7: `not-hl7=retry+warn`.
///
/// A retry can deliver twice, which MSH-10 shows. A late, foreign, unreadable or missing reply never
/// means delivery: a rule that says so is an error, and `*=accept` is for codes, refusals included.
/// `no-msa=accept` trusts any HL7 message that comes back.
#[repr(C)]
pub struct mllp_rules_t {
    _state: [MaybeUninit<u64>; 11],
}

impl State for mllp_rules_t {
    // Its rules have nothing to drop, but their list says so by dropping each.
    type Inner = ManuallyDrop<Rules<MAX_RULES>>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpRUL1");
}

/// Prepares the list of the built-in rules.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_rules_init(rules: *mut mllp_rules_t) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        unsafe { init(rules, ManuallyDrop::new(Rules::default())) }?;
        Ok(MLLP_OK)
    })
}

/// Prepares the list that `text` says: `condition=action` or `condition=action+warn`, separated by
/// commas, semicolons, blanks or line ends, with no blank inside; `#` begins a comment that ends with
/// the line. Case is ignored. The list may be empty.
///
/// Conditions are the codes, `accept`, `error`, `reject`, `no-msa`, `wrong-id`, `no-reply`, `not-hl7`
/// and `*`; actions are `accept`, `retry`, `suspend` and `fail`.
///
/// The first rule that is wrong gives one of `MLLP_ERR_UNKNOWN_CONDITION`,
/// `MLLP_ERR_UNKNOWN_ACTION`, `MLLP_ERR_MISSING_ACTION`, `MLLP_ERR_TOO_MANY_RULES` and
/// `MLLP_ERR_UNSAFE_ACCEPT`, and `mllp_rules_error_at` says which one it is. Text that is not UTF-8
/// gives `MLLP_ERR_INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_rules_parse(
    rules: *mut mllp_rules_t,
    text: *const u8,
    text_len: usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        unsafe { init(rules, ManuallyDrop::new(Rules::parse(read(text, text_len)?)?)) }?;
        Ok(MLLP_OK)
    })
}

/// The number of the first rule in `text` that is wrong, from 1. 0 when none is, or when there is no
/// text to read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_rules_error_at(text: *const u8, text_len: usize) -> usize {
    // SAFETY: rules 6 and 7.
    let Ok(text) = (unsafe { read(text, text_len) }) else { return 0 };
    Rules::<MAX_RULES>::parse(text).map_or_else(|error| error.at, |_| 0)
}

/// What is done about a reply, and by which rule.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_rules_judge(
    rules: *const mllp_rules_t,
    reply: mllp_reply_kind_t,
    out: *mut mllp_verdict_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (rules, out) = unsafe { (state(rules)?, place(out)?) };
        out.write(mllp_verdict_t::of(&rules.judge(ReplyKind::from_number(reply)?)));
        Ok(MLLP_OK)
    })
}

/// # Safety
///
/// As for [`bytes`].
unsafe fn read<'a>(text: *const u8, text_len: usize) -> Result<&'a str, Failure> {
    // SAFETY: the caller's promise is the same.
    let text = unsafe { bytes(text, text_len) }?;
    str::from_utf8(text).map_err(|_| Failure(MLLP_ERR_INVALID_ARGUMENT))
}

/// As it is written in a list of rules, such as `no-msa`; `unknown` for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_reply_kind_name(reply: mllp_reply_kind_t) -> *const c_char {
    name::<ReplyKind>(reply)
}

/// As it is written in a list of rules, such as `reject`; `unknown` for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_rule_condition_name(condition: mllp_rule_condition_t) -> *const c_char {
    match condition {
        MLLP_RULE_ACCEPT => c"accept".as_ptr(),
        MLLP_RULE_ERROR => c"error".as_ptr(),
        MLLP_RULE_REJECT => c"reject".as_ptr(),
        MLLP_RULE_ANY => c"*".as_ptr(),
        reply => name::<ReplyKind>(reply),
    }
}

/// As it is written in a list of rules, such as `retry`; `unknown` for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_action_name(action: mllp_action_t) -> *const c_char {
    name::<Action>(action)
}
