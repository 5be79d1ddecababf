//! Lists of rules.

use super::*;

fn parse(text: &str) -> (mllp_status_t, usize, State<mllp_rules_t>) {
    let mut rules = State::zeroed();
    let (at, len) = (text.as_ptr(), text.len());
    unsafe { (mllp_rules_parse(rules.get(), at, len), mllp_rules_error_at(at, len), rules) }
}

fn judge(rules: &mut State<mllp_rules_t>, reply: mllp_reply_kind_t) -> mllp_verdict_t {
    let (status, verdict) = out!(mllp_rules_judge(rules.get(), reply));
    assert_eq!(status, MLLP_OK);
    verdict
}

#[test]
fn first_rule_that_applies_acts() {
    let (status, at, mut rules) = parse("CE=retry; error=suspend+warn # others\n *=fail");
    assert_eq!((status, at), (MLLP_OK, 0));
    for (reply, action, warn, condition, rule) in [
        (MLLP_REPLY_CE, MLLP_ACTION_RETRY, 0, MLLP_REPLY_CE, 1),
        (MLLP_REPLY_AE, MLLP_ACTION_SUSPEND, 1, MLLP_RULE_ERROR, 2),
        (MLLP_REPLY_NO_REPLY, MLLP_ACTION_FAIL, 0, MLLP_RULE_ANY, 3),
    ] {
        let verdict = judge(&mut rules, reply);
        let found = (verdict.reply, verdict.action, verdict.warn, verdict.condition, verdict.rule);
        assert_eq!(found, (reply, action, warn, condition, rule));
    }
    let (_, _, mut built_in) = parse("");
    let verdict = judge(&mut built_in, MLLP_REPLY_AR);
    let found = (verdict.action, verdict.warn, verdict.condition, verdict.rule);
    assert_eq!(found, (MLLP_ACTION_RETRY, 1, MLLP_RULE_REJECT, 0));
    assert_eq!(unsafe { mllp_rules_init(rules.get()) }, MLLP_OK);
    assert_eq!(judge(&mut rules, MLLP_REPLY_AA).condition, MLLP_RULE_ACCEPT);
    for reply in [0, MLLP_RULE_ANY] {
        let (status, _): (_, mllp_verdict_t) = out!(mllp_rules_judge(rules.get(), reply));
        assert_eq!(status, MLLP_ERR_INVALID_ARGUMENT);
    }
}

#[test]
fn first_rule_that_is_wrong_is_named() {
    for (text, status, at) in [
        ("AA=accept,XX=fail", MLLP_ERR_UNKNOWN_CONDITION, 2),
        ("AA=drop", MLLP_ERR_UNKNOWN_ACTION, 1),
        ("AA=accept AE", MLLP_ERR_MISSING_ACTION, 2),
        (&"AA=accept ".repeat(MLLP_MAX_RULES + 1), MLLP_ERR_TOO_MANY_RULES, MLLP_MAX_RULES + 1),
        ("no-reply=accept", MLLP_ERR_UNSAFE_ACCEPT, 1),
    ] {
        let (found, found_at, mut rules) = parse(text);
        assert_eq!((found, found_at), (status, at), "{text}");
        let (status, _): (_, mllp_verdict_t) = out!(mllp_rules_judge(rules.get(), MLLP_REPLY_AA));
        assert_eq!(status, MLLP_ERR_NOT_INITIALISED);
    }
    let mut rules = State::zeroed();
    let text = b"AA=\xFF";
    let status = unsafe { mllp_rules_parse(rules.get(), text.as_ptr(), text.len()) };
    assert_eq!(status, MLLP_ERR_INVALID_ARGUMENT);
}

#[test]
fn names_are_as_they_are_written() {
    use mllp_link::{AnswerError, SubmitError};
    let text = |name| unsafe { std::ffi::CStr::from_ptr(name) }.to_str().unwrap();
    let name = |condition| text(mllp_rule_condition_name(condition));
    for condition in MLLP_REPLY_AA..=MLLP_RULE_ANY {
        let rule = format!("{}=fail", name(condition));
        let (status, _, _) = parse(&rule);
        assert_eq!(status, MLLP_OK, "{rule}");
    }
    for (reply, condition) in [
        (MLLP_REPLY_AA, MLLP_RULE_ACCEPT),
        (MLLP_REPLY_AE, MLLP_RULE_ERROR),
        (MLLP_REPLY_AR, MLLP_RULE_REJECT),
        (MLLP_REPLY_NO_MSA, MLLP_RULE_ANY),
    ] {
        let (_, _, mut rules) = parse(&format!("{}=fail", name(condition)));
        let verdict = judge(&mut rules, reply);
        assert_eq!((verdict.condition, verdict.rule), (condition, 1));
    }
    assert_eq!((name(0), name(MLLP_RULE_ANY + 1)), ("unknown", "unknown"));
    for (status, name) in [
        (MLLP_ERR_NOT_AT_HAND, AnswerError::NotAtHand.name()),
        (MLLP_ERR_CLOSED, AnswerError::Closed.name()),
        (MLLP_ERR_BATCH, AnswerError::Batch.name()),
        (MLLP_ERR_FULL, SubmitError::Full.name()),
        (MLLP_ERR_ID_TOO_LONG, SubmitError::IdTooLong.name()),
        (MLLP_ERR_ID_IN_USE, SubmitError::IdInUse.name()),
    ] {
        assert_eq!(text(mllp_status_name(status)), name);
    }
}
