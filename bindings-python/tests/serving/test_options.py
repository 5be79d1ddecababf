"""The options of servers are in one place, and everything that takes them follows."""

import ast
import asyncio
import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

import fastmllp
import fastmllp.serving.options
import pytest
from conftest import Serve
from fastmllp.aio import start_server
from fastmllp.config import TABLE, options
from fastmllp.config.options import Options, names_of
from fastmllp.link import Hl7, SocketLink
from fastmllp.server import Server, ServerOptions
from fastmllp.serving.options import (
    AsyncServerKeywords,
    Hl7Keywords,
    Hl7LinkKeywords,
    LinkKeywords,
    ServerKeywords,
)
from peers import Peer, framed, message

PACKAGE = Path(fastmllp.__file__).parent
# What no text of a settings file or of a flag could say, or what the command decides itself.
NO_SETTINGS = {"tls", "executor", "handler_timeout", "idle_timeout", "reuse_port"}
# They are parameters of their own.
PLACE = {"host", "port"}

TAKERS: list[tuple[Callable[..., Any], type]] = [
    (Server, ServerKeywords),
    (fastmllp.serve, ServerKeywords),
    (start_server, AsyncServerKeywords),
    (SocketLink, Hl7LinkKeywords),
    (Hl7, Hl7Keywords),
]


def documented(module: ModuleType, name: str) -> set[str]:
    """The fields of a class that have a docstring."""
    tree = ast.parse(inspect.getsource(module))
    (found,) = (it for it in tree.body if isinstance(it, ast.ClassDef) and it.name == name)
    return {
        field.target.id
        for field, text in zip(found.body, found.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }


def test_each_option_says_what_it_is_for() -> None:
    fields = {field.name for field in dataclasses.fields(ServerOptions)}
    assert documented(fastmllp.serving.options, "ServerOptions") == fields


def test_keywords_are_the_fields() -> None:
    types = get_type_hints(ServerOptions)
    taken: set[str] = set()
    for _, keywords in TAKERS:
        for name, kind in get_type_hints(keywords).items():
            assert types[name] == kind, name
            taken.add(name)
    assert taken == {field.name for field in dataclasses.fields(ServerOptions)} - PLACE


@pytest.mark.parametrize(("taker", "keywords"), TAKERS)
def test_signature_has_every_keyword(taker: Callable[..., Any], keywords: type) -> None:
    """With its type and default, for editors that ask at run time, and for the pages."""
    shown = inspect.signature(taker).parameters
    others = {"max_size": 10 * 2**20, "idle_timeout": 0.0} if taker is SocketLink else {}
    for field in dataclasses.fields(ServerOptions):
        if field.name in names_of(keywords):
            parameter = shown[field.name]
            assert parameter.kind is parameter.KEYWORD_ONLY
            assert parameter.annotation == field.type
            assert parameter.default == others.get(field.name, field.default)
    assert not [it for it in shown.values() if it.kind is it.VAR_KEYWORD]
    assert {"handler", *names_of(keywords)} <= set(shown)


@pytest.mark.parametrize(("taker", "keywords"), TAKERS)
def test_keyword_of_another(taker: Callable[..., Any], keywords: type) -> None:
    fields = {field.name for field in dataclasses.fields(ServerOptions)} - PLACE
    for name in {"wrong", *fields} - names_of(keywords):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            made = taker(handler=None, **{name: None})
            if inspect.iscoroutine(made):
                asyncio.run(made)


def test_settings_of_the_server_are_options() -> None:
    """The same default, bounds and choices, and none is forgotten."""
    rows = {setting.key: setting for setting in TABLE.settings if setting.section == "server"}
    types = get_type_hints(ServerOptions)
    for field in dataclasses.fields(ServerOptions):
        if field.name in NO_SETTINGS:
            continue
        row = rows[field.name]
        assert row.default == (() if field.default is None else field.default), field.name
        assert row.choices == get_args(types[field.name]) or field.name == "allow", field.name
        if row.range is None:
            continue
        for value in (row.range.least, row.range.most):
            assert getattr(ServerOptions(**{field.name: value}), field.name) == value
        if field.name != "max_connections":  # More than fit the table are the caller's business.
            with pytest.raises(ValueError, match=f"^{field.name} must be {row.range.text[:6]}"):
                ServerOptions(**{field.name: row.range.most + 1})
        with pytest.raises(ValueError, match=f"^{field.name} must be "):
            ServerOptions(**{field.name: row.range.least - 1})


def naming(name: str) -> set[str]:
    """The files of the package whose code has that name."""
    return {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Name | ast.arg | ast.keyword)
        if name in (getattr(node, part, "") for part in ("attr", "id", "arg"))
    }


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
        even: int = options.option(2, lambda name, value: value // 2 * 2)
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
