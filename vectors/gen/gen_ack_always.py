"""Writes ack_always.json: acknowledgments by the policy `always`, which answers every complete frame.

The model is written from the rules of the package's first design ("ACK Strategy"), apart from the Rust code
and from ref_hl7.py: it splits, it does not scan."""
import json

NOW, NEW_ID = "20260102030405", "5e7b1c0f9a3d4f2e8b6a7c5d4e3f2a1b"
PUNCTUATION = set(b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def header(payload):
    """MSH as (separator, MSH-2, list with field n at index n), or None when it is not usable.
    A batch is answered for its first message."""
    text = payload[3:] if payload[:3] == b"\xef\xbb\xbf" else payload
    while text and text[0] <= 0x20:
        text = text[1:]
    first = min([text.index(c) for c in (b"\r", b"\n") if c in text], default=len(text))
    ends = (b"\r", b"\n") if text[first:first + 1] == b"\n" else (b"\r",)
    lines = [text]
    for end in ends:
        lines = [part for line in lines for part in line.split(end)]
    if ends == (b"\r",):
        lines = [line[1:] if k and line[:1] == b"\n" else line for k, line in enumerate(lines)]
    if lines[0][:3] in (b"FHS", b"BHS") and len(lines[0]) > 3:
        separator = lines[0][3]
        lines = [line for line in lines if line[:4] == b"MSH" + bytes([separator])]
    if not lines or lines[0][:3] != b"MSH" or len(lines[0]) < 4 or lines[0][3] not in PUNCTUATION:
        return None
    separator = lines[0][3:4]
    fields = [b"MSH", separator] + lines[0][4:].split(separator)
    return separator, fields[2], fields


def ack(payload, code="AA", text="", structure="", charset=None, profile=""):
    found = header(payload)
    separator, characters, fields = found if found else (b"|", b"", [])

    def usable(encoding):
        every = separator + encoding
        return len(encoding) == 4 and len(set(every)) == 5 and all(c in PUNCTUATION for c in every)

    def field(n, default=b""):
        value = fields[n] if n < len(fields) else b""
        return value or default

    if usable(characters):
        encoding = characters
    elif usable(b"^~\\&"):
        encoding = b"^~\\&"
    else:
        separator, encoding = b"|", b"^~\\&"
    escape = encoding[2:3]

    def copy(value):
        out = b""
        for byte in value:
            if byte in (0x0B, 0x1C, 0x0D, 0x0A):
                out += escape + b"X%02X" % byte + escape
            elif byte == separator[0]:
                out += escape + b"F" + escape
            else:
                out += bytes([byte])
        return out

    # MSH-9 is read with the separators of the message; where its MSH-2 names none, with the usual one.
    component = characters[:1]
    if not component or component[0] not in PUNCTUATION or (found and component == found[0]):
        component = b"^"
    type_parts = field(9).split(component)
    trigger = type_parts[1] if len(type_parts) > 1 else b""
    message_type = b"ACK" + (encoding[:1] + copy(trigger) if trigger or structure else b"")
    if structure:
        message_type += encoding[:1] + structure.encode()
    new_id = NEW_ID.encode()
    msh = [b"MSH", encoding, copy(field(5, b"FASTMLLP")), copy(field(6, b"FASTMLLP")), copy(field(3, b"UNKNOWN")),
           copy(field(4, b"UNKNOWN")), NOW.encode(), b"", message_type, new_id, copy(field(11, b"P")), copy(field(12, b"2.3"))]
    # Bytes that are not ASCII, or that switch sets, need the names of the sets: MSH-18 and MSH-20.
    every = separator.join(fields) + text.encode()
    sets = [b"", b""]
    if any(c >= 0x80 or c == 0x1B for c in every):
        sets = [copy(field(18)), copy(field(20))]
    if charset is not None:
        sets = [charset.encode(), b""]
    msh += [b"", b"", b"", b"", b"", sets[0], b"", sets[1], profile.encode()]
    while not msh[-1]:
        msh.pop()
    msa = [b"MSA", code.encode(), copy(field(10)) or new_id]
    if text:
        names = dict(zip((separator + encoding), "FSRET"))
        msa.append(b"".join(escape + names[c].encode() + escape if c in names else
                            escape + b"X%02X" % c + escape if c in (0x0D, 0x0A, 0x0B, 0x1C) else bytes([c])
                            for c in text.encode()))
    return separator.join(msh) + b"\r" + separator.join(msa) + b"\r"


CASES = []


def add(id, why, payload, **kw):
    latin1 = lambda data: data.decode("latin-1")
    CASES.append({"id": id, "why": why, "inbound": latin1(payload), "code": kw.get("code", "AA"), "text": kw.get("text", ""),
                  **({"args": kw} if set(kw) - {"code", "text"} else {}),
                  "now": NOW, "control_id": NEW_ID, "ack": latin1(ack(payload, **kw))})


PLAIN = b"MSH|^~\\&|SND|SF|RCV|RF|20260101120000||ADT^A01^ADT_A01|M1|P|2.5.1\rPID|1||1001\r"
add("plain", "every field mirrored", PLAIN)
add("negative", "a handler refuses", PLAIN, code="AE")
add("text", "text is escaped and cannot start a segment", b"MSH|^~\\&|SND|SF|RCV|RF|20260101||ADT^A01|M1|P|2.3\r", code="AR",
    text="a|b^c&d~e\\f\r\nMSA|AA|M1\x0b\x1c")
add("empty", "a frame without a payload", b"")
add("blank", "a payload of one carriage return", b"\r")
add("no_msh", "no MSH at all", b"PID|1||1001\r")
add("junk", "not HL7", b"GET / HTTP/1.1\r\n\r\n")
add("msh_second", "MSH is not the first segment", b"EVN|A01\rMSH|^~\\&|A|B|C|D|20260101||ADT^A01|M1|P|2.3\r")
add("lower", "segment IDs are upper case", b"msh|^~\\&|A|B|C|D|20260101||ADT^A01|M1|P|2.3\r")
add("msh_only", "MSH without a separator", b"MSH")
add("msh_bar", "MSH and its separator", b"MSH|")
add("letter_separator", "a letter is not a separator", b"MSHA^~\\&AB")
add("short", "MSH ends before MSH-10", b"MSH|^~\\&|A|B\r")
add("no_encoding_characters", "MSH-2 is empty", b"MSH||A|B|C|D|20260101||ADT^A01|M1|P|2.3\r")
add("other_separators", "five other separators, mirrored", b"MSH#*+%$#SND#SF#RCV#RF#20260101##ORU*R01#M2#P#2.3.1\r")
add("five", "MSH-2 of five characters is not mirrored", b"MSH|^~\\&#|A|B|C|D|20260101||ADT^A08^ADT_A05|M3|P|2.7\r")
add("three", "MSH-2 of three characters is not mirrored", b"MSH|^~\\|A|B|C|D|20260101||ADT^A08|M4|P|2.3\r")
add("one_other", "MSH-9 is read with the message's own separator", b"MSH|*|A|B|C|D|20260101||ADT*A08|M6|P|2.2\r")
add("five_other", "five other characters: read with them, answered with the usual ones", b"MSH|*+%$!|A|B|C|D|20260101||ADT*A08|M6|P|2.7\r")
add("duplicate", "MSH-2 with a character twice is not usable", b"MSH|^^\\&|A|B|C|D|20260101||ADT^A08|M7|P|2.3\r")
add("letters", "MSH-2 with a letter is not usable", b"MSH|^~A&|A|B|C|D|20260101||ADT^A08|M8|P|2.3\r")
add("caret_separator", "MSH-1 is a caret and MSH-2 is usable", b"MSH^~|\\&^A^B^C^D^20260101^^ADT~A08^M9^P^2.3\r")
add("collision", "MSH-1 is a caret and MSH-2 is not usable: all defaults", b"MSH^~\\&^A^B^C^D^20260101^^ADT~A08^M|9^P^2.3\r")
add("no_trigger", "MSH-9 without a trigger event", PLAIN.replace(b"ADT^A01^ADT_A01", b"ADT"))
add("empty_trigger", "MSH-9 with an empty trigger event", PLAIN.replace(b"ADT^A01^ADT_A01", b"ADT^^ADT_A01"))
add("no_type", "MSH-9 is empty", PLAIN.replace(b"ADT^A01^ADT_A01", b""))
add("only_trigger", "MSH-9.1 is empty", PLAIN.replace(b"ADT^A01^ADT_A01", b"^A01"))
for n, name in ((3, b"SND"), (4, b"SF"), (5, b"RCV"), (6, b"RF")):
    add("no_msh_%d" % n, "MSH-%d is empty: its default alone" % n, PLAIN.replace(b"|" + name + b"|", b"||"))
add("no_control_id", "MSH-10 is empty: one new ID serves twice", PLAIN.replace(b"|M1|", b"||"))
add("no_processing_id", "MSH-11 is empty", PLAIN.replace(b"|P|", b"||"))
add("no_version", "MSH ends before MSH-12", b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|M1|T\r")
add("components", "names with components are copied whole", PLAIN.replace(b"|SND|", b"|SND^1.2.3^ISO|").replace(b"|P|", b"|T^R|"))
add("control_id_raw", "delimiters and escapes in MSH-10 are copied as bytes", PLAIN.replace(b"|M1|", b"|A\\F\\1^x&y~z |"))
add("control_id_framing", "framing bytes in MSH-10 cannot travel in a frame", PLAIN.replace(b"|M1|", b"|M\x0b1\x1c|"))
add("control_id_line_feed", "a line feed in MSH-10 would end a segment for some readers", PLAIN.replace(b"|M1|", b"|M\n1|"))
ENDED = PLAIN[:-len(b"\rPID|1||1001\r")]
add("charset_text", "a text that is not ASCII needs the name of its set", ENDED + b"||||||UNICODE UTF-8~ISO IR87||ISO 2022-1994\r",
    code="AE", text="M\u00fcller fehlt")
add("charset_name", "a name that is not ASCII too", ENDED.replace(b"|SF|", b"|S\xdcD|") + b"||||||8859/1\r")
add("charset_escapes", "and one with escape sequences", ENDED.replace(b"|SF|", b"|\x1b$B;3ED\x1b(B|") + b"||||||~ISO IR87||ISO 2022-1994\r")
add("charset_given", "MSH-18 is given, because the message names no set", PLAIN, code="AE", text="M\u00fcller fehlt", charset="UNICODE UTF-8")
add("structure", "MSH-9.3 is given", PLAIN, structure="ACK")
add("structure_no_trigger", "MSH-9.3 is given, without a trigger event", PLAIN.replace(b"ADT^A01^ADT_A01", b"ADT"), structure="ACK")
add("profile", "MSH-21 is given", ENDED + b"|||||||||A^B\r", profile="LAB-29^IHE")
add("charset", "MSH-18 is not copied", PLAIN[:-len(b"\rPID|1||1001\r")] + b"||||||UNICODE UTF-8\r")
add("latin1", "bytes of any character set are copied", "MSH|^~\\&|KLINIK S\u00dcD|B|C|D|20260101||ADT^A01|M\u00e9|P|2.4\r".encode("latin-1"))
add("utf8", "bytes of any character set are copied", "MSH|^~\\&|\u75c5\u9662|B|C|D|20260101||ADT^A01|M1|P|2.4\r".encode())
add("line_feeds", "segments end in line feeds", PLAIN.replace(b"\r", b"\n"))
add("crlf", "segments end in carriage return and line feed", PLAIN.replace(b"\r", b"\r\n"))
add("no_terminator", "the last segment is not ended", PLAIN[:-1])
add("bom", "a byte order mark before MSH", b"\xef\xbb\xbf" + PLAIN)
add("leading_blanks", "blanks before MSH", b" \r\n\t" + PLAIN)
add("batch", "a batch is answered for its first message", b"FHS|^~\\&|S\rBHS|^~\\&|S\r" + PLAIN + PLAIN.replace(b"M1", b"M2") + b"BTS|2\r")
add("batch_empty", "a batch without a message", b"BHS|^~\\&|S\rBTS|0\r")
add("start_block_before_msh", "a doubled start block leaves one in the payload", b"\x0b" + PLAIN)

json.dump({"format": "fastmllp-vectors/ack_always/1", "notes": [
    "policy always: every complete frame is answered; strings are latin-1 images of bytes; now and control_id are inputs"],
    "build": CASES}, open("../ack_always.json", "w"), indent=1, ensure_ascii=True)
print(len(CASES), "acknowledgments by the policy always")
