"""The tables, in Markdown."""

from collections.abc import Iterable, Sequence

from measure.budgets import Line
from measure.figures import Figures
from measure.load import ALL, PING_PONG_64, PIPELINES, Shape
from measure.package import MESSAGES, ClientRates, InProcess
from measure.server import ALL_SERVERS, EPOLL, Server

NONE = "-"


def servers(figures: Figures) -> str:
    """Rates, and in parentheses their ratio to the server in C."""
    names = ("", *(shape.name for shape in ALL), "CPU us, 64 ping-pong", "CPU us, 16 x 64")
    names += ("p99 us, 64 ping-pong", "bytes idle")
    return table(names, (server_row(figures, server) for server in ALL_SERVERS))


def server_row(figures: Figures, server: Server) -> Sequence[str]:
    if not server.is_installed:
        return (f"{server.name}: skipped, not installed", *[NONE] * 8)
    if server in figures.failed:
        return (f"{server.name}: failed, see above", *[NONE] * 8)
    ping_pong, pipelines = (
        figures.value(server, shape, lambda load: load.cpu) for shape in (PING_PONG_64, PIPELINES)
    )
    p99 = figures.value(server, PING_PONG_64, lambda load: load.p99)
    memory = figures.memory(server)
    return (
        server.name,
        *(rate(figures, server, shape) for shape in ALL),
        *(number(value) for value in (ping_pong, pipelines, p99, memory)),
    )


def rate(figures: Figures, server: Server, shape: Shape) -> str:
    value, ratio = figures.value(server, shape), figures.ratio(server, EPOLL, shape)
    if value is None:
        return NONE
    shown = f"{value / 1000:,.0f} k/s" if value >= 10_000 else f"{value:,.0f} /s"
    return shown if ratio is None else f"{shown} ({number(ratio)})"


def in_process(measured: InProcess) -> str:
    """Microseconds per message."""
    contestants = (
        ("fastmllp, 64 frames in one call", "batch"),
        ("fastmllp, one frame in one call", "single"),
        ("hand-written, 64 frames", "hand_written"),
        ("python-hl7", "python_hl7"),
    )
    rows = []
    for name, contestant in contestants:
        times = [measured.time(message, contestant) for message in MESSAGES]
        rows.append((name, *map(number, times)))
    return table(("us per message", *MESSAGES), rows)


def client(rates: ClientRates) -> str:
    """Messages per second on one connection, 64 outstanding."""
    ours, generator = (sorted(rates)[len(rates) // 2] for rates in (rates.client, rates.generator))
    return f"client: {ours:,.0f} /s; load generator, same server: {generator:,.0f} /s"


def budgets(lines: Iterable[Line]) -> str:
    rows = [
        (
            line.what,
            line.budget,
            number(line.measured),
            line.verdict,
        )
        for line in lines
    ]
    return table(("line", "budget", "measured", ""), rows)


def number(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---"] + ["--:"] * (len(names) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
