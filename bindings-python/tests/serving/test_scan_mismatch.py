"""A scan that ignores the two-byte set of MSH-18 is on record, and `auto` follows MSH-18."""

import logging

import pytest
from conftest import Records, Serve
from fastmllp import Message
from fastmllp._native import ignores_character_set
from peers import Peer, framed, msa
from two_byte_sets import CHINESE, JAPANESE, SWITCHED, message


def exchange(serve: Serve, *payloads: bytes, **options: str) -> list[tuple[str, str]]:
    server = serve(**options)
    with Peer.connect(server.address) as peer:
        peer.send(b"".join(map(framed, payloads)))
        answers = [msa(peer.receive_frame()) for _ in payloads]
        peer.half_close()
        assert peer.receive_end() == b""
    return answers


@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING])
def test_a_mismatch_is_reported_once_for_each_connection(
    serve_both: Serve, records: Records, level: int
) -> None:
    logging.getLogger("fastmllp").setLevel(level)
    for number in (1, 2):
        exchange(serve_both, CHINESE, CHINESE, message("A", "", "ascii"))
        found = [r for r in records.all() if r.event == "scan_mismatch"]  # type: ignore[attr-defined]
        assert [r.levelno for r in found].count(logging.WARNING) == number


@pytest.mark.parametrize(
    ("payload", "control_id", "scan"),
    [(CHINESE, "G1", "gb18030"), (JAPANESE, "J1", "shift_jis"), (SWITCHED, "K1", "iso2022_jp")],
)
@pytest.mark.parametrize("policy", ["always", "conformant"])
def test_auto_follows_msh_18(
    serve_both: Serve, records: Records, payload: bytes, control_id: str, scan: str, policy: str
) -> None:
    for chosen in ("auto", scan):
        plain = message("A", "8859/1", "latin-1", "Krankenhaus München")
        answers = exchange(serve_both, payload, plain, scan=chosen, policy=policy)
        assert answers == [("AA", control_id), ("AA", "A")]
    assert "scan_mismatch" not in {r.event for r in records.all()}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("sets", "codec", "expected"),
    [
        ("", "utf-8", False),
        ("8859/1", "latin-1", False),
        ("UNICODE UTF-8", "utf-8", False),
        ("KS X 1001", "euc_kr", False),
        ("EBCDIC", "latin-1", False),
        ("BIG-5", "big5", True),
        ("ISO IR87", "iso2022_jp", True),
        ("~ISO IR87", "iso2022_jp", True),
        ("ISO IR14", "shift_jis", True),
    ],
)
def test_what_a_mismatch_is(sets: str, codec: str, expected: bool) -> None:
    name = {"latin-1": "Müller", "euc_kr": "김", "big5": "功"}.get(codec, "山")
    for long in ("", "x" * 5000):
        payload = message("A", sets, codec, name=name + long)
        assert ignores_character_set(payload) is expected
        scan = "gb18030" if sets == "BIG-5" else "iso2022_jp" if "87" in sets else "shift_jis"
        assert not ignores_character_set(payload, scan="auto")
        assert not ignores_character_set(payload, scan=scan) or not expected
    # In ASCII alone nothing can be misread.
    assert not ignores_character_set(message("A", sets, "ascii"))


@pytest.mark.parametrize("policy", ["always", "conformant"])
def test_a_refusal_quotes_no_other_field(serve_both: Serve, policy: str) -> None:
    # Above the limit before MSH-18 tells that three separators are halves of characters.
    cut = message("G1", "GB 18030-2000", "gb18030", "亅亅亅" + "L" * 1000)
    cut += b"OBX|" + b"x" * 1000
    for limit, expected in ((1060, ""), (1090, "G1")):
        server = serve_both(max_size=limit, over_limit="refuse", scan="auto", policy=policy)
        with Peer.connect(server.address) as peer:
            peer.send(framed(cut))
            code, control_id = msa(peer.receive_frame())
        assert code == "AR" and control_id not in ("20260101", "ADT^A01")
        assert control_id == expected or (not expected and policy == "always")


def test_a_handler_reads_by_the_scan_of_its_server(serve_both: Serve) -> None:
    seen: list[tuple[bytes | None, str | None]] = []

    def handler(message: Message) -> None:
        seen.append((message.get("PID-5"), message.text("PID-5")))

    server = serve_both(handler, scan="auto")
    with Peer.connect(server.address) as peer:
        for payload in (CHINESE, JAPANESE, SWITCHED):
            peer.send(framed(payload))
            peer.receive_frame()
    assert [text for _, text in seen] == ["张亅", "ポ", "ヤマダ"]
    assert seen[0][0] == "张亅".encode("gb18030")
