"""A message as text that a person can read."""

from fastmllp.logging.printable import lines

__all__ = ["readable"]


def readable(payload: bytes, encoding: str = "utf-8") -> str:
    r"""Show a payload to a person: a line for each segment, nothing that could steer a terminal.

    Args:
        payload: A message in any character set.
        encoding: The character set in which it is shown; Latin-1 if it is not in that.

    Returns:
        Lines that each end with a line feed. Characters that are not printable, such as control
        characters and bidirectional marks, are written as ``\x1b`` or ``\u202e``.
    """
    try:
        text = payload.decode(encoding)
    except ValueError:  # UnicodeDecodeError, and what a codec of a stranger says.
        text = payload.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    return lines(text)
