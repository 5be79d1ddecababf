"""TOML with the line of each key."""

import pytest
from fastmllp_engine.graph.toml import TomlError, parse

TEXT = r'''
# [not.a.table]
title = "a # b" # x = 1
text = """
inner = 1
[[fake]] \""" still
"""
literal = \'\'\'
also = 2
\'\'\'
many = [ # a list
  "]",
  { x = 3 },
  [
    1,
  ],
]
inline = { a = "}", b = [1] }

[[inbound]]   # the first
name = "a"
[inbound.settings]
port = 1
"quoted key" . 'x' = 2

[[inbound]]
name = "b"
  [[inbound.inner]]
  deep = 1
  [[inbound.inner]]
  deep = 2
[ last . one ]
end = 1
'''.replace(r"\'", "'")

LINES = {
    ("title",): 3,
    ("text",): 4,
    ("literal",): 8,
    ("many",): 11,
    ("inline",): 18,
    ("inbound", 0): 20,
    ("inbound", 0, "name"): 21,
    ("inbound", 0, "settings"): 22,
    ("inbound", 0, "settings", "port"): 23,
    ("inbound", 0, "settings", "quoted key", "x"): 24,
    ("inbound", 1): 26,
    ("inbound", 1, "name"): 27,
    ("inbound", 1, "inner", 0): 28,
    ("inbound", 1, "inner", 0, "deep"): 29,
    ("inbound", 1, "inner", 1): 30,
    ("inbound", 1, "inner", 1, "deep"): 31,
    ("last", "one"): 32,
    ("last", "one", "end"): 33,
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_key_has_its_line(end: str) -> None:
    tables, lines = parse(TEXT.replace("\n", end))
    assert lines == LINES
    assert tables["inbound"][1]["inner"][1]["deep"] == 2


def test_what_is_not_toml_is_refused_with_its_line() -> None:
    for text, line in (("a = 1\nb =\n", 2), ("a = 1\n\na = 2\n", 3), ('a = """\n\n', 3)):
        with pytest.raises(TomlError) as caught:
            parse(text)
        assert caught.value.line == line
