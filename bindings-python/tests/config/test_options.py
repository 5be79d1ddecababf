"""The options of servers and of clients are in one place each; all that take them follow."""

import ast
import asyncio
import dataclasses
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import fastmllp
import pytest
from conftest import Serve
from fastmllp.aio import AsyncClient, connect, start_server
from fastmllp.aio import Pool as AsyncPool
from fastmllp.cli.tls import client_options
from fastmllp.client import Client, Pool
from fastmllp.client.options import AsyncClientKeywords, ClientKeywords, ClientOptions
from fastmllp.config import TABLE
from fastmllp.config.options import Options, names_of, option
from fastmllp.link import Hl7, SocketLink
from fastmllp.server import Server
from fastmllp.serving.options import (
    AsyncServerKeywords,
    Hl7Keywords,
    Hl7LinkKeywords,
    LinkKeywords,
    ServerKeywords,
    ServerOptions,
)
from peers import Peer, framed, message

PACKAGE = Path(fastmllp.__file__).parent
# They are parameters of their own.
PLACE = {"host", "port"}
# What no text of a settings file or of a flag could say, or what the command decides itself.
NO_SETTINGS = {
    "server": {"tls", "executor", "handler_timeout", "idle_timeout", "reuse_port"},
    "client": {"strict", "wait_for", "window", "tls", "server_hostname", "back_off"},
}

TAKERS: list[tuple[Callable[..., Any], type, type[Options]]] = [
    (Server, ServerKeywords, ServerOptions),
    (fastmllp.serve, ServerKeywords, ServerOptions),
    (start_server, AsyncServerKeywords, ServerOptions),
    (SocketLink, Hl7LinkKeywords, ServerOptions),
    (Hl7, Hl7Keywords, ServerOptions),
    (Client, ClientKeywords, ClientOptions),
    (Pool, ClientKeywords, ClientOptions),
    (fastmllp.send, ClientKeywords, ClientOptions),
    (AsyncClient, AsyncClientKeywords, ClientOptions),
    (connect, AsyncClientKeywords, ClientOptions),
    (AsyncPool, ClientKeywords, ClientOptions),
]
takers = pytest.mark.parametrize(("taker", "keywords", "kind"), TAKERS)
kinds = pytest.mark.parametrize("kind", [ServerOptions, ClientOptions])
OTHER_DEFAULTS: dict[object, dict[str, Any]] = {
    SocketLink: {"max_size": 10 * 2**20, "idle_timeout": 0.0},
    fastmllp.send: {"wait_for": "accept"},
}
# What a function needs beside its options.
NEEDED: dict[object, dict[str, Any]] = {
    Hl7: {"handler": None},
    fastmllp.send: {"host": "127.0.0.1", "port": 1, "message": b""},
}


def fields_of(kind: type[Options]) -> dict[str, dataclasses.Field[Any]]:
    return {field.name: field for field in dataclasses.fields(kind)}


@kinds
def test_each_option_says_what_it_is_for(kind: type[Options]) -> None:
    """In a text behind its field."""
    source = inspect.getsource(sys.modules[kind.__module__])
    (found,) = (
        it
        for it in ast.parse(source).body
        if isinstance(it, ast.ClassDef) and it.name == kind.__name__
    )
    documented = {
        field.target.id
        for field, text in zip(found.body, found.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }
    assert documented == set(fields_of(kind))


@kinds
def test_keywords_are_the_fields(kind: type[Options]) -> None:
    types = get_type_hints(kind)
    taken: set[str] = set()
    for _, keywords, of in TAKERS:
        for name, hint in get_type_hints(keywords).items() if of is kind else ():
            assert types[name] == hint, name
            taken.add(name)
    assert taken == set(fields_of(kind)) - PLACE


@takers
def test_signature_has_every_keyword(
    taker: Callable[..., Any], keywords: type, kind: type[Options]
) -> None:
    """With its type and default, for editors that ask at run time, and for the pages."""
    shown = inspect.signature(taker).parameters
    for name in names_of(keywords):
        parameter, field = shown[name], fields_of(kind)[name]
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.annotation == field.type
        assert parameter.default == OTHER_DEFAULTS.get(taker, {}).get(name, field.default), name
    assert not [it for it in shown.values() if it.kind is it.VAR_KEYWORD]


@takers
def test_keyword_of_another(taker: Callable[..., Any], keywords: type, kind: type[Options]) -> None:
    for name in {"wrong", *fields_of(kind)} - set(inspect.signature(taker).parameters) - PLACE:
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            made = taker(**NEEDED.get(taker, {}), **{name: None})
            if inspect.iscoroutine(made):
                asyncio.run(made)


@pytest.mark.parametrize(
    ("section", "kind"), [("server", ServerOptions), ("client", ClientOptions)]
)
def test_settings_are_options(section: str, kind: type[Options]) -> None:
    """The same default, bounds and choices, and none is forgotten."""
    rows = {setting.key: setting for setting in TABLE.settings if setting.section == section}
    types = get_type_hints(kind)
    for name, field in fields_of(kind).items():
        if name in NO_SETTINGS[section]:
            continue
        row = rows[name]
        assert row.default == (() if field.default is None else field.default), name
        choices = get_args(types[name]) if get_origin(types[name]) is Literal else ()
        assert row.choices == choices, name
        if row.range is None:
            continue
        for value in (row.range.least, row.range.most):
            assert getattr(kind(**{name: value}), name) == value
        with pytest.raises(ValueError, match=f"^{name} must be "):
            kind(**{name: row.range.least - 1})
        if name == "max_connections":
            continue  # A program may have more than the table allows.
        with pytest.raises(ValueError, match=f"^{name} must be {re.escape(row.range.text)}"):
            kind(**{name: row.range.most + 1})


def naming(name: str) -> set[str]:
    """The files of the package whose code has that name."""
    return {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Name | ast.arg | ast.keyword)
        if name in (getattr(node, part, "") for part in ("attr", "id", "arg"))
    }


def test_a_client_of_the_command_has_every_setting_that_is_an_option() -> None:
    changed = {"timeout": 3.5, "encoding": "latin-1", "max_size": 4711, "scan": "shift_jis"}
    rows = TABLE.load(["client"], environment={}).section("client")
    assert changed.keys() == {
        name for name in rows if name not in PLACE and not name.startswith("tls")
    }, "there is one more: give it another value here than its default"
    options = client_options(rows | changed)
    assert options == changed
    assert Client("127.0.0.1", 1, **options)._settings.scan == "shift_jis"
    secure = client_options(rows | changed | {"tls": True, "tls_server_name": "lab"})
    assert secure.pop("tls") is not None
    assert secure == changed | {"server_hostname": "lab"}


def test_an_option_is_named_where_it_is_used() -> None:
    """So a new one is a change of the options, of its use, and of a test."""
    for name, user in {
        "profile": None,  # The native module.
        "over_limit": None,
        "frame_timeout": None,
        "proxy_protocol": None,
        "max_connections": "serving/sockets/gate.py",
        "local_time": "serving/handler.py",
        "handler_timeout": "aio/service.py",
        "executor": "aio/service.py",
    }.items():
        assert naming(name) <= {"serving/options.py", user}, name
    assert naming("back_off") == {
        "client/options.py",
        "client/settings.py",
        "serving/sockets/back_off.py",
    }


def test_networks_of_an_iterator() -> None:
    """Read once, and there for the next look."""
    given = ServerOptions(allow=iter(["10.1.0.0/16"]))
    assert dataclasses.replace(given, name="again").allow == ("10.1.0.0/16",)
    gate = given.new_gate()
    assert gate.is_allowed("10.1.2.3") and not gate.is_allowed("10.2.2.3")


def test_values_are_kept_as_they_are_checked() -> None:
    given = ServerOptions(timeout=3, port=False)
    assert isinstance(given.timeout, float) and given.port == 0 and type(given.port) is int
    with pytest.raises(dataclasses.FrozenInstanceError):
        given.timeout = 4.0  # type: ignore[misc]


def test_options_of_nobody() -> None:
    """The machinery alone."""

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Few(Options):
        even: int = option(2, lambda name, value: value // 2 * 2)
        plain: str = ""

    class Keywords(ServerKeywords, total=False):
        even: int

    assert Few.of(Keywords, {"even": 5}, plain="x") == Few(even=4, plain="x")

    @Few.shown(Keywords, even=8)
    def take(first: int, **options: Any) -> None: ...

    assert str(inspect.signature(take)) == "(first: int, *, even: int = 8) -> None"


@pytest.mark.parametrize("mode", ["server", "client"])
def test_links_know_what_hl7_knows(mode: Any) -> None:
    for name, wrong in {"policy": "x", "over_limit": "x", "profile": "x", "scan": "x"}.items():
        with pytest.raises(ValueError, match=f"{name} must be"):
            SocketLink(mode=mode, **{name: wrong})
    for name in sorted({"reuse_port", "wrong"}):
        with pytest.raises(TypeError, match=name):
            SocketLink(mode=mode, **{name: True})
    assert names_of(LinkKeywords) | names_of(Hl7Keywords) == names_of(Hl7LinkKeywords)


def test_policy_and_limit_of_everything(serve_all: Serve) -> None:
    """What asks for an accept acknowledgment gets one; what is too large is refused."""
    enhanced = message("A").replace(b"|2.5\r", b"|2.5|||AL|NE\r")
    server = serve_all(policy="conformant", over_limit="refuse", max_size=500)
    with Peer.connect(server.address) as peer:
        peer.send(framed(enhanced))
        assert peer.receive_msa() == ("CA", "A")
        peer.send(framed(message("BIG").ljust(501, b"x")))
        assert peer.receive_msa() == ("AR", "BIG")
        peer.exchange("B")


def test_allow_of_everything(serve_all: Serve) -> None:
    server = serve_all(allow=iter(["192.0.2.0/24"]))
    with Peer.connect(server.address) as peer:
        assert peer.receive_end() == b""


@pytest.mark.parametrize("kind", [AsyncClient, connect, AsyncPool, ClientOptions])
def test_what_the_native_module_checks_is_wrong_at_once(kind: Callable[..., Any]) -> None:
    """Not when the first message is sent."""
    with pytest.raises(ValueError, match="window must be from 1 to 64, not 65"):
        kind(window=65)
    with pytest.raises(ValueError, match="scan must be"):
        kind(scan="x")
