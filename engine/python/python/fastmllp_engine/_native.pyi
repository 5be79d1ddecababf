"""The native module: the engine, with Python's types around it. See `engine/python/src`.

Times of the wall clock are milliseconds since 1970 in UTC, other times seconds unless a name says
milliseconds. No call of an `Engine` holds the interpreter while it waits.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import (
    Any,
    Final,
    Literal,
    Protocol,
    TypeAlias,
    TypedDict,
    Unpack,
    final,
    type_check_only,
)
from xml.etree.ElementTree import Element

__all__ = [
    "Answer",
    "Backup",
    "BackupMade",
    "Builder",
    "CharacterSetError",
    "Connector",
    "Delivery",
    "DeliveryEnd",
    "Engine",
    "EngineError",
    "Found",
    "Functions",
    "GivenUp",
    "Hours",
    "JobReport",
    "Journey",
    "JourneyEvent",
    "LaneState",
    "Message",
    "MessageError",
    "MessageRecord",
    "NotStored",
    "Offline",
    "PathError",
    "Raw",
    "RawMessage",
    "Receipt",
    "Segment",
    "Send",
    "Setting",
    "Status",
    "StoreState",
    "Submitted",
    "Verified",
    "Why",
    "Worker",
    "back_up",
    "differences",
    "log_line",
    "log_to_stderr",
    "reply_code_findings",
    "restore_check",
    "schedule_fault",
    "verify",
]

# A method has the name of the type.
_Bytes: TypeAlias = bytes

_Stage: TypeAlias = Literal["ingress", "routed", "outbound"]
_Side: TypeAlias = Literal["input", "output"]
_Flow: TypeAlias = Literal["on", "paused", "stopped"]
_Which: TypeAlias = Literal["dead", "held", "past", "messages"]
_Place: TypeAlias = tuple[int, int, int]

class EngineError(Exception):
    """The engine did not start, has ended, or refuses what is asked of it. No payload is in it."""

    exit_status: int
    """Of a program that ends because of it: 2 the graph is refused, 3 an address cannot be had, 4
    the store is refused, 5 a sync failed, 1 anything else."""
    faults: list[str]
    """Every fault of a graph that is refused; empty otherwise."""

@type_check_only
class InboundOptions(TypedDict, total=False):
    """What is not given, or None, is as the engine has it: see `mllp_io::ListenerOptions`."""

    profile: Literal["permissive", "resync", "strict"] | None
    framing: tuple[int, int, int | None] | None
    any_content: bool | None
    max_message_bytes: int | None
    over_limit: Literal["refuse", "close"] | None
    ack_mode: Literal["original", "enhanced", "none"] | None
    ack_after_delivery_seconds: float | None
    policy: Literal["always", "conformant"] | None
    commit_blocks: bool | None
    max_connections: int | None
    allow: list[str] | None
    idle_timeout_seconds: float | None
    byte_timeout_seconds: float | None
    frame_timeout_seconds: float | None
    send_timeout_seconds: float | None
    trailer_timeout_seconds: float | None
    stop_timeout_seconds: float | None
    handshake_timeout_seconds: float | None
    keep_alive_seconds: float | None
    deduplicate: bool | None
    on_full: Literal["refuse", "wait"] | None
    index: list[str] | None
    keep_days: tuple[int | None, int | None, int | None] | None
    tls_certificate: str | os.PathLike[str] | None
    tls_key: str | os.PathLike[str] | None
    tls_client_authorities: str | os.PathLike[str] | None
    tls_client_required: bool | None
    tls_min_version: Literal["1.2", "1.3"] | None

@type_check_only
class OutboundOptions(TypedDict, total=False):
    """What is not given, or None, is as the engine has it: see `mllp_io::SenderOptions`."""

    window: int | None
    ordering: Literal["fifo", "key", "unordered"] | None
    key: list[str] | None
    connections: int | None
    profile: Literal["permissive", "resync", "strict"] | None
    framing: tuple[int, int, int | None] | None
    any_content: bool | None
    expects_reply: bool | None
    scan: Literal["single_byte", "shift_jis", "gb18030", "iso2022_jp", "auto"] | None
    rules: str | None
    reply_code_actions: str | None
    reply_code_dialect: Literal["iris", "hie"] | None
    max_reply_bytes: int | None
    connect_timeout_seconds: float | None
    send_timeout_seconds: float | None
    reply_timeout_seconds: float | None
    trailer_timeout_seconds: float | None
    reconnect_seconds: float | None
    max_reconnect_seconds: float | None
    keep_alive_seconds: float | None
    max_attempts: int | None
    retry_forever: bool | None
    backoff_seconds: float | None
    backoff_multiplier: int | None
    max_backoff_seconds: float | None
    give_up_after_seconds: float | None
    give_up_only_connected: bool | None
    then: Literal["dead", "hold", "stop"] | None
    tls_authorities: str | os.PathLike[str] | None
    tls_server_name: str | None
    tls_certificate: str | os.PathLike[str] | None
    tls_key: str | os.PathLike[str] | None
    tls_min_version: Literal["1.2", "1.3"] | None

@type_check_only
class ConnectorInboundOptions(TypedDict, total=False):
    """What is not given, or None, is as the engine has it."""

    timeout_seconds: float | None
    stop_timeout_seconds: float | None
    hl7: bool | None
    max_message_bytes: int | None
    ack_after_delivery_seconds: float | None
    deduplicate: bool | None
    on_full: Literal["refuse", "wait"] | None
    index: list[str] | None
    keep_days: tuple[int | None, int | None, int | None] | None

@type_check_only
class ConnectorOutboundOptions(TypedDict, total=False):
    """What is not given, or None, is as the engine has it."""

    timeout_seconds: float | None
    stop_timeout_seconds: float | None
    window: int | None
    ordering: Literal["fifo", "key", "unordered"] | None
    key: list[str] | None
    max_attempts: int | None
    retry_forever: bool | None
    backoff_seconds: float | None
    backoff_multiplier: int | None
    max_backoff_seconds: float | None
    give_up_after_seconds: float | None
    give_up_only_connected: bool | None
    then: Literal["dead", "hold", "stop"] | None

@final
class Builder:
    """A graph, and where its store is. What is wrong with it is said by `start`, all at once."""

    def __new__(cls, data: str | os.PathLike[str]) -> Builder: ...
    def inbound(
        self, name: str, address: str, router: str, **options: Unpack[InboundOptions]
    ) -> None:
        """Listens at `address`, such as `127.0.0.1:2575`; port 0 takes a free one."""

    def pass_through(self, name: str, router: str) -> None:
        """An inbound that handlers send to by its name, and nothing else."""

    def functions_in_threads(self, functions: Functions, inbound: str) -> None:
        """Runs all functions in threads of the engine. A thread is not told by which inbound a
        message came: this one stands for all."""

    def router_in_worker(self, name: str) -> None:
        """A router of this name that the program of the workers has."""

    def handler_in_worker(self, name: str) -> None:
        """A handler of this name that the program of the workers has."""

    def worker_program(
        self,
        program: str | os.PathLike[str],
        arguments: list[str],
        *,
        processes: int | None = None,
        handler_timeout_seconds: float | None = None,
    ) -> None:
        """The program whose processes run the routers and handlers that are in workers, how many
        run, and how long a function may take for one message."""

    def outbound(self, name: str, host: str, port: int, **options: Unpack[OutboundOptions]) -> None:
        """Delivers to a partner, in order, one message at a time."""

    def inbound_by(
        self,
        name: str,
        router: str,
        program: str | os.PathLike[str],
        arguments: list[str],
        **options: Unpack[ConnectorInboundOptions],
    ) -> None:
        """Takes what a process of this program submits; see `Connector`. Between two parts of a
        message the process may be silent for `timeout_seconds` (60), and it has
        `stop_timeout_seconds` (10) to end; then it is killed."""

    def outbound_by(
        self,
        name: str,
        program: str | os.PathLike[str],
        arguments: list[str],
        **options: Unpack[ConnectorOutboundOptions],
    ) -> None:
        """Has a process of this program deliver; see `Connector`. A delivery may take
        `timeout_seconds` (60). Then the process is killed, and its deliveries have got no reply."""

    def capacity(self, name: str, *, depth: int = ..., bytes: int = ...) -> None:
        """How much may wait in the lane of this inbound, handler or outbound. Without it there is
        no limit."""

    def schedule(
        self,
        name: str,
        windows: list[tuple[str, str, str]],
        timezone: str,
        *,
        invert: bool = False,
        answers: bool = False,
    ) -> None:
        """When the last inbound or outbound, which has this name, works: days, start and end of
        each window. With `answers` an inbound answers AE outside of it instead of not listening."""

    def retention(
        self, *, bodies: int | None = 30, metadata: int | None = 400, dead: int | None = 90
    ) -> None:
        """Days that final messages stay; None: for ever."""

    def configuration(self, name: str) -> None:
        """What this configuration is called, such as the hash of its files."""

    def min_free(self, bytes: int) -> None:
        """Bytes of the disk that are kept free for deliveries."""

    def stalled_after(self, seconds: float) -> None:
        """How long a lane may have work and get nothing done before it is called stalled."""

    def start(self) -> Engine:
        """Opens the store, listens, dials, and goes on where the last life has ended. Raises
        `EngineError`: nothing was started, and the store is as it was."""

@final
class Engine:
    """A running engine. Every call raises `EngineError` once it was stopped or its store has
    ended."""

    def address(self, inbound: str) -> tuple[str, int] | None:
        """Where an inbound listens."""

    def status(self) -> Status:
        """How everything stands now."""

    def certificates(self) -> list[Certificate]:
        """The certificates in use: what inbounds show that listen, and of outbounds what they have
        read and been shown when they connected last."""

    def metrics(self) -> str:
        """Counters since the start, and how lanes stand: OpenMetrics text."""

    def journey(self, message: int) -> Journey | None:
        """What has happened to a message, from the store; None: there is none."""

    def expired(self, message: int) -> int | None:
        """When retention has deleted a message; None: it is there, or there never was one."""

    def expired_control_id(self, control_id: str) -> int | None:
        """When retention has deleted the newest message with this MSH-10 that is gone; None: it is
        not known that there was one."""

    def why(self, message: int) -> Why | None:
        """Why a message is not yet delivered, or what became of it; None: there is none."""

    def traces(self, message: int) -> list[tuple[str, str]]:
        """Where functions have failed on a message in this life of the engine: each router or
        handler, and the lines of its code, without anything that the message holds."""

    def payload(self, message: int) -> bytes | None:
        """The bytes as they were received: patients' data. None: there is no such message, or they
        have expired."""

    def search(
        self,
        *,
        control_id: str | None = None,
        message_type: str | None = None,
        fields: list[tuple[str, str]] = ...,
        received: tuple[int, int] | None = None,
        connection: str | None = None,
        disposition: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Found:
        """Messages below `before`, newest first. A call is bounded and may find nothing though
        there is more: `next` says where to go on."""

    def dead(
        self, outbound: str | None = None, after: _Place | None = None, limit: int = 100
    ) -> list[GivenUp]:
        """Dead deliveries of one outbound or of all, in the order of acceptance, after a place."""

    def held(
        self, outbound: str | None = None, after: _Place | None = None, limit: int = 100
    ) -> list[GivenUp]:
        """Held deliveries, as for `dead`."""

    def retention_doubt(self) -> Literal["jumped", "long_away"] | None:
        """Why nothing is deleted any more though it has expired, if that is so."""

    def confirm_retention(self) -> None:
        """Says that the clock is right: what has expired is deleted again."""

    def verify(self) -> Verified | None:
        """Proves from the store that nothing is lost. None: the store is a database with its own
        means."""

    def back_up(self, to: str | os.PathLike[str]) -> Backup:
        """Begins a backup of the store and of what else is in the data folder. Raises
        `EngineError`: there is something of this name, or not enough room."""

    def has_ended(self) -> bool:
        """Whether the store has come to its end, and the engine with it: `stop` tells why."""

    def switch(
        self, stage: _Stage, name: str, side: _Side, flow: _Flow, *, by: str, because: str = ""
    ) -> None:
        """Starts, pauses or stops one side of a lane, also across restarts. Durable when it
        returns."""

    def retry_now(self, stage: _Stage, name: str) -> None:
        """Forgets the wait of the head of a lane: it is tried again now."""

    def hold_head(self, outbound: str, *, by: str, because: str = "") -> None:
        """Takes the head out of the lane of an outbound and holds it for an operator."""

    def cancel_head(self, outbound: str, *, by: str, because: str = "") -> None:
        """Takes the head out of the lane of an outbound for good: its message ends in ERROR."""

    def replay(
        self,
        which: _Which,
        *,
        key: str,
        by: str,
        because: str = "",
        outbound: str | None = None,
        messages: list[int] = ...,
        failure: str | None = None,
        to_outbound: str | None = None,
    ) -> JobReport:
        """Sends deliveries or messages again, appended in the order of acceptance; once for each
        key."""

    def preview(
        self,
        which: _Which,
        *,
        outbound: str | None = None,
        messages: list[int] = ...,
        failure: str | None = None,
        to_outbound: str | None = None,
    ) -> JobReport:
        """What `replay` would report now. Nothing is sent."""

    def release(
        self,
        *,
        key: str,
        by: str,
        because: str = "",
        outbound: str | None = None,
        messages: list[int] = ...,
    ) -> JobReport:
        """Appends held deliveries to their lanes again, in the order of acceptance."""

    def cancel(
        self,
        *,
        key: str,
        by: str,
        because: str = "",
        outbound: str | None = None,
        messages: list[int] = ...,
    ) -> JobReport:
        """Ends held deliveries as failed: their messages end in ERROR."""

    def move_lane(self, stage: _Stage, old: str, new: str, *, by: str, because: str = "") -> int:
        """Appends what a lane has left that is no longer configured to one that is; returns how
        many."""

    def cancel_lane(self, stage: _Stage, old: str, *, by: str, because: str = "") -> int:
        """Ends what a lane has left that is no longer configured; returns how many."""

    def reload_tls(self, inbound: str) -> None:
        """Reads the TLS files of an inbound again, for connections from now on."""

    def reload(
        self,
        builder: Builder,
        leaving: list[tuple[_Stage, str, str | None]],
        deadline_seconds: float,
        *,
        by: str,
        because: str = "",
    ) -> tuple[int, int]:
        """Goes on with another graph: the listening sockets stay, each connection is closed once
        what came on it is answered. Raises `EngineError`: the old graph goes on, unless the store
        has come to its end. A lane that vanishes and holds something refuses it, unless it is
        `leaving`: then another lane gets what it holds, or with None its messages end in ERROR.
        That is one commit, before anything of the new graph reads, sends or runs. Returns how many
        were moved and how many were cancelled."""

    def stop(self, deadline_seconds: float) -> None:
        """Accepts nothing new, answers what was received, and closes the store. Raises
        `EngineError`: the deadline came first, and what is left goes on at the next start, or the
        store has ended."""

@final
class Status:
    """How an engine stands at one moment."""

    @property
    def lanes(self) -> list[LaneState]: ...
    @property
    def store(self) -> StoreState: ...
    @property
    def waiting(self) -> int:
        """Messages that were received and are not committed."""

    @property
    def is_idle(self) -> bool: ...

@final
class Hours:
    """What the schedule of a connection says."""

    @property
    def is_open(self) -> bool: ...
    @property
    def until(self) -> int | None:
        """When that changes; None: never."""

@type_check_only
@final
class Certificate:
    """A certificate that is in use."""

    @property
    def connection(self) -> str: ...
    @property
    def stage(self) -> Literal["ingress", "outbound"]: ...
    @property
    def whose(self) -> Literal["own", "partner"]:
        """Of a partner: what it has shown when the outbound connected last."""

    @property
    def valid_until(self) -> int:
        """Milliseconds since 1970 in UTC. Of a chain it is the certificate that ends first."""

@final
class LaneState:
    """How one lane stands."""

    @property
    def name(self) -> str: ...
    @property
    def stage(self) -> _Stage: ...
    @property
    def depth(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def is_full(self) -> bool: ...
    @property
    def head(self) -> int | None: ...
    @property
    def attempt(self) -> int: ...
    @property
    def due_in(self) -> int:
        """Milliseconds until the head is tried again; 0: it does not wait."""

    @property
    def ready(self) -> bool: ...
    @property
    def lost(self) -> str | None: ...
    @property
    def stalled_for(self) -> int:
        """Milliseconds that it has had work and got nothing done, if that is too long; 0: it is not
        stalled."""

    @property
    def in_flight(self) -> int: ...
    @property
    def keeps_order(self) -> bool: ...
    @property
    def input(self) -> Setting | None: ...
    @property
    def output(self) -> Setting | None: ...
    @property
    def hours(self) -> Hours | None:
        """What its schedule says; None: it has none."""

    @property
    def is_orphaned(self) -> bool: ...
    @property
    def ended_in_error(self) -> int:
        """Messages that it has seen end in ERROR since the start."""

@final
class Setting:
    """What was set for one side of a lane."""

    @property
    def flow(self) -> _Flow: ...
    @property
    def by(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def since(self) -> int: ...

@final
class StoreState:
    """Whether the store writes."""

    @property
    def state(self) -> Literal["writing", "full", "not_writing"]: ...
    @property
    def trouble(self) -> str | None: ...
    @property
    def since(self) -> int: ...

@final
class MessageRecord:
    """A message that was received, without its body."""

    @property
    def id(self) -> int: ...
    @property
    def inbound(self) -> str: ...
    @property
    def control_id(self) -> str: ...
    @property
    def message_type(self) -> str: ...
    @property
    def received_at(self) -> int: ...
    @property
    def accepted(self) -> bool: ...
    @property
    def length(self) -> int: ...
    @property
    def session(self) -> int: ...
    @property
    def origin(self) -> str | None: ...
    @property
    def original(self) -> int | None: ...
    @property
    def disposition(self) -> str: ...
    @property
    def since(self) -> int:
        """When the disposition was written; 0 while it is RECEIVED."""

    @property
    def body_expired(self) -> int | None: ...

@final
class Found:
    """A page of messages that were found."""

    @property
    def messages(self) -> list[MessageRecord]: ...
    @property
    def next(self) -> int | None: ...

@final
class Journey:
    """What has happened to a message, in facts and, as `text`, a line for each event."""

    @property
    def message(self) -> MessageRecord: ...
    @property
    def configuration(self) -> str | None: ...
    @property
    def answer(self) -> str | None: ...
    @property
    def ack_control_id(self) -> str | None: ...
    @property
    def events(self) -> list[JourneyEvent]: ...
    @property
    def text(self) -> str: ...

def differences(before: bytes, after: bytes, /) -> list[str]:
    """The fields in which two messages differ, such as `MSH-5`; `PV1-3.1` where it is single
    components, `+ZPI` or `-ZPI` for a segment that one of them lacks. Never a value."""

@final
class JourneyEvent:
    """One line of a journey; what does not belong to its kind is None or empty."""

    @property
    def at(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def connection(self) -> str | None: ...
    @property
    def router(self) -> str | None: ...
    @property
    def to(self) -> list[str]: ...
    @property
    def differs(self) -> list[list[str] | None]: ...
    @property
    def engine_started(self) -> int | None: ...
    @property
    def after_crash(self) -> bool | None: ...
    @property
    def attempt(self) -> int | None: ...
    @property
    def failure(self) -> str | None: ...
    @property
    def said(self) -> str | None: ...
    @property
    def milliseconds(self) -> int | None: ...
    @property
    def message(self) -> int | None: ...
    @property
    def accepted(self) -> bool | None: ...
    @property
    def newer(self) -> int | None: ...
    @property
    def by(self) -> str | None: ...
    @property
    def because(self) -> str | None: ...

@final
class Why:
    """Where a message stands, in facts and, as `text`, in sentences."""

    @property
    def message(self) -> MessageRecord: ...
    @property
    def answers(self) -> list[Answer]: ...
    @property
    def text(self) -> str: ...

@final
class Answer:
    """Where a message stands at one place; what does not belong to its reason is None."""

    @property
    def place(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def at(self) -> int | None: ...
    @property
    def failure(self) -> str | None: ...
    @property
    def said(self) -> str | None: ...
    @property
    def by(self) -> str | None: ...
    @property
    def because(self) -> str | None: ...
    @property
    def message(self) -> int | None: ...
    @property
    def lane(self) -> str | None: ...
    @property
    def before(self) -> int | None: ...
    @property
    def attempts(self) -> int | None: ...
    @property
    def limit(self) -> int | None: ...
    @property
    def due(self) -> int | None: ...
    @property
    def due_in(self) -> int | None: ...
    @property
    def milliseconds(self) -> int | None: ...

@final
class GivenUp:
    """A delivery that is dead or held."""

    @property
    def place(self) -> _Place: ...
    @property
    def message(self) -> int: ...
    @property
    def control_id(self) -> str: ...
    @property
    def outbound(self) -> str: ...
    @property
    def at(self) -> int: ...
    @property
    def failure(self) -> str | None: ...
    @property
    def attempts(self) -> int: ...
    @property
    def said(self) -> str: ...
    @property
    def by(self) -> str: ...
    @property
    def because(self) -> str: ...

@final
class JobReport:
    """How far a job has come."""

    @property
    def total(self) -> int: ...
    @property
    def done(self) -> int: ...
    @property
    def newer(self) -> int: ...

@final
class Offline:
    """The store of an engine that is stopped, or a backup, to be read. Raises `EngineError`: there
    is none, an engine uses it, or it is refused."""

    def __new__(cls, data: str | os.PathLike[str]) -> Offline: ...
    def search(self, control_id: str, *, before: int | None = None, limit: int = 100) -> Found:
        """Messages with this control ID below `before`, newest first, as `Engine.search` finds
        them."""

    def show(self, message: int) -> tuple[Journey, Receipt] | None:
        """What has happened to a message, and its receipt; None: there is none."""

    def expired(self, message: int) -> int | None:
        """When retention has deleted a message; None: it is there, or there never was one."""

    def expired_control_id(self, control_id: str) -> int | None:
        """When retention has deleted the newest message with this MSH-10 that is gone; None: it is
        not known that there was one."""

    def payload(self, message: int) -> _Bytes | None:
        """The bytes as they were received: patients' data. None: there is no such message, or they
        have expired."""

@final
class Receipt:
    """What proves that a message was received, and what became of it; `text` has a line for each
    fact."""

    @property
    def message(self) -> int: ...
    @property
    def row(self) -> int | None:
        """Its row in the lane of its inbound."""

    @property
    def inbound(self) -> str: ...
    @property
    def sha256(self) -> str | None:
        """Of the bytes received, in hexadecimal digits; None: they have expired."""

    @property
    def acknowledgment(self) -> str:
        """As it was stored; empty: there was none."""

    @property
    def deliveries(self) -> list[DeliveryEnd]: ...
    @property
    def text(self) -> str: ...

@final
class DeliveryEnd:
    """Where the deliveries of a message to an outbound have ended."""

    @property
    def outbound(self) -> str: ...
    @property
    def how(self) -> Literal["open", "delivered", "dead", "held", "cancelled", "moved"]: ...
    @property
    def at(self) -> int: ...
    @property
    def said(self) -> str | None: ...

@final
class Backup:
    """A backup that is being made. Without `finish` nothing is left of it."""

    def progress(self) -> tuple[int, int]:
        """Bytes that are copied, and bytes in all."""

    def finish(self) -> BackupMade:
        """Waits until it is whole and durable, and gives it its name. Raises `EngineError`: nothing
        is left under it."""

@final
class BackupMade:
    """A backup that is there."""

    @property
    def at(self) -> str: ...
    @property
    def made_at(self) -> int:
        """When it was begun: milliseconds since 1970 in UTC."""

    @property
    def bytes(self) -> int:
        """Of its store."""

    @property
    def sha256(self) -> str:
        """Of its store, in hexadecimal digits."""

@final
class Verified:
    """What was proven of a store."""

    @property
    def received(self) -> int: ...
    @property
    def dispositions(self) -> dict[str, int]: ...
    @property
    def open_work(self) -> int: ...
    @property
    def findings(self) -> list[str]: ...

class MessageError(Exception):
    """A message that cannot be read, or changed as asked. No payload is in it."""

    code: str
    """The stable name of the reason, such as ``no_header``, ``gap`` or ``batch``."""

class PathError(MessageError):
    """A path that is not one, or that names what the call cannot change."""

class CharacterSetError(MessageError, LookupError):
    """A set in MSH-18 that is not known, or that lacks a character of a text."""

class Raw(str):
    """Text as it stands in a message: separators and escape sequences in it are structure."""

@final
class Message:
    """An HL7 v2 message that routers and handlers read and change by path, such as ``PID-3[2].1``.

    ``msg["PID-8"]`` is the text of exactly that node, without escape sequences, and `Raw` where it
    has several values; None where there is none. A `str` that is set is one value: separators in it
    are escaped. `Raw` and `bytes` are set as they stand, and None deletes. What is not named by a
    change stays byte for byte. Occurrences and repetitions count from 1.
    """

    def __new__(
        cls, payload: _Bytes | str, encoding: str | None = None, *, received: datetime | None = None
    ) -> Message: ...
    @classmethod
    def parse(
        cls, payload: _Bytes | str, encoding: str | None = None, *, received: datetime | None = None
    ) -> Message: ...
    def __getitem__(self, at: str, /) -> str | None: ...
    def __setitem__(self, at: str, value: str | _Bytes | None, /) -> None: ...
    def __delitem__(self, at: str, /) -> None: ...
    def __contains__(self, at: str, /) -> bool: ...
    def field(
        self, path: str, occurrence: int | None = None, repetition: int | None = None
    ) -> str | None: ...
    def set(
        self,
        path: str,
        value: str | _Bytes | None,
        occurrence: int | None = None,
        repetition: int | None = None,
    ) -> None: ...
    def bytes(self, path: str) -> _Bytes | None: ...
    def repetitions(self, path: str) -> list[str]: ...
    def add_repetition(self, path: str, value: str | _Bytes) -> None: ...
    def segments(self, name: str | None = None) -> list[Segment]: ...
    def count_segments(self, name: str | None = None) -> int: ...
    def groups(self, boundary: str = "OBR") -> list[list[Segment]]: ...
    def add_segment(self, segment: str | _Bytes) -> None: ...
    def insert_segment_before(self, path: str, segment: str | _Bytes) -> None: ...
    def insert_segment_after(self, path: str, segment: str | _Bytes) -> None: ...
    def delete_segments(self, name: str) -> int: ...
    def reencode(self, separators: str) -> None: ...
    message_code: Final[str | None]
    trigger_event: Final[str | None]
    message_type: Final[str | None]
    control_id: Final[str | None]
    def new_control_id(self) -> str: ...
    def ingest_time(self) -> datetime: ...
    def encode(self) -> _Bytes: ...
    def copy(self) -> Message: ...
    def __bytes__(self) -> _Bytes: ...
    def __copy__(self) -> Message: ...
    def __deepcopy__(self, memo: dict[int, Any], /) -> Message: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class Segment:
    """One segment of a message, read and set there: ``obx["5"]``, ``obx[5]``, ``obx["3[2].1"]``."""

    id: Final[str]
    def __getitem__(self, path: str | int, /) -> str | None: ...
    def __setitem__(self, path: str | int, value: str | _Bytes | None, /) -> None: ...
    def __delitem__(self, path: str | int, /) -> None: ...
    def bytes(self, path: str | int) -> _Bytes | None: ...
    def delete(self) -> None: ...
    def insert_before(self, segment: str | _Bytes) -> None: ...
    def insert_after(self, segment: str | _Bytes) -> None: ...
    def encode(self) -> _Bytes: ...

@final
class RawMessage:
    """A message that is not HL7 v2, as its bytes. ``xml`` refuses a document type declaration."""

    def __new__(
        cls, raw: bytes | str, encoding: str | None = None, *, received: datetime | None = None
    ) -> RawMessage: ...
    @classmethod
    def from_bytes(cls, raw: bytes, encoding: str | None = None) -> RawMessage: ...
    raw: Final[bytes]
    text: Final[str]
    is_binary: Final[bool]
    def json(self) -> Any: ...
    def xml(self) -> Element: ...
    def ingest_time(self) -> datetime: ...
    def encode(self) -> bytes: ...
    def copy(self) -> RawMessage: ...
    def __bytes__(self) -> bytes: ...
    def __copy__(self) -> RawMessage: ...
    def __deepcopy__(self, memo: dict[int, Any], /) -> RawMessage: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@type_check_only
class _Encodable(Protocol):
    def encode(self) -> bytes: ...

@final
class Send:
    """A message for an outbound or a handler, as it was when this was made."""

    def __new__(cls, to: str, message: Message | RawMessage | _Encodable | bytes | str) -> Send: ...
    to: Final[str]
    payload: Final[bytes]
    message: Final[Message | RawMessage | bytes]
    def __eq__(self, other: object, /) -> bool: ...

@final
class Functions:
    """The routers and handlers of a configuration, and the judge of what they return.

    Inbounds are names with whether they receive HL7 v2, and their encoding. A text in place of a
    result is the note of a failure, without anything that the message holds. ``received`` is in
    milliseconds since 1970.
    """

    def __new__(
        cls,
        routers: Sequence[tuple[str, Callable[[Any], object]]],
        handlers: Sequence[tuple[str, Callable[[Any], object], Callable[[Any], object] | None]],
        inbounds: Sequence[tuple[str, bool, str | None]],
        explain: Callable[[BaseException], tuple[str, str]],
    ) -> Functions: ...
    def route(
        self, router: str, inbound: str, payload: bytes, *, received: int | None = None
    ) -> list[str] | str: ...
    def handle(
        self, handler: str, inbound: str, payload: bytes, *, received: int | None = None
    ) -> list[Send] | str: ...

@final
class Worker:
    """The end of a worker process that answers the engine; takes standard input and output away."""

    def __new__(cls) -> Worker: ...
    def refuse(self, why: str) -> None: ...
    def run(self, functions: Functions) -> None: ...

class NotStored(Exception):
    """A message was not stored, or it is not known that it was: the connector submits it again. If
    it was stored, it is recognised as a duplicate."""

@final
class Submitted:
    """What became of a message that the engine holds."""

    @property
    def message(self) -> int:
        """Its number."""

    @property
    def duplicate_of(self) -> int | None:
        """The message that came before with the same bytes, if it is a duplicate."""

    @property
    def outcome(self) -> Literal["stored", "duplicate", "refused", "not_delivered"]:
        """`refused`: recorded in ERROR, because it is too long or has no header. `not_delivered`:
        stored, and not delivered in the time of `ack_after_delivery_seconds`."""

@final
class Delivery:
    """A message that a connector is to deliver. Dropped without an answer it has got no reply."""

    @property
    def message(self) -> int: ...
    @property
    def control_id(self) -> bytes:
        """MSH-10; empty if there is none."""

    @property
    def attempt(self) -> int:
        """Counted from 1. Above 1, it may have been sent before."""

    @property
    def payload(self) -> bytes:
        """All of it. Raises OSError: it cannot be read now."""

    def __len__(self) -> int: ...
    def read(self, size: int = 262144) -> bytes:
        """The next bytes, at most so many; empty at the end. Raises OSError: they cannot be read
        now."""

    def delivered(self, note: str = "") -> None:
        """It has arrived. The note goes into the journey, and holds nothing of the payload."""

    def failed(
        self,
        kind: Literal[
            "refused_for_good",
            "refused_for_now",
            "transport",
            "no_reply",
            "content",
            "credential",
            "infrastructure",
        ],
        note: str = "",
    ) -> None:
        """It has not arrived, or may have (`no_reply`). The note goes into the journey, and holds
        nothing of the payload."""

@final
class Connector:
    """The end of a connector's process that speaks with the engine; takes standard input and output
    away. Raises OSError in a process that no engine has started."""

    def __new__(cls) -> Connector: ...
    @property
    def connection(self) -> str:
        """The name of the inbound or outbound."""

    @property
    def is_inbound(self) -> bool: ...
    def hello(self) -> None:
        """Says that the process works. Nothing is taken from it, or given to it, before."""

    def refuse(self, why: str) -> None:
        """Says that it cannot work, for a reason that the operator sees. The process should end; it
        is started again after a while."""

    def ready(self) -> None:
        """The partner can be reached, and deliveries are taken. An outbound begins without."""

    def not_ready(self, why: str) -> None:
        """The partner cannot be reached, for a reason that the operator sees."""

    def note(self, level: Literal["error", "warn", "info", "debug"], text: str) -> None:
        """Writes a log record with the name of the connection. The text holds nothing of a
        payload."""

    def submit(self, payload: bytes) -> Submitted:
        """Submits a message, and returns once it is committed. Waits while the inbound is paused or
        full. Raises `NotStored`, and OSError if the engine is gone."""

    def submit_parts(self, parts: Iterable[bytes]) -> Submitted:
        """The same, of a message in parts that never lies in memory whole. What the iterable raises
        goes on, and then nothing is stored."""

    def wait(self, seconds: float) -> bool:
        """Waits so long, or until the engine wants the process to end: False."""

    @property
    def paused(self) -> bool:
        """Whether a message that is submitted now waits because the inbound is paused or full."""

    @property
    def ending(self) -> bool:
        """Whether the engine wants the process to end."""

    def next_delivery(self) -> Delivery | None:
        """Waits for the next delivery; None: the engine wants the process to end."""

def back_up(data: str | os.PathLike[str], to: str | os.PathLike[str]) -> BackupMade:
    """Makes a backup of an engine that is stopped. Raises `EngineError`: nothing is left under its
    name."""

def restore_check(backup: str | os.PathLike[str]) -> tuple[BackupMade, Verified]:
    """Proves from the files of a backup that a store can be made of it. Raises `EngineError`: this
    is no backup, or its store is refused."""

def verify(data: str | os.PathLike[str]) -> Verified:
    """Proves from the store of a stopped engine that nothing is lost. Raises `EngineError`: the
    store is in use, or refused."""

def reply_code_findings(
    text: str, reply_code_dialect: Literal["iris", "hie"]
) -> tuple[str | None, list[str]]:
    """What is wrong with a table of reply codes; and what of it is not done as it is written."""

def schedule_fault(
    windows: list[tuple[str, str, str]], timezone: str, invert: bool = False
) -> str | None:
    """What is wrong with a schedule, after the name of the part and a colon; None: nothing."""

def log_line(level: Literal["error", "warn", "info", "debug"], connection: str, text: str) -> None:
    """Writes a log record about a connection, or about the engine if the name is empty."""

def log_to_stderr(level: Literal["off", "error", "warn", "info", "debug", "trace"]) -> None:
    """Writes log records of this level and above to standard error from now on, a line for each.
    Once for each process."""
