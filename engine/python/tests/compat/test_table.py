"""Each row of the table, with its example."""

from pathlib import Path
from typing import Any

import pytest
from fastmllp_engine import _native
from fastmllp_engine.compat.message import Message, RawMessage
from fastmllp_engine.compat.table import REST, Row, rows
from fastmllp_engine.graph import Inbound, Outbound
from fastmllp_engine.graph.findings import Finding
from fastmllp_engine.graph.folder import read_folder
from fastmllp_engine.graph.loader import examine

FEED = """
from messagefoundry import MLLP, Send, handler, inbound, outbound, router

inbound("IB", MLLP(port=2600), router="r")
outbound("OB", MLLP(host="lab", port=2601))


@router("r")
def route(msg):
    return ["h"]


@handler("h")
def handle(msg):
    return Send("OB", msg)
"""
PAYLOAD = (
    "MSH|^~\\&|A|B|C|D|20260101||ADT^A01|M1|P|2.5\rPID|1||100^^^H~200^^^K||DOE^JANE\rOBR|1|a\r"
    "OBX|1|ST|x||v\rOBR|2|b\rOBX|1|ST|y||w"
)
GIVEN = {
    "inbound": {"name": '"IB2"', "spec": "MLLP(port=2602)", "router": '"r"'},
    "outbound": {"name": '"OB2"', "spec": 'MLLP(host="x", port=1)'},
    "MLLP": {"host": '"x"', "port": "1"},
    "Tcp": {"host": '"x"', "port": "1"},
    "File": {"directory": '"x"'},
    "Timer": {"body": '"x"', "interval_seconds": "1.0"},
    "RetryPolicy": {},
    "handler": {"name": '"h2"'},
    "router": {"name": '"r2"'},
}
"""What each has to be given, beside the parameter that is tried."""


def of(*sections: str) -> list[Any]:
    found = [row for section in sections for row in rows()[section].values()]
    return [pytest.param(row, id=f"{row.section}.{row.key}") for row in found]


def said_of(folder: Path, line: str, names: str = "") -> list[Finding]:
    """What the load says of a line that is added to a feed."""
    (folder / "codesets").mkdir()
    (folder / "codesets" / "wards.csv").write_text("code,ward\nW1,WEST\n")
    (folder / "engine.toml").write_text("[compat]\nmessagefoundry = true\n")
    (folder / "feed.py").write_text(FEED)
    needed = f"from messagefoundry import {names}\n" if names else ""
    (folder / "more.py").write_text(f"import messagefoundry\n{needed}{line}\n")
    _, findings = examine(read_folder(folder), variables={})
    return [it for it in findings if it.place.file == "more.py"]


def has_verdict(row: Row, findings: list[Finding], line: int) -> None:
    errors = [it for it in findings if it.level == "error"]
    notes = [it for it in findings if it.level == "note" and "messagefoundry" in it.text]
    if row.refused:
        assert [it.place.line for it in errors] == [line], findings
        assert row.refused in errors[0].text
        return
    assert not errors
    if row.differs:
        assert any(row.differs in it.text and it.place.line == line for it in notes), findings


@pytest.mark.parametrize("row", of("names"))
def test_a_name(row: Row, tmp_path: Path) -> None:
    has_verdict(row, said_of(tmp_path, f"used = {row.example}", row.key), 2)


@pytest.mark.parametrize("row", of("names"))
def test_a_name_of_the_package_itself(row: Row, tmp_path: Path) -> None:
    """``import messagefoundry``: what is refused is said where it is used."""
    errors = [
        it for it in said_of(tmp_path, f"used = messagefoundry.{row.key}") if it.level == "error"
    ]
    assert bool(errors) == bool(row.refused)
    assert all(it.place.line == 2 and row.refused in it.text for it in errors)


@pytest.mark.parametrize("row", of(*GIVEN))
def test_a_parameter(row: Row, tmp_path: Path) -> None:
    key = "nothing_like_it" if row.key == REST else row.key
    given = {**GIVEN[row.section], key: row.example}
    line = f"{row.section}({', '.join(f'{name}={value}' for name, value in given.items())})"
    findings = said_of(tmp_path, line, ", ".join(alike()))
    has_verdict(row, [it for it in findings if it.place.line == 3], 3)


def alike() -> list[str]:
    return [key for key, row in rows()["names"].items() if not row.refused]


@pytest.mark.parametrize("row", of("Message"))
def test_what_a_message_is_asked(row: Row) -> None:
    msg = Message.parse(PAYLOAD)

    def set(message: Message, path: str, value: str) -> None:
        message[path] = value

    if row.refused:
        with pytest.raises(AttributeError, match=row.key):
            eval(row.example)
    else:
        assert eval(row.example, {"msg": msg, "set": set}) == row.gives


@pytest.mark.parametrize("row", of("RawMessage"))
def test_what_another_message_is_asked(row: Row) -> None:
    msg = RawMessage(_native.RawMessage(b'{"a": 1}'), "json")
    if row.refused:
        with pytest.raises(AttributeError, match=row.key):
            eval(row.example)
    else:
        assert eval(row.example, {"msg": msg}) == row.gives


def test_what_belongs_to_a_later_version_is_not_there() -> None:
    """A parameter that the engine has got meanwhile is refused no more."""
    ours = {"inbound": Inbound, "outbound": Outbound}
    from fastmllp_engine.compat import FACTORIES
    from fastmllp_engine.graph.checked import parameters

    for section, cls in {**ours, **FACTORIES}.items():
        later = [
            key for key, row in rows().get(section, {}).items() if "later version" in row.refused
        ]
        assert not parameters(cls).keys() & later, section


def test_every_name_of_the_module_is_in_the_table() -> None:
    from fastmllp_engine.compat import names

    assert set(names.__all__) == set(alike())
