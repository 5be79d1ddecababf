"""Connectors of other distributions: found by their transports, and never the end of a load."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributions import LINES, install
from fastmllp_engine.graph import ConfigurationError, check, load

NUMBERS = itertools.count()
ROUTER = """
from fastmllp_engine import router

@router("adt")
def route(msg):
    return []
"""
WITHOUT = (
    ROUTER
    + """
from fastmllp_engine import MLLP, inbound
inbound("IB_ADT", MLLP(port=0), router="adt")
"""
)
TOML = """
[[inbound]]
name = "IB_LINES"
transport = "TRANSPORT"
router = "adt"
settings = { path = "/somewhere" }
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on Python's path."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder


def configuration(folder: Path, transport: str = "", code: str = ROUTER) -> Path:
    made = folder / "feeds"
    made.mkdir()
    (made / "adt.py").write_text(code)
    if transport:
        (made / "connections.toml").write_text(TOML.replace("TRANSPORT", transport))
    return made


def errors(folder: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, variables={})
    return [finding.line() for finding in caught.value.findings]


def notes(folder: Path) -> list[str]:
    return [it.text for it in check(folder, variables={}).findings if it.level == "note"]


def test_a_transport_is_found_by_its_name(packages: Path, tmp_path: Path) -> None:
    install(packages, "lines_a", {"lines": "lines_a:Lines"}, LINES)
    registry = load(configuration(tmp_path, "lines"), variables={})
    spec = registry.inbounds["IB_LINES"].spec
    assert (spec.transport, spec.receives, spec.sends) == ("lines", True, True)
    assert notes(tmp_path / "feeds") == []


def test_a_module_imports_it_like_any_package(packages: Path, tmp_path: Path) -> None:
    install(packages, "lines_b", {"lines": "lines_b:Lines"}, LINES)
    code = (
        ROUTER
        + """
from fastmllp_engine import inbound
from lines_b import Lines

inbound("IB_LINES", Lines(path="/x"), router="adt")
inbound("IB_OTHER", Lines(pth="/x"), router="adt")
"""
    )
    assert errors(configuration(tmp_path, code=code)) == [
        'adt.py:12: Lines: the parameter "path" is missing',
        'adt.py:12: Lines: unknown parameter "pth"; did you mean "path"?',
    ]


def test_two_of_one_name_are_none(packages: Path, tmp_path: Path) -> None:
    install(packages, "lines_c", {"lines": "lines_c:Lines"}, LINES)
    install(packages, "lines_d", {"lines": "lines_d:Lines"}, LINES)
    text = 'transport "lines" is registered by lines_c 1.2 and lines_d 1.2'
    assert errors(configuration(tmp_path, "lines")) == [
        f"connections.toml:4: inbound IB_LINES: {text}"
    ]
    (tmp_path / "feeds" / "connections.toml").unlink()
    assert notes(tmp_path / "feeds") == [text]


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        ("lines_NO:Lines", "import nothing_such", "cannot be imported: ModuleNotFoundError"),
        ("lines_NO:Lines", "raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
        ("lines_NO:Lines", "1 +", "cannot be imported: SyntaxError"),
        ("lines_NO:Lines", "", "cannot be imported: AttributeError"),
        ("lines_NO:Lines", "Lines = 3", "is no connector: lines_NO:Lines"),
        ("lines_NO:Lines", "class Lines: pass", "is no connector: lines_NO:Lines"),
        ("lines_NO:Lines", LINES.replace('transport = "lines"', 'transport = "line"'),
         'calls itself "line": lines_NO:Lines'),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_a_finding_with_its_distribution(
    packages: Path, tmp_path: Path, value: str, code: str, text: str
) -> None:
    # Python imports a name once.
    name = f"lines_{next(NUMBERS)}"
    install(packages, name, {"lines": value.replace("lines_NO", name)}, code)
    text = text.replace("lines_NO", name)
    found = errors(configuration(tmp_path, "lines"))[0]
    about = f'transport "lines" of {name} 1.2 '
    assert found.startswith(f"connections.toml:4: inbound IB_LINES: {about}{text}")
    (tmp_path / "feeds" / "connections.toml").unlink()
    (tmp_path / "feeds" / "adt.py").write_text(WITHOUT)
    (note,) = notes(tmp_path / "feeds")
    assert note.startswith(about + text)
    assert check(tmp_path / "feeds", variables={}).status == 0


def test_what_is_built_in_stays(packages: Path, tmp_path: Path) -> None:
    install(packages, "lines_e", {"file": "lines_e:Lines"}, LINES)
    assert notes(configuration(tmp_path)) == [
        'transport "file" of lines_e 1.2 is not used: there is one built in'
    ]
