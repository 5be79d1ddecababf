"""Why TLS did not come about, or did not last: a stable code, and words for a person."""

import ssl
from dataclasses import dataclass

from fastmllp._native import detect

__all__ = ["TLS_CLOSED", "TLS_TIMEOUT", "TlsFailure", "no_handshake"]

_BY_VERIFY_CODE = {
    9: ("certificate_not_yet_valid", "its certificate is not valid yet"),
    10: ("certificate_expired", "its certificate has expired"),
    18: ("self_signed", "its certificate is self-signed and not trusted here"),
    23: ("certificate_revoked", "its certificate was revoked"),
    26: ("certificate_purpose", "its certificate is for another purpose"),
    62: ("host_mismatch", "its certificate is for another host name"),
    64: ("host_mismatch", "its certificate is for another address"),
}
# The root is not among the trusted ones, or the way to it has a gap.
_BY_VERIFY_CODE |= dict.fromkeys(
    (2, 19, 20, 21), ("unknown_ca", "its certificate is from an authority that is not trusted here")
)

_TOO_OLD = ("protocol_too_old", "no version of TLS is new enough for both sides")
_NO_CIPHER = ("no_shared_cipher", "both sides have no cipher in common")
_HTTP = ("http", "it speaks HTTP, not TLS")
_BY_REASON = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": (
        "certificate_required",
        "it has shown no certificate, and one is required",
    ),
    "UNSUPPORTED_PROTOCOL": _TOO_OLD,
    "VERSION_TOO_LOW": _TOO_OLD,
    "NO_SHARED_CIPHER": _NO_CIPHER,
    "HTTP_REQUEST": _HTTP,
    "HTTPS_PROXY_REQUEST": _HTTP,
}

# What the other side says of us, in its alert (RFC 8446, 6.2).
_BY_ALERT = {
    "protocol_version": _TOO_OLD[1],
    # One alert with several causes, and it does not say which.
    "handshake_failure": "it refuses: no cipher in common, or it requires a certificate of ours,"
    " or it does not renegotiate",
    "certificate_required": "it requires a certificate of ours",
    "unknown_ca": "it does not trust the authority of our certificate",
    "certificate_expired": "it says that our certificate has expired",
    "bad_certificate": "it does not accept our certificate",
    "unsupported_certificate": "it does not accept our kind of certificate",
    "certificate_revoked": "it says that our certificate was revoked",
    "certificate_unknown": "it does not accept our certificate",
    "access_denied": "it denies access to our certificate",
}
_ABOUT_OUR_CERTIFICATE = frozenset(
    {f"alert_{name}" for name in _BY_ALERT} - {"alert_protocol_version"}
)

# The types of a record (RFC 8446, 5.1).
_RECORD_TYPES = frozenset({b"", b"\x14", b"\x15", b"\x16", b"\x17"})


@dataclass(frozen=True, slots=True)
class TlsFailure:
    """What went wrong, told of the other side: "its certificate has expired"."""

    code: str
    text: str

    @property
    def is_about_our_certificate(self) -> bool:
        """Whether the alert is one of those that speak of our certificate.

        It does not prove that the other side has read nothing: in TLS 1.3 the client's handshake is
        over before the server has looked at its certificate, and a server may send such an alert at
        any time.
        """
        return self.code in _ABOUT_OUR_CERTIFICATE

    @classmethod
    def of(cls, error: ssl.SSLError, first: bytes) -> "TlsFailure":
        """What an error of OpenSSL means.

        Args:
            error: The error.
            first: The first bytes that the other side has sent, of which at most some tell the
                protocol; they do not become part of the result.
        """
        if isinstance(error, ssl.SSLCertVerificationError):
            text = f"its certificate is not valid: {error.verify_message}"
            return cls(*_BY_VERIFY_CODE.get(error.verify_code, ("certificate_invalid", text)))
        reason = error.reason or ""
        if reason in _BY_REASON:
            return cls(*_BY_REASON[reason])
        if not _begins_a_record(first):
            return _not_tls(first)
        _, is_alert, alert = reason.partition("_ALERT_")
        if is_alert:
            name = alert.lower()
            default = f"it has ended TLS with the alert {name}"
            return cls(f"alert_{name}", _BY_ALERT.get(name, default))
        words = reason.lower() or "tls_error"
        return cls(words, words.replace("_", " "))


def _begins_a_record(first: bytes) -> bool:
    return first[:1] in _RECORD_TYPES and first[1:2] in (b"", b"\x03")


def _not_tls(first: bytes) -> TlsFailure:
    # A frame, or a message whose sender leaves out the framing.
    if first.startswith(b"\x0b") or detect(first) == "hl7_unframed":
        return TlsFailure("plain_mllp", "it speaks plain MLLP: it does not speak TLS")
    return TlsFailure("not_tls", "it does not speak TLS")


TLS_CLOSED = TlsFailure("closed", "it closed the connection in the TLS handshake")
TLS_TIMEOUT = TlsFailure("timeout", "it did not finish the TLS handshake in time")


def no_handshake(failure: TlsFailure | None, error: OSError) -> str:
    """Why a client's handshake did not come about, in words.

    Args:
        failure: What TLS says of it; None when it says nothing.
        error: What ended the wait: a `TimeoutError`, or the end of the connection, which is how a
            plain server answers that closes with our first bytes unread.
    """
    if failure is not None:
        return failure.text
    ended = TLS_TIMEOUT if isinstance(error, TimeoutError) else TLS_CLOSED
    return f"{ended.text}; perhaps it does not speak TLS"
