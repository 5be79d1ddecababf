"""`router` and `handler`: the functions of a graph."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias, TypeVar

from fastmllp_engine._native import Send
from fastmllp_engine.graph.checked import Checked
from fastmllp_engine.graph.kinds import Count, Name
from fastmllp_engine.graph.loading import Site, site
from fastmllp_engine.graph.refused import OF_HANDLER

RouterFunction: TypeAlias = Callable[[Any], str | Iterable[str] | None]
"""Gets a message and names handlers; with none the message is UNROUTED. It has to be pure."""

HandlerFunction: TypeAlias = Callable[[Any], Send | Iterable[Send] | None]
"""Gets a message and says what is sent; nothing filters the message out. It has to be pure."""

R = TypeVar("R", bound=RouterFunction)
H = TypeVar("H", bound=HandlerFunction)


class Router(Checked):
    """A function that names the handlers of each message.

    Called `router` in a configuration::

        @router("adt")
        def route(msg):
            return ["to_lab"] if msg["MSH-9.1"] == "ADT" else []
    """

    name: Name = field(kw_only=False)
    function: RouterFunction = field(init=False, compare=False, repr=False)
    runs: RouterFunction | None = field(init=False, default=None, compare=False, repr=False)
    """What is called in its place, if it was written for another engine."""
    names: tuple[str, ...] = field(init=False, default=())
    """The handlers that its code names by texts."""
    is_computed: bool = field(init=False, default=False)
    """Whether it may name others as well."""

    @property
    def subject(self) -> str:
        return f"router {self.name}"

    def __call__(self, function: R) -> R:
        """Declare the function, and leave it as it is."""
        _declare(self, function, site())
        return function


class Handler(Checked):
    """A function that filters and transforms a message, and says what is sent where.

    Called `handler` in a configuration::

        @handler("to_lab", accepts=message_type_of("ADT^A01", "ADT^A08"))
        def handle(msg):
            return Send("OB_LAB", msg)
    """

    name: Name = field(kw_only=False)
    accepts: Callable[[Any], bool] | None = None
    """Says no to messages that do not go to it, as if the router had not named it."""
    capacity_messages: Count | None = None
    """How many messages may wait for it; None: as many as the disk takes."""
    capacity_bytes: Count | None = None
    """How many bytes of them may wait."""
    alert_waiting: Count | None = None
    """How many messages may wait for it before an alert; None: ``[alerts] waiting``."""
    function: HandlerFunction = field(init=False, compare=False, repr=False)
    runs: HandlerFunction | None = field(init=False, default=None, compare=False, repr=False)
    """What is called in its place, if it was written for another engine."""
    sends: tuple[str, ...] = field(init=False, default=())
    """Where its code sends to by texts: outbounds, other handlers and pass-throughs."""
    is_computed: bool = field(init=False, default=False)
    """Whether it may send elsewhere as well."""

    refused: ClassVar[Mapping[str, str]] = OF_HANDLER

    @property
    def subject(self) -> str:
        return f"handler {self.name}"

    def __call__(self, function: H) -> H:
        """Declare the function, and leave it as it is."""
        _declare(self, function, site())
        return function


def _declare(declared: Router | Handler, function: Callable[..., Any], here: Site) -> None:
    object.__setattr__(declared, "function", function)
    if here.loading:
        here.loading.declared.append(declared)


@dataclass(frozen=True)
class MessageTypes:
    """Says whether a message is of one of some types: `message_type_of` makes it."""

    types: tuple[str, ...]

    def __call__(self, message: Any) -> bool:
        """Whether MSH-9 of the message is one of the types."""
        code = message["MSH-9.1"]
        return code in self.types or f"{code}^{message['MSH-9.2']}" in self.types


def message_type_of(*types: str) -> MessageTypes:
    """Accepts messages of some types, for `handler`.

    Args:
        types: Types such as ``ADT^A01``, or ``ADT`` for all of its events.

    Raises:
        ValueError: one of them is not a type.
    """
    for one in types:
        code, _, event = one.partition("^")
        if not code.isalnum() or (not event.isalnum() if "^" in one else False):
            raise ValueError(f'message_type_of: "{one}" is not a type such as "ADT^A01" or "ADT"')
    return MessageTypes(types)


router = Router
handler = Handler
