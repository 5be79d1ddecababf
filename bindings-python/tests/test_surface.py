"""The names that programs rely on."""

import importlib
import inspect
import pathlib
import subprocess
import sys

import fastmllp
import fastmllp.client
import fastmllp.server
import pytest
from fastmllp.old_paths import MOVED
from peers import message, msa


def test_all_names_exist() -> None:
    assert sorted(fastmllp.__all__, key=str) == sorted(set(fastmllp.__all__), key=str)
    for name in fastmllp.__all__:
        assert getattr(fastmllp, name) is not None


def test_message() -> None:
    parsed = fastmllp.Message(message("A"))
    assert parsed.payload == message("A")
    assert parsed.get("PID-3.1") == b"4711"
    assert parsed.get("PID-5.2") == b"EVE"
    assert parsed.get("ZZZ-1") is None
    assert parsed.header.message_control_id == b"A"
    assert len(parsed) == len(message("A"))
    assert "EVE" not in repr(parsed)


def test_message_that_is_none() -> None:
    parsed = fastmllp.Message(b"\xff")
    with pytest.raises(fastmllp.MessageError):
        _ = parsed.header
    with pytest.raises(fastmllp.MessageError):
        parsed.get("PID-3.1")
    with pytest.raises(fastmllp.MessageError):
        fastmllp.Message(message()).get("no path")


def test_build_ack() -> None:
    assert msa(fastmllp.build_ack(message("A"))) == ("AA", "A")
    assert msa(fastmllp.build_ack(message("A"), fastmllp.AckCode.AR)) == ("AR", "A")
    with pytest.raises(fastmllp.AckError):
        fastmllp.build_ack(message("A"), "XX")
    fixed = fastmllp.build_ack(message("A"), "AE", control_id="ID", timestamp="20240101000000")
    assert fixed.split(b"|")[6] == b"20240101000000" and fixed.split(b"|")[9] == b"ID"


def test_errors_have_one_root_and_a_code() -> None:
    for name in fastmllp.__all__:
        value = getattr(fastmllp, name)
        if inspect.isclass(value) and issubclass(value, Exception):
            assert issubclass(value, fastmllp.MllpError)
    with pytest.raises(fastmllp.MllpError) as caught:
        fastmllp.build_ack(b"", "XX")
    assert isinstance(caught.value.code, str) and caught.value.code


def test_signatures() -> None:
    server = inspect.signature(fastmllp.server.Server).parameters
    assert list(server)[:3] == ["handler", "host", "port"]
    defaults = {name: parameter.default for name, parameter in server.items()}
    assert defaults["handler"] is None and defaults["host"] == "0.0.0.0"
    assert defaults["port"] == 2575 and defaults["timeout"] == 10 and defaults["max_size"] == 2**20
    client = inspect.signature(fastmllp.client.Client).parameters
    assert list(client)[:2] == ["host", "port"]
    assert client["host"].default == "127.0.0.1" and client["port"].default == 2575
    assert client["timeout"].default == 10


OLD_PATHS = [
    ("conformant", "conformant_answer", "serving.conformant"),
    ("files", "read_messages", "hl7.files"),
    ("handler", "server_name", "serving.handler"),
    ("metrics", "start_http_server", "serving.metrics"),
    ("pytest_plugin", "mllp_server", "testing.pytest_plugin"),
]


@pytest.mark.parametrize(("old", "name", "new"), OLD_PATHS)
def test_old_paths_of_modules(old: str, name: str, new: str) -> None:
    """In a process of its own, where neither path was imported before."""
    program = (
        f"from fastmllp.{old} import {name}\n"
        f"import fastmllp.{new}, fastmllp.{old}\n"
        f"assert fastmllp.{old} is fastmllp.{new}\n"
        f"assert fastmllp.{new}.{name} is {name}\n"
        f"assert fastmllp.{new}.__spec__.name == 'fastmllp.{new}'\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


def test_type_checkers_know_the_old_paths() -> None:
    package = pathlib.Path(fastmllp.__file__).parent
    stubs = {path.stem: path.read_text() for path in package.glob("*.pyi")}
    stubs.pop("_native")
    assert {f"fastmllp.{name}" for name in stubs} == MOVED.keys()
    for name, text in stubs.items():
        assert text.endswith(f"\nfrom {MOVED[f'fastmllp.{name}']} import *\n")


def test_a_module_that_never_was() -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named 'fastmllp.nothing'"):
        importlib.import_module("fastmllp.nothing")


def test_what_an_import_loads() -> None:
    """The package alone is for blocking programs: no event loop, and none of the extras."""
    program = "import sys, fastmllp; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=True, text=True
    ).stdout.split()
    rooms = {name.split(".")[1] for name in loaded if name.startswith("fastmllp.")}
    assert rooms.isdisjoint({"aio", "cli", "link", "testing"})
    for name in ("asyncio", "prometheus_client", "rich", "fastmllp.serving.metrics"):
        assert name not in loaded
