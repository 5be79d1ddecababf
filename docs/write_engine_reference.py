#!/usr/bin/env python3
"""Writes docs/engine/reference from the code: factories, functions, settings, commands, the table
of MessageFoundry.

`make engine-reference` writes the pages, and a test of the engine's Python package compares them.
"""

import argparse
import ast
import dataclasses
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import fastmllp_engine
from fastmllp_engine import CodeSet, connectors
from fastmllp_engine.cli.main import EXIT_STATUS, parser
from fastmllp_engine.compat.table import Row, rows
from fastmllp_engine.graph import Handler, Inbound, Outbound, RetryPolicy, Router, Settings, kinds
from fastmllp_engine.graph.checked import Checked, parameters
from fastmllp_engine.graph.schedules import ActiveWindow, Schedule

FOLDER = Path(__file__).parent / "engine" / "reference"
NOTE = "<!-- Written by docs/write_engine_reference.py from the code: change that. -->\n"
FUNCTIONS = {"inbound": Inbound, "outbound": Outbound, "router": Router, "handler": Handler}
OPTIONS = {"RetryPolicy": RetryPolicy, "Schedule": Schedule, "ActiveWindow": ActiveWindow}
CALLED = ("env", "code_set", "current_environment", "message_type_of")
NATIVE = ("Message", "Segment", "RawMessage", "Raw", "Send")
SPECS = ("MLLP", "Tcp", "File", "Timer", "Loopback", "PassThrough")
KINDS = {
    "Name": "name",
    "FieldPath": "field, such as PID-3.1",
    "Text": "text",
    "Address": "IP address",
    "Network": "network, such as 10.1.0.0/16",
    "Port": "port",
    "Byte": "byte, 0 to 255",
    "Count": "whole number from 1",
    "Seconds": "seconds, more than 0",
    "Days": "days, 0 to 36,500",
    "bool": "true or false",
    "str": "text",
    "int": "whole number",
    "float": "number",
}


def pages() -> dict[str, str]:
    """The pages by the names of their files."""
    return {
        "factories.md": _factories(),
        "functions.md": _functions(),
        "settings.md": _settings(),
        "commands.md": _commands(),
        "messagefoundry.md": _messagefoundry(),
    }


def _factories() -> str:
    said = [
        "# Factories",
        "What modules call, and with the same keys what `connections.toml` has: a parameter of "
        "`inbound` or `outbound` is a key of its table, one of a connector a key of `settings`. "
        "A key that is not here is an error.",
    ]
    for name, cls in {**FUNCTIONS, **OPTIONS}.items():
        said += _class(name, cls)
    for name in SPECS:
        said += _class(name, getattr(connectors, name))
    return _page(said)


def _settings() -> str:
    said = [
        "# Settings",
        "`engine.toml`. A variable `FASTMLLP_ENGINE_<SECTION>_<KEY>` comes before the file.",
    ]
    for name, (field, _) in parameters(Settings).items():
        said += [f"## `[{name}]`", *_table(_of_factory(field))]
    return _page(said)


def _of_factory(field: dataclasses.Field[Any]) -> type[Checked]:
    cls = field.default_factory
    assert isinstance(cls, type) and issubclass(cls, Checked)
    return cls


def _class(name: str, cls: type[Checked]) -> Iterator[str]:
    yield f"## `{name}`"
    yield from _prose(inspect.getdoc(cls) or "")
    yield from _table(cls)
    refused = {key: text for key, text in cls.refused.items() if key not in parameters(cls)}
    if refused:
        lines = [f"| `{key}` | {_cell(text)} |" for key, text in sorted(refused.items())]
        yield "Other engines have these, and this one has not:"
        yield "\n".join(["| parameter | what to say instead, or why not |", "|---|---|", *lines])


def _prose(text: str) -> Iterator[str]:
    """A docstring: paragraphs, and code after `::`."""
    for part in text.split("\n\n"):
        if part.startswith("    "):
            yield f"```\n{textwrap.dedent(part)}\n```"
        elif not part.startswith("Called `"):
            yield " ".join(part.split()).replace("``", "`").removesuffix(":")


def _table(cls: type[Checked]) -> Iterator[str]:
    known = parameters(cls)
    if not known:
        return
    texts = _texts(cls)
    lines = []
    for name, (field, _) in known.items():
        kind, text = texts.get(name, ("", ""))
        lines.append(f"| `{name}` | {_cell(kind)} | {_cell(_default(field))} | {_cell(text)} |")
    yield "\n".join(["| parameter | what it is | default | |", "|---|---|---|---|", *lines])


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        value = getattr(field.default, "value", field.default)
        return "none" if value is None else f"`{_plain(value)}`"
    if field.default_factory is dataclasses.MISSING:
        return "**needed**"
    of = field.default_factory
    return f"as in `{of.__name__}`" if isinstance(of, type) and issubclass(of, Checked) else "empty"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "()" if value == () else f'"{value}"' if isinstance(value, str) else f"{value}"


def _texts(cls: type[Checked]) -> dict[str, tuple[str, str]]:
    """The annotation of each parameter in words, and what its docstring says."""
    found: dict[str, tuple[str, str]] = {}
    for base in reversed([it for it in cls.__mro__ if issubclass(it, Checked)]):
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(node, ast.ClassDef)
        body = [*node.body, ast.Pass()]
        for one, after in zip(body, body[1:], strict=False):
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
                says = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                text = str(after.value.value) if says else ""  # type: ignore[attr-defined]
                found[one.target.id] = (_words(one.annotation), " ".join(text.split()))
    return found


def _words(annotation: ast.expr) -> str:
    """An annotation in words."""
    match annotation:
        case ast.BinOp(left=left, right=right):
            words = [_words(left), _words(right)]
            kept = [it for it in words if it and it != "none"]
            return " or ".join(dict.fromkeys(kept))
        case ast.Subscript(value=ast.Name(id="Literal"), slice=chosen):
            values = chosen.elts if isinstance(chosen, ast.Tuple) else [chosen]
            return " or ".join(f"`{_plain(ast.literal_eval(it))}`" for it in values)
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[kind, bounds])):
            return f"{_words(kind)}, {_bounds(bounds)}"
        case ast.Subscript(value=ast.Name(id="Sequence"), slice=inner):
            return f"list of {_words(inner)}"
        case ast.Subscript(value=ast.Name(id="Mapping")):
            return "table"
        case ast.Constant(value=None):
            return "none"
        case ast.Name(id=name):
            cls = getattr(inspect.getmodule(Inbound), name, None)
            if isinstance(cls, type) and issubclass(cls, str):
                return ""
            return KINDS.get(name, f"`{name}`")
    return "function" if "Callable" in ast.unparse(annotation) else f"`{ast.unparse(annotation)}`"


def _bounds(bounds: ast.expr) -> str:
    least, most = (it.value for it in (bounds.args if isinstance(bounds, ast.Call) else []))  # type: ignore[attr-defined]
    return f"{least:,} to {most:,}"


def _functions() -> str:
    said = ["# Functions and messages", "What routers and handlers call and get."]
    for name in CALLED:
        function = getattr(fastmllp_engine, name)
        said += _entry("##", f"{name}{_signature(function)}", function.__doc__)
    said += _entry("##", "CodeSet", CodeSet.__doc__)
    translate = _signature(CodeSet.translate).replace("(self, ", "(")
    said += _entry("###", f"translate{translate}", CodeSet.translate.__doc__)
    package = Path(fastmllp_engine.__file__).parent
    stub = ast.parse((package / "_native.pyi").read_text(encoding="utf-8"))
    classes = {it.name: it for it in stub.body if isinstance(it, ast.ClassDef)}
    for name in NATIVE:
        said += _native(classes[name])
    return _page(said)


def _native(node: ast.ClassDef) -> Iterator[str]:
    """A native class: signatures as the stub has them, texts as the module has them."""
    cls = getattr(fastmllp_engine, node.name)
    made = [it for it in node.body if isinstance(it, ast.FunctionDef) and it.name == "__new__"]
    title = _called(node.name, made[0]) if made else node.name
    yield from _entry("##", title.partition(" -> ")[0], cls.__doc__)
    for one in node.body:
        match one:
            case ast.FunctionDef(name=name) if not name.startswith("_"):
                title = _called(name, one)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind):
                title = f"{name}: {_unmarked(ast.unparse(kind))}"
            case _:
                continue
        text = getattr(cls, name).__doc__
        assert text, f"{node.name}.{name} says nothing of itself"
        yield from _entry("###", title, text)


def _called(name: str, of: ast.FunctionDef) -> str:
    arguments = re.sub(r"^(self|cls)(, )?(/, )?", "", ast.unparse(of.args))
    is_value = any(ast.unparse(it) == "property" for it in of.decorator_list)
    result = f" -> {ast.unparse(of.returns)}" if of.returns else ""
    return _unmarked(name + ("" if is_value else f"({arguments})") + result)


def _unmarked(annotation: str) -> str:
    """An annotation without the marks of the stub."""
    return re.sub(r"Final\[(.*)\]", r"\1", annotation).replace("_Bytes", "bytes")


def _signature(function: Callable[..., Any]) -> str:
    text = re.sub(r"<object object at \w+>", "...", str(inspect.signature(function)))
    text = re.sub(r"<class '(\w+)'>", r"\1", text)
    return re.sub(r"\b(?:typing|collections\.abc|fastmllp_engine\.\w+\.\w+)\.", "", text)


def _entry(level: str, title: str, text: str | None) -> Iterator[str]:
    yield f"{level} `{title}`"
    for part in inspect.cleandoc(text or "").split("\n\n"):
        section, *items = part.split("\n")
        if section in ("Args:", "Returns:", "Raises:"):
            if section != "Args:":
                yield section
            joined = re.sub(r"\n {8,}", " ", "\n".join(items))
            yield "\n".join(f"* {_item(it.strip())}" for it in joined.split("\n"))
        else:
            yield from _prose(part)


def _item(text: str) -> str:
    name, colon, rest = text.partition(": ")
    is_name = colon and re.fullmatch(r"[\w*]+", name)
    return (f"`{name}`: {rest}" if is_name else text).replace("``", "`")


def _commands() -> str:
    said = ["# Commands", " ".join(EXIT_STATUS.split()).capitalize() + "."]
    (families,) = (it for it in parser()._actions if isinstance(it, argparse._SubParsersAction))
    for name, command in families.choices.items():
        said.append(f"## `{name}`")
        said += (" ".join(it.split()) for it in (command.description or "").split("\n\n"))
        said.append(f"```\n{_usage(name, command)}\n```")
        said += _arguments(command)
    return _page(said)


def _usage(name: str, command: argparse.ArgumentParser) -> str:
    needed = [it for it in command._actions if not it.option_strings]
    words = [_metavar(it) + (" ..." if it.nargs in ("*", "+", "...") else "") for it in needed]
    return " ".join(["fastmllp-engine", name, "[OPTION ...]", *words])


def _arguments(command: argparse.ArgumentParser) -> Iterator[str]:
    lines = []
    for one in command._actions:
        if "--help" in one.option_strings:
            continue
        flag = ", ".join(one.option_strings)
        named = f"{flag} {_metavar(one)}" if flag and one.nargs != 0 else flag or _metavar(one)
        lines.append(f"| `{named}` | {_cell((one.help or '').replace('%%', '%'))} |")
    yield "\n".join(["| argument | |", "|---|---|", *lines])


def _metavar(one: argparse.Action) -> str:
    if one.choices is not None and one.metavar is None:
        return "{" + ",".join(map(str, one.choices)) + "}"
    return str(one.metavar or one.dest.upper())


def _messagefoundry() -> str:
    said = [
        "# MessageFoundry",
        "What a feed that was written for MessageFoundry finds where `[compat] messagefoundry = "
        "true`: see [](../howto/moving.md). What is refused is an error with its file and line.",
    ]
    titles = {"names": "Names of the package"}
    for section, known in rows().items():
        title = titles.get(section) or (
            f"Settings `[{section.removeprefix('settings.')}]`"
            if section.startswith("settings.")
            else f"`{section}`"
        )
        said += [f"## {title}", _verdicts(known)]
    return _page(said)


def _verdicts(known: Mapping[str, Row]) -> str:
    lines = []
    for row in known.values():
        name = "anything else" if row.key == "*" else f"`{row.key}`"
        text = row.refused or row.differs
        if row.becomes:
            text = f"it is `{row.becomes}`" + (f"; {text}" if text else "")
        lines.append(f"| {name} | {row.verdict} | {_cell(text)} |")
    return "\n".join(["| | | |", "|---|---|---|", *lines])


def _cell(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|").replace("<", "&lt;")


def _page(said: list[str]) -> str:
    return "\n\n".join([NOTE.rstrip(), *said]) + "\n"


def main() -> int:
    """Write what has changed."""
    assert KINDS.keys() - {"bool", "str", "int", "float"} <= vars(kinds).keys()
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"wrote {FOLDER / name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
