//! Each rule of the crate, byte for byte.

use hl7_edit::{Content, Error, MessageBuf};
use hl7_peek::{Message, Path, Scan};

fn path(text: &str) -> Path {
    text.parse().unwrap()
}

/// What a change makes of a message, as text; an error must leave it as it was.
fn after(
    payload: &str,
    change: impl FnOnce(&mut MessageBuf) -> Result<(), Error>,
) -> Result<String, Error> {
    let mut message = MessageBuf::parse(payload.as_bytes()).unwrap();
    let result = change(&mut message);
    let text = String::from_utf8(message.into_bytes()).unwrap();
    if result.is_err() {
        assert_eq!(text, payload);
    }
    result.map(|()| text)
}

#[track_caller]
fn set(payload: &str, at: &str, text: &str, expected: &str) {
    let written = after(payload, |message| message.set(path(at), text));
    assert_eq!(written.as_deref(), Ok(expected), "{at}");
}

#[track_caller]
fn deleted(payload: &str, at: &str, expected: &str) {
    let written = after(payload, |message| message.delete(path(at)).map(drop));
    assert_eq!(written.as_deref(), Ok(expected), "{at}");
}

#[test]
fn what_is_not_named_keeps_its_bytes() {
    let payload = "\u{FEFF} \nMSH|^~\\&|A||\r\r\nPID|1|||x~y^z||\"\"|\r\n\rOBX|1\nlf||\\Q|";
    let (before, rest) = payload.split_once("x~y^z").unwrap();
    set(payload, "PID-4[2].2", "Z", &format!("{before}x~y^Z{rest}"));
    set(payload, "PID-4", "", &format!("{before}{rest}"));
    set(payload, "PID-5", "5", &payload.replace("z||", "z|5|"));
    set(payload, "MSH-4", "B", &payload.replace("|A||", "|A|B|"));
}

#[test]
fn what_is_missing_is_created() {
    set("MSH|^~\\&", "MSH-4", "LAB", "MSH|^~\\&||LAB");
    set("MSH|^~\\&\rPID|1\r", "PID-3[2].4.2", "x", "MSH|^~\\&\rPID|1||~^^^&x\r");
    set("MSH|^~\\&\rPID|", "PID-2", "x", "MSH|^~\\&\rPID||x");
    set("MSH|^~\\&\rPID", "PID-1", "x", "MSH|^~\\&\rPID|x");
    set("MSH|^~\\&\rZABC\r", "ZABC-1", "x", "MSH|^~\\&\rZABC|x\r");
    set("MSH|^~\\&\rPID|1\rOBX|1\r", "PID[2]-1", "2", "MSH|^~\\&\rPID|1\rOBX|1\rPID|2\r");
}

#[test]
fn an_added_segment_ends_as_the_first_one_does() {
    for (payload, expected) in [
        ("MSH|^~\\&", "MSH|^~\\&\rNK1|1"),
        ("MSH|^~\\&\r", "MSH|^~\\&\rNK1|1\r"),
        ("MSH|^~\\&\nPID\n", "MSH|^~\\&\nPID\nNK1|1\n"),
        ("MSH|^~\\&\r\nPID\r\n", "MSH|^~\\&\r\nPID\r\nNK1|1\r\n"),
        ("MSH|^~\\&\r\nPID", "MSH|^~\\&\r\nPID\r\nNK1|1"),
        ("MSH|^~\\&\rPID\r\r\r", "MSH|^~\\&\rPID\rNK1|1\r\r\r"),
    ] {
        set(payload, "NK1-1", "1", expected);
        let added = after(payload, |message| message.add_segment(b"NK1|1\r\n"));
        assert_eq!(added.as_deref(), Ok(expected));
    }
}

#[test]
fn the_terminator_outlives_the_segments() {
    let written = after("MSH|^~\\&\nPID", |message| {
        message.delete(path("PID"))?;
        message.set(path("OBX-1"), "1")
    });
    assert_eq!(written.as_deref(), Ok("MSH|^~\\&\nOBX|1"));
}

#[test]
fn a_value_cannot_break_the_message() {
    let payload = "MSH|^~\\&\rOBX|1||a|b\r";
    set(
        payload,
        "OBX-3",
        "|^~\\&\r\n",
        "MSH|^~\\&\rOBX|1||\\F\\\\S\\\\R\\\\E\\\\T\\\\X0D\\\\X0A\\|b\r",
    );
    set(payload, "OBX-3", "\u{B}\u{1C}", "MSH|^~\\&\rOBX|1||\\X0B\\\\X1C\\|b\r");
    set("MSH:!@*%#\rOBX:a\r", "OBX-1", "a:!@*%#|", "MSH:!@*%#\rOBX:a*F**S**R**E**T**P*|\r");
    for (at, expected) in [
        ("OBX-3", r"OBX|1||x\F\y^z&\.br\~\X0D\|b"),
        ("OBX-3[1]", r"OBX|1||x\F\y^z&\.br\\R\\X0D\|b"),
        ("OBX-3.1", r"OBX|1||x\F\y\S\z&\.br\\R\\X0D\|b"),
        ("OBX-3.1.1", r"OBX|1||x\F\y\S\z\T\\.br\\R\\X0D\|b"),
    ] {
        let raw = Content::Raw(b"x|y^z&\\.br\\~\r");
        let written = after(payload, |message| message.set(path(at), raw));
        assert_eq!(written.unwrap(), format!("MSH|^~\\&\r{expected}\r"));
    }
}

#[test]
fn empty_and_null_are_what_they_say() {
    let payload = "MSH|^~\\&\rPID|1|2|\r";
    set(payload, "PID-1", "", "MSH|^~\\&\rPID||2|\r");
    set(payload, "PID-2", "\"\"", "MSH|^~\\&\rPID|1|\"\"|\r");
    for at in ["PID-9", "PID-3.2", "PID-1[2]", "NK1-1", "PID[2]-1"] {
        set(payload, at, "", payload);
    }
}

#[test]
fn a_deleted_node_leaves_the_positions_of_the_others() {
    let payload = "MSH|^~\\&|A|B\rPID|1|2~3~4|a^b&c^d|e\rOBX|1\r";
    let part = |from: &str, to: &str| payload.replace(from, to);
    deleted(payload, "PID-2[1]", &part("2~3~4", "3~4"));
    deleted(payload, "PID-2[2]", &part("2~3~4", "2~4"));
    deleted(payload, "PID-2[3]", &part("2~3~4", "2~3"));
    deleted(payload, "PID-2", &part("2~3~4", ""));
    deleted(payload, "PID-3.1", &part("a^", "^"));
    deleted(payload, "PID-3.3", &part("^d", ""));
    deleted(payload, "PID-3.2.2", &part("&c", ""));
    deleted(payload, "PID-3.2.1", &part("b&", "&"));
    deleted(payload, "PID-4", &part("|e", ""));
    deleted(payload, "MSH-4", &part("|B", ""));
    deleted(payload, "OBX-1[1]", &part("OBX|1", "OBX|"));
    deleted(payload, "OBX-1", &part("OBX|1", "OBX"));
    deleted(payload, "PID", &part("PID|1|2~3~4|a^b&c^d|e\r", ""));
    for at in ["PID-5", "PID-2[4]", "PID-3.4", "PID[2]", "NK1-1", "PID-99999", "PID-1[9]"] {
        deleted(payload, at, payload);
    }
}

#[test]
fn a_deleted_segment_takes_its_own_line_end() {
    deleted("MSH|^~\\&\rPID", "PID", "MSH|^~\\&");
    deleted("MSH|^~\\&\r\nPID", "PID", "MSH|^~\\&");
    deleted("MSH|^~\\&\nPID\rOBX\n", "PID", "MSH|^~\\&\nOBX\n");
    deleted("MSH|^~\\&\rPID\r\r\r", "PID", "MSH|^~\\&\r\r\r");
    // The second LF begins a line that is none of ours: it stays where it is read as it was.
    deleted("MSH|^~\\&\rPID\r\n\nX\r", "PID", "MSH|^~\\&\r\n\nX\r");
}

#[test]
fn repetitions_are_a_list() {
    let add = |payload, at| after(payload, |message| message.add_repetition(path(at), "x"));
    assert_eq!(add("MSH|^~\\&\rPID|1", "PID-1").unwrap(), "MSH|^~\\&\rPID|1~x");
    assert_eq!(add("MSH|^~\\&\rPID||2", "PID-1").unwrap(), "MSH|^~\\&\rPID|x|2");
    assert_eq!(add("MSH|^~\\&\rPID|1~|2", "PID-1").unwrap(), "MSH|^~\\&\rPID|1~~x|2");
    assert_eq!(add("MSH|^~\\&", "PID-2").unwrap(), "MSH|^~\\&\rPID||x");
    assert_eq!(add("MSH|^~\\&", "PID-2[1]"), Err(Error::BadPath));
    assert_eq!(add("MSH|^\rPID|1", "PID-1"), Err(Error::NoDelimiter));
    let insert = |payload, at| {
        after(payload, |message| message.insert_repetition(path(at), Content::Raw(b"x^y~")))
    };
    let payload = "MSH|^~\\&\rPID|1~2|";
    assert_eq!(insert(payload, "PID-1[1]").unwrap(), "MSH|^~\\&\rPID|x^y\\R\\~1~2|");
    assert_eq!(insert(payload, "PID-1[2]").unwrap(), "MSH|^~\\&\rPID|1~x^y\\R\\~2|");
    assert_eq!(insert(payload, "PID-1[3]").unwrap(), "MSH|^~\\&\rPID|1~2~x^y\\R\\|");
    assert_eq!(insert(payload, "PID-2[1]").unwrap(), "MSH|^~\\&\rPID|1~2|x^y\\R\\");
    assert_eq!(insert(payload, "PID-1[4]"), Err(Error::Gap));
    assert_eq!(insert(payload, "PID-1"), Err(Error::BadPath));
    assert_eq!(insert(payload, "PID-1.1"), Err(Error::BadPath));
}

#[test]
fn segments_are_a_list() {
    let payload = "MSH|^~\\&\r\nOBX|1\r\nOBX|2";
    let before = |at, segment: &str| {
        after(payload, |message| message.insert_segment_before(path(at), segment.as_bytes()))
    };
    let behind = |at, segment: &str| {
        after(payload, |message| message.insert_segment_after(path(at), segment.as_bytes()))
    };
    let first = "MSH|^~\\&\r\nNTE|x^y\r\nOBX|1\r\nOBX|2";
    assert_eq!(before("OBX", "NTE|x^y").as_deref(), Ok(first));
    assert_eq!(behind("MSH", "NTE|x^y\n").as_deref(), Ok(first));
    assert_eq!(behind("OBX[2]", "NTE").as_deref(), Ok("MSH|^~\\&\r\nOBX|1\r\nOBX|2\r\nNTE"));
    assert_eq!(
        behind("OBX", "NTE|a\rPID|b").as_deref(),
        Ok("MSH|^~\\&\r\nOBX|1\r\nNTE|a\\X0D\\PID|b\r\nOBX|2")
    );
    assert_eq!(behind("OBX[3]", "NTE"), Err(Error::Absent));
    assert_eq!(behind("OBX-1", "NTE"), Err(Error::BadPath));
    assert_eq!(before("MSH", "NTE"), Err(Error::Header));
    for segment in ["MSH|^~\\&", "FHS", "BHS|x"] {
        assert_eq!(behind("OBX", segment), Err(Error::Header));
    }
    for segment in ["", "\r", "nte|1", "N|1", "NTE[1]|1", "NTE-1|1", "NTE^1", "|"] {
        assert_eq!(behind("OBX", segment), Err(Error::BadSegment), "{segment:?}");
    }
}

#[test]
fn what_gives_a_message_its_structure_is_refused() {
    let payload = "MSH|^~\\&|A\rPID|1\r";
    for at in ["MSH-1", "MSH-2", "MSH-2.1", "MSH[2]-3", "FHS-3", "BHS-3"] {
        assert_eq!(after(payload, |it| it.set(path(at), "x")), Err(Error::Header), "{at}");
        assert_eq!(after(payload, |it| it.delete(path(at)).map(drop)), Err(Error::Header), "{at}");
    }
    for at in ["MSH", "FHS"] {
        assert_eq!(after(payload, |it| it.delete(path(at)).map(drop)), Err(Error::Header));
    }
    assert_eq!(after(payload, |it| it.set(path("PID"), "x")), Err(Error::BadPath));
    for batch in ["FHS|^~\\&\rMSH|^~\\&", "BHS|^~\\&", "MSH|^~\\&\rPID\rMSH|^~\\&"] {
        assert_eq!(MessageBuf::parse(batch.as_bytes()).err(), Some(Error::Batch));
    }
    let unreadable = Some(Error::Unreadable(hl7_peek::Error::NoHeader));
    assert_eq!(MessageBuf::parse(*b"PID|1").err(), unreadable);
}

#[test]
fn number_0_is_an_error_and_not_the_last_one() {
    for at in ["PID-5.0", "PID-5[0]", "PID-5.1.0", "PID-0", "PID[0]-5", "PID-5[0].1", "PID-5.00"] {
        assert_eq!(Path::parse(at), Err(hl7_peek::Error::BadPath), "{at}");
    }
}

#[test]
fn a_damaged_character_cannot_swallow_a_separator() {
    let payload = b"MSH|^~\\&\rPID|1|\x83";
    let mut message = MessageBuf::parse_with(payload, Scan::ShiftJis).unwrap();
    assert_eq!(message.set(path("PID-3"), "x"), Err(Error::OpenCharacter));
    assert_eq!(message.add_repetition(path("PID-2"), "x"), Err(Error::OpenCharacter));
    assert_eq!(message.set(path("PID-1"), b"\x83"), Err(Error::OpenCharacter));
    assert_eq!(message.add_segment(b"NTE|\x83"), Err(Error::OpenCharacter));
    assert_eq!(message.as_bytes(), payload);
    message.set(path("PID-2"), b"\x83|\\").unwrap();
    assert_eq!(message.as_bytes(), b"MSH|^~\\&\rPID|1|\x83|\\E\\");
}

#[test]
fn a_copy_means_the_same() {
    let other = Message::parse(b"MSH:!@*%:A\nPID:1:2!3@4%5:*.br*|*F*:end:\nNK1:1\nNK1:2").unwrap();
    let copy = |source, to| {
        after("MSH|^~\\&\rPID|x\r", |message| {
            assert_eq!(message.copy(&other, path(source), path(to)), Ok(true));
            Ok(())
        })
        .unwrap()
    };
    assert_eq!(copy("PID", "PID"), "MSH|^~\\&\rPID|1|2^3~4&5|\\.br\\\\F\\:|end|\r");
    assert_eq!(copy("PID", "PID[2]"), "MSH|^~\\&\rPID|x\rPID|1|2^3~4&5|\\.br\\\\F\\:|end|\r");
    assert_eq!(copy("NK1[2]", "NK1"), "MSH|^~\\&\rPID|x\rNK1|2\r");
    assert_eq!(copy("PID-2", "PID-1"), "MSH|^~\\&\rPID|2^3~4&5\r");
    assert_eq!(copy("PID-2", "PID-1.1"), "MSH|^~\\&\rPID|2\\S\\3\\R\\4&5\r");
    assert_eq!(copy("PID-2[2]", "PID-1[2]"), "MSH|^~\\&\rPID|x~4&5\r");
    assert_eq!(copy("PID-2[2].1.2", "PID-1.2"), "MSH|^~\\&\rPID|x^5\r");
    assert_eq!(copy("MSH-2", "PID-1"), "MSH|^~\\&\rPID|!@*%\r");
    let refused = |source, to| {
        after("MSH|^~\\&\rPID|x\r", |message| {
            message.copy(&other, path(source), path(to)).map(|was_there| assert!(!was_there))
        })
    };
    assert_eq!(refused("NK1", "PID"), Err(Error::BadPath));
    assert_eq!(refused("NK1", "NK1-1"), Err(Error::BadPath));
    assert_eq!(refused("PID-1", "PID"), Err(Error::BadPath));
    assert_eq!(refused("MSH", "MSH"), Err(Error::Header));
    assert_eq!(refused("NK1", "NK1[2]"), Err(Error::Gap));
    assert!(refused("ZZ1-1", "PID-1").is_ok());
}

#[test]
fn a_message_is_copied_from_its_clone() {
    let written = after("MSH|^~\\&\rPID|1|7^MR|\rOBX|1\r", |message| {
        let before = message.clone();
        let before = before.message()?;
        assert!(message.copy(&before, path("PID-2"), path("PID-3[2]"))?);
        assert!(message.copy(&before, path("OBX"), path("OBX[2]"))?);
        message.set(path("OBX[2]-1"), "2")
    });
    assert_eq!(written.unwrap(), "MSH|^~\\&\rPID|1|7^MR|~7^MR\rOBX|1\rOBX|2\r");
}

#[test]
fn other_separators_change_nothing_else() {
    let payload = "\r\nMSH|^~\\&#|A^B\r\rPID|1|\\F\\:\\.br\\~x&y#|\nOBX|\r\n";
    let there = after(payload, |message| message.reencode(b":!@*%$")).unwrap();
    assert_eq!(there, "\r\nMSH:!@*%$:A!B\r\rPID:1:|*F**.br*@x%y$:*X0A*OBX:\r\n");
    // The first line end is behind MSH, not before it.
    assert_eq!(
        after(&there, |message| message.reencode(b"|^~\\&#")).unwrap(),
        "\r\nMSH|^~\\&#|A^B\r\rPID|1|\\F\\:\\.br\\~x&y#|\\X0A\\OBX|\r\n"
    );
    assert_eq!(after(payload, |message| message.reencode(b"|^~\\&#")).as_deref(), Ok(payload));
    for (separators, error) in [
        (&b""[..], hl7_peek::Error::ShortHeader),
        (b"|", hl7_peek::Error::NoEncodingCharacters),
        (b"|^^\\&", hl7_peek::Error::DuplicateDelimiter),
        (b"|^~\\a", hl7_peek::Error::BadEncodingCharacter),
        (b"|^~\\&|", hl7_peek::Error::BadEncodingCharacter),
        (b"|^~\\&\rPID", hl7_peek::Error::BadEncodingCharacter),
    ] {
        let refused = after(payload, |message| message.reencode(separators));
        assert_eq!(refused, Err(Error::Unreadable(error)), "{separators:?}");
    }
    assert_eq!(after(payload, |message| message.reencode(b"|^~")), Err(Error::NoDelimiter));
}

#[test]
fn nothing_of_a_message_is_shown() {
    let message = MessageBuf::parse(*b"MSH|^~\\&|SECRET").unwrap();
    let shown = format!("{message:?} {:?} {:?}", Content::Text(b"SECRET"), Content::Raw(b"SECRET"));
    assert!(!shown.contains("SECRET") && !shown.contains("83"), "{shown}");
}
