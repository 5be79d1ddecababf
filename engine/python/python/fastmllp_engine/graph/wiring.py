"""How everything is wired: names that lead nowhere, ports that are taken, cycles."""

import ast
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from fastmllp_engine.graph.checked import Checked, changed
from fastmllp_engine.graph.code_sets import unknown
from fastmllp_engine.graph.connections import Inbound, Outbound
from fastmllp_engine.graph.findings import Place, nearest
from fastmllp_engine.graph.functions import Handler, Router
from fastmllp_engine.graph.kinds import MISSING
from fastmllp_engine.graph.literals import Names, Reader, Where
from fastmllp_engine.graph.loading import Loading
from fastmllp_engine.graph.settings import Settings

_TEXTS = re.compile(r"""["']([\w.-]+)["']""")


class Wiring:
    """What was declared, by its names. What is wrong is written down in the load."""

    def __init__(
        self,
        loading: Loading,
        trees: Mapping[str, ast.Module],
        failed: Sequence[bytes],
        settings: Settings,
    ) -> None:
        """Sort the declarations.

        Args:
            loading: The load.
            trees: The code of its modules.
            failed: Files that could not be read to their end. What they may declare is not missed,
                and nothing is called unused, because they may use it.
            settings: Of the engine.
        """
        self._loading = loading
        self._reader = Reader(trees)
        self._settings = settings
        self._is_whole = not failed
        texts = (text.decode("utf-8", "replace") for text in failed)
        self._excused = {name for text in texts for name in _TEXTS.findall(text)}
        self.inbounds: dict[str, Inbound] = {}
        self.outbounds: dict[str, Outbound] = {}
        self.routers: dict[str, Router] = {}
        self.handlers: dict[str, Handler] = {}
        self._meant: set[str] = set()
        """What others may have meant that name something else: it is not called unused."""
        self._names_at: dict[str, Names] = {}

    def check(self) -> None:
        """Look at everything."""
        self._sort()
        self._ports()
        for name, router in self.routers.items():
            self.routers[name] = self._read_router(router)
        for name, handler in self.handlers.items():
            self.handlers[name] = self._read_handler(handler)
        self._unknown_routers()
        if not self.inbounds and self._is_whole:
            self._loading.error(Place(""), "there is no inbound")
        if self._is_whole:
            self._unused()
        self._cycles()

    def _sort(self) -> None:
        """By name. Of several with one name the first in order of the places counts."""
        targets: dict[str, Checked] = {}
        declared = [it for it in self._loading.declared if isinstance(it, Checked)]
        for one in sorted(declared, key=lambda it: it.place):
            name = getattr(one, "name", MISSING)
            if not isinstance(name, str):
                continue
            # A router is never a target: it may have the name of anything else.
            known: dict[str, Checked] = self.routers if isinstance(one, Router) else targets  # type: ignore[assignment]
            if name in known:
                self._twice(one, known[name])
                continue
            known[name] = one
            match one:
                case Inbound():
                    self.inbounds[name] = one
                case Outbound():
                    self.outbounds[name] = one
                case Handler():
                    self.handlers[name] = one

    def _twice(self, one: Checked, first: Checked) -> None:
        at = self._loading.shows(first.place)
        kind = type(first).__name__.lower()
        same = "declared twice" if type(one) is type(first) else f"also the name of {_a(kind)}"
        place = one.place_of("name")
        self._loading.error(place, f"{one.subject}: the name is {same} ({at})")

    def _ports(self) -> None:
        taken: list[tuple[Inbound, str, int]] = []
        for inbound in self.inbounds.values():
            spec = inbound.spec
            if spec is MISSING or not spec.listens:
                continue
            host = inbound.bind_address or getattr(spec, "host", None)
            host = host or self._settings.intake.bind_address
            port = getattr(spec, "port", MISSING)
            if host is MISSING or port is MISSING or port == 0:
                continue
            for other, other_host, other_port in taken:
                if port == other_port and _overlap(host, other_host):
                    at = self._loading.shows(other.spec.place_of("port"))
                    text = f"port {port} is also the port of {other.subject} ({at})"
                    self._loading.error(spec.place_of("port"), f"{inbound.subject}: {text}")
                    break
            taken.append((inbound, host, port))

    def _read_router(self, router: Router) -> Router:
        names = self._reader.returned(router.function)
        for name, where in names.found.items():
            if name not in self.handlers and name not in self._excused:
                near = self._near(name, self.handlers)
                self._loading.error(
                    self._at(where), f'{router.subject} names unknown handler "{name}"{near}'
                )
        self._code_sets(router)
        self._note_computed(router, names, "names handlers by names that are computed")
        return changed(router, names=tuple(sorted(names.found)), is_computed=bool(names.computed))

    def _read_handler(self, handler: Handler) -> Handler:
        names = self._reader.sent_to(handler.function)
        passes = {name for name, it in self.inbounds.items() if it.takes_sends}
        known = {*self.outbounds, *self.handlers, *passes}
        for name, where in names.found.items():
            if name in self.inbounds and name not in passes:
                text = f'sends to "{name}", which is an inbound of another transport'
                self._loading.error(self._at(where), f"{handler.subject} {text}")
            elif name not in known and name not in self._excused:
                near = self._near(name, known) or ", which is not declared"
                self._loading.error(self._at(where), f'{handler.subject} sends to "{name}"{near}')
        self._code_sets(handler)
        self._note_computed(handler, names, "sends to a name that is computed")
        self._names_at[handler.name] = names
        return changed(handler, sends=tuple(sorted(names.found)), is_computed=bool(names.computed))

    def _code_sets(self, declared: Router | Handler) -> None:
        sets = self._loading.code_sets
        for name, where in self._reader.code_sets(declared.function).found.items():
            if name not in sets:
                self._loading.error(self._at(where), f"{declared.subject}: {unknown(name, sets)}")

    def _near(self, name: str, names: Iterable[str]) -> str:
        near = nearest(name, names)
        self._meant.update([near] if near else [])
        return f'; did you mean "{near}"?' if near else ""

    def _note_computed(self, declared: Router | Handler, names: Names, text: str) -> None:
        if names.computed:
            file = names.computed[0]
            inside = file.startswith(str(self._loading.folder))
            place = self._at(names.computed) if inside else declared.place
            self._loading.note(place, f"{declared.subject} {text}")

    def _unknown_routers(self) -> None:
        for inbound in self.inbounds.values():
            name = inbound.router
            if name is not MISSING and name not in self.routers and name not in self._excused:
                near = self._near(name, self.routers)
                text = f'{inbound.subject}: unknown router "{name}"{near}'
                self._loading.error(inbound.place_of("router"), text)

    def _unused(self) -> None:
        """What no message can ever reach. Where names are computed this is not known for sure."""
        used = self._meant | {inbound.router for inbound in self.inbounds.values()}
        for name, router in self.routers.items():
            if name not in used:
                self._loading.error(router.place, f"{router.subject}: no inbound names it")
        sent = self._meant | {to for it in self.handlers.values() for to in it.sends}
        named = {name for router in self.routers.values() for name in router.names}
        sends_anywhere = any(it.is_computed for it in self.handlers.values())
        names_any = any(it.is_computed for it in self.routers.values())
        for name, handler in self.handlers.items():
            if name not in named | sent:
                text = f"{handler.subject}: no router names it, and no handler sends to it"
                self._say(handler.place, text, is_sure=not (sends_anywhere or names_any))
        for name, outbound in self.outbounds.items():
            if name not in sent:
                text = f"{outbound.subject}: no handler sends to it"
                self._say(outbound.place, text, is_sure=False)
        for name, inbound in self.inbounds.items():
            if inbound.takes_sends and name not in sent:
                text = f"{inbound.subject}: no handler sends to it"
                self._say(inbound.place, text, is_sure=False)

    def _say(self, place: Place, text: str, *, is_sure: bool) -> None:
        (self._loading.error if is_sure else self._loading.note)(place, text)

    def _cycles(self) -> None:
        """Handlers whose messages could go round for ever."""
        done: set[str] = set()
        for name in sorted(self.handlers):
            for cycle in self._cycles_from(name, (), done):
                way = " to ".join((*cycle, cycle[0]))
                where = self._names_at[cycle[-1]].found.get(cycle[0])
                place = self._at(where) if where else self.handlers[cycle[-1]].place
                self._loading.error(place, f"handlers send in a circle: {way}")

    def _cycles_from(
        self, name: str, way: tuple[str, ...], done: set[str]
    ) -> Iterator[tuple[str, ...]]:
        if name in way:
            yield way[way.index(name) :]
        elif name in self.handlers and name not in done:
            for target in self._handlers_after(name):
                yield from self._cycles_from(target, (*way, name), done)
            done.add(name)

    def _handlers_after(self, name: str) -> Iterator[str]:
        """Where a handler sends to, on through pass-throughs to the handlers of their routers."""
        for target in self.handlers[name].sends:
            router = (
                self.routers.get(self.inbounds[target].router) if target in self.inbounds else None
            )
            yield from router.names if router else (target,)

    def _at(self, where: Where) -> Place:
        return self._loading.place(*where)


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _overlap(one: str, other: str) -> bool:
    """Whether two addresses cannot have the same port."""
    first, second = (
        ipaddress.ip_address("127.0.0.1" if it == "localhost" else it) for it in (one, other)
    )
    if first.is_unspecified or second.is_unspecified:
        # One socket of IPv6 takes IPv4 as well; the other way round it does not.
        wide = [it for it in (first, second) if it.is_unspecified]
        return first.version == second.version or any(it.version == 6 for it in wide)
    return first == second
