"""`connections.toml`: connections as data, through the same factories as in Python."""

from collections.abc import Callable, Mapping
from typing import Any

from fastmllp_engine.graph import environment
from fastmllp_engine.graph.connections import Inbound, Outbound
from fastmllp_engine.graph.findings import Place, did_you_mean
from fastmllp_engine.graph.folder import Folder
from fastmllp_engine.graph.kinds import MISSING
from fastmllp_engine.graph.loading import Entry, Loading, reading
from fastmllp_engine.graph.spec import Spec
from fastmllp_engine.graph.toml import Path, TomlError, parse
from fastmllp_engine.graph.transports import NoTransport, Transports

FILE = "connections.toml"

_KINDS: Mapping[str, type[Inbound] | type[Outbound]] = {"inbound": Inbound, "outbound": Outbound}
_CASTS: Mapping[str, Callable[[str], Any]] = {"str": str, "int": int, "float": float, "bool": bool}


def read_toml(folder: Folder, file: str, loading: Loading) -> tuple[Any, dict[Path, int]] | None:
    """A file of the folder; None: there is none, or it is wrong, which is written down."""
    if file not in folder.files:
        return None
    text, finding = folder.text(file)
    if finding:
        loading.findings.append(finding)
        return None
    try:
        return parse(text)
    except TomlError as error:
        loading.error(Place(file, error.line), f"this is not TOML: {error}")
        return None


def declare_connections(folder: Folder, loading: Loading) -> bool:
    """Declare every connection of the file. False: it could not be read."""
    read = read_toml(folder, FILE, loading)
    if read is None:
        return FILE not in folder.files
    tables, lines = read
    transports = Transports()
    for kind, entries in tables.items():
        place = Place(FILE, lines.get((kind,), lines.get((kind, 0), 0)))
        if kind not in _KINDS:
            near = did_you_mean(kind, _KINDS)
            loading.error(place, f'unknown table "{kind}"{near or ": [[inbound]] or [[outbound]]"}')
        elif not isinstance(entries, list) or not all(isinstance(it, dict) for it in entries):
            loading.error(place, f"connections are written as [[{kind}]]")
        else:
            for number, table in enumerate(entries):
                inside = {
                    path[2:]: line for path, line in lines.items() if path[:2] == (kind, number)
                }
                line = inside.get((), place.line)
                _Table(loading, transports, kind, table, Place(FILE, line), inside).declare()
    return True


class _Table:
    """One connection."""

    def __init__(
        self,
        loading: Loading,
        transports: Transports,
        kind: str,
        table: Mapping[str, Any],
        place: Place,
        lines: Mapping[Path, int],
    ) -> None:
        self._loading = loading
        self._transports = transports
        self._kind = _KINDS[kind]
        self._table = table
        self._place = place
        self._places = {".".join(map(str, path)): Place(FILE, line) for path, line in lines.items()}
        name = table.get("name")
        self._subject = f"{kind} {name}" if isinstance(name, str) else kind

    def declare(self) -> None:
        """Make the connection. Whatever is wrong is written down."""
        options = dict(self._table)
        spec = self._spec(options.pop("transport", None), options.pop("settings", {}))
        if "spec" in options:
            self._error("spec", f'unknown key "spec"{did_you_mean("spec", ("settings",))}')
            del options["spec"]
        options = self._values(options, "")
        declare: Any = self._kind
        if self._loading.compat:
            declare = getattr(self._loading.compat, self._kind.__name__.lower())
        with reading(self._entry("")):
            # What is wrong with the settings is written down already.
            declare(spec=MISSING if spec is None else spec, **options)

    def _spec(self, transport: object, settings: object) -> Spec | None:
        if not isinstance(transport, str):
            what = "must be a text" if transport is not None else "is missing"
            self._error("transport", f'the key "transport" {what}')
            return None
        try:
            cls = self._transports.find(transport)
        except NoTransport as error:
            self._error("transport", str(error))
            return None
        if not isinstance(settings, dict):
            self._error("settings", "settings must be a table")
            return None
        values = self._values(settings, "settings.")
        make: Any = cls
        if self._loading.compat and cls.__name__ in self._loading.compat.FACTORIES:
            make = self._loading.compat.spec(cls.__name__)
        with reading(self._entry("settings.")):
            made: Spec = make(**values)
            return made

    def _values(self, table: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        return {key: self._value(value, prefix + key) for key, value in table.items()}

    def _value(self, value: Any, key: str) -> Any:
        """A value with what the environment has in place of each ``{ env = "key" }``."""
        if isinstance(value, list):
            return [self._value(one, key) for one in value]
        if not isinstance(value, dict):
            return value
        if "env" not in value or key == "metadata":
            return {name: self._value(one, f"{key}.{name}") for name, one in value.items()}
        for name in value.keys() - {"env", "default", "cast"}:
            near = did_you_mean(name, ("default", "cast"))
            self._error(key, f'unknown key "{name}" beside env{near}')
        cast = _CASTS.get(value.get("cast", "str"))
        if cast is None:
            names = ", ".join(f'"{one}"' for one in _CASTS)
            self._error(key, f"cast must be one of {names}")
        with reading(self._entry("")):
            default = value.get("default", environment.NOT_GIVEN)
            return environment.read(str(value["env"]), default, cast or str, key)

    def _entry(self, prefix: str) -> Entry:
        places = {
            key.removeprefix(prefix): place
            for key, place in self._places.items()
            if key.startswith(prefix)
        }
        start = self._places.get(prefix.rstrip("."), self._place)
        return Entry(self._loading, self._subject, start, places)

    def _error(self, key: str, text: str) -> None:
        place = self._places.get(key, self._place)
        self._loading.error(place, f"{self._subject}: {text}")
