"""What the linked images take, against the budgets in the README of this folder."""

import re
import subprocess

import pytest
from network_board import IMAGES, image

TARGETS = [
    "thumbv6m-none-eabi",
    "thumbv7m-none-eabi",
    "thumbv7em-none-eabihf",
    "riscv32imc-unknown-none-elf",
]


def sections(name: str) -> dict[str, int]:
    """The sizes of the sections of an image in bytes."""
    output = run("arm-none-eabi-size", "-A", str(image(name)))
    return {section: int(size) for section, size in re.findall(r"^(\.\w+)\s+(\d+)", output, re.M)}


def variables(name: str) -> dict[str, int]:
    """The sizes of the variables in memory, in bytes."""
    output = run("arm-none-eabi-nm", "-S", "-C", str(image(name)))
    found = re.findall(r"^\w+ (\w+) [bBdD] (.*)$", output, re.M)
    return {variable: int(size, 16) for size, variable in found}


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_flash_of_decode_header_and_acknowledgment() -> None:
    """All code and constants of the image, with its line and what the compiler brings."""
    flash = sections("smallest")[".text"]
    print(f"smallest: {flash} bytes of flash on Cortex-M0+")
    assert flash <= 8 * 1024


def test_memory_of_the_network_gateway() -> None:
    """One variable has the protocol, the network stack under it, and the buffers of both."""
    size = sections("network")
    static = size.get(".data", 0) + size.get(".bss", 0)
    held = variables("network")["network::start::MEMORY"]
    print(f"network: {held} bytes for state and buffers, {static - held} beside them")
    assert held <= 8 * 1024
    assert static - held <= 256


@pytest.mark.parametrize("target", TARGETS)
def test_the_library_has_no_static_memory(target: str) -> None:
    image("smallest")
    archive = IMAGES / "libmllp" / target / "libmllp.a"
    output = run("readelf", "-SW", str(archive))
    found = re.findall(r"\] (\.(?:data|bss)\S*)\s+(?:PROGBITS|NOBITS)\s+\w+ \w+ (\w+)", output)
    assert output.count(" .text.mllp_") > 50
    assert [name for name, size in found if int(size, 16) > 0 and ".rel.ro" not in name] == []


@pytest.mark.parametrize("name", ["serial-conformant", "smallest"])
def test_no_panic_is_linked(name: str) -> None:
    symbols = run("arm-none-eabi-nm", "-C", str(image(name)))
    assert "reset" in symbols
    assert re.findall(r"panic\w*::\w+|\w*_fail\b|alloc::\w+", symbols) == []
