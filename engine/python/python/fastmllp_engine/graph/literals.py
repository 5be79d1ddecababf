"""The names that routers and handlers have in their code, read without running them.

A name counts if it is a text, a constant of a module, a value of a constant table, or a local
variable that is made of those. Functions of the configuration that are called are read as well.
Everything else is computed: it is known only when a message runs.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from fastmllp_engine._native import Send
from fastmllp_engine.graph.code_sets import code_set

Where = tuple[str, int]
"""A file as Python shows it, and a line."""

Node = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_ADDS = frozenset({"append", "add", "insert", "extend", "update"})


@dataclass
class Names:
    """What was found in the code of a function."""

    found: dict[str, Where] = field(default_factory=dict)
    """Each name, and where it first stands."""
    computed: Where | None = None
    """The first place where a name is computed."""

    def add(self, other: "Names") -> None:
        """Take in what was found elsewhere."""
        for name, where in other.found.items():
            self.found.setdefault(name, where)
        self.computed = self.computed or other.computed


class Reader:
    """Reads functions of one load."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self._nodes = {
            (file, _first_line(node)): node
            for file, tree in trees.items()
            for node in ast.walk(tree)
            if isinstance(node, Node)
        }

    def returned(self, function: Callable[..., Any]) -> Names:
        """The names that a router returns."""
        return _Function(self, function, ()).returned()

    def sent_to(self, function: Callable[..., Any]) -> Names:
        """The names that a handler sends to."""
        return _Function(self, function, ()).sent_to()

    def code_sets(self, function: Callable[..., Any]) -> Names:
        """The names of the code sets that a router or handler asks for."""
        return _Function(self, function, ()).code_sets()

    def node(self, function: FunctionType) -> Node | None:
        """The code of a function, if it is of the configuration."""
        code = function.__code__
        return self._nodes.get((code.co_filename, code.co_firstlineno))


def _first_line(node: Node) -> int:
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return min([node.lineno, *(it.lineno for it in decorators)])


class _Function:
    """One function, and those it was called by."""

    def __init__(
        self, reader: Reader, function: Callable[..., Any], callers: tuple[Node, ...]
    ) -> None:
        plain = function
        while hasattr(plain, "__wrapped__"):
            plain = plain.__wrapped__
        self._reader = reader
        self._callers = callers
        self._globals: Mapping[str, Any] = getattr(plain, "__globals__", {})
        code = getattr(plain, "__code__", None)
        self._file = code.co_filename if code else "?"
        self._line = code.co_firstlineno if code else 0
        self.node = reader.node(plain) if isinstance(plain, FunctionType) else None
        closure = getattr(plain, "__closure__", None) or ()
        free = code.co_freevars if code else ()
        self._closed = {name: _cell(cell) for name, cell in zip(free, closure, strict=True)}
        self._local = dict(_bindings(self.node)) if self.node else {}
        self._reading: set[str] = set()

    def returned(self) -> Names:
        """What it returns or yields."""
        if self.node is None or self.node in self._callers:
            return self._unread()
        names = Names()
        if isinstance(self.node, ast.Lambda):
            return self._texts(self.node.body)
        for node in _inside(self.node):
            if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)) and node.value:
                names.add(self._texts(node.value))
        return names

    def sent_to(self) -> Names:
        """The targets of each `Send`, its own and those of the functions it calls."""
        if self.node is None or self.node in self._callers:
            return self._unread()
        names = Names()
        sends = False
        for node in ast.walk(self.node):
            if not isinstance(node, ast.Call):
                continue
            called = self._value(node.func)
            if called is Send or getattr(called, "is_send", False) is True:
                to = _argument(node, "to")
                names.add(self._texts(to) if to else self._computed(node))
                sends = True
            elif self._is_ours(called):
                inner = self._called(called).sent_to()
                names.add(inner)
                sends = sends or bool(inner.found or inner.computed)
        # What a function returns that is called on the way may be anything, such as a text.
        if not sends and not self._callers and self._returns_something():
            names.add(self._computed(None))
        return names

    def code_sets(self) -> Names:
        """The names that it asks `code_set` for, its own and those of the functions it calls."""
        names = Names()
        if self.node is None or self.node in self._callers:
            return names
        for node in ast.walk(self.node):
            if not isinstance(node, ast.Call):
                continue
            called = self._value(node.func)
            name = _argument(node, "name")
            if called is code_set and name:
                names.add(self._texts(name))
            elif self._is_ours(called):
                names.add(self._called(called).code_sets())
        return names

    def _unread(self) -> Names:
        # One that calls itself adds nothing to what is read of it already.
        return Names() if self.node else self._computed(None)

    def _returns_something(self) -> bool:
        if isinstance(self.node, ast.Lambda):
            return not _is_none(self.node.body)
        returns = (it for it in _inside(self.node) if isinstance(it, (ast.Return, ast.Yield)))
        return any(it.value and not _is_none(it.value) for it in returns) if self.node else True

    def _texts(self, node: ast.expr) -> Names:
        """The names that an expression may be."""
        match node:
            case ast.Constant(value=str(name)):
                return Names({name: (self._file, node.lineno)})
            case ast.Constant(value=None):
                return Names()
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return self._all(parts)
            case ast.IfExp(body=one, orelse=other):
                return self._all([one, other])
            case ast.BoolOp(values=parts):
                return self._all(parts)
            case ast.BinOp(left=one, op=ast.Add() | ast.BitOr(), right=other):
                # Lists are put together; a text is part of a name.
                if not any(isinstance(it, (ast.Constant, ast.JoinedStr)) for it in (one, other)):
                    return self._all([one, other])
            case ast.Starred(value=inner) | ast.NamedExpr(value=inner):
                return self._texts(inner)
            case ast.ListComp(elt=one) | ast.SetComp(elt=one) | ast.GeneratorExp(elt=one):
                return self._texts(one)
            case ast.Name(id=name) if name in self._local:
                return self._variable(name, node)
            case ast.Subscript(value=table):
                return self._table(table, [])
            case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, *other]):
                return self._table(table, other)
            case ast.Call(func=ast.Name(id="list" | "tuple" | "set" | "sorted"), args=parts):
                return self._all(parts[:1])
            case ast.Call(func=called) if self._is_ours(self._value(called)):
                return self._called(self._value(called)).returned()
        return self._constant(self._value(node), node)

    def _all(self, parts: Iterable[ast.expr]) -> Names:
        names = Names()
        for part in parts:
            names.add(self._texts(part))
        return names

    def _variable(self, name: str, node: ast.expr) -> Names:
        """Everything that a local variable is given."""
        if name in self._reading:
            return Names()
        self._reading.add(name)
        names = Names()
        for value in self._local[name]:
            names.add(self._texts(value) if value else self._computed(node))
        self._reading.discard(name)
        return names

    def _table(self, table: ast.expr, other: list[ast.expr]) -> Names:
        names = self._all(other)
        value = self._value(table)
        if isinstance(value, Mapping):
            for one in value.values():
                names.add(self._constant(one, table))
        else:
            names.add(self._constant(value, table))
        return names

    def _constant(self, value: object, node: ast.expr) -> Names:
        where = (self._file, node.lineno)
        if isinstance(value, str):
            return Names({str(value): where})
        is_many = isinstance(value, (list, tuple, set, frozenset))
        if is_many and all(isinstance(one, str) for one in value):  # type: ignore[attr-defined]
            return Names(dict.fromkeys(map(str, value), where))  # type: ignore[call-overload]
        return Names() if value is None and _is_none(node) else self._computed(node)

    def _value(self, node: ast.expr) -> object:
        """What a name stands for that the module has, or a module that it has imported."""
        match node:
            case ast.Name(id=name) if name not in self._local:
                return self._closed.get(name, self._globals.get(name))
            case ast.Attribute(value=owner, attr=name):
                return getattr(self._value(owner), name, None)
        return None

    def _is_ours(self, value: object) -> bool:
        return isinstance(value, FunctionType) and self._reader.node(value) is not None

    def _called(self, function: object) -> "_Function":
        assert isinstance(function, FunctionType) and self.node is not None
        return _Function(self._reader, function, (*self._callers, self.node))

    def _computed(self, node: ast.expr | None) -> Names:
        return Names({}, (self._file, node.lineno if node else self._line))


def _argument(call: ast.Call, name: str) -> ast.expr | None:
    """The first argument of a call, which may be given by its name."""
    given = call.args[:1] or [it.value for it in call.keywords if it.arg == name]
    return given[0] if given else None


def _is_none(node: ast.expr) -> bool:
    is_empty = isinstance(node, (ast.List, ast.Tuple)) and not node.elts
    return is_empty or isinstance(node, ast.Constant) and node.value is None


def _cell(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _inside(node: ast.AST | None) -> Iterator[ast.AST]:
    """The nodes of a function without those of the functions in it."""
    for child in ast.iter_child_nodes(node) if node else ():
        yield child
        if not isinstance(child, (*_FUNCTIONS, ast.ClassDef)):
            yield from _inside(child)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _bindings(node: Node) -> Iterator[tuple[str, list[ast.expr | None]]]:
    """What each local variable may be; None stands for something that is not read."""
    found: dict[str, list[ast.expr | None]] = {}
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [one for one in (arguments.vararg, arguments.kwarg) if one]
    for argument in every:
        found[argument.arg] = [None]
    for inner in ast.walk(node):
        match inner:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    for name in _targets(target):
                        is_plain = isinstance(target, ast.Name)
                        found.setdefault(name, []).append(value if is_plain else None)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found.setdefault(name, []).append(value)
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                found.setdefault(name, []).append(value)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                found.setdefault(name, []).append(value)
            case (
                ast.For(target=target, iter=source) | ast.comprehension(target=target, iter=source)
            ):
                for name in _targets(target):
                    is_plain = isinstance(target, ast.Name)
                    found.setdefault(name, []).append(source if is_plain else None)
            case ast.With(items=items):
                for item in items:
                    for name in _targets(item.optional_vars):
                        found.setdefault(name, []).append(None)
    for inner in ast.walk(node):
        match inner:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=verb), args=[*_, value]):
                if verb in _ADDS and name in found:
                    found[name].append(value)
    yield from found.items()


def _targets(node: ast.expr | None) -> Iterator[str]:
    for inner in ast.walk(node) if node else ():
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
