"""The options of a connection as the native engine wants them."""

from typing import TYPE_CHECKING, Any, Literal, TypedDict

from fastmllp_engine.connectors import MLLP, Connector
from fastmllp_engine.graph import (
    AckAfter,
    ContentType,
    Inbound,
    Outbound,
    RetryPolicy,
    Settings,
)

if TYPE_CHECKING:
    from fastmllp_engine._native import (
        ConnectorInboundOptions,
        InboundOptions,
        OutboundOptions,
    )

NEVER = 0.0
"""No limit of time, where the engine would have one."""


class SenderOptions(TypedDict):
    """What is said of every outbound, whatever its transport is."""

    window: int
    ordering: Literal["fifo", "key", "unordered"]
    key: list[str]
    max_attempts: int | None
    retry_forever: bool
    backoff_seconds: float
    backoff_multiplier: int
    max_backoff_seconds: float
    give_up_after_seconds: float | None
    give_up_only_connected: bool
    then: Literal["dead", "hold", "stop"]


Kept = int | Literal["forever"] | None


def inbound_options(inbound: Inbound, spec: MLLP, settings: Settings) -> "InboundOptions":
    """The keywords of `Builder.inbound`."""
    waits = inbound.ack_after == AckAfter.DELIVERED
    required = spec.tls_client_auth in (None, "required")
    asks = spec.tls_client_auth != "none"
    return {
        "profile": spec.profile,
        "framing": (spec.start_block, spec.end_block, spec.trailer),
        # Of what is not HL7 nothing is read: an acknowledgment names no message.
        "any_content": inbound.content_type != ContentType.HL7V2,
        "max_message_bytes": spec.max_frame_bytes,
        "over_limit": spec.over_limit,
        "ack_mode": _word(inbound.ack_mode),
        "ack_after_delivery_seconds": inbound.ack_timeout_seconds if waits else None,
        "policy": _word(inbound.ack_policy),
        "commit_blocks": spec.commit_blocks,
        "max_connections": spec.max_connections,
        "allow": [str(network) for network in inbound.source_ip_allowlist],
        "idle_timeout_seconds": spec.idle_timeout_seconds or NEVER,
        "byte_timeout_seconds": spec.byte_timeout_seconds,
        "frame_timeout_seconds": spec.max_frame_seconds,
        "send_timeout_seconds": spec.send_timeout_seconds,
        "trailer_timeout_seconds": spec.trailer_timeout_seconds,
        "stop_timeout_seconds": spec.stop_timeout_seconds,
        "handshake_timeout_seconds": spec.connect_timeout,
        "keep_alive_seconds": spec.keep_alive_seconds or NEVER,
        "deduplicate": inbound.deduplicate,
        "on_full": _word(inbound.on_full),
        "index": list(inbound.index),
        "keep_days": keep_days(inbound, settings),
        "tls_certificate": spec.tls_cert_file if spec.tls else None,
        "tls_key": spec.tls_key_file if spec.tls else None,
        "tls_client_authorities": spec.tls_ca_file if spec.tls and asks else None,
        "tls_client_required": required,
        "tls_min_version": spec.tls_min_version,
    }


def outbound_options(outbound: Outbound, spec: MLLP, settings: Settings) -> "OutboundOptions":
    """The keywords of `Builder.outbound`."""
    return {
        **sender_options(outbound, settings),
        "connections": outbound.connections,
        "any_content": None,
        "expects_reply": None,
        "profile": spec.profile or "permissive",
        "framing": (spec.start_block, spec.end_block, spec.trailer),
        "scan": spec.delimiters,
        "rules": spec.reply_rules,
        "reply_code_actions": outbound.reply_code_actions,
        "reply_code_dialect": outbound.reply_code_dialect,
        "max_reply_bytes": spec.max_reply_bytes,
        "connect_timeout_seconds": spec.connect_timeout,
        "send_timeout_seconds": spec.send_timeout_seconds,
        "reply_timeout_seconds": spec.timeout_seconds,
        "trailer_timeout_seconds": spec.trailer_timeout_seconds,
        "reconnect_seconds": spec.reconnect_seconds,
        "max_reconnect_seconds": spec.max_reconnect_seconds,
        "keep_alive_seconds": spec.keep_alive_seconds or NEVER,
        "tls_authorities": spec.tls_ca_file if spec.tls else None,
        "tls_server_name": spec.tls_server_name if spec.tls else None,
        "tls_certificate": spec.tls_cert_file if spec.tls else None,
        "tls_key": spec.tls_key_file if spec.tls else None,
        "tls_min_version": spec.tls_min_version,
    }


def receiver_options(
    inbound: Inbound, spec: Connector, settings: Settings
) -> "ConnectorInboundOptions":
    """The keywords of `Builder.inbound_by`."""
    waits = inbound.ack_after == AckAfter.DELIVERED
    return {
        "timeout_seconds": getattr(spec, "timeout_seconds", None),
        "hl7": inbound.content_type == ContentType.HL7V2,
        "max_message_bytes": getattr(spec, "max_file_bytes", None),
        "ack_after_delivery_seconds": inbound.ack_timeout_seconds if waits else None,
        "deduplicate": inbound.deduplicate and not spec.repeats,
        "on_full": _word(inbound.on_full),
        "index": list(inbound.index),
        "keep_days": keep_days(inbound, settings),
    }


def sender_options(outbound: Outbound, settings: Settings) -> SenderOptions:
    """The keywords of `Builder.outbound_by`: what every outbound has."""
    retry: RetryPolicy = outbound.retry or settings.delivery.retry
    return {
        "window": outbound.window,
        "ordering": _word(outbound.ordering or "fifo"),
        "key": list(outbound.keys),
        "max_attempts": None if retry.max_attempts == "forever" else retry.max_attempts,
        "retry_forever": retry.max_attempts == "forever",
        "backoff_seconds": retry.backoff_seconds,
        "backoff_multiplier": retry.backoff_multiplier,
        "max_backoff_seconds": retry.max_backoff_seconds,
        "give_up_after_seconds": outbound.give_up_after_seconds,
        "give_up_only_connected": outbound.give_up_counts == "connected",
        "then": "hold" if outbound.then == "held" else _word(outbound.then),
    }


def keep_days(
    inbound: Inbound, settings: Settings
) -> tuple[int | None, int | None, int | None] | None:
    """How long what an inbound received stays; None: as everything else."""
    own = (inbound.bodies_days, inbound.metadata_days, inbound.dead_days)
    if own == (None, None, None):
        return None
    retention = settings.retention
    general = (retention.bodies_days, retention.metadata_days, retention.dead_days)
    bodies, metadata, dead = (
        days(theirs if mine is None else mine) for mine, theirs in zip(own, general, strict=True)
    )
    return bodies, metadata, dead


def days(kept: Kept) -> int | None:
    """Days as the engine counts them: None is for ever."""
    return None if kept == "forever" else kept


def _word(value: str) -> Any:
    """A choice as plain text: an enum of texts is one too, but not for everybody."""
    return str(value)
