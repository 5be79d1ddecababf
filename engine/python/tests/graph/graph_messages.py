"""A message for the tests of the graph."""


def adt(event: str = "A01", patient: str = "1001", control_id: str = "M1") -> bytes:
    """An ADT message."""
    lines = [
        rf"MSH|^~\&|A|B|C|D|20261201||ADT^{event}|{control_id}|P|2.5",
        f"PID|1||{patient}^^^H||DOE^JANE",
        "PV1|1|I|W1",
    ]
    return "".join(f"{line}\r" for line in lines).encode()
