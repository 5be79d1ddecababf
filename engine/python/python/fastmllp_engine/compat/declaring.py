"""Connections of feeds for MessageFoundry: their parameters settled by the table, then ours."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastmllp_engine.compat.table import PACKAGE, REST, row, section
from fastmllp_engine.connectors import MLLP, File, Loopback, PassThrough, Tcp, Timer
from fastmllp_engine.graph import Inbound, Outbound, RetryPolicy, Schedule, Spec
from fastmllp_engine.graph.environment import NOT_GIVEN, read
from fastmllp_engine.graph.findings import did_you_mean
from fastmllp_engine.graph.loading import Site, site

FACTORIES: Mapping[str, type[Spec]] = {
    it.__name__: it for it in (MLLP, Tcp, File, Timer, Loopback, PassThrough)
}


def settle(table: str, subject: str, given: Mapping[str, Any], here: Site) -> dict[str, Any]:
    """Parameters by their names here. What is refused, or differs, is written down.

    Args:
        table: The section of the table that has them.
        subject: What a complaint calls the declaration.
        given: The parameters.
        here: Where they stand.
    """
    known = section(table)
    settled: dict[str, Any] = {}
    for key, value in given.items():
        what = row(table, key)
        if not what.permits(value):
            near = did_you_mean(key, known) if what.key == REST else ""
            here.error(subject, f'{PACKAGE}: the {here.word} "{key}": {what.refused}{near}', key)
        elif here.loading:
            if what.differs:
                place = here.entry.places.get(key, here.at) if here.entry else here.at
                text = f'{subject}: {PACKAGE}: the {here.word} "{key}" differs: {what.differs}'
                here.loading.note(place, text)
            else:
                here.loading.alike.add(f"{table}.{key}")
        if not what.refused and what.becomes != "":
            settled[what.becomes or key] = value
    return settled


def inbound(*given: Any, **named: Any) -> None:
    """Declare an inbound."""
    _declare(Inbound, given, named)


def outbound(*given: Any, **named: Any) -> None:
    """Declare an outbound."""
    _declare(Outbound, given, named)


def _declare(
    cls: type[Inbound] | type[Outbound], given: tuple[Any, ...], named: dict[str, Any]
) -> None:
    here = site()
    if len(given) > 2:
        raise TypeError(f"{cls.__name__.lower()}: parameters after the first 2 need their names")
    named = {**dict(zip(("name", "spec"), given, strict=False)), **named}
    kind = cls.__name__.lower()
    options = settle(kind, f"{kind} {named.get('name', '')}".rstrip(), named, here)
    here.finish()
    options = {key: value for key, value in options.items() if value is not None}
    if named.get("messages_days") == 0:
        # There 0 keeps them, here it deletes them at once.
        options["bodies_days"] = "forever"
    if isinstance(options.get("schedule"), Mapping):
        options["schedule"] = _schedule(options["schedule"], here)
        here.finish()
    if isinstance(options.get("retry"), Mapping):
        options["retry"] = _policy(options["retry"])
    content = options.get("content_type")
    if isinstance(content, str) and content in _CONTENT:
        options["content_type"] = _CONTENT[content]
    cls(**options)


_CONTENT = {"fhir": "json", "dicom": "binary"}


def spec(factory: str) -> Callable[..., Spec]:
    """The factory of a transport, by its name there."""

    def make(**given: Any) -> Spec:
        here = site()
        table = factory if factory in _SECTIONS else REST
        options = settle(table, factory, given, here) if table in _SECTIONS else given
        here.finish()
        return FACTORIES[factory](**{key: it for key, it in options.items() if it is not None})

    make.__name__ = factory
    return make


_SECTIONS = ("MLLP", "Tcp", "File", "Timer")
"""The factories that have parameters."""


def retry_policy(**given: Any) -> RetryPolicy:
    """When a delivery that failed for now is tried again."""
    here = site()
    options = settle("RetryPolicy", "RetryPolicy", given, here)
    here.finish()
    return RetryPolicy(**_policy(options))


def _policy(given: Mapping[str, Any]) -> dict[str, Any]:
    options = dict(given)
    if "max_attempts" in options and options["max_attempts"] is None:
        options["max_attempts"] = "forever"
    multiplier = options.get("backoff_multiplier")
    if isinstance(multiplier, float) and multiplier.is_integer():
        options["backoff_multiplier"] = int(multiplier)
    return options


def active_window(**given: Any) -> dict[str, Any]:
    """A time of the day, for `schedule`."""
    return given


def schedule(**given: Any) -> Schedule:
    """When a connection works."""
    here = site()
    options = _schedule(given, here)
    here.finish()
    return Schedule(**options)


def _schedule(given: Mapping[str, Any], here: Site) -> dict[str, Any]:
    """A schedule whose windows have no time zones, which is that of them all."""
    windows = given.get("windows", ())
    if not isinstance(windows, Sequence) or not all(isinstance(it, Mapping) for it in windows):
        # What is wrong with it is said where schedules are read.
        return dict(given)
    windows = [dict(one) for one in windows]
    own = given.get("timezone", "UTC")
    zones = {one.pop("timezone", own) for one in windows}
    zones |= {own} if "timezone" in given else set()
    if len(zones) > 1:
        here.error("Schedule", f"{PACKAGE}: its windows share one time zone", "schedule")
    return {**given, "windows": windows, "timezone": next(iter(zones), "UTC")}


def env(key: str, *, default: Any = NOT_GIVEN, cast: Callable[[Any], Any] | None = None) -> Any:
    """The value of a key; without a cast as it stands in the file."""
    here = site(declares=False)
    found = here.loading.values.get(key) if here.loading else None
    return read(key, default, cast or (type(found[0]) if found else str))
