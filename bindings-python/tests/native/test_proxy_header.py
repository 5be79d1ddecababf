"""Headers of the PROXY protocol: `vectors/proxy.json`, for every beginning of each stream."""

import ipaddress
import json
import pathlib
from typing import Any

import pytest
from fastmllp._native import MllpError, ProxyError, ProxyHeader, parse_proxy_header

VECTORS = pathlib.Path(__file__).parents[3] / "vectors"
CASES: list[dict[str, Any]] = json.loads((VECTORS / "proxy.json").read_text())["cases"]


def outcome(data: bytes) -> dict[str, Any]:
    """What is known, in the shape of the vectors."""
    try:
        header = parse_proxy_header(data)
    except ProxyError as error:
        return {"error": error.code}
    if header is None:
        return {"more": True}
    known: dict[str, Any] = {"len": header.length}
    if header.source is None or header.destination is None:
        assert header.source is header.destination
        return known | {"origin": "local" if header.is_local else "unnamed"}
    assert not header.is_local
    source, destination = in_vector_shape(header.source), in_vector_shape(header.destination)
    return known | {"origin": "client", "source": source, "destination": destination}


def in_vector_shape(address: tuple[str, int]) -> list[Any]:
    host, port = address
    return [ipaddress.ip_address(host).packed.hex(), port]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_every_beginning(case: dict[str, Any]) -> None:
    data, known_at = bytes.fromhex(case["bytes"]), case["known_at"]
    for end in range(len(data) + 1):
        known = known_at is not None and end >= known_at
        assert outcome(data[:end]) == (case["expect"] if known else {"more": True}), end


def header(data: bytes) -> ProxyHeader:
    parsed = parse_proxy_header(data)
    assert parsed is not None
    return parsed


def test_representation() -> None:
    line = b"PROXY TCP6 2001:db8::b ::1 50000 2575\r\n"
    expected = "ProxyHeader(length=39, source='[2001:db8::b]:50000', destination='[::1]:2575')"
    assert repr(header(bytearray(line))) == expected
    assert repr(header(b"PROXY UNKNOWN\r\n")) == "ProxyHeader(length=15)"
    probe = bytes.fromhex("0d0a0d0a000d0a515549540a20000000")
    assert repr(header(probe)) == "ProxyHeader(length=16, is_local=True)"


def test_error_shows_no_byte_of_the_stream() -> None:
    with pytest.raises(MllpError) as caught:
        parse_proxy_header(b"SECRET")
    assert "SECRET" not in str(caught.value)
