"""The fixture ``mllp_server``, in a run of pytest of its own."""

import os
import pathlib
import tomllib

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import pytest
from fastmllp import Client, NoReply

payload = b"MSH|^~\\\\&|||||||ADT^A01|M1|P|2.5\\r"


@pytest.mark.parametrize("number", range(8))
def test_accepted(mllp_server, number):
    assert mllp_server.messages == []
    with Client(*mllp_server.address) as client:
        assert client.send(payload).accepted
    assert mllp_server.messages.wait_for(1)[0].get("MSH-10") == b"M1"
    mllp_server.always.reply("AR")  # Nothing of this is left in the next test.
    mllp_server.silence()


def test_not_answered(mllp_server):
    mllp_server.silence()
    with Client(*mllp_server.address, timeout=0.05) as client, pytest.raises(NoReply):
        client.send(payload)
"""


# What other tests of this run have imported must not be there.
def run(pytester: pytest.Pytester, tests: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(tests)
    return pytester.runpytest_subprocess("-p", "fastmllp.pytest_plugin", *options, timeout=50)


def test_the_fixture(pytester: pytest.Pytester) -> None:
    run(pytester, TESTS, "-W", "error").assert_outcomes(passed=9)


def test_under_xdist(pytester: pytest.Pytester) -> None:
    result = run(pytester, TESTS, "-n", "2")
    result.assert_outcomes(passed=9)
    result.stdout.fnmatch_lines(["*2 workers*"])


def test_a_server_that_fails_is_an_error_of_its_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest
        from fastmllp import Ack, Client, ConnectionLost

        def test(mllp_server):
            mllp_server.reply(Ack("AA", policy="conformant"))
            with Client(*mllp_server.address) as client, pytest.raises(ConnectionLost):
                client.send(b"no header")
        """,
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*MessageError*"])


def test_a_run_that_does_not_use_it_does_not_load_it(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import sys

        def test():
            assert "fastmllp.testing.pytest_plugin" in sys.modules
            for name in ("testing.mock_server", "serving.metrics", "cli"):
                assert f"fastmllp.{name}" not in sys.modules
        """,
    )
    result.assert_outcomes(passed=1)


def test_it_is_listed_with_a_description(pytester: pytest.Pytester) -> None:
    result = run(pytester, "", "--fixtures")
    result.stdout.fnmatch_lines(["mllp_server*", "*An MLLP server on a free port*"])


@pytest.mark.parametrize("options", [(), ("-p", "fastmllp.pytest_plugin")])
def test_the_entry_point(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    # pytest refuses a module under a second name, so naming it as well must not load it again.
    settings = tomllib.loads((pathlib.Path(__file__).parents[2] / "pyproject.toml").read_text())
    ((name, module),) = settings["project"]["entry-points"]["pytest11"].items()
    installed = pytester.mkdir("installed")
    metadata = installed / "fastmllp_plugin-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: fastmllp-plugin\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[pytest11]\n{name} = {module}\n")
    monkeypatch.setenv("PYTHONPATH", str(installed), prepend=os.pathsep)
    pytester.makepyfile("def test(mllp_server): pass")
    pytester.runpytest_subprocess(*options, timeout=50).assert_outcomes(passed=1)
