"""The plugin of pytest, in runs of its own: golden tests are items, tests call functions."""

import subprocess
import sys
from pathlib import Path

import pytest
from fastmllp_engine.cli import main

OWN_TESTS = '''
import pytest
from fastmllp_engine.testing import Feeds, FunctionFailed

ADMISSION = """MSH|^~\\&|HIS|H|ENGINE|E|20260101||ADT^A01|M1|P|2.5
PV1|1|I
"""


def test_the_router(feeds: Feeds) -> None:
    assert feeds.route("IB_EXAMPLE", ADMISSION) == ["to_example"]


def test_the_handler(feeds: Feeds) -> None:
    (send,) = feeds.handle("to_example", ADMISSION)
    assert send.to == "OB_EXAMPLE"
    assert b"|EXAMPLE|" in send.payload
    assert feeds.handle("to_example", ADMISSION.replace("|I", "|P")) == []


def test_all_of_it(feeds: Feeds) -> None:
    run = feeds.run("IB_EXAMPLE", ADMISSION)
    assert [it.to for it in run.sent] == ["OB_EXAMPLE"]
    assert run.disposition == "PROCESSED"


def test_what_fails(feeds: Feeds) -> None:
    with pytest.raises(FunctionFailed, match="at example.py"):
        feeds.handle("to_example", "no message")
    with pytest.raises(KeyError, match="no inbound IB_OTHER"):
        feeds.route("IB_OTHER", ADMISSION)
'''


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["init", str(tmp_path / "feeds")]) == 0
    capsys.readouterr()
    (tmp_path / "pytest.ini").write_text("[pytest]\nfastmllp_feeds = feeds\n")
    return tmp_path


def run(project: Path, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_golden_tests_are_items_that_say_what_differs(project: Path) -> None:
    status, printed = run(project)
    assert (status, "3 passed" in printed) == (0, True), printed
    expected = project / "feeds" / "tests" / "IB_EXAMPLE" / "a01.expected" / "OB_EXAMPLE.hl7"
    expected.write_text(expected.read_text().replace("|EXAMPLE|", "|OTHER|"))
    status, printed = run(project)
    assert status == 1 and "1 failed, 2 passed" in printed
    assert 'OB_EXAMPLE: MSH-5 is "EXAMPLE", expected "OTHER"' in printed
    assert "Traceback" not in printed and "plugin.py" not in printed


def test_functions_are_called_by_tests(project: Path) -> None:
    (project / "test_example.py").write_text(OWN_TESTS)
    status, printed = run(project, "test_example.py")
    assert (status, "4 passed" in printed) == (0, True), printed


def test_a_configuration_that_is_refused_says_why(project: Path) -> None:
    module = project / "feeds" / "example.py"
    module.write_text(module.read_text().replace('router="example"', 'router="exampel"'))
    status, printed = run(project)
    assert status == 2
    assert 'did you mean "example"?' in printed


def test_golden_tests_of_no_inbound_are_an_error(project: Path) -> None:
    tests = project / "feeds" / "tests"
    (tests / "IB_EXAMPLE").rename(tests / "IB_EXAMPEL")
    status, printed = run(project)
    assert status == 2
    assert 'golden tests of "IB_EXAMPEL", which is no inbound' in printed


def test_without_an_option_nothing_is_collected(project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\n")
    status, printed = run(project)
    assert (status, "no tests ran" in printed) == (5, True), printed
