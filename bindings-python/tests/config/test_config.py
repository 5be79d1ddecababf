"""Where settings come from, and what is wrong with them."""

import inspect
import pathlib
import tomllib
from collections.abc import Callable

import pytest
from fastmllp import Client, Server, config
from fastmllp.config import SETTINGS, ConfigError, Setting, show

ROOT = pathlib.Path(__file__).parents[3]

EVERYTHING = """
[server]
host = "::1"
port = 2576
timeout = 5
frame_timeout = 30.5
allow = ["10.1.0.0/16", "::1"]
tls_require_client_certificate = true

[client]
port = 1
"""


@pytest.fixture
def file(tmp_path: pathlib.Path) -> Callable[[str], pathlib.Path]:
    def write(text: str) -> pathlib.Path:
        path = tmp_path / "fastmllp.toml"
        path.write_text(text)
        return path

    return write


File = Callable[[str], pathlib.Path]


def test_defaults() -> None:
    settings = config.load(environment={})
    assert {e.source for e in settings.effective} == {"default"}
    assert settings.section("server")["port"] == 2575 and settings.changed("server") == {}
    assert settings.section("logging") == {
        "log_level": "info",
        "log_message": False,
        "log_format": "text",
        "log_file": "",
    }


def test_file(file: File) -> None:
    path = file(EVERYTHING)
    settings = config.load(file=path, environment={})
    server = settings.section("server")
    assert settings.changed("server") == {
        "host": "::1",
        "port": 2576,
        "timeout": 5.0,
        "frame_timeout": 30.5,
        "allow": ("10.1.0.0/16", "::1"),
        "tls_require_client_certificate": True,
    }
    assert isinstance(server["timeout"], float)
    assert settings.source("server", "port") == str(path)
    assert settings.source("server", "max_size") == "default"


def test_each_source_overrides_the_ones_below(file: File) -> None:
    path = file("[server]\nport = 1\ntimeout = 1\nmax_size = 1\nprofile = 'strict'\n")
    environment = {"FASTMLLP_SERVER_TIMEOUT": "2", "FASTMLLP_SERVER_MAX_SIZE": "2"}
    flags: dict[tuple[str, str], config.Value] = {("server", "max_size"): 3}
    settings = config.load(["server"], flags=flags, file=path, environment=environment)
    expected = {"port": 1, "timeout": 2.0, "max_size": 3, "profile": "strict"}
    assert settings.changed("server") == expected
    assert settings.source("server", "max_size") == "--max-size"
    assert settings.source("server", "timeout") == "FASTMLLP_SERVER_TIMEOUT"
    assert settings.source("server", "port") == str(path)


def test_the_default_given_on_purpose_overrides_too(file: File) -> None:
    path = file("[server]\nport = 1\n")
    settings = config.load(file=path, environment={"FASTMLLP_SERVER_PORT": "2575"})
    assert settings.section("server")["port"] == 2575
    assert settings.source("server", "port") == "FASTMLLP_SERVER_PORT"


def test_names_of_variables() -> None:
    names = {(setting.section, setting.key): setting.variable for setting in SETTINGS}
    assert names["server", "port"] == "FASTMLLP_SERVER_PORT"
    assert names["client", "host"] == "FASTMLLP_CLIENT_HOST"
    assert names["logging", "log_level"] == "FASTMLLP_LOG_LEVEL"
    assert names["logging", "log_message"] == "FASTMLLP_LOG_MESSAGE"
    assert names["metrics", "metrics_port"] == "FASTMLLP_METRICS_PORT"
    assert len(set(names.values())) == len(SETTINGS) == len(names)


def text_of(value: config.Value) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)
def test_every_default_can_be_given_in_every_source(setting: Setting, file: File) -> None:
    assert setting.from_text(text_of(setting.default)) == setting.default
    in_toml = list(setting.default) if isinstance(setting.default, tuple) else setting.default
    value = setting.from_toml(in_toml)
    assert value == setting.default and type(value) is type(setting.default)
    wrong = 5 if isinstance(setting.default, str | tuple) else "x"
    with pytest.raises(ValueError, match=rf"^\[{setting.section}\] {setting.key} must be "):
        setting.from_toml(wrong)


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("YES", True), ("on", True), ("1", True), ("false", False), ("No", False)]
    + [("off", False), ("0", False)],
)
def test_truth_in_the_environment(text: str, value: bool) -> None:
    settings = config.load(["logging"], environment={"FASTMLLP_LOG_MESSAGE": text})
    assert settings.section("logging")["log_message"] is value


def test_lists_and_empty_variables_in_the_environment() -> None:
    environment = {"FASTMLLP_SERVER_ALLOW": " 10.0.0.0/8 ,::1,", "FASTMLLP_SERVER_PORT": ""}
    settings = config.load(["server"], environment=environment)
    assert settings.changed("server") == {"allow": ("10.0.0.0/8", "::1")}
    assert settings.source("server", "port") == "default"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[sever]\n", "unknown section [sever], did you mean server?"),
        ("[zzz]\n", "unknown section [zzz]"),
        ("[server]\nprot = 1\n", "unknown key [server] prot, did you mean port?"),
        ("[server]\nlog_level = 'info'\n", "unknown key [server] log_level"),
        ("[client]\nmax_connections = 1\n", "unknown key [client] max_connections"),
        ("port = 1\n", "unknown section [port]"),
        ("server = 1\n", "server must be a section, not a value"),
        ("[server]\nport = 70000\n", "[server] port must be from 0 to 65535, not 70000"),
        ("[server]\nport = '2575'\n", "[server] port must be an integer, not '2575'"),
        ("[server]\nport = true\n", "[server] port must be an integer, not True"),
        ("[server]\nport = 2575.0\n", "[server] port must be an integer, not 2575.0"),
        ("[server]\ntimeout = nan\n", "[server] timeout must be from 0 (off) to 1000000 seconds"),
        ("[server]\ntimeout = -1\n", "[server] timeout must be from 0 (off) to 1000000 seconds"),
        ("[server]\nmax_size = 0\n", "[server] max_size must be from 1 to 2147483647 bytes"),
        ("[server]\nencoding = 'utf-99'\n", "[server] encoding is not known: 'utf-99'"),
        ("[server]\nprofile = 'lax'\n", "[server] profile must be one of permissive, resync"),
        ("[server]\nallow = '::1'\n", "[server] allow must be an array of strings, not '::1'"),
        ("[server]\nallow = [1]\n", "[server] allow must be an array of strings, not [1]"),
        ("[server]\nallow = ['10.1.2.3/8']\n", "[server] allow: 10.1.2.3/8 has host bits set"),
        ("[logging]\nlog_message = 1\n", "[logging] log_message must be true or false, not 1"),
        ("[server\n", "Expected ']'"),
    ],
)
def test_wrong_file(file: File, text: str, reason: str) -> None:
    path = file(text)
    # The whole file is checked, whatever is wanted of it.
    with pytest.raises(ConfigError) as caught:
        config.load(["metrics"], file=path, environment={})
    assert str(caught.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(caught.value)


def test_file_that_cannot_be_read(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConfigError, match=r"^cannot read .*none\.toml: No such file or directory$"):
        config.load(file=tmp_path / "none.toml")
    (tmp_path / "latin").write_bytes(b"# M\xfcller")
    with pytest.raises(ConfigError, match="latin: 'utf-8' codec"):
        config.load(file=tmp_path / "latin")


@pytest.mark.parametrize(
    ("variable", "text", "reason"),
    [
        ("FASTMLLP_SERVER_PORT", "x", "[server] port must be an integer, not 'x'"),
        ("FASTMLLP_SERVER_PORT", "70000", "[server] port must be from 0 to 65535, not 70000"),
        ("FASTMLLP_SERVER_TIMEOUT", "inf", "[server] timeout must be from 0 (off) to"),
        ("FASTMLLP_LOG_MESSAGE", "2", "[logging] log_message must be true or false, not '2'"),
        ("FASTMLLP_LOG_LEVEL", "loud", "[logging] log_level must be one of debug, info"),
        ("FASTMLLP_SERVER_ALLOW", "here", "[server] allow: 'here' does not appear to be"),
        ("FASTMLLP_SERVER_PROT", "1", "unknown variable, did you mean FASTMLLP_SERVER_PORT?"),
        ("FASTMLLP_LOG_LEVLE", "info", "unknown variable, did you mean FASTMLLP_LOG_LEVEL?"),
    ],
)
def test_wrong_environment(variable: str, text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(["server", "logging"], environment={variable: text})
    assert str(caught.value).startswith(f"{variable}: {reason}")


def test_environment_of_other_sections_and_programs() -> None:
    environment = {"FASTMLLP_SERVER_PORT": "x", "PATH": "/"}
    assert config.load(["client", "logging"], environment=environment).changed("client") == {}


@pytest.mark.parametrize("service", ["FASTMLLP", "FASTMLLP_ADT_IN"])
def test_environment_that_kubernetes_sets(service: str) -> None:
    environment = {
        f"{service}_SERVICE_HOST": "10.0.0.1",
        f"{service}_SERVICE_PORT": "2575",
        f"{service}_SERVICE_PORT_MLLP": "2575",
        f"{service}_PORT": "tcp://10.0.0.1:2575",
        f"{service}_PORT_2575_TCP": "tcp://10.0.0.1:2575",
        f"{service}_PORT_2575_TCP_PROTO": "tcp",
        f"{service}_PORT_2575_TCP_PORT": "2575",
        f"{service}_PORT_2575_TCP_ADDR": "10.0.0.1",
    }
    assert config.load(environment=environment).changed("server") == {}
    with pytest.raises(ConfigError, match=f"{service}_PORT: unknown variable"):
        config.load(environment={f"{service}_PORT": "2575"})


def test_toml_that_is_shown_can_be_read(file: File) -> None:
    environment = {
        "FASTMLLP_SERVER_SAVE": 'a "b"\\\x7f\té',
        "FASTMLLP_SERVER_ALLOW": "::1,10.0.0.1",
    }
    settings = config.load(environment=environment)
    text = show.toml(settings)
    assert "# FASTMLLP_SERVER_SAVE" in text and "# default" in text
    again = config.load(file=file(text), environment={})
    assert [e.value for e in again.effective] == [e.value for e in settings.effective]
    assert set(tomllib.loads(text)) == set(config.SECTIONS)


def test_documentation_is_what_the_program_writes() -> None:
    written = (ROOT / "docs" / "settings.md").read_text()
    assert written == show.markdown(), "run: fastmllp config --markdown > docs/settings.md"


@pytest.mark.parametrize(("of", "section"), [(Server, "server"), (Client, "client")])
def test_defaults_of_the_library(of: type, section: str) -> None:
    """A program that runs with the settings of the table behaves like one that gives none."""
    defaults = {setting.key: setting.default for setting in SETTINGS if setting.section == section}
    parameters = inspect.signature(of).parameters.values()
    shared = {p.name: p.default for p in parameters if p.name in defaults and p.name != "tls"}
    assert len(shared) > 5
    # A table has no value that says "not given"; an empty list means that, where none may be given.
    assert shared == {key: None if defaults[key] == () else defaults[key] for key in shared}
