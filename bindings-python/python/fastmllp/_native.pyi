"""Types of the native module: framing, field reading and ACK building live there, and only there.

Compared with the module itself by ``python -m mypy.stubtest fastmllp._native``.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal, TypeAlias, final

from typing_extensions import Buffer

__all__ = [
    "CARRIAGE_RETURN",
    "END_BLOCK",
    "START_BLOCK",
    "Ack",
    "AckError",
    "AnswersLost",
    "Arrived",
    "CharacterSetError",
    "Closing",
    "Commit",
    "Decision",
    "Decoder",
    "DecoderEvent",
    "Deviation",
    "Discard",
    "ErrorDetail",
    "Fault",
    "Frame",
    "FrameError",
    "Initiator",
    "InitiatorEvent",
    "LinkError",
    "Message",
    "MessageError",
    "MessageHeader",
    "MllpError",
    "OtherProtocol",
    "Path",
    "ProxyError",
    "ProxyHeader",
    "Raised",
    "Reconnect",
    "Refusal",
    "Responder",
    "ResponderEvent",
    "Retry",
    "Returned",
    "Segment",
    "SequenceAction",
    "SequenceReceiver",
    "Stored",
    "Stray",
    "Ticket",
    "TooLarge",
    "Unusual",
    "Verdict",
    "__version__",
    "always_one_reply",
    "answers",
    "build_ack",
    "check",
    "conformant_answer",
    "decide",
    "detect",
    "encode_slices",
    "escape",
    "frame",
    "ignores_character_set",
    "named_codecs",
    "parse_proxy_header",
    "plain_words",
    "read_msa",
    "timestamp",
    "unescape",
    "write_lines",
]

START_BLOCK: Final[int]
END_BLOCK: Final[int]
CARRIAGE_RETURN: Final[int]
__version__: Final[str]

class MllpError(Exception):
    code: str

class FrameError(MllpError): ...
class MessageError(MllpError): ...
class CharacterSetError(MessageError, LookupError): ...
class AckError(MllpError): ...
class LinkError(MllpError): ...
class ProxyError(MllpError): ...

# Events. A program can neither make nor change one.

@final
class Frame:
    __match_args__: Final = ("offset", "payload", "kind", "deviations")
    offset: Final[int]
    payload: Final[bytes]
    kind: Final[Literal["content", "empty", "commit_ack", "commit_nak"]]
    deviations: Final[tuple[str, ...]]

@final
class Deviation:
    __match_args__: Final = ("code", "offset")
    code: Final[str]
    offset: Final[int]

@final
class Fault:
    __match_args__: Final = ("code", "offset")
    code: Final[str]
    offset: Final[int]

@final
class Discard:
    __match_args__: Final = ("offset", "length", "why", "is_blank")
    offset: Final[int]
    length: Final[int]
    why: Final[Literal["dropped", "outside"]]
    is_blank: Final[bool]

DecoderEvent: TypeAlias = Frame | Deviation | Fault | Discard

@final
class Decoder:
    def __new__(
        cls,
        *,
        profile: str = "permissive",
        max_payload_len: int | None = ...,
        start_block: int = ...,
        end_block: int = ...,
        trailer: int | None = ...,
    ) -> Decoder: ...
    def feed(self, data: Buffer) -> list[bytes]: ...
    def events(self, data: Buffer) -> list[DecoderEvent]: ...
    def idle(self) -> list[bytes]: ...
    def idle_events(self) -> list[DecoderEvent]: ...
    def finish(self) -> list[bytes]: ...
    def finish_events(self) -> list[DecoderEvent]: ...
    def reset(self) -> None: ...
    lost_prefix: Final[bytes]
    pending: Final[int]
    offset: Final[int]
    counters: Final[dict[str, int]]

def frame(
    payload: Buffer, *, start_block: int = ..., end_block: int = ..., trailer: int | None = ...
) -> bytes: ...
def encode_slices(
    payload: Buffer, *, start_block: int = ..., end_block: int = ..., trailer: int | None = ...
) -> tuple[bytes, bytes, bytes]: ...

@final
class Path:
    def __new__(cls, path: str) -> Path: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Message:
    def __new__(
        cls, payload: Buffer, *, scan: str = "single_byte", lenient: bool = False
    ) -> Message: ...
    payload: Final[bytes]
    header: Final[MessageHeader]
    delimiters: Final[bytes]
    kind: Final[str]
    deviation: Final[str | None]
    has_addenda: Final[bool]
    character_set: Final[str | None]
    def get(self, path: str | Path) -> bytes | None: ...
    def leaf(self, path: str | Path) -> bytes | None: ...
    def status(self, path: str | Path) -> str: ...
    def text(
        self, path: str | Path, encoding: str | None = None, errors: str = "replace"
    ) -> str | None: ...
    def segments(self) -> list[Segment]: ...
    def __iter__(self) -> Iterator[Segment]: ...
    def __bytes__(self) -> bytes: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Segment:
    id: Final[bytes]
    raw: Final[bytes]
    fields: Final[list[bytes]]
    def field(self, number: int) -> bytes | None: ...
    def parts(self, number: int) -> list[list[list[bytes]]] | None: ...
    def __len__(self) -> int: ...

def escape(text: Buffer, delimiters: Buffer = b"|^~\\&") -> bytes: ...
def unescape(text: Buffer, delimiters: Buffer = b"|^~\\&") -> bytes: ...

@final
class MessageHeader:
    @staticmethod
    def parse_prefix(prefix: Buffer, through: int) -> MessageHeader | None: ...
    field_separator: Final[bytes]
    encoding_characters: Final[bytes]
    sending_application: Final[bytes]
    sending_facility: Final[bytes]
    receiving_application: Final[bytes]
    receiving_facility: Final[bytes]
    date_time_of_message: Final[bytes]
    security: Final[bytes]
    message_type: Final[bytes]
    message_control_id: Final[bytes]
    processing_id: Final[bytes]
    version_id: Final[bytes]
    sequence_number: Final[bytes]
    continuation_pointer: Final[bytes]
    accept_acknowledgment_type: Final[bytes]
    application_acknowledgment_type: Final[bytes]
    country_code: Final[bytes]
    character_set: Final[bytes]
    principal_language_of_message: Final[bytes]
    alternate_character_set_handling_scheme: Final[bytes]
    message_profile_identifier: Final[bytes]

def build_ack(
    payload: Buffer,
    code: str = "AA",
    *,
    control_id: str | None = None,
    timestamp: str | None = None,
    text: str | None = None,
    scan: str = "single_byte",
    encoding: str = "utf-8",
    local_time: bool = False,
) -> bytes: ...

@final
class Ack:
    def __new__(
        cls,
        code: str = "AA",
        *,
        policy: str = "always",
        control_id: str | None = None,
        timestamp: str | None = None,
        text: str = ...,
        errors: Sequence[ErrorDetail] = ...,
        expected_sequence_number: int | None = None,
        sending_application: str | None = None,
        sending_facility: str | None = None,
        accept_acknowledgment_type: str = ...,
        application_acknowledgment_type: str = ...,
        message_structure: str = ...,
        character_set: str | None = None,
        message_profile_identifier: str = ...,
    ) -> Ack: ...
    code: Final[str]
    policy: Final[str]
    def encode(
        self,
        payload: Buffer,
        *,
        code: str | None = None,
        policy: str | None = None,
        scan: str = "single_byte",
        encoding: str = "utf-8",
        local_time: bool = False,
    ) -> bytes: ...
    def not_encodable(
        self, payload: Buffer, *, scan: str = "single_byte", encoding: str = "utf-8"
    ) -> str | None: ...
    def refusing(self, errors: Sequence[ErrorDetail]) -> Ack: ...

@final
class ErrorDetail:
    def __new__(
        cls,
        code: int,
        segment: str = ...,
        *numbers: int,
        severity: str = "E",
        application: Sequence[str] = ...,
        diagnostic: str = ...,
        user_message: str = ...,
    ) -> ErrorDetail: ...
    code: Final[int]
    text: Final[str]
    severity: Final[str]
    location: Final[tuple[str, list[int]]]

@final
class Decision:
    mode: Final[str]
    accept_ack: Final[str | None]
    application_ack: Final[str | None]

def decide(
    accept_type: Buffer,
    application_type: Buffer,
    outcome: str,
    *,
    application_outcome: str | None = None,
    msa_1: Buffer | None = None,
    refused: bool = False,
) -> Decision: ...
def always_one_reply(
    accept_type: Buffer,
    application_type: Buffer,
    outcome: str,
    *,
    application_outcome: str | None = None,
    msa_1: Buffer | None = None,
) -> str | None: ...
def check(
    payload: Buffer,
    *,
    message_types: Sequence[str] | None = None,
    versions: Sequence[str] | None = None,
    processing_ids: Sequence[str] | None = None,
    damaged: bool = False,
    scan: str = "single_byte",
) -> list[ErrorDetail]: ...
def conformant_answer(
    payload: Buffer, code: str, *, scan: str = "single_byte"
) -> tuple[str, list[ErrorDetail], str]: ...

@final
class SequenceAction:
    @staticmethod
    def after_refusal(sent: int, expected_sequence_number: Buffer) -> SequenceAction: ...
    name: Final[str]
    number: Final[int | None]
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class SequenceReceiver:
    def __new__(cls, expected: int | None = None) -> SequenceReceiver: ...
    expected: Final[int | None]
    def receive(self, sequence_number: Buffer) -> tuple[bool, int]: ...

def timestamp(seconds: int | None = None, *, offset_minutes: int | None = None) -> str: ...

@final
class Verdict:
    __match_args__: Final = (
        "handle",
        "fate",
        "payload",
        "reply",
        "action",
        "warn",
        "rule",
        "text",
    )
    handle: Final[int]
    fate: Final[Literal["answered", "stored", "unasked", "not_sent", "uncertain"]]
    payload: Final[bytes | None]
    reply: Final[str]
    action: Final[Literal["accept", "retry", "suspend", "fail"]]
    warn: Final[bool]
    rule: Final[int | None]
    text: Final[str]

@final
class Retry:
    __match_args__: Final = ("handle", "at", "reply", "warn", "rule", "text")
    handle: Final[int]
    at: Final[float]
    reply: Final[str]
    warn: Final[bool]
    rule: Final[int | None]
    text: Final[str]

@final
class Stored:
    __match_args__: Final = ("handle", "payload")
    handle: Final[int]
    payload: Final[bytes]

@final
class Stray:
    __match_args__: Final = ("why", "payload")
    why: Final[str]
    payload: Final[bytes]

@final
class Reconnect:
    __match_args__: Final = ()

InitiatorEvent: TypeAlias = (
    Verdict | Retry | Stored | Stray | Reconnect | Deviation | Fault | Discard
)

@final
class Initiator:
    def __new__(
        cls,
        *,
        rules: str = "",
        window: int = 1,
        profile: str = "permissive",
        max_payload_len: int = 1_048_576,
        scan: str = "single_byte",
        send: float = 10.0,
        reply: float = 10.0,
        trailer: float = 0.25,
        application: float = 60.0,
        max_attempts: int = 5,
        back_off: float = 1.0,
        max_back_off: float = 60.0,
    ) -> Initiator: ...
    def submit(self, payload: Buffer, now: float) -> int: ...
    def hold(self, payload: Buffer) -> None: ...
    def release(self, payload: Buffer) -> None: ...
    def withdraw(self, handle: int) -> bool: ...
    def wants_connection(self, now: float) -> bool: ...
    def connected(self) -> None: ...
    def connect_failed(self, now: float) -> None: ...
    def disconnected(self, now: float) -> None: ...
    def next_to_send(self, now: float) -> tuple[int, bytes] | None: ...
    def sent(self, handle: int, now: float) -> None: ...
    def not_sent(self, handle: int) -> None: ...
    def take_outgoing(self, now: float, max_len: int = 65_536) -> bytes: ...
    def written(self, unsent: int, now: float) -> None: ...
    def not_written(self, unsent: int) -> None: ...

    # A verdict with the fate "answered" is given as the pair of handle and payload.
    def replies(self, data: Buffer, now: float) -> list[tuple[int, bytes] | InitiatorEvent]: ...
    def receive(self, data: Buffer, now: float) -> list[InitiatorEvent]: ...
    def events(self, now: float) -> list[InitiatorEvent]: ...
    def next_deadline(self) -> float | None: ...
    def on_time(self, now: float) -> None: ...
    is_suspended: Final[bool]
    def resume(self) -> None: ...
    open_messages: Final[int]

def answers(reply: Buffer, control_id: Buffer, *, scan: str = "single_byte") -> bool: ...
def named_codecs(payload: Buffer) -> list[str]: ...
def ignores_character_set(payload: Buffer, *, scan: str = "single_byte") -> bool: ...
def read_msa(reply: Buffer, *, scan: str = "single_byte") -> tuple[str, str]: ...
def detect(first_bytes: Buffer) -> str: ...

@final
class ProxyHeader:
    length: Final[int]
    is_local: Final[bool]
    source: Final[tuple[str, int] | None]
    destination: Final[tuple[str, int] | None]

def parse_proxy_header(data: Buffer) -> ProxyHeader | None: ...
def plain_words(event: str, connection: int | None, fields: dict[str, object]) -> str | None: ...
def write_lines(descriptor: int, lines: bytes) -> int: ...

@final
class Ticket:
    number: Final[int]
    payload: Final[bytes]

@final
class Refusal: ...

@final
class Arrived:
    __match_args__: Final = ("ticket", "payload", "offset", "kind", "deviations")
    ticket: Final[Ticket]
    payload: Final[bytes]
    offset: Final[int]
    kind: Final[Literal["content", "empty", "commit_ack", "commit_nak"]]
    deviations: Final[tuple[str, ...]]

@final
class TooLarge:
    __match_args__: Final = ("refusal", "payload", "offset")
    refusal: Final[Refusal]
    payload: Final[bytes]
    offset: Final[int]

@final
class Unusual:
    __match_args__: Final = ("deviations", "length")
    deviations: Final[tuple[str, ...]]
    length: Final[int]

@final
class Returned:
    __match_args__: Final = ("ticket", "message", "result")
    ticket: Final[Ticket]
    message: Final[Message]
    result: Final[object]

@final
class Raised:
    __match_args__: Final = ("ticket", "message", "error")
    ticket: Final[Ticket]
    message: Final[Message]
    error: Final[BaseException]

@final
class Commit:
    __match_args__: Final = ("is_positive",)
    is_positive: Final[bool]

@final
class OtherProtocol:
    __match_args__: Final = ("protocol", "is_foreign")
    protocol: Final[str]
    is_foreign: Final[bool]

@final
class AnswersLost:
    __match_args__: Final = ("answers",)
    answers: Final[int]

@final
class Closing:
    __match_args__: Final = ("reason",)
    reason: Final[str]

ResponderEvent: TypeAlias = (
    Arrived
    | TooLarge
    | Unusual
    | Returned
    | Raised
    | Commit
    | OtherProtocol
    | AnswersLost
    | Closing
    | Deviation
    | Fault
    | Discard
)

@final
class Responder:
    def __new__(
        cls,
        now: float,
        *,
        profile: str = "permissive",
        max_payload_len: int = 1_048_576,
        over_limit: str = "close",
        policy: str = "always",
        commit_blocks: bool = False,
        scan: str = "single_byte",
        idle: float = 10.0,
        byte: float = 10.0,
        frame: float = 60.0,
        send: float = 10.0,
        trailer: float = 0.25,
        local_time: bool = False,
    ) -> Responder: ...
    wants_input: Final[bool]
    def receive(self, data: Buffer, now: float) -> list[ResponderEvent]: ...
    def converse(
        self,
        data: Buffer,
        now: float,
        handler: Callable[[Message], object],
        hold: bool = False,
        pause: bool = False,
    ) -> tuple[bytes, tuple[int, ...], list[ResponderEvent] | None, float | None, bool]: ...
    def events(self, now: float) -> list[ResponderEvent]: ...
    def answer(self, ticket: Ticket, code: str, now: float) -> None: ...
    def answer_with(self, ticket: Ticket, answer: Buffer, now: float) -> None: ...
    def leave_unanswered(self, ticket: Ticket, now: float) -> None: ...
    def commit(self, ticket: Ticket, now: float) -> None: ...
    def refuse_commit(self, ticket: Ticket, now: float) -> None: ...
    def refuse(
        self,
        refusal: Refusal,
        how: str,
        now: float,
        *,
        level: str = "application",
    ) -> None: ...
    def leave_unrefused(self, refusal: Refusal, now: float) -> None: ...
    def outgoing(self, max_len: int = 262_144) -> bytes: ...
    unsent: Final[int]
    def sent(self, length: int, now: float) -> None: ...
    def next_deadline(self) -> float | None: ...
    def on_time(self, now: float) -> None: ...
    def peer_closed(self, now: float) -> None: ...
    def close(self, now: float) -> None: ...
    is_finished: Final[bool]
    waiting: Final[int]
    def is_settled(self, number: int) -> bool: ...
    pending: Final[int]
    counters: Final[dict[str, int]]
