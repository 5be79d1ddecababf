"""Parameters that a reader of other engines' documents tries, and what to use, or why not yet."""

from collections.abc import Mapping

_LATER = "it belongs to a later version"
_VERIFIED = "the certificate of a partner is always verified"

OF_BOTH: Mapping[str, str] = {
    "deployed": "leave the connection out, or say auto_start=False",
    "flagged": "say so in metadata",
    "priority": "no lane waits for another one",
    "shard": "one engine uses all cores; several machines belong to a later version",
    "buildup": "say alert_waiting",
    "stall": "say stalled_after_seconds in [alerts]",
}

OF_INBOUND: Mapping[str, str] = {
    "strict": f"strict validation: {_LATER}",
    "hl7_version": f"strict validation: {_LATER}",
    "strict_timeout_s": f"strict validation: {_LATER}",
    "inline": "what need not rest is always routed and transformed in one go",
    "capture_ack": "every acknowledgment is stored with its message",
    "capture_connection_errors": "the log has them",
    "messages_days": "say bodies_days and metadata_days",
    "prune_documents_after": "say bodies_days",
    "prune_documents_min_bytes": "say bodies_days",
    "stream_threshold_bytes": "bodies above 64 KiB are always streamed",
    "max_message_bytes": "say MLLP(max_frame_bytes=...)",
}

OF_OUTBOUND: Mapping[str, str] = {
    "internal_error": "an error of a handler ends that message in ERROR, and the lane goes on",
    "batch": f"batches: {_LATER}",
    "simulate": f"outbounds that only pretend to send: {_LATER}",
    "dead_letter_days": "say dead_days of the inbound",
    "waiting_display_delay": "a lane says since when it waits",
    "cleartext_accepted": "nothing asks for it",
    "cleartext_reason": "nothing asks for it",
}

OF_HANDLER: Mapping[str, str] = {
    "state": f"state: {_LATER}",
    "sends": "what a handler sends is read from its code",
}

CAPTURED = f"captured replies: {_LATER}"

OF_TRANSPORT: Mapping[str, str] = {
    "capture_response": CAPTURED,
    "reingress_to": CAPTURED,
    "no_ack": "a delivery ends with the answer of the partner",
    "receive_timeout": "say idle_timeout_seconds, byte_timeout_seconds and max_frame_seconds",
    "tls_key_password": "the key's file must not be encrypted; let its mode protect it",
    "tls_verify": _VERIFIED,
    "tls_check_hostname": f"{_VERIFIED}; say tls_server_name if its name differs from the host",
    "tls_allow_expired": _VERIFIED,
    "max_messages_per_second": f"limits of rate: {_LATER}",
    "message_burst": f"limits of rate: {_LATER}",
    "send_min_interval_seconds": f"limits of rate: {_LATER}",
    "max_connection_age_seconds": "connections stay open; the partner may close them at any time",
    "encoding_characters": "what a handler does not change is sent byte for byte as it came",
    "hl7_raw_separators": "what a handler does not change is sent byte for byte as it came",
}

NAMES: Mapping[str, str] = {
    **dict.fromkeys(("SetState", "state_get"), f"state: {_LATER}"),
    **dict.fromkeys(
        ("db_lookup", "fhir_lookup", "DatabaseLookup", "FhirLookup"), f"look-ups: {_LATER}"
    ),
    **dict.fromkeys(("Reference", "FileRef", "DatabaseRef", "reference"), f"look-ups: {_LATER}"),
    "code_lookup": "a code set has translate",
    **dict.fromkeys(("response_get", "CapturedResponse"), CAPTURED),
    **dict.fromkeys(("SetMeta",), f"metadata of messages: {_LATER}"),
    **dict.fromkeys(("BatchConfig",), f"batches: {_LATER}"),
    "BuildupThreshold": "say alert_waiting of the connection",
    "StallThreshold": "say stalled_after_seconds in [alerts]",
    **dict.fromkeys(
        ("Http", "Rest", "Soap", "FHIR", "Database", "DatabasePoll", "Sftp", "Ftp", "Email"),
        f"this connector: {_LATER}",
    ),
    **dict.fromkeys(("X12", "DICOM", "DICOMweb", "Direct"), "there is no such connector"),
}
"""What ``from fastmllp_engine import`` may be asked for, and has not."""
