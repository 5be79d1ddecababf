"""`init`, `check` and `graph`: from nothing to a configuration that serves."""

import json
from pathlib import Path

import pytest
from fastmllp_engine.cli import main


@pytest.fixture
def begun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    feeds = tmp_path / "begun"
    assert main(["init", str(feeds)]) == 0
    capsys.readouterr()
    return feeds


def test_what_is_begun_is_checked_and_shown(
    begun: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(begun)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "2 connections, 1 router, 1 handler, 3 golden tests"
    )
    assert main(["graph", str(begun)]) == 0
    assert "IB_EXAMPLE" in capsys.readouterr().out
    assert main(["graph", str(begun), "--format", "svg"]) == 0
    assert capsys.readouterr().out.startswith("<svg")
    assert main(["graph", str(begun), "--json"]) == 0
    json.loads(capsys.readouterr().out)


def test_nothing_that_is_there_is_overwritten(
    begun: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(begun)]) == 2
    assert "begun" in capsys.readouterr().err


def test_check_says_everything_and_its_exit_status_of_what_kind_it_is(
    begun: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = begun / "tests" / "IB_EXAMPLE" / "a01.expected" / "OB_EXAMPLE.hl7"
    expected.write_text(expected.read_text().replace("ADT", "ORU", 1))
    assert main(["check", str(begun)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 error"
    (begun / "more.py").write_text(
        "from fastmllp_engine import MLLP, inbound\n"
        'inbound("IB_TWO", MLLP(port=0), router="exampel")\n'
    )
    assert main(["check", str(begun), "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["status"] == 2
    assert {"file": "more.py", "line": 2} in [it["place"] for it in report["findings"]]
    assert main(["graph", str(begun)]) == 2
