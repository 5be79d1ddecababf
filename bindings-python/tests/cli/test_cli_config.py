"""``fastmllp config`` as a process, and settings from all sources in the other commands."""

import json
import pathlib
import tomllib

import pytest
from commands import run_with
from conftest import Run
from fastmllp import config
from fastmllp.config import show
from peers import Peer, ScriptedServer, acknowledgment, framed, message


def test_config_is_a_settings_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "fastmllp.toml"
    path.write_text("[server]\ntimeout = 5\n")
    result = run_with({"FASTMLLP_CLIENT_PORT": "2600"}, "config", "--config", path)
    assert (result.returncode, result.stderr) == (0, b"")
    lines = [line.split() for line in result.stdout.decode().splitlines()]
    assert ["timeout", "=", "5.0", "#", str(path)] in lines
    assert ["port", "=", "2600", "#", "FASTMLLP_CLIENT_PORT"] in lines
    assert ["port", "=", "2575", "#", "default"] in lines
    shown = tomllib.loads(result.stdout.decode())
    assert shown["client"]["port"] == 2600 and shown["server"]["timeout"] == 5


def test_config_as_json() -> None:
    result = run_with({"FASTMLLP_SERVER_ALLOW": "::1"}, "config", "--json")
    shown = json.loads(result.stdout)
    assert shown["server"]["allow"] == {"value": ["::1"], "source": "FASTMLLP_SERVER_ALLOW"}
    assert shown["logging"]["log_message"] == {"value": False, "source": "default"}
    assert set(shown) == set(config.SECTIONS)


def test_config_as_markdown(run: Run) -> None:
    assert run("config", "--markdown").stdout.decode() == show.markdown()


@pytest.mark.parametrize("command", [("serve",), ("send", "-"), ("config",)])
def test_wrong_file_is_one_line(tmp_path: pathlib.Path, command: tuple[str, ...]) -> None:
    path = tmp_path / "fastmllp.toml"
    path.write_text("[server]\nprot = 1\n")
    result = run_with({}, *command, "--config", path)
    assert (result.returncode, result.stdout) == (2, b"")
    expected = f"{path}: unknown key [server] prot, did you mean port?"
    assert result.stderr.decode() == f"fastmllp {command[0]}: {expected}\n"


def test_wrong_variable_is_one_line() -> None:
    result = run_with({"FASTMLLP_SERVER_PORT": "70000"}, "serve")
    assert (result.returncode, result.stdout) == (2, b"")
    expected = "FASTMLLP_SERVER_PORT: [server] port must be from 0 to 65535, not 70000"
    assert result.stderr.decode() == f"fastmllp serve: {expected}\n"


def test_wrong_flag_names_the_setting(run: Run) -> None:
    result = run("serve", "--port", "70000")
    assert result.returncode == 2
    assert b"argument --port: [server] port must be from 0 to 65535, not 70000\n" in result.stderr


def test_send_with_settings_of_every_source(tmp_path: pathlib.Path) -> None:
    def script(peer: Peer) -> None:
        assert peer.receive_frame() == message("A")
        peer.send(framed(acknowledgment("A").ljust(600, b"x")))

    path = tmp_path / "fastmllp.toml"
    path.write_text("[client]\nhost = 'no-such-host.invalid'\nport = 1\nmax_size = 500\n")
    with ScriptedServer(script) as server:
        environment = {"FASTMLLP_CLIENT_HOST": server.address[0], "FASTMLLP_CLIENT_PORT": "1"}
        command = ("send", "--config", path, "--port", server.address[1], "-")
        result = run_with(environment, *command, stdin=message("A"))
    assert result.returncode == 3 and b"above 500 bytes" in result.stderr


def test_log_level_from_the_environment(run: Run) -> None:
    environment = {"FASTMLLP_SERVER_HOST": "no-such-host.invalid", "FASTMLLP_LOG_LEVEL": "warning"}
    shown = json.loads(run_with(environment, "config", "--json").stdout)
    assert shown["logging"]["log_level"]["value"] == "warning"
    result = run_with(environment, "serve")
    assert result.returncode == 1 and b"no-such-host.invalid:2575" in result.stderr
