"""A registry as SVG: layers from left to right, arrows between them."""

from collections.abc import Mapping
from html import escape

from fastmllp_engine.graph.picture import Node, Picture, picture
from fastmllp_engine.graph.registry import Registry

_WIDE, _HIGH, _GAP_X, _GAP_Y, _EDGE = 190, 44, 80, 16, 20
_FILL = {"inbound": "#dbeafe", "router": "#fef3c7", "handler": "#dcfce7", "outbound": "#ede9fe"}
_SWEEPS = 4
"""How often the rows are put in order by their neighbours."""


def as_svg(registry: Registry) -> str:
    """The graph as an SVG document without scripts, fonts or links."""
    drawn = picture(registry)
    columns = _columns(drawn)
    places = {
        id: (_EDGE + column * (_WIDE + _GAP_X), _EDGE + row * (_HIGH + _GAP_Y))
        for column, ids in enumerate(columns)
        for row, id in enumerate(ids)
    }
    width = 2 * _EDGE + len(columns) * (_WIDE + _GAP_X) - _GAP_X
    height = 2 * _EDGE + max(map(len, columns), default=0) * (_HIGH + _GAP_Y)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="13">',
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#475569"/></marker></defs>',
    ]
    lines += [_arrow(places[start], places[end]) for start, end in drawn.arrows]
    lines += [_box(node, *places[node.id]) for node in drawn.nodes]
    return "\n".join([*lines, "</svg>"])


def _columns(drawn: Picture) -> list[list[str]]:
    """The ids by their layers: each node right of all that lead to it, outbounds last."""
    before: dict[str, list[str]] = {node.id: [] for node in drawn.nodes}
    after: dict[str, list[str]] = {node.id: [] for node in drawn.nodes}
    for start, end in drawn.arrows:
        before[end].append(start)
        after[start].append(end)
    layers: dict[str, int] = {}
    for node in drawn.nodes:
        _layer(node.id, before, layers, ())
    last = max(layers.values(), default=0)
    for node in drawn.nodes:
        if node.kind == "outbound":
            layers[node.id] = last
    columns: list[list[str]] = [[] for _ in range(last + 1)] if layers else []
    for node in drawn.nodes:
        columns[layers[node.id]].append(node.id)
    for sweep in range(_SWEEPS):
        neighbours = after if sweep % 2 else before
        rows = {id: row for ids in columns for row, id in enumerate(ids)}
        for ids in reversed(columns) if sweep % 2 else columns:
            ids.sort(key=lambda id: _middle(neighbours[id], rows, rows[id]))
            rows.update({id: row for row, id in enumerate(ids)})
    return columns


def _layer(
    id: str, before: Mapping[str, list[str]], layers: dict[str, int], way: tuple[str, ...]
) -> int:
    if id not in layers:
        # A pass-through may lead back to where its messages come from: that arrow does not count.
        sources = [it for it in before[id] if it not in way and it != id]
        layers[id] = 1 + max((_layer(it, before, layers, (*way, id)) for it in sources), default=-1)
    return layers[id]


def _middle(neighbours: list[str], rows: Mapping[str, int], row: int) -> float:
    return sum(rows[it] for it in neighbours) / len(neighbours) if neighbours else row


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    x, y = start[0] + _WIDE, start[1] + _HIGH // 2
    to_x, to_y = end[0], end[1] + _HIGH // 2
    bend = max(abs(to_x - x) // 2, 30)
    path = f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
    return f'<path d="{path}" fill="none" stroke="#475569" marker-end="url(#arrow)"/>'


def _box(node: Node, x: int, y: int) -> str:
    dashes = ' stroke-dasharray="4 3"' if node.is_computed else ""
    title = escape(f"{node.kind} {node.name} ({node.place})")
    line = y + (18 if node.about else 27)
    small = 'font-size="11" fill="#475569"'
    about = f'<text x="{x + 10}" y="{y + 34}" {small}>{_cut(node.about, 30)}</text>'
    return (
        f"<g><title>{title}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="6" '
        f'fill="{_FILL[node.kind]}" stroke="#475569"{dashes}/>'
        f'<text x="{x + 10}" y="{line}">{_cut(node.name, 24)}</text>'
        f"{about if node.about else ''}</g>"
    )


def _cut(label: str, most: int) -> str:
    return escape(label if len(label) <= most else f"{label[: most - 1]}…")
