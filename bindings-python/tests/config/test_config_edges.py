"""Settings at the edges: what is empty, what is no text, what is not TOML, what is no number."""

import asyncio
import pathlib
import tomllib
from collections.abc import Iterable

import pytest
from commands import run_with
from fastmllp import Server, config
from fastmllp.aio import start_server
from fastmllp.config import SETTINGS, ConfigError, Setting, show
from fastmllp.config.allow import AllowList
from fastmllp.link import SocketLink

NEVER_EMPTY = [setting for setting in SETTINGS if setting.never_empty]


def fails(**sources: object) -> str:
    """The complaint about settings, which is one line that can be printed."""
    with pytest.raises(ConfigError) as caught:
        config.load(**{"environment": {}, **sources})  # type: ignore[arg-type]
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_what_protects_is_never_empty() -> None:
    assert {setting.key for setting in NEVER_EMPTY} == {
        "allow",
        "host",
        "max_connections",
        "max_size",
        "metrics_host",
        "proxy_protocol",
        "save",
        "tls",
        "tls_ca",
        "tls_certificate",
        "tls_key",
        "tls_require_client_certificate",
        "tls_server_name",
    }


@pytest.mark.parametrize("setting", NEVER_EMPTY, ids=lambda setting: setting.variable)
@pytest.mark.parametrize("text", ["", " ", ",", " , ,\t"])
def test_empty_protection_is_an_error(setting: Setting, text: str, tmp_path: pathlib.Path) -> None:
    """It would vanish without a word, and everyone would be let in."""
    if isinstance(setting.default, str) and "," in text:
        return  # A file may have that name.
    assert fails(environment={setting.variable: text}).startswith(f"{setting.variable}: [")
    path = tmp_path / "fastmllp.toml"
    in_toml = [] if setting.default == () else text
    path.write_text(f"[{setting.section}]\n{setting.key} = {in_toml!r}\n")
    assert fails(file=path).startswith(f"{path}: [{setting.section}] {setting.key} ")


@pytest.mark.parametrize("flag", ["--allow", "--save", "--tls-ca", "--tls-certificate"])
@pytest.mark.parametrize("text", ["", " "])
def test_empty_protection_by_flag(flag: str, text: str) -> None:
    result = run_with({}, "serve", flag, text)
    assert result.returncode == 2 and b"set, but empty" in result.stderr


def test_blank_network_of_a_list_is_an_error(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "fastmllp.toml"
    path.write_text("[server]\nallow = [' ']\n")
    assert "' ' does not appear to be" in fails(file=path)
    for blank in ("", " "):
        with pytest.raises(ValueError, match="does not appear to be"):
            AllowList([blank])


@pytest.mark.parametrize("empty", [(), [], set(), iter(())], ids=lambda empty: type(empty).__name__)
def test_list_of_networks_that_is_empty_admits_nobody(empty: Iterable[str]) -> None:
    for make in (
        lambda: AllowList(empty),
        lambda: Server(host="127.0.0.1", port=0, allow=empty),
        lambda: asyncio.run(start_server(host="127.0.0.1", port=0, allow=empty)),
        lambda: SocketLink(None, "127.0.0.1", 0, allow=empty),
    ):
        with pytest.raises(ValueError, match=r"^allow is empty: name the networks, or leave it "):
            make()
    assert AllowList().allows("192.0.2.1") and AllowList(None).allows("192.0.2.1")


@pytest.mark.parametrize("section", ["server", "client"])
def test_empty_host_is_not_every_address(section: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "fastmllp.toml"
    path.write_text(f"[{section}]\nhost = ' '\n")
    assert "host must not be empty" in fails(file=path)
    path.write_text("[metrics]\nmetrics_host = ''\n")
    assert "metrics_host must not be empty" in fails(file=path)
    # The default need not be what was meant, either.
    for variable in ("FASTMLLP_METRICS_HOST", "FASTMLLP_SERVER_HOST"):
        assert variable in fails(environment={variable: ""})


@pytest.mark.parametrize("text", ["::1", ""])
@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("FASTMLLP_ALLOW", "SERVER_ALLOW"),
        ("FASTMLLP_SERVE_ALLOW", "SERVER_ALLOW"),
        ("FASTMLLP_SERVERS_ALLOW", "SERVER_ALLOW"),
        ("FASTMLLP_SERVERALLOW", "SERVER_ALLOW"),
        ("fastmllp_server_allow", "SERVER_ALLOW"),
        ("Fastmllp_Server_Tls_Ca", "SERVER_TLS_CA"),
        ("FASTMLLP_LOGGING_LOG_LEVEL", "LOG_LEVEL"),
    ],
)
def test_variable_of_no_section_is_an_error(variable: str, meant: str, text: str) -> None:
    for sections in (["server"], ["client", "logging"], config.SECTIONS):
        assert fails(sections=sections, environment={variable: text}) == (
            f"{variable}: unknown variable, did you mean FASTMLLP_{meant}?"
        )


def test_variables_of_other_sections_and_programs_are_left_alone() -> None:
    environment = {"FASTMLLP_ENGINE_X": "1", "FASTMLLP_VALUE_X": "1", "FASTMLLPX": "1"}
    environment |= {"FASTMLLP_CLIENT_PORT": "1", "FASTMLLP_METRICS_PORT": "1"}
    assert config.load(["server"], environment=environment).changed("server") == {}


TEXTS = [setting for setting in SETTINGS if isinstance(setting.default, str)]


@pytest.mark.parametrize("setting", TEXTS, ids=lambda setting: setting.variable)
@pytest.mark.parametrize("text", ["a\0b", "a\udcff", "\ud800"])
def test_text_that_no_file_can_hold(setting: Setting, text: str, tmp_path: pathlib.Path) -> None:
    assert fails(environment={setting.variable: text}).startswith(f"{setting.variable}: [")


def test_nul_in_a_settings_file_is_one_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "fastmllp.toml"
    for key in ("host", "save", "tls_certificate", "tls_key", "tls_ca"):
        path.write_text(f'[server]\n{key} = "a\\u0000b"\n')
        result = run_with({}, "serve", "--config", path)
        expected = f"fastmllp serve: {path}: [server] {key} must not hold a NUL character\n"
        assert (result.returncode, result.stderr.decode()) == (2, expected)
    assert "null byte" in fails(file="a\0b")


@pytest.mark.parametrize("data", [b"x = " + b"[" * 100_000, b"a = " + b"{b=" * 100_000])
def test_deeply_nested_file_is_one_line(data: bytes, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "fastmllp.toml"
    path.write_bytes(data)
    result = run_with({}, "config", "--config", path)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.decode() == (
        f"fastmllp config: {path}: arrays or tables are nested too deeply\n"
    )


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbf[server]\r\nport = 2600\r\n", b"[server]\nport=2600"]
)
def test_file_of_another_editor(data: bytes, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "fastmllp.toml"
    path.write_bytes(data)
    assert config.load(file=path, environment={}).section("server")["port"] == 2600


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_file_in_another_encoding(encoding: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "fastmllp.toml"
    path.write_bytes("[server]\nport = 2600\n".encode(encoding))
    assert fails(file=path) == f"{path}: must be in UTF-8, not in UTF-16 or UTF-32"


def test_number_that_is_too_long(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "fastmllp.toml"
    for key in ("port", "timeout"):
        for digits in (400, 4000, 5000):
            path.write_text(f"[server]\n{key} = {'9' * digits}\n")
            assert str(path) in fails(file=path)
            variable = f"FASTMLLP_SERVER_{key.upper()}"
            assert fails(environment={variable: "9" * digits}).startswith(variable)
    for key in ("port", "timeout", "host", "allow", "policy"):
        path.write_text(f"[server]\n{key} = 0x{'f' * 10_000}\n")
        assert str(path) in fails(file=path)


@pytest.mark.parametrize("text", ["\u0663", "1_0", "0x10", "1e2", "", "\uff11", "1 0", "+-1"])
def test_integer_has_the_digits_of_ascii(text: str) -> None:
    if text:
        assert "must be an integer" in fails(environment={"FASTMLLP_SERVER_PORT": text})
    result = run_with({}, "send", "--repeat", text, "-")
    assert result.returncode == 2 and b"is not a number" in result.stderr
    result = run_with({}, "bench", "--address", f"127.0.0.1:{text}")
    assert result.returncode == 2 and b"Traceback" not in result.stderr


@pytest.mark.parametrize("text", ["\u0663", "1_0", "0x10", "1e", ".", "1.5.5"])
def test_number_has_the_digits_of_ascii(text: str) -> None:
    assert "must be a number" in fails(environment={"FASTMLLP_SERVER_TIMEOUT": text})
    result = run_with({}, "bench", "--seconds", text)
    assert result.returncode == 2 and b"is not a number" in result.stderr


def test_numbers_that_are_read() -> None:
    for text, value in [("5", 5.0), (" 5.25 ", 5.25), (".5", 0.5), ("5.", 5.0), ("1e2", 100.0)]:
        settings = config.load(environment={"FASTMLLP_SERVER_TIMEOUT": text})
        assert settings.section("server")["timeout"] == value


@pytest.mark.parametrize(
    "text", ["\x1b[2J\nport = 1", "\u202eabc", "\x9b", "a\u00a0b", "\U000e0001"]
)
def test_every_value_that_is_accepted_is_shown_as_toml(text: str, tmp_path: pathlib.Path) -> None:
    environment = {"FASTMLLP_SERVER_SAVE": text, "FASTMLLP_CLIENT_HOST": text}
    settings = config.load(environment=environment)
    shown = show.toml(settings)
    assert all(line.isprintable() for line in shown.split("\n"))
    read = tomllib.loads(shown)
    assert read["server"]["save"] == text == read["client"]["host"]
    path = tmp_path / "fastmllp.toml"
    path.write_text(shown)
    again = config.load(file=path, environment={})
    assert [e.value for e in again.effective] == [e.value for e in settings.effective]


@pytest.mark.parametrize(
    "text", ['["\\u001b[2J\\n"]\n', '[server]\n"\\u001b]0;x\\u0007" = 1\n', '"\\u202e" = 1\n']
)
def test_keys_of_a_file_cannot_steer_the_terminal(text: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "fast\nmllp\x1b.toml"
    path.write_text(text)
    fails(file=path)
    result = run_with({}, "config", "--config", path)
    assert result.returncode == 2 and result.stderr.count(b"\n") == 1
    assert result.stderr.decode().rstrip("\n").isprintable()


def test_complaints_about_arguments_cannot_steer_the_terminal() -> None:
    for arguments in (["\x1b[2J"], ["serve", "--\x1b[2J\n"], ["peek", "-", "--encoding", "\x1b"]):
        result = run_with({}, *arguments)
        assert result.returncode == 2 and b"\x1b" not in result.stderr


def test_name_of_a_server() -> None:
    assert fails(environment={"FASTMLLP_SERVER_NAME": "a b"}).startswith(
        "FASTMLLP_SERVER_NAME: [server] name must be "
    )
    settings = config.load(environment={"FASTMLLP_SERVER_NAME": "ward-3"})
    assert settings.changed("server") == {"name": "ward-3"}
