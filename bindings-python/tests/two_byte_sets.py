"""Messages in two-byte character sets, with bytes of delimiters inside of characters."""

HEADER = "MSH|^~\\&|LAB|%s|HIS|H|20260101||ADT^A01|%s|P|2.5||||||%s\rPID|1||7||%s\r"


def message(control_id: str, sets: str, codec: str, facility: str = "L", name: str = "X") -> bytes:
    return (HEADER % (facility, control_id, sets, name)).encode(codec)


# The second byte of a character in MSH-4 is that of `|`.
CHINESE = message("G1", "GB 18030-2000", "gb18030", "医亅", "张亅")
JAPANESE = message("J1", "ISO IR14", "shift_jis", "ポ病院", "ポ")
SWITCHED = message("K1", "~ISO IR87", "iso2022_jp", "ヤマダ医院", "ヤマダ")
