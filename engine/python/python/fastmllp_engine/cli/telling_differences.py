"""How two configurations differ, as people and programs read it. No value of a message is in it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from fastmllp_engine.comparison import Tally
from fastmllp_engine.comparison.tally import Places, Seen

MAX_PATHS = 8
"""Fields that are listed for one outbound."""
VERDICTS = ("same", "differ", "only_old", "only_new", "not_comparable")


def lines_of(wired: Sequence[str], tally: Tally | None) -> Iterator[str]:
    """The lines of a comparison."""
    yield f"wiring: {'; '.join(wired) or 'the same'}"
    if tally is None:
        return
    by_inbound = ", ".join(f"{name} {count:,}" for name, count in sorted(tally.messages.items()))
    yield f"messages: {tally.total:,}" + (f" ({by_inbound})" if by_inbound else "")
    counts = (f"{it.replace('_', ' ')} {tally.verdicts[it]:,}" for it in VERDICTS)
    yield "  " + "   ".join(counts)
    width = max((len(name) for name in tally.outbounds), default=0)
    for name, places in sorted(tally.outbounds.items()):
        for text in _of_outbound(places):
            yield f"  {name:{width}}  {text}"
    for (where, why), seen in sorted(tally.failures.items()):
        place = "in both" if where == "both" else f"in {where} only"
        yield f"  {seen.count:,} {_fail(seen)} {place}: {why} ({_example(seen)})"
    for why, seen in sorted(tally.not_comparable.items()):
        yield f"  {seen.count:,} not comparable: {why} ({_example(seen)})"


def as_json(wired: Sequence[str], tally: Tally | None) -> dict[str, Any]:
    """The facts of a comparison."""
    said: dict[str, Any] = {"wiring": list(wired), "messages": None}
    if tally is None:
        return said
    said["messages"] = {
        "total": tally.total,
        "by_inbound": dict(sorted(tally.messages.items())),
        **{it: tally.verdicts[it] for it in VERDICTS},
        "outbounds": {name: asdict(it) for name, it in sorted(tally.outbounds.items())},
        "failures": [
            {"where": where, "why": why, **asdict(seen)}
            for (where, why), seen in sorted(tally.failures.items())
        ],
        "reasons": [{"why": why, **asdict(it)} for why, it in sorted(tally.not_comparable.items())],
    }
    return said


def _of_outbound(places: Places) -> Iterator[str]:
    if places.differ:
        paths = sorted(places.paths.items(), key=lambda it: (-it[1].count, it[0]))
        shown = [f"{path} in {it.count:,} ({_example(it)})" for path, it in paths[:MAX_PATHS]]
        more = len(paths) - MAX_PATHS
        end = f"{more} more fields" if more > 0 else "nothing else"
        yield f"{places.differ.count:,} differ: {', '.join([*shown, end])}"
    for what, seen in (("only old", places.only_old), ("new", places.only_new)):
        if seen:
            yield f"{seen.count:,} {what} ({_example(seen)})"


def _fail(seen: Seen) -> str:
    return "fails" if seen.count == 1 else "fail"


def _example(seen: Seen) -> str:
    return f"e.g. {seen.example}"
