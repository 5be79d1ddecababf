"""The answer of servers that read nothing: the same bytes for every message."""

ANSWER = (
    b"\x0bMSH|^~\\&|LABSYS|CENTRAL LAB|ADTSYS|MAIN HOSPITAL|20261121093000||ACK^A01^ACK|"
    b"0000000000000001|P|2.5.1\rMSA|AA|MSG20261121000123\r\x1c\r"
)


def ends(data: bytes, last: int) -> int:
    """How many frames end in these bytes, of which `last` is the byte before."""
    return data.count(b"\x1c\r") + (last == 0x1C and data[0] == 0x0D)
