"""A registry as a graph of nodes and arrows, and as text, Mermaid and JSON."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

from fastmllp_engine.graph.connections import Inbound, Outbound
from fastmllp_engine.graph.registry import Registry

Kind = Literal["inbound", "router", "handler", "outbound"]


@dataclass(frozen=True)
class Node:
    """A connection, a router or a handler."""

    id: str
    """``kind:name``: a router may have the name of something else."""
    kind: Kind
    name: str
    about: str
    """Its transport and where that leads, without secrets; empty for functions."""
    is_computed: bool
    """Whether its code also computes names, so that arrows may be missing."""
    place: str


@dataclass(frozen=True)
class Picture:
    """Nodes in the order of kinds and names, and arrows between their ids."""

    nodes: tuple[Node, ...]
    arrows: tuple[tuple[str, str], ...]


def picture(registry: Registry) -> Picture:
    """The nodes and arrows of a graph."""
    nodes: list[Node] = []
    arrows: list[tuple[str, str]] = []
    targets = {name: f"outbound:{name}" for name in registry.outbounds}
    targets |= {name: f"inbound:{name}" for name in registry.inbounds}
    targets |= {name: f"handler:{name}" for name in registry.handlers}
    for inbound in registry.inbounds.values():
        nodes.append(_node("inbound", inbound.name, _about(inbound), False, inbound))
        arrows.append((f"inbound:{inbound.name}", f"router:{inbound.router}"))
    for router in registry.routers.values():
        nodes.append(_node("router", router.name, "", router.is_computed, router))
        arrows += [(f"router:{router.name}", f"handler:{name}") for name in router.names]
    for handler in registry.handlers.values():
        nodes.append(_node("handler", handler.name, "", handler.is_computed, handler))
        arrows += [(f"handler:{handler.name}", targets[name]) for name in handler.sends]
    for outbound in registry.outbounds.values():
        nodes.append(_node("outbound", outbound.name, _about(outbound), False, outbound))
    return Picture(tuple(nodes), tuple(arrows))


def _node(kind: Kind, name: str, about: str, is_computed: bool, declared: object) -> Node:
    return Node(
        f"{kind}:{name}", kind, name, about, is_computed, str(getattr(declared, "place", ""))
    )


def _about(connection: Inbound | Outbound) -> str:
    spec = connection.spec
    address = connection.address if isinstance(connection, Inbound) else None
    where = f"{address[0]}:{address[1]}" if address else spec.summary()
    return f"{spec.transport} {where}".strip()


def as_text(registry: Registry) -> str:
    """The graph as an indented list: each inbound, and below it where its messages go."""
    drawn = picture(registry)
    nodes = {node.id: node for node in drawn.nodes}
    lines: list[str] = []

    def add(at: str, depth: int, way: tuple[str, ...]) -> None:
        node = nodes[at]
        more = " (and names that are computed)" if node.is_computed else ""
        lines.append("  " * depth + f"{node.name}{f'  {node.about}' if node.about else ''}{more}")
        for start, end in drawn.arrows:
            if start == at and end not in way:
                add(end, depth + 1, (*way, end))

    for node in drawn.nodes:
        if node.kind == "inbound":
            add(node.id, 0, (node.id,))
    reached = {end for _, end in drawn.arrows}
    for node in drawn.nodes:
        if node.kind == "outbound" and node.id not in reached:
            add(node.id, 0, (node.id,))
    return "\n".join(lines)


_SHAPES = {
    "inbound": ('(["', '"])'),
    "router": ('{{"', '"}}'),
    "handler": ('["', '"]'),
    "outbound": ('[["', '"]]'),
}


def as_mermaid(registry: Registry) -> str:
    """The graph as a Mermaid flow chart."""
    drawn = picture(registry)
    numbers = {node.id: f"n{number}" for number, node in enumerate(drawn.nodes)}
    lines = ["flowchart LR"]
    for node in drawn.nodes:
        start, end = _SHAPES[node.kind]
        label = "<br>".join(_entity(part) for part in (node.name, node.about) if part)
        lines.append(f"  {numbers[node.id]}{start}{label}{' …' if node.is_computed else ''}{end}")
    lines += [f"  {numbers[start]} --> {numbers[end]}" for start, end in drawn.arrows]
    return "\n".join(lines)


def _entity(label: str) -> str:
    return "".join(one if one.isalnum() or one in " ._-:/" else f"#{ord(one)};" for one in label)


def as_json(registry: Registry) -> str:
    """The graph as JSON: ``nodes`` with id, kind, name and more, and ``arrows`` of two ids."""
    drawn = picture(registry)
    nodes = [asdict(node) for node in drawn.nodes]
    graph = {"hash": registry.hash, "nodes": nodes, "arrows": [list(it) for it in drawn.arrows]}
    return json.dumps(graph, indent=2)
