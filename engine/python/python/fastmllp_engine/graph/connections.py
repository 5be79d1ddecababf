"""`inbound` and `outbound`: the connections of a graph."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, fields
from typing import Annotated, ClassVar, Literal

from fastmllp_engine._native import reply_code_findings
from fastmllp_engine.graph.checked import Checked
from fastmllp_engine.graph.kinds import (
    Address,
    Between,
    Count,
    Days,
    FieldPath,
    Name,
    Network,
    Seconds,
)
from fastmllp_engine.graph.loading import Site
from fastmllp_engine.graph.options import (
    AckAfter,
    AckMode,
    AckPolicy,
    Closed,
    ContentType,
    OnFull,
    OrderingMode,
    RetryPolicy,
    Then,
)
from fastmllp_engine.graph.refused import OF_BOTH, OF_INBOUND, OF_OUTBOUND
from fastmllp_engine.graph.schedules import Schedule
from fastmllp_engine.graph.spec import Spec

NO_SETTINGS: Mapping[str, object] = {}
OF_RECEIVING = (
    "content_type",
    "ack_mode",
    "ack_policy",
    "ack_after",
    "ack_timeout_seconds",
    "deduplicate",
    "on_full",
    "capacity_messages",
    "capacity_bytes",
    "index",
    "schedule",
    "closed",
    "bodies_days",
    "metadata_days",
    "dead_days",
)
"""Parameters that say nothing of an inbound that handlers send to."""


class Inbound(Checked):
    """A connection that receives, and the router that gets what it receives.

    Called `inbound` in a configuration::

        inbound("IB_ADT", MLLP(port=2575), router="adt", index=["PID-3.1"])
    """

    name: Name = field(kw_only=False)
    spec: Spec = field(kw_only=False)
    router: Name
    """The router of its messages. A router may serve several inbounds."""
    bind_address: Address | None = None
    """Where it listens; without this at ``host`` of the spec, else at ``[intake] bind_address``."""
    source_ip_allowlist: Sequence[Network] = ()
    """Networks that may connect, such as ``10.1.0.0/16``; empty: any peer may."""
    content_type: ContentType | Literal["hl7v2", "json", "xml", "text", "x12", "binary"] = (
        ContentType.HL7V2
    )
    ack_mode: AckMode | Literal["original", "enhanced", "none"] = AckMode.ORIGINAL
    ack_policy: AckPolicy | Literal["always", "conformant"] = AckPolicy.ALWAYS
    ack_after: AckAfter | Literal["ingest", "delivered"] = AckAfter.INGEST
    ack_timeout_seconds: Seconds = 30.0
    """With ``ack_after="delivered"``: how long the answer may take before it is AE."""
    deduplicate: bool = True
    """Whether a message that comes again within a day gets the first one's answer, unrouted."""
    on_full: OnFull | Literal["refuse", "wait"] = OnFull.REFUSE
    capacity_messages: Count | None = None
    """How many messages may wait to be routed; None: as many as the disk takes."""
    capacity_bytes: Count | None = None
    """How many bytes of them may wait."""
    index: Sequence[FieldPath] = ()
    """Fields by whose values messages are found. Control ID and type are indexed anyway."""
    bodies_days: Days | Literal["forever"] | None = None
    """How long the body of a final message stays; None: ``[retention]`` decides."""
    metadata_days: Days | Literal["forever"] | None = None
    """How long its row and its journey stay."""
    dead_days: Days | Literal["forever"] | None = None
    """How long a message that ended in ERROR stays, with its body."""
    schedule: Schedule | None = None
    """When it receives; None: always."""
    closed: Closed | Literal["unreachable", "answer"] = Closed.UNREACHABLE
    """What it does outside of its schedule."""
    alert_waiting: Count | None = None
    """How many messages may wait to be routed before an alert; None: ``[alerts] waiting``."""
    auto_start: bool = True
    """Whether it listens from the start of the engine, or waits for an operator."""
    metadata: Mapping[str, object] = field(default_factory=lambda: NO_SETTINGS)
    """Texts and numbers of your own, shown with the connection."""

    refused: ClassVar[Mapping[str, str]] = {**OF_BOTH, **OF_INBOUND}

    @property
    def subject(self) -> str:
        return f"inbound {self.name}"

    @property
    def encoding(self) -> str:
        """The character set of its messages where they do not name one."""
        return getattr(self.spec, "encoding", "utf-8")

    @property
    def takes_sends(self) -> bool:
        """Whether handlers may send to its name."""
        return getattr(self.spec, "takes_sends", False)

    @property
    def side(self) -> Literal["input", "output"]:
        """Which side of its lane an operator starts and stops.

        Handlers cannot be kept from sending: what they send waits to be routed.
        """
        return "output" if self.takes_sends else "input"

    @property
    def address(self) -> tuple[str, int] | None:
        """Where it listens; None: it does not. Complete in a loaded `Registry` only."""
        if not self.spec.listens:
            return None
        host = self.bind_address or getattr(self.spec, "host", None) or "127.0.0.1"
        return ("127.0.0.1" if host == "localhost" else host, self.spec.port)  # type: ignore[attr-defined]

    def faults(self) -> Iterator[tuple[str, str]]:
        if not self.spec.receives:
            yield "spec", f"{type(self.spec).__name__} cannot receive"
        else:
            for text in self.spec.wanted_of_inbound():
                yield "spec", text
            for text in self.spec.wanted_of_content(self.content_type):
                yield "content_type", text
        if self.bind_address and not self.spec.listens:
            yield "bind_address", f"{type(self.spec).__name__} does not listen"
        if self.source_ip_allowlist and not self.spec.listens:
            yield "source_ip_allowlist", f"{type(self.spec).__name__} does not listen"
        if self.bind_address and getattr(self.spec, "host", None):
            yield "bind_address", "bind_address and host of the spec say the same; give one"
        if self.takes_sends:
            yield from self._faults_of_sends()
        elif self.ack_mode == AckMode.ENHANCED and not self.spec.acknowledges:
            yield "ack_mode", f"{type(self.spec).__name__} acknowledges nothing"
        if self.ack_after == AckAfter.DELIVERED:
            yield from self._faults_of_delivered()
        if self.closed != Closed.UNREACHABLE:
            if self.schedule is None:
                yield "closed", "closed needs a schedule"
            elif not self.spec.acknowledges:
                yield "closed", f"{type(self.spec).__name__} acknowledges nothing"

    def _faults_of_sends(self) -> Iterator[tuple[str, str]]:
        for one in fields(type(self)):
            if one.name in OF_RECEIVING and getattr(self, one.name) != one.default:
                text = "takes what handlers send: this is for what is received from outside"
                yield one.name, f"{type(self.spec).__name__} {text}"

    def _faults_of_delivered(self) -> Iterator[tuple[str, str]]:
        needs = 'ack_after "delivered" needs'
        if self.ack_mode != AckMode.ORIGINAL:
            yield "ack_mode", f'{needs} ack_mode "original"'
        if not self.spec.acknowledges:
            yield "ack_after", f"{type(self.spec).__name__} acknowledges nothing"
        if not self.deduplicate:
            yield "deduplicate", f"{needs} duplicates to be recognised"
        if getattr(self.spec, "commit_blocks", False):
            yield "spec", f"{needs} a spec without commit_blocks"

    def is_declared(self, site: Site) -> None:
        if site.loading:
            site.loading.declared.append(self)


class Outbound(Checked):
    """A connection that sends what handlers send to its name.

    Called `outbound` in a configuration::

        outbound("OB_LAB", MLLP(host="lab", port=2576), ordering="key", key="PID-3.1", window=4)
    """

    name: Name = field(kw_only=False)
    spec: Spec = field(kw_only=False)
    ordering: OrderingMode | Literal["fifo", "key", "unordered"] | None = None
    """Which order is kept; None: ``key`` if there is a key, else ``fifo``."""
    key: FieldPath | None = None
    """The field whose values are the keys of a delivery, such as ``PID-3.1``."""
    also: FieldPath | Sequence[FieldPath] = ()
    """Further fields whose values are keys, such as ``MRG-1.1``."""
    window: Annotated[int, Between(1, 64)] = 1
    """How many deliveries may be without an answer. Above 1 the order on the wire is kept, but a
    refusal may be followed by successes."""
    connections: Annotated[int, Between(1, 64)] = 1
    """Connections to the partner. More than one need a key, or no order."""
    retry: RetryPolicy | None = None
    """When a delivery that failed for now is tried again; None: ``[delivery]`` decides."""
    reply_code_actions: str | None = None
    """What becomes of a delivery for each answer, such as ``:?R=RF,:?E=S,:?A=C``; None: what is
    refused with AR or CR is dead, anything else that is no success is tried again."""
    reply_code_dialect: Literal["iris", "hie"] = "iris"
    """Whose letters these are: in HIE, S is a success."""
    give_up_after_seconds: Seconds | None = None
    """How long a delivery may be the first of its lane; None: for ever."""
    give_up_counts: Literal["always", "connected"] = "always"
    """Whether that time runs while the partner cannot be reached."""
    then: Then | Literal["dead", "held", "stop"] = Then.DEAD
    """What becomes of a delivery that is given up."""
    capacity_messages: Count | None = None
    """How many deliveries may wait; None: as many as the disk takes. What does not fit waits in
    front, and holds up the handlers that send here."""
    capacity_bytes: Count | None = None
    """How many bytes of them may wait."""
    schedule: Schedule | None = None
    """When it sends; None: always. Outside of it deliveries wait in its lane."""
    alert_waiting: Count | None = None
    """How many deliveries may wait before an alert; None: ``[alerts] waiting``."""
    auto_start: bool = True
    """Whether it sends from the start of the engine, or waits for an operator."""
    metadata: Mapping[str, object] = field(default_factory=lambda: NO_SETTINGS)
    """Texts and numbers of your own, shown with the connection."""

    refused: ClassVar[Mapping[str, str]] = {**OF_BOTH, **OF_OUTBOUND}

    @property
    def subject(self) -> str:
        return f"outbound {self.name}"

    @property
    def keys(self) -> tuple[str, ...]:
        """All fields whose values are keys; empty if the order has no keys."""
        also = (self.also,) if isinstance(self.also, str) else tuple(self.also)
        return (self.key, *also) if self.key else ()

    def faults(self) -> Iterator[tuple[str, str]]:
        if not self.spec.sends:
            yield "spec", f"{type(self.spec).__name__} cannot send"
        else:
            for text in self.spec.wanted_of_outbound():
                yield "spec", text
        yield from self._faults_of_reply_codes()
        if self.also and not self.key:
            yield "also", "also needs a key"
        ordering = self.ordering or (OrderingMode.KEY if self.key else OrderingMode.FIFO)
        if ordering == OrderingMode.KEY and not self.key:
            yield "ordering", 'ordering "key" needs a key, such as key = "PID-3.1"'
        if ordering != OrderingMode.KEY and self.key:
            yield "key", f'a key needs ordering "key", not "{ordering}"'
        if self.connections > self.spec.most_connections:
            most = self.spec.most_connections
            yield (
                "connections",
                f"connections must be at most {most} with {type(self.spec).__name__}",
            )
        if ordering == OrderingMode.FIFO and self.connections > 1:
            yield "connections", "more than one connection needs a key, or no order"
        if self.give_up_counts != "always" and self.give_up_after_seconds is None:
            yield "give_up_counts", "give_up_counts needs give_up_after_seconds"

    def _faults_of_reply_codes(self) -> Iterator[tuple[str, str]]:
        if self.reply_code_actions is None:
            return
        fault, _ = reply_code_findings(self.reply_code_actions, self.reply_code_dialect)
        if fault:
            yield "reply_code_actions", f"reply_code_actions: {fault}"
        if not hasattr(self.spec, "reply_rules"):
            text = f"{type(self.spec).__name__} gets no acknowledgments"
            yield "reply_code_actions", f"reply_code_actions: {text}"
        elif getattr(self.spec, "reply_rules", ""):
            text = "reply_rules of the spec decide the same; give one"
            yield "reply_code_actions", f"reply_code_actions: {text}"

    def is_declared(self, site: Site) -> None:
        # One of the two says nothing without the other.
        implied = OrderingMode.KEY if self.key else OrderingMode.FIFO
        if self.ordering is None:
            object.__setattr__(self, "ordering", implied)
        if site.loading:
            site.loading.declared.append(self)
            for text in self._notes_of_reply_codes():
                place = self.place_of("reply_code_actions")
                site.loading.note(place, f"{self.subject}: reply_code_actions: {text}")

    def _notes_of_reply_codes(self) -> list[str]:
        """What of the table is not done as it is written."""
        if not isinstance(self.reply_code_actions, str):
            return []
        if self.reply_code_dialect not in ("iris", "hie"):
            return []
        return reply_code_findings(self.reply_code_actions, self.reply_code_dialect)[1]


inbound = Inbound
outbound = Outbound
