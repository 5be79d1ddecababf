"""What programs are compiled with is what abi.txt says: sizes, offsets, numbers and names.

`abi.txt` is written by `python abi.py --write`, which never changes or drops a number or a name. It
holds what a C compiler makes of mllp.h for 64 bits, and what the library answers.
"""

import re
import sys
from collections.abc import Iterator

from tools import BUILT, CC, HEADER, STRICT, TESTS, WORK, declarations, has, run

PINNED = TESTS / "abi.txt"
SOURCES = TESTS.parent / "src"
# What never changes; sizes and offsets may, with the minor version before 1.0.
FOR_EVER = ("number ", "name ")


def constants() -> dict[str, str]:
    """Each constant of the header with its type, which only the sources tell."""
    sources = "".join(path.read_text() for path in sorted(SOURCES.glob("*.rs")))
    types = dict(re.findall(r"^pub const (MLLP_\w+): (\w+)", sources, re.MULTILINE))
    names = re.findall(r"^#define (MLLP_\w+) \S", declarations(), re.MULTILINE)
    return {name: types[name] for name in names if not name.startswith("MLLP_VERSION_")}


def structs() -> Iterator[tuple[str, list[str]]]:
    for body, name in re.findall(r"typedef struct \w+ \{(.*?)\} (\w+);", declarations(), re.DOTALL):
        yield name, re.findall(r"(\w+)(?:\[\w+\])?;", body)


def named() -> Iterator[tuple[str, str]]:
    """Each function that names a constant, with the constants of its type."""
    for function, type_ in re.findall(r"const char \*(mllp_\w+_name)\((\w+) ", declarations()):
        for constant, constant_type in constants().items():
            if constant_type == type_:
                yield function, constant


def program() -> str:
    lines = []
    for name, members in structs():
        lines.append(f'printf("size {name} %zu\\n", sizeof({name}));')
        for member in members:
            lines.append(f'printf("offset {name}.{member} %zu\\n", offsetof({name}, {member}));')
    lines += [f'printf("number {name} %lld\\n", (long long){name});' for name in constants()]
    lines += [
        f'printf("name {function} {constant} %s\\n", {function}({constant}));'
        for function, constant in named()
    ]
    body = "\n    ".join(lines)
    return f"#include <stdio.h>\n#include <mllp.h>\n\nint main(void)\n{{\n    {body}\n}}\n"


def measure() -> list[str]:
    WORK.mkdir(parents=True, exist_ok=True)
    source, binary = WORK / "abi.c", WORK / "abi"
    source.write_text(program())
    include = f"-I{HEADER.parent}"
    run(CC, "-std=c99", *STRICT, include, source, BUILT / "libmllp.a", "-o", binary)
    return run(binary).splitlines()


def main() -> None:
    if sys.maxsize < 2**32:
        print("abi: skipped: pinned for 64 bits")
        return
    if not has(CC, "abi"):
        return
    measured = measure()
    pinned = PINNED.read_text().splitlines() if PINNED.exists() else []
    writing = "--write" in sys.argv
    lost = [line for line in pinned if line not in measured]
    if any(line.startswith(FOR_EVER) for line in lost) or (lost and not writing):
        sys.exit("abi: the library differs from abi.txt:\n  " + "\n  ".join(lost))
    if writing:
        PINNED.write_text("\n".join(measured) + "\n")
    elif measured != pinned:
        new = [line for line in measured if line not in pinned]
        sys.exit("abi: not in abi.txt, run `abi.py --write`:\n  " + "\n  ".join(new))
    print(f"abi: {len(measured)} sizes, offsets, numbers and names as pinned")


if __name__ == "__main__":
    main()
