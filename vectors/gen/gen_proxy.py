"""Writes proxy.json: headers of the PROXY protocol, by a model of HAProxy's proxy-protocol.txt.

The model reads a stream as a specification does, from the front with everything there; `known_at`
is then found by asking it for every beginning of the stream.
"""
import ipaddress
import json
import re
import struct

SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")
LOCAL, UNNAMED = {"origin": "local"}, {"origin": "unnamed"}
NONE, BAD = {"error": "no_proxy_header"}, {"error": "bad_proxy_header"}
IPV4 = re.compile(r"(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}")
PORT = re.compile(r"0|[1-9]\d{0,4}")


def client(source, source_port, destination, destination_port):
    return {"origin": "client", "source": [source.packed.hex(), source_port],
            "destination": [destination.packed.hex(), destination_port]}


def line(text):
    """What stands between `PROXY ` and CR LF."""
    if text.split(b" ")[0] == b"UNKNOWN":
        return UNNAMED
    words = text.decode("latin-1").split(" ")
    if len(words) != 5 or words[0] not in ("TCP4", "TCP6"):
        return BAD
    _, source, destination, *ports = words
    kind = ipaddress.IPv4Address if words[0] == "TCP4" else ipaddress.IPv6Address
    try:
        hosts = [kind(source), kind(destination)]
    except ValueError:
        return BAD
    if words[0] == "TCP4" and not (IPV4.fullmatch(source) and IPV4.fullmatch(destination)):
        return BAD
    if "%" in source + destination:
        return BAD
    if not all(PORT.fullmatch(port) and int(port) < 65536 for port in ports):
        return BAD
    return client(hosts[0], int(ports[0]), hosts[1], int(ports[1]))


def read(data):
    """None for more, or what is known: an error, or a header with its length."""
    if data[:6] == b"PROXY ":
        end = data[:107].find(b"\r\n")
        if end < 0:
            return BAD if len(data) >= 107 else None
        found = line(data[6:end])
        return found if found is BAD else {"len": end + 2} | found
    if b"PROXY ".startswith(data):
        return None
    if data[:12] != SIGNATURE[: len(data)]:
        return NONE
    if len(data) > 12 and data[12] not in (0x20, 0x21):
        return BAD
    local = data[12:13] == b"\x20"
    if len(data) > 13 and not local and (data[13] >> 4 > 3 or data[13] & 15 > 2):
        return BAD
    if len(data) < 16:
        return None
    length = int.from_bytes(data[14:16], "big")
    if not local and length < (0, 12, 36, 216)[data[13] >> 4]:
        return BAD
    body = data[16 : 16 + length]
    if len(body) < length:
        return None
    head = {"len": 16 + length}
    if local:
        return head | LOCAL
    if data[13] not in (0x11, 0x21):
        return head | UNNAMED
    size = 4 if data[13] == 0x11 else 16
    source, destination = (ipaddress.ip_address(body[at : at + size]) for at in (0, size))
    ports = struct.unpack("!HH", body[2 * size : 2 * size + 4])
    return head | client(source, ports[0], destination, ports[1])


def v1(text, rest=b"\x0bMSH|"):
    return b"PROXY " + text.encode("latin-1") + b"\r\n" + rest


def v2(command, family, body, rest=b"\x0bMSH|", length=None):
    return SIGNATURE + struct.pack("!BBH", command, family, len(body) if length is None else length) + body + rest


INET = ipaddress.ip_address("10.11.2.1").packed + ipaddress.ip_address("192.0.2.2").packed + struct.pack("!HH", 40000, 2575)
INET6 = ipaddress.ip_address("2001:db8::b").packed + ipaddress.ip_address("::1").packed + struct.pack("!HH", 65535, 0)
TLV = bytes.fromhex("03000400000000") + bytes.fromhex("ea000301020b") + b"\x04\x00\x01\x0b"
LONGEST = "TCP6 " + " ".join(["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] * 2) + " 65535 65535"
CASES = [
    ("empty", "nothing has come", b""),
    ("mllp", "a client that no proxy stands before", b"\x0bMSH|^~\\&|"),
    ("tls", "a ClientHello", bytes.fromhex("1603010200")),
    ("http_p", "another word with P", b"POST / HTTP/1.1\r\n"),
    ("blank_line", "the signature has a second CR LF", b"\r\n\x0bMSH|"),
    ("noise_first", "a header is at the very beginning or it is none", b"\r\n" + v2(0x21, 0x11, INET)),
    ("no_blank", "PROXY without a blank", b"PROXYTCP4 "),
    ("lower", "the word is in capitals", b"proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
    ("v1_part", "a line that has not ended", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2"),
    ("v1_cr", "a line whose LF has not come", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r"),
    ("v1_tcp4", "IPv4", v1("TCP4 192.168.0.1 192.168.0.11 56324 443")),
    ("v1_tcp4_longest", "56 bytes", v1("TCP4 255.255.255.255 255.255.255.255 65535 65535")),
    ("v1_zeros", "the least values", v1("TCP4 0.0.0.0 0.0.0.0 0 0")),
    ("v1_tcp6", "IPv6", v1("TCP6 2001:db8::b ::1 50000 2575")),
    ("v1_tcp6_upper", "hexadecimal digits of either case", v1("TCP6 2001:DB8::B ::1 50000 2575")),
    ("v1_tcp6_longest", "104 bytes", v1(LONGEST)),
    ("v1_tcp6_mapped", "an IPv4 address in IPv6", v1("TCP6 ::ffff:c000:207 ::1 50000 2575")),
    ("v1_tcp6_mapped_dots", "the last two groups as an IPv4 address", v1("TCP6 ::ffff:192.0.2.7 2001:db8:1:2:3:4:192.0.2.7 1 2")),
    ("v1_tcp6_all_zero", "nothing around ::", v1("TCP6 :: 1:: 1 2")),
    ("v1_tcp6_full", "no ::", v1("TCP6 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:: 1 2")),
    ("v1_tcp6_middle", "groups on both sides", v1("TCP6 1:2::7:8 fe80::200:5aee:feaa:20a2 1 2")),
    ("v1_tcp6_nine", "nine groups", v1("TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2")),
    ("v1_tcp6_seven", "seven groups", v1("TCP6 1:2:3:4:5:6:7 ::1 1 2")),
    ("v1_tcp6_eight_more", "eight groups and ::", v1("TCP6 1:2:3:4::5:6:7:8 ::1 1 2")),
    ("v1_tcp6_twice", "two ::", v1("TCP6 1::2::3 ::1 1 2")),
    ("v1_tcp6_three_colons", "three colons", v1("TCP6 1:::2 ::1 1 2")),
    ("v1_tcp6_colon_first", "one colon in front", v1("TCP6 :1:2:3:4:5:6:7 ::1 1 2")),
    ("v1_tcp6_colon_last", "one colon at the end", v1("TCP6 1:2:3:4:5:6:7: ::1 1 2")),
    ("v1_tcp6_five_digits", "five digits in a group", v1("TCP6 00001::2 ::1 1 2")),
    ("v1_tcp6_no_digit", "a letter beyond F", v1("TCP6 1::g ::1 1 2")),
    ("v1_tcp6_dots_first", "an IPv4 address in the middle", v1("TCP6 ::192.0.2.7:1 ::1 1 2")),
    ("v1_tcp6_dots_three", "three numbers at the end", v1("TCP6 ::192.0.2 ::1 1 2")),
    ("v1_five", "five numbers", v1("TCP4 192.0.2.1.1 192.0.2.2 1 2")),
    ("v1_unknown", "the short form", v1("UNKNOWN")),
    ("v1_unknown_107", "the longest line of all", v1("UNKNOWN" + LONGEST[4:])),
    ("v1_unknown_bytes", "what follows UNKNOWN is ignored", v1("UNKNOWN \x0b\xff\r x\n")),
    ("v1_unknowns", "another word than UNKNOWN", v1("UNKNOWNS")),
    ("v1_too_long", "108 bytes", v1("UNKNOWN " + LONGEST[4:])),
    ("v1_endless", "no end in 107 bytes", b"PROXY UNKNOWN " + b"x" * 100),
    ("v1_empty", "no family", v1("")),
    ("v1_tcp5", "no such family", v1("TCP5 192.0.2.1 192.0.2.2 1 2")),
    ("v1_udp4", "only TCP is named", v1("UDP4 192.0.2.1 192.0.2.2 1 2")),
    ("v1_family_other", "IPv6 addresses by TCP4", v1("TCP4 ::1 ::1 1 2")),
    ("v1_family_other6", "IPv4 addresses by TCP6", v1("TCP6 192.0.2.1 192.0.2.2 1 2")),
    ("v1_octal", "a leading zero in an address", v1("TCP4 192.0.2.01 192.0.2.2 1 2")),
    ("v1_256", "beyond a byte", v1("TCP4 192.0.2.256 192.0.2.2 1 2")),
    ("v1_three", "three numbers", v1("TCP4 192.0.2 192.0.2.2 1 2")),
    ("v1_zone", "a zone is no part of an address", v1("TCP6 fe80::1%1 ::1 1 2")),
    ("v1_port_65536", "beyond a port", v1("TCP4 192.0.2.1 192.0.2.2 65536 2")),
    ("v1_port_zero", "a leading zero in a port", v1("TCP4 192.0.2.1 192.0.2.2 01 2")),
    ("v1_port_sign", "digits only", v1("TCP4 192.0.2.1 192.0.2.2 +1 2")),
    ("v1_port_missing", "one port", v1("TCP4 192.0.2.1 192.0.2.2 1")),
    ("v1_port_empty", "a blank and no port", v1("TCP4 192.0.2.1 192.0.2.2 1 ")),
    ("v1_two_blanks", "exactly one blank", v1("TCP4  192.0.2.1 192.0.2.2 1 2")),
    ("v1_more", "nothing follows the ports", v1("TCP4 192.0.2.1 192.0.2.2 1 2 3")),
    ("v1_lf", "LF alone ends no line", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n\x0bMSH|\r\n"),
    ("v1_latin1", "no text", v1("TCP4 192.0.2.1\xa0 192.0.2.2 1 2")),
    ("v2_part", "half of a signature", SIGNATURE[:7]),
    ("v2_signature", "the signature alone", SIGNATURE),
    ("v2_no_length", "the length has not come", SIGNATURE + b"\x21\x11\x00"),
    ("v2_tcp4", "the address holds the start block of MLLP", v2(0x21, 0x11, INET)),
    ("v2_tcp4_part", "the last byte of a port has not come", v2(0x21, 0x11, INET, b"")[:-1]),
    ("v2_tcp6", "IPv6", v2(0x21, 0x21, INET6)),
    ("v2_tlv", "extensions are skipped", v2(0x21, 0x11, INET + TLV)),
    ("v2_tlv_broken", "and not looked at", v2(0x21, 0x11, INET + b"\x01\xff")),
    ("v2_tlv_part", "extensions are waited for", v2(0x21, 0x11, INET + TLV, b"")[:-1]),
    ("v2_local", "a probe", v2(0x20, 0x00, b"", b"")),
    ("v2_local_aws", "a probe as load balancers send it", v2(0x20, 0x11, bytes.fromhex("03040004c0000000") + bytes(76), b"")),
    ("v2_local_any_family", "the family of a probe is ignored", v2(0x20, 0xFF, b"\x0b")),
    ("v2_local_short", "and so are its addresses", v2(0x20, 0x11, b"\x01\x02")),
    ("v2_unspec", "no family", v2(0x21, 0x00, b"")),
    ("v2_unspec_body", "no family, and bytes", v2(0x21, 0x00, b"\x0b\x1c\x0d")),
    ("v2_unix", "a client on the proxy's machine", v2(0x21, 0x31, b"/run/a".ljust(108, b"\0") * 2)),
    ("v2_udp4", "datagrams, which MLLP is never sent in", v2(0x21, 0x12, INET)),
    ("v2_inet_unspec", "IPv4 with an unspecified protocol", v2(0x21, 0x10, INET)),
    ("v2_version_1", "another version", v2(0x11, 0x11, INET)),
    ("v2_version_3", "another version", v2(0x31, 0x11, INET)),
    ("v2_command", "another command", v2(0x22, 0x11, INET)),
    ("v2_family", "another family", v2(0x21, 0x41, INET)),
    ("v2_protocol", "another protocol", v2(0x21, 0x13, INET)),
    ("v2_short4", "too short for its addresses", v2(0x21, 0x11, INET[:-1])),
    ("v2_short6", "too short for its addresses", v2(0x21, 0x21, INET6[:-1])),
    ("v2_short_unix", "too short for its addresses", v2(0x21, 0x31, bytes(215))),
    ("v2_near", "one byte of the signature is another", SIGNATURE[:11] + b"\r\x21\x11\x00\x00"),
]


def case(name, why, data):
    outcomes = [read(data[:end]) for end in range(len(data) + 1)]
    known_at = next((end for end, outcome in enumerate(outcomes) if outcome is not None), None)
    assert known_at is None or all(one == outcomes[-1] for one in outcomes[known_at:]), name
    expect = outcomes[-1] or {"more": True}
    return {"id": name, "why": why, "bytes": data.hex(), "known_at": known_at, "expect": expect}


vectors = {
    "format": "fastmllp-vectors/proxy/1",
    "notes": [
        "known_at = after how many bytes the answer is known; before that more bytes are needed; null: more than all",
        "len = bytes of the header; origin = local (a probe), unnamed, or client with source and destination, "
        "each an address in hexadecimal and a port",
        "error = no_proxy_header, bad_proxy_header",
    ],
    "cases": [case(*one) for one in CASES],
}
with open("../proxy.json", "w") as file:
    json.dump(vectors, file, indent=1)
