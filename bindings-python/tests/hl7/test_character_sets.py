"""Text in the character sets that MSH-18 and MSH-20 name, and delimiters that are none."""

import json
import pathlib
from typing import Any

import pytest
from fastmllp import Message, MessageError
from fastmllp.hl7 import CharacterSetError

VECTORS = pathlib.Path(__file__).parents[3] / "vectors"
CHARSETS: dict[str, Any] = json.loads((VECTORS / "charsets.json").read_text())
# Full-width katakana whose bytes in JIS X 0208 are those of `^`, `|` and `~`.
KANA = "マヤー\u301c"


def message(
    value: bytes | str, sets: str = "", scheme: str = "", scan: str = "single_byte"
) -> Message:
    """A message with this PID-5, MSH-18 and MSH-20."""
    header = f"MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5||||||{sets}||{scheme}\r"
    raw = value.encode("iso2022_jp_1") if isinstance(value, str) else value
    return Message(header.encode() + b"PID|1||2||" + raw + b"||1950|M\r", scan=scan)


@pytest.mark.parametrize("row", CHARSETS["names"], ids=lambda row: row["name"])
def test_every_name_of_a_set_is_known(row: dict[str, str]) -> None:
    named = message(b"abc", row["name"])
    assert named.character_set == row["set"]
    assert named.text("PID-5") == "abc"


@pytest.mark.parametrize(
    ("name", "codec", "text"),
    [
        ("WINDOWS-1252", "cp1252", "Šimek Zoë"),
        ("CP1250", "cp1250", "Łukasz"),
        ("windows-1257", "cp1257", "Šėža"),
        ("ISO-8859-1", "latin-1", "Müller"),
        ("UTF-8", "utf-8", "Müller"),
        ("GBK", "gbk", "张三"),
        ("KS_C_5601-1987", "euc_kr", "김"),
        ("8859/13", "iso8859-13", "Ąžuolas"),
        ("ISO IR14", "shift_jis", "ﾔﾏﾀﾞ"),
    ],
)
def test_text_in_a_set_by_its_common_name(name: str, codec: str, text: str) -> None:
    assert message(text.encode(codec), name).text("PID-5") == text


@pytest.mark.parametrize("name", [*CHARSETS["unknown"], "CNS 11643-1992"])
def test_an_unknown_set_is_an_error_that_names_it(name: str) -> None:
    # Also for a value in ASCII: nobody can tell what its bytes stand for.
    unknown = message(b"abc", name)
    with pytest.raises(CharacterSetError) as raised:
        unknown.text("PID-5")
    assert raised.value.code == "unknown_character_set"
    assert f"'{name}'" in str(raised.value)
    assert isinstance(raised.value, MessageError) and isinstance(raised.value, LookupError)
    # A set that has a name in table 0211 is known, whether or not Python can decode it.
    is_known = name == "CNS 11643-1992"
    assert ("has no codec for" in str(raised.value)) == is_known
    assert unknown.text("PID-5", "latin-1") == "abc"
    assert unknown.text("PID-77") is None
    assert unknown.get("PID-5") == b"abc"


@pytest.mark.parametrize("name", ["UNICODE UTF-16", "utf16", "UNICODE UTF-32"])
def test_a_set_that_mllp_does_not_carry_counts_as_no_name(name: str) -> None:
    assert message("Müller".encode(), name).text("PID-5") == "Müller"


def test_the_error_shows_a_name_and_no_more() -> None:
    with pytest.raises(CharacterSetError) as raised:
        message(b"abc", "\x02\u00fc" + "x" * 200).text("PID-5")
    assert "\\x02\\xc3\\xbc" + "x" * 37 + "'" in str(raised.value)


@pytest.mark.parametrize(
    ("sets", "scheme"),
    [
        ("~ISO IR87", "ISO 2022-1994"),
        ("~ISO IR87", ""),
        ("ISO IR6~ISO IR87", "ISO 2022-1994"),
        ("ASCII~ISO IR87~ISO IR159", "ISO 2022-1994"),
        ("8859/1~ISO IR87", "ISO 2022-1994"),
        ("UNICODE UTF-8~ISO IR87", "ISO 2022-1994"),
        ("ISO IR14~ISO IR87", "ISO 2022-1994"),
        ("", "ISO 2022-1994"),
    ],
)
@pytest.mark.parametrize("scan", ["single_byte", "auto", "iso2022_jp"])
def test_escape_sequences_that_are_announced(sets: str, scheme: str, scan: str) -> None:
    names = f"Yamada^Taro~山田^太郎~{KANA}^{KANA}"
    named = message(names, sets, scheme, scan)
    assert [named.text(f"PID-5[2].{n}") for n in (1, 2)] == ["山田", "太郎"]
    assert [named.text(f"PID-5[3].{n}") for n in (1, 2)] == [KANA, KANA]
    assert named.get("PID-5[3].1") == KANA.encode("iso2022_jp")
    assert named.get("PID-8") == b"M"
    segment = named.segments()[1].parts(5)
    assert segment is not None
    assert segment[2] == [[KANA.encode("iso2022_jp")]] * 2


def test_ir_87_as_the_set_of_the_whole_message() -> None:
    assert message("山田", "ISO IR87").text("PID-5.1") == "山田"
    assert message(KANA, "ISO IR87", scan="auto").text("PID-5.1") == KANA


@pytest.mark.parametrize(
    ("sets", "value", "text"),
    [
        ("8859/1~ISO IR87", b"M\xfc \x1b$B;3ED\x1b(B \xe4", "Mü 山田 ä"),
        ("~ISO IR87", b"\x1b$@;3ED\x1b(J-", "山田-"),
        # What NEC and IBM have added to JIS X 0208.
        ("~ISO IR87", b"\x1b$B|b66-j\x1b(B", "髙橋㈱"),
        ("~ISO IR159", "丂".encode("iso2022_jp_1"), "丂"),
        ("~ISO IR13", b"\x1b(ITO^@\x1b(B-\x1b)I\xb1", "ﾔﾏﾞﾀ-ｱ"),
        ("ISO IR14~ISO IR87", b"\xd4\xcf=\x1b$B;3\x1b(J=", "ﾔﾏ=山="),
        ("~KS X 1001", b"\x1b$)C\xb1\xe8^\x1b$(C1h\x1b(B", "김"),
        ("~GB2312", b"\x1b$AVPND\x1b(B", "中文"),
        ("8859/1~8859/2", b"\xe6\x1b-B\xe6\x1b-A\xe6", "æćæ"),
        ("~ISO IR144", b"\x1b-L\xb6", "Ж"),
        # A set that nobody knows is undecodable, and the text behind it is not.
        ("~ISO IR87", b"\x1b$(Xab\x1b(Bc", "\ufffd\ufffdc"),
        # Half a character.
        ("~ISO IR87", b"\x1b$B;\x1b(Bc", "\ufffdc"),
        # So is what follows an escape sequence that is not known.
        ("~ISO IR87", b"c\x1b$Zab c\x1b(Bc", "c\ufffd\ufffd \ufffdc"),
        ("~ISO IR87", b"c\x1b$ Zab\x1b(Bc", "c\ufffd\ufffdc"),
        # An ESC that begins no designation.
        ("~ISO IR87", b"a\x1bb", "a\x1bb"),
        ("~ISO IR87", b"a\x1b\x1bNb", "a\x1b\x1bNb"),
        ("~ISO IR87", b"\x1b$B;3\x1b(B\\T\\\\X1B2442\\;3\\X1B2842\\", "山&山"),
    ],
)
def test_sets_of_iso_2022(sets: str, value: bytes, text: str) -> None:
    assert message(value, sets, "ISO 2022-1994", "auto").text("PID-5.1") == text


def test_undecodable_characters_are_an_error_if_asked_for() -> None:
    for value in (b"\x1b$(Xab\x1b(B", b"\x1b$B;\x1b(B", b"\x1b$B\x29\x7e\x1b(B"):
        with pytest.raises(UnicodeDecodeError):
            message(value, "~ISO IR87", "ISO 2022-1994").text("PID-5", errors="strict")


# All intermediate bytes of ECMA-35 but `&`, which is a delimiter.
INTERMEDIATE = [bytes([byte]) for byte in range(0x20, 0x30) if byte != 0x26]


@pytest.mark.parametrize("intermediate", INTERMEDIATE)
@pytest.mark.parametrize("before", [b"", b"$", b"%"])
@pytest.mark.parametrize("final", [b"0", b"Z", b"}"])
def test_an_escape_sequence_that_is_not_known_is_undecodable(
    before: bytes, intermediate: bytes, final: bytes
) -> None:
    value = b"a\x1b" + before + intermediate + final + b"xy\xb1\xb2\x1b(Bb"
    named = message(value, "~ISO IR87", "ISO 2022-1994", "auto")
    with pytest.raises(UnicodeDecodeError):
        named.text("PID-5", errors="strict")
    text = named.text("PID-5")
    assert text is not None and (text[0], text[-1]) == ("a", "b")
    assert "\ufffd" in text and "\x1b" not in text


def test_the_escape_sequences_of_hl7_for_character_sets() -> None:
    for scheme in ("2.3", ""):
        named = message(b"\\M2442\\;3ED\\C2842\\\\T\\x", "~ISO IR87", scheme)
        assert named.text("PID-5") == "山田&x"
    # Nothing announces them here: they stay, as all sequences do that mean nothing.
    assert message(b"\\C2842\\x", "8859/1").text("PID-5") == "\\C2842\\x"


@pytest.mark.parametrize(
    ("name", "codec", "text"),
    [
        ("GB 18030-2000", "gb18030", "张亅"),
        ("BIG-5", "big5", "功"),
        ("ISO IR14", "shift_jis", "ポタミ"),
        ("WINDOWS-31J", "cp932", "ポ髙"),
        ("ISO IR87", "iso2022_jp", KANA),
    ],
)
def test_get_and_text_agree(name: str, codec: str, text: str) -> None:
    raw = text.encode(codec)
    by_itself = message(raw, name, scan="auto")
    assert by_itself.text("PID-5.1") == text
    assert by_itself.get("PID-5.1") == raw
    plain = message(raw, name)
    for read in (by_itself, plain):
        for path in ("MSH-10", "PID-1", "PID-7", "PID-8", "PID-9"):
            value = read.get(path)
            assert read.text(path) == (value.decode(codec, "replace") if value else None), path
    # Who names the set means all of it.
    assert plain.text("PID-5.1", codec) == text


def test_a_facility_that_hides_msh_18() -> None:
    header = b"MSH|^~\\&|A|%b|C|D|2026||ADT^A01|G1|P|2.5||||||GB 18030-2000\r"
    payload = header % "医亅".encode("gb18030")
    assert Message(payload).get("MSH-10") == b"ADT^A01"
    read = Message(payload, scan="auto")
    assert read.get("MSH-10") == read.header.message_control_id == b"G1"
    assert read.text("MSH-4") == "医亅"
    assert read.character_set == "GB 18030-2000"
