use mllp_link::Rules;

use super::*;

const IRIS: &str = ":?R=RF,:?E=S,:~=S,:?A=C,:*=S,:I?=W,:T?=C";

fn of(table: &str, kind: ReplyKind, reply: &str) -> String {
    let actions = ReplyActions::parse(table, Dialect::Iris).unwrap();
    said(actions.of(&Reply::new(kind, Some(reply.as_bytes()), Absence::Late)))
}

fn said(action: Option<ReplyAction>) -> String {
    let Some(ReplyAction { retries, end, warns }) = action else { return "class".to_owned() };
    let (again, warned) =
        (if retries { "again, " } else { "" }, if warns { ", warned" } else { "" });
    format!("{again}{end}{warned}")
}

fn ack(kind: &str, code: &str) -> String {
    format!("MSH|^~\\&|A|B|C|D|2026||{kind}|1|P|2.5\rMSA|{code}|M1\r")
}

fn own(table: &str, code: AckCode) -> String {
    of(table, ReplyKind::Code(code), &ack("ACK", code.as_str()))
}

#[test]
fn the_table_of_iris() {
    use AckCode::*;
    for (code, end) in [
        (AA, "completed"),
        (CA, "completed"),
        (AE, "held"),
        (CE, "held"),
        (AR, "again, dead"),
        (CR, "again, dead"),
    ] {
        assert_eq!(own(IRIS, code), end, "{code:?}");
    }
    assert_eq!(of(IRIS, ReplyKind::NoMsa, "MSH|^~\\&|A|B\r"), "held", ":~");
    assert_eq!(of(IRIS, ReplyKind::NoMsa, &ack("ACK", "ZZ")), "held", ":*");
    assert_eq!(of(IRIS, ReplyKind::NoMsa, &ack("ACK", "")), "held", ":* takes an empty one");
    assert_eq!(of(IRIS, ReplyKind::NoReply, ""), "class", "nothing is said of it");
}

#[test]
fn a_foreign_reply_completes_nothing_whatever_is_written() {
    let foreign = ack("ACK", "AA");
    for table in [IRIS, ":I?=C", ":I?=WC", ":*=C,:?A=C", ":T?=C"] {
        let end = of(table, ReplyKind::WrongId, &foreign);
        assert!(end.starts_with("held"), "{table}: {end}");
    }
    assert_eq!(of(":I?=RF", ReplyKind::WrongId, &foreign), "again, dead");
    assert_eq!(of(":I?=D", ReplyKind::WrongId, &foreign), "the lane stops");
    let notes = |text| ReplyActions::parse(text, Dialect::Iris).unwrap().notes();
    assert_eq!(notes(IRIS).len(), 1);
    assert!(notes(":I?=S").is_empty());
}

#[test]
fn the_first_that_matches_decides_and_warnings_count_all() {
    assert_eq!(own(":AE=F,:?E=S", AckCode::AE), "dead");
    assert_eq!(own(":?E=S,:AE=F", AckCode::AE), "held");
    assert_eq!(own(":?E=W", AckCode::AE), "completed, warned");
    assert_eq!(own(":?E=W,:AE=F", AckCode::AE), "dead, warned");
    assert_eq!(own(":AE=WS", AckCode::AE), "held, warned");
    assert_eq!(own(":?E=RD", AckCode::CE), "again, the lane stops");
    assert_eq!(own(":?E=R", AckCode::CE), "again, held");
    assert_eq!(own(":*=F,:?E=S", AckCode::AE), "held", "what another names is no other code");
    assert_eq!(own(":*=F", AckCode::AE), "dead");
    assert_eq!(of(":_=F,:*=S", ReplyKind::NoMsa, &ack("ACK", "")), "dead");
    let answered = of(":T?=F,:?A=C", ReplyKind::Code(AckCode::AA), &ack("ORR^O02", "AA"));
    assert_eq!(answered, "dead");
    assert_eq!(own(":T?=F,:?A=C", AckCode::AA), "completed");
}

#[test]
fn what_nothing_matches_completes_if_it_is_a_success_and_is_held_otherwise() {
    assert_eq!(own(":?R=S", AckCode::AA), "completed");
    assert_eq!(own(":?R=S", AckCode::AE), "held");
    assert_eq!(of(":?R=S", ReplyKind::NoMsa, "MSH|^~\\&|A\r"), "held");
}

#[test]
fn without_an_answer() {
    let actions = ReplyActions::parse("X=F,E=RS", Dialect::Iris).unwrap();
    let none = |absence| said(actions.of(&Reply::new(ReplyKind::NoReply, None, absence)));
    assert_eq!(none(Absence::Late), "dead");
    assert_eq!(none(Absence::Lost), "again, held");
    assert_eq!(none(Absence::GivenUp), "class", "that was the end of another message");
    let broken = Reply::new(ReplyKind::NotHl7, Some(b"hello"), Absence::Late);
    assert_eq!(said(actions.of(&broken)), "again, held");
}

/// A reply without MSA came while the message waited, or was still being written, and it was credited to
/// none.
#[test]
fn what_was_not_credited_completes_nothing_and_a_loss_is_a_loss() {
    let verdict = Rules::<1>::default().judge(ReplyKind::NoMsa);
    for table in [":~=C", ":~=W", ":~=WC", ":*=C", ":T?=C,:~=C"] {
        let actions = ReplyActions::parse(table, Dialect::Iris).unwrap();
        let end = |fate, absence| {
            let reply = Reply::new(ReplyKind::NoMsa, Some(b"MSH|^~\\&|A|B\r"), absence);
            said(actions.action(&verdict, fate, reply))
        };
        assert!(end(Fate::Uncertain, Absence::Late).starts_with("held"), "{table}");
        for absence in [Absence::Lost, Absence::GivenUp] {
            assert_eq!(end(Fate::Uncertain, absence), "class", "{table}");
        }
        if table.contains(":~") {
            assert!(end(Fate::Answered, Absence::Late).starts_with("completed"), "{table}");
            assert!(actions.complete_without_a_code());
        }
    }
    let foreign = Rules::<1>::default().judge(ReplyKind::WrongId);
    let actions = ReplyActions::parse(IRIS, Dialect::Iris).unwrap();
    let reply = Reply::new(ReplyKind::WrongId, None, Absence::Lost);
    assert_eq!(said(actions.action(&foreign, Fate::Uncertain, reply)), "class");
    assert!(!ReplyActions::parse(":?A=C,:~=S", Dialect::Iris).unwrap().complete_without_a_code());
}

#[test]
fn hie_means_something_else_by_s() {
    let actions = ReplyActions::parse(":?E=S,:?R=R", Dialect::Hie).unwrap();
    let of = |code| said(actions.of(&Reply::new(ReplyKind::Code(code), None, Absence::Late)));
    assert_eq!(of(AckCode::AE), "completed");
    assert_eq!(of(AckCode::AR), "again, dead");
    assert!(ReplyActions::parse(":?E=C", Dialect::Hie).is_err());
}

#[test]
fn what_is_wrong_is_said() {
    for (text, wrong) in [
        ("", "\"\": it is no pair such as :?E=R"),
        (":?E", "\":?E\": it is no pair such as :?E=R"),
        (":?Z=C", "\":?Z=C\": it selects none of :AA"),
        (":?E=", "\":?E=\": there is no letter"),
        (":?E=Q", "\":?E=Q\": 'Q' is none of the letters C, W, R, S, D and F"),
        (":?E=SF", "\":?E=SF\": more than one end"),
        (":?E=RC", "\":?E=RC\": what was refused and retried is not completed then"),
        (":?E=RR", "\":?E=RR\": 'R' is none of the letters"),
        (":?E=S,:?E=F", "\":?E=F\": the same is selected before it"),
        ("X=C", "\"X=C\": without an answer nothing is completed"),
        ("E=W", "\"E=W\": without an answer nothing is completed"),
    ] {
        let error = ReplyActions::parse(text, Dialect::Iris).unwrap_err();
        assert!(error.starts_with(wrong), "{error}");
    }
}
