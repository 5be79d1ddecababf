"""The options of a `Tcp` connection as the native engine wants them."""

from typing import TYPE_CHECKING, cast

from fastmllp_engine.connectors import Tcp
from fastmllp_engine.graph import ContentType, Inbound, Outbound, Settings
from fastmllp_engine.runtime.options import NEVER, keep_days, sender_options

if TYPE_CHECKING:
    from fastmllp_engine._native import InboundOptions, OutboundOptions


def tcp_inbound_options(inbound: Inbound, spec: Tcp, settings: Settings) -> "InboundOptions":
    """The keywords of `Builder.inbound`."""
    return {
        # Where it can, the end byte ends a message only with the one that follows it.
        "profile": "permissive" if spec.blocks[2] is None else "resync",
        "framing": spec.blocks,
        "any_content": inbound.content_type != ContentType.HL7V2,
        "max_message_bytes": spec.max_frame_bytes,
        # Nothing else tells its sender.
        "over_limit": "close",
        "ack_mode": "none",
        "max_connections": spec.max_connections,
        "allow": [str(network) for network in inbound.source_ip_allowlist],
        "idle_timeout_seconds": spec.idle_timeout_seconds or NEVER,
        "keep_alive_seconds": spec.keep_alive_seconds or NEVER,
        "deduplicate": inbound.deduplicate,
        "on_full": str(inbound.on_full),  # type: ignore[typeddict-item]
        "index": list(inbound.index),
        "keep_days": keep_days(inbound, settings),
    }


def tcp_outbound_options(outbound: Outbound, spec: Tcp, settings: Settings) -> "OutboundOptions":
    """The keywords of `Builder.outbound`."""
    own: OutboundOptions = {
        "connections": outbound.connections,
        "framing": spec.blocks,
        "any_content": True,
        "expects_reply": spec.expect_reply,
        "max_reply_bytes": spec.max_frame_bytes,
        "connect_timeout_seconds": spec.connect_timeout,
        "send_timeout_seconds": spec.send_timeout_seconds,
        "reply_timeout_seconds": spec.timeout_seconds,
        "keep_alive_seconds": spec.keep_alive_seconds or NEVER,
    }
    return cast("OutboundOptions", {**sender_options(outbound, settings), **own})
