"""Tables of reply codes are read at load, and what is wrong is said with its place."""

from pathlib import Path

import pytest
from feeds import ADT, findings, loaded, notes

TABLE = ":?R=RF,:?E=S,:~=S,:?A=C,:*=S,:I?=W,:T?=C"
CODE = ADT.replace('    outbound("OB_LAB", MLLP(host="lab", port=2601))\n', "")


def connections(table: str, more: str = "") -> str:
    return f"""
    [[outbound]]
    name = "OB_LAB"
    transport = "mllp"
    settings = {{ host = "lab", port = 2601{more} }}
    reply_code_actions = '{table}'
    """


def test_the_table_of_iris_is_read_with_a_note(tmp_path: Path) -> None:
    registry = loaded(tmp_path, {"adt.py": CODE, "connections.toml": connections(TABLE)})
    assert registry.outbounds["OB_LAB"].reply_code_actions == TABLE
    (note,) = notes(registry)
    assert "connections.toml:5: " in note
    assert "reply_code_actions: :I?: an acknowledgment of another message completes" in note


@pytest.mark.parametrize(
    ("table", "more", "text"),
    [
        (":?E=Q", "", "\":?E=Q\": 'Q' is none of the letters C, W, R, S, D and F, each once"),
        ("AE=R", "", '"AE=R": it selects none of :AA :?A :~ :_ :* :I? :T? X E'),
        ("X=C", "", '"X=C": without an answer nothing is completed'),
        (
            ":?E=R",
            ', reply_rules = "CE=retry"',
            "reply_rules of the spec decide the same; give one",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, table: str, more: str, text: str) -> None:
    files: dict[str, str | bytes] = {
        "adt.py": CODE,
        "connections.toml": connections(table.replace("'", ""), more),
    }
    assert findings(tmp_path, files) == [
        f"connections.toml:5: outbound OB_LAB: reply_code_actions: {text}"
    ]
