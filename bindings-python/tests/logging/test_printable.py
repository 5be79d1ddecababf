"""Text from outside, made safe to print."""

import pytest
from fastmllp.hl7 import readable
from fastmllp.logging.printable import lines, one_line
from fastmllp.serving.sockets.addresses import place


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain: M\xfcller \u8868 C:\\x", "plain: M\xfcller \u8868 C:\\x"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb\rc\td\0", "a\\x0ab\\x0dc\\x09d\\x00"),
        ("\x7f\x85\x9b", "\\x7f\\x85\\x9b"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\u202egpj.exe\u2066", "\\u202egpj.exe\\u2066"),
        ("\u200b\ufeff", "\\u200b\\ufeff"),
        ("\U000e0041", "\\U000e0041"),
        ("\udc9b\udcff", "\\x9b\\xff"),
        ("\ud800", "\\ud800"),
    ],
)
def test_one_line(text: str, shown: str) -> None:
    assert one_line(text) == shown
    assert one_line(text).isprintable()


def test_lines() -> None:
    assert lines("a\nb\x1b\n") == "a\nb\\x1b\n"


def test_a_message_is_shown_the_same_way() -> None:
    payload = "MSH|\u202e\x9b\rPID|\x1b[2J\r".encode()
    assert readable(payload) == "MSH|\\u202e\\x9b\nPID|\\x1b[2J\n"


def test_hosts_in_texts() -> None:
    assert place("a\x1b[2J\n", 1) == "a\\x1b[2J\\x0a:1" and place("::1", 1) == "[::1]:1"
