//! Reply rules: the list as text, and what it decides.

use ack_gen::{AckCode, Outcome};
use mllp_link::{Action, Condition, ReplyKind, Rule, RuleError, RuleErrorKind, Rules, Verdict};
use proptest::prelude::*;

const NEVER_DELIVERED: [ReplyKind; 3] = [ReplyKind::WrongId, ReplyKind::NoReply, ReplyKind::NotHl7];

fn replies() -> Vec<ReplyKind> {
    let codes = AckCode::ALL.map(ReplyKind::Code).into_iter();
    codes.chain([ReplyKind::NoMsa]).chain(NEVER_DELIVERED).collect()
}

fn rules(text: &str) -> Rules<16> {
    Rules::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error(text: &str) -> (usize, RuleErrorKind) {
    let RuleError { at, kind } = Rules::<4>::parse(text).expect_err(text);
    (at, kind)
}

fn line(rules: &Rules<16>, reply: ReplyKind) -> String {
    rules.judge(reply).to_string()
}

const SAFE: &str = "accept=accept,error=fail+warn,reject=retry+warn,no-msa=suspend+warn,\
                    wrong-id=retry+warn,no-reply=retry,not-hl7=retry+warn";

#[test]
fn the_default_is_the_safe_list() {
    let default = Rules::<16>::default();
    assert_eq!(default.to_string(), SAFE);
    assert_eq!(default, rules(SAFE));
    for reply in replies() {
        let listed = default.judge(reply);
        assert!(listed.rule.is_some(), "{reply:?}");
        // The same rule acts in a list that does not have it, or has no room for it.
        let built_in = Verdict { rule: None, ..listed };
        assert_eq!(rules("").judge(reply), built_in);
        assert_eq!(Rules::<0>::default().judge(reply), built_in);
        assert_eq!(Verdict { rule: None, ..Rules::<2>::default().judge(reply) }, built_in);
        let accepted = matches!(reply, ReplyKind::Code(code) if code.is_accept());
        assert_eq!(listed.action == Action::Accept, accepted, "{reply:?}");
    }
}

#[test]
fn the_first_match_wins() {
    let list = rules("CE=retry,error=suspend+warn,AE=fail,wrong-id=suspend,*=fail,AA=accept");
    for (reply, expected) in [
        (ReplyKind::Code(AckCode::CE), "CE: retry by rule 1 (CE=retry)"),
        (ReplyKind::Code(AckCode::AE), "AE: suspend+warn by rule 2 (error=suspend+warn)"),
        (ReplyKind::Code(AckCode::AR), "AR: fail by rule 5 (*=fail)"),
        (ReplyKind::Code(AckCode::AA), "AA: fail by rule 5 (*=fail)"),
        (ReplyKind::NoMsa, "no-msa: fail by rule 5 (*=fail)"),
        (ReplyKind::WrongId, "wrong-id: suspend by rule 4 (wrong-id=suspend)"),
        (ReplyKind::NotHl7, "not-hl7: fail by rule 5 (*=fail)"),
    ] {
        assert_eq!(line(&list, reply), expected);
    }
    let list = rules("reject=suspend");
    assert_eq!(
        line(&list, ReplyKind::Code(AckCode::CA)),
        "CA: accept by the built-in rule (accept=accept)"
    );
    assert_eq!(
        line(&list, ReplyKind::NoReply),
        "no-reply: retry by the built-in rule (no-reply=retry)"
    );
}

#[test]
fn every_answer_is_not_no_answer() {
    let list = rules("*=accept+warn,*=suspend");
    for reply in replies() {
        let rule = match reply {
            ReplyKind::Code(_) => 1,
            _ => 2,
        };
        assert_eq!(list.judge(reply).rule, Some(rule), "{reply:?}");
    }
    assert_eq!(rules("*=accept").judge(ReplyKind::NoReply).action, Action::Retry);
    // Said outright, a reply without an MSA may do; nothing else comes with it.
    let list = rules("no-msa=accept");
    assert_eq!(list.judge(ReplyKind::NoMsa).action, Action::Accept);
    assert_eq!(list.judge(ReplyKind::NotHl7).action, Action::Retry);
}

#[test]
fn how_a_list_may_be_written() {
    let expected = rules("AA=accept,error=retry+warn,*=fail");
    for text in [
        "AA=accept;error=retry+warn;*=fail",
        "AA=accept error=retry+warn\t*=fail",
        ",, AA=accept ;\r\n error=retry+warn,\r*=fail\n",
        "# the laboratory\nAA=accept # good\n#AR=fail\nerror=retry+warn#bad\r\n*=fail # the rest, AE=accept",
        "AA=accept # good\rerror=retry+warn\r*=fail",
        "aa=ACCEPT,Error=Retry+Warn,*=Fail",
    ] {
        assert_eq!(rules(text), expected, "{text:?}");
    }
    for text in ["", " \r\n", "# nothing", ",;,"] {
        assert_eq!(rules(text).to_string(), "", "{text:?}");
    }
}

#[test]
fn errors_name_the_rule() {
    for (text, at, kind) in [
        ("XX=accept", 1, RuleErrorKind::UnknownCondition),
        ("=accept", 1, RuleErrorKind::UnknownCondition),
        ("AA,AE=fail", 1, RuleErrorKind::MissingAction),
        ("AA=", 1, RuleErrorKind::MissingAction),
        ("AA = accept", 1, RuleErrorKind::MissingAction),
        ("AA=accept\n# comment\nAE=resend", 2, RuleErrorKind::UnknownAction),
        ("AE=fail+", 1, RuleErrorKind::UnknownAction),
        ("AE=fail+warn+warn", 1, RuleErrorKind::UnknownAction),
        ("AE=+warn", 1, RuleErrorKind::UnknownAction),
        ("AE=fail=retry", 1, RuleErrorKind::UnknownAction),
        ("AA=accept,*=fail,*=fail,*=fail,*=fail", 5, RuleErrorKind::TooMany),
        ("*=fail,wrong-id=accept", 2, RuleErrorKind::UnsafeAccept),
        ("no-reply=accept+warn", 1, RuleErrorKind::UnsafeAccept),
        ("not-hl7=Accept", 1, RuleErrorKind::UnsafeAccept),
    ] {
        assert_eq!(error(text), (at, kind), "{text}");
    }
    assert_eq!(
        Rules::<0>::parse("*=fail").map_err(|error| error.kind),
        Err(RuleErrorKind::TooMany)
    );
    let error = Rules::<4>::parse("AA=accept;AE=resend").unwrap_err();
    assert_eq!(error.to_string(), "rule 2: unknown action");
}

fn rule() -> impl Strategy<Value = Rule> {
    let mut conditions: Vec<_> = replies().into_iter().map(Condition::Reply).collect();
    conditions.extend([Outcome::Accept, Outcome::Error, Outcome::Reject].map(Condition::Outcome));
    conditions.push(Condition::Any);
    let actions = vec![Action::Accept, Action::Retry, Action::Suspend, Action::Fail];
    (prop::sample::select(conditions), prop::sample::select(actions), any::<bool>())
        .prop_map(|(condition, action, warn)| Rule { condition, action, warn })
}

fn is_unsafe(rule: &Rule) -> bool {
    rule.action == Action::Accept
        && matches!(rule.condition, Condition::Reply(reply) if NEVER_DELIVERED.contains(&reply))
}

fn text(list: &[Rule]) -> String {
    list.iter().map(Rule::to_string).collect::<Vec<_>>().join(",")
}

/// What the grammar is made of, in no order.
fn scraps() -> impl Strategy<Value = String> {
    let scraps = vec![
        "AA", "error", "wrong-id", "no-reply", "no-msa", "*", "=", "=accept", "=retry", "+warn",
        "+", ",", ";", " ", "\r\n", "#", "é", "=fail,",
    ];
    prop::collection::vec(prop::sample::select(scraps), 0..24).prop_map(|scraps| scraps.concat())
}

proptest! {
    #[test]
    fn a_list_is_what_it_prints(list in prop::collection::vec(rule(), 0..12)) {
        let safe: Vec<_> = list.iter().copied().filter(|rule| !is_unsafe(rule)).collect();
        let parsed = rules(&text(&safe));
        prop_assert_eq!(parsed.to_string(), text(&safe));
        prop_assert_eq!(rules(&parsed.to_string()), parsed);
        match list.iter().position(is_unsafe) {
            None => prop_assert_eq!(safe.len(), list.len()),
            Some(index) => {
                let error = RuleError { at: index + 1, kind: RuleErrorKind::UnsafeAccept };
                prop_assert_eq!(Rules::<16>::parse(&text(&list)), Err(error));
            }
        }
    }

    /// Whatever a list says, only an answer to this message delivers it, and only a rule that
    /// names its absence makes up for an MSA.
    #[test]
    fn only_an_answer_delivers(text in prop_oneof![
        scraps(),
        prop::collection::vec(rule(), 0..12).prop_map(|list| {
            text(&list.into_iter().filter(|rule| !is_unsafe(rule)).collect::<Vec<_>>())
        }),
    ]) {
        let Ok(list) = Rules::<16>::parse(&text) else { return Ok(()) };
        for reply in replies() {
            let Verdict { action, condition, .. } = list.judge(reply);
            match reply {
                ReplyKind::Code(_) => {}
                ReplyKind::NoMsa => prop_assert!(
                    action != Action::Accept || condition == Condition::Reply(reply)
                ),
                _ => prop_assert_ne!(action, Action::Accept),
            }
        }
    }

    #[test]
    fn no_text_panics(text in prop_oneof![any::<String>(), scraps()]) {
        if let Ok(list) = Rules::<3>::parse(&text) {
            prop_assert_eq!(Rules::<3>::parse(&list.to_string()), Ok(list));
        }
    }
}
