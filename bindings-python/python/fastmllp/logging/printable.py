r"""Text from outside, made safe for a terminal.

File names, keys, host names, certificates and messages come from people and machines that this
program does not know. Written raw, an escape sequence in one of them moves the cursor or hides
text, a line feed forges a line, and a bidirectional mark shows letters in another order than they
have. Everything that the command line prints passes through `one_line` or `lines`.
"""

__all__ = ["lines", "one_line"]

# Bytes that were not valid in the encoding of the file system; Python keeps them as U+DC80 to DCFF.
_FIRST_ESCAPED_BYTE, _LAST_ESCAPED_BYTE = 0xDC80, 0xDCFF


def one_line(text: str) -> str:
    r"""Write what is not printable, line ends included, as ``\x1b``, ``\u202e`` or ``\U000e0001``.

    Example:
        >>> print(one_line("a\nb\x1b[2J"))
        a\x0ab\x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def lines(text: str) -> str:
    """As `one_line`, but line feeds stay."""
    return "\n".join(map(one_line, text.split("\n")))


def _escaped(character: str) -> str:
    code = ord(character)
    if _FIRST_ESCAPED_BYTE <= code <= _LAST_ESCAPED_BYTE:
        return f"\\x{code - 0xDC00:02x}"
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\u{code:04x}" if code > 0xFF else f"\\x{code:02x}"
