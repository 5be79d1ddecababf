"""Writes C that misuses every function of mllp.h: `python misuse.py FOLDER` makes misuse.calls.h.

Of each function every argument in turn is wrong, and the others are right: NULL; a state that is
zeroed, or of another type; bytes at NULL, or more than there can be; a number that is no constant
of its type. The right ones are in `the`, which `c/misuse.c` prepares, a member for every type. What
is asked for then is what rules 2, 5, 6 and 7 of the header say.
"""

import pathlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tools import declarations

# How the length of bytes is called, behind their name.
LENGTHS = ("_len", "_capacity")
# Numbers that are no constants of a type: they say what they mean themselves.
FREE_NUMBERS = {"mllp_handle_t", "mllp_status_t"}
# The first constant of a type whose first constant is not 1.
FIRST = {"mllp_error_code_t": "100"}
WRONG_NUMBER = "4711"


@dataclass
class Argument:
    type: str
    name: str
    pointer: bool
    const: bool

    @property
    def member(self) -> str:
        return "the." + self.type.removeprefix("mllp_").removesuffix("_t")


@dataclass
class Function:
    returns: str
    name: str
    arguments: list[Argument]


def functions() -> Iterator[Function]:
    pattern = r"^(?:const )?(?:struct )?(\w+) (\*?)(mllp_\w+)\(([^)]*)\);"
    for returns, star, name, inner in re.findall(pattern, declarations(), re.MULTILINE):
        arguments = []
        for one in re.sub(r"\s+", " ", inner).split(", "):
            if one != "void":
                found = re.fullmatch(r"(const )?(?:struct )?(\w+) (\*?)(\w+)", one)
                assert found, one
                const, type_, pointer, argument = found.groups()
                arguments.append(Argument(type_, argument, bool(pointer), bool(const)))
        yield Function(returns + star, name, arguments)


class Call:
    """A call of a function, with right arguments but for those that are replaced."""

    def __init__(self, function: Function, states: set[str], numbers: set[str]) -> None:
        self.function = function
        self.states = states
        self.numbers = numbers
        arguments = function.arguments
        names = {one.name for one in arguments}
        self.buffers = {
            one.name: one.name + suffix
            for one in arguments
            for suffix in LENGTHS
            if one.pointer and one.type in ("uint8_t", "char") and one.name + suffix in names
        }
        self.lengths = set(self.buffers.values())
        self.prepares = (
            re.search(r"_(init|init_stream|parse|parse_\w+)$", function.name) is not None
        )
        self.outputs = [
            one
            for index, one in enumerate(arguments)
            if one.pointer
            and not one.const
            and one.name not in self.buffers
            and (index > 0 or self.prepares)
        ]

    def right(self, one: Argument) -> str:
        if one in self.outputs:
            return f"&{self.output(one)}"
        if one.name in self.buffers:
            return f"({'const ' if one.const else ''}{one.type} *)the_bytes"
        if one.name in self.lengths:
            return "sizeof the_bytes"
        if one.type in self.numbers:
            return FIRST.get(one.type, "1")
        if one.type.startswith("mllp_") and one.type not in FREE_NUMBERS:
            return f"{'&' if one.pointer else ''}{one.member}"
        return "1"

    @staticmethod
    def output(one: Argument) -> str:
        return f"{one.name}_"

    def with_(self, **replaced: str) -> str:
        given = [replaced.get(one.name) or self.right(one) for one in self.function.arguments]
        return f"{self.function.name}({', '.join(given)})"

    def wrongs(self) -> Iterator[tuple[str, dict[str, str]]]:
        """What is wrong, as the status that it gives, and the arguments that are."""
        for one in self.function.arguments:
            if one.name in self.buffers:
                length = self.buffers[one.name]
                null = f"({'const ' if one.const else ''}{one.type} *)NULL"
                yield "MLLP_ERR_NULL", {one.name: null, length: "1"}
                yield "MLLP_ERR_INVALID_ARGUMENT", {length: "BEYOND"}
                yield "MLLP_ERR_INVALID_ARGUMENT", {length: "SIZE_MAX"}
            elif one.pointer:
                # By the policy `always` there may be no header; a function that only asks has no
                # status to say so.
                yield "MLLP_ERR_NULL", {one.name: "NULL"}
                if one.type in self.states and one not in self.outputs:
                    cast = f"({'const ' if one.const else ''}{one.type} *)(void *)"
                    yield "MLLP_ERR_NOT_INITIALISED", {one.name: f"{cast}zeroed"}
                    other = "another" if one.type != "mllp_scanner_t" else "a_third"
                    yield "MLLP_ERR_NOT_INITIALISED", {one.name: f"{cast}{other}"}
            elif one.type in self.numbers:
                yield "MLLP_ERR_INVALID_ARGUMENT", {one.name: WRONG_NUMBER}

    def lines(self) -> Iterator[str]:
        outputs = [self.output(one) for one in self.outputs]
        yield f'    subject.part = "{self.function.name}";'
        yield "    prepare();"
        for one in self.outputs:
            yield f"    {one.type} {self.output(one)};"
        if self.function.returns == "mllp_status_t":
            for status, replaced in self.wrongs():
                marks = "".join(f"mark_untouched(&{one}, sizeof {one}); " for one in outputs)
                yield f"    {marks}".rstrip()
                yield f"    KEPT({status}, {self.with_(**replaced)});"
                for one, argument in zip(outputs, self.outputs, strict=True):
                    if argument.name not in replaced:
                        yield f"    CHECK(is_untouched(&{one}, sizeof {one}));"
        else:
            for _, replaced in self.wrongs():
                yield f"    {self.answer(replaced)}"

    def answer(self, replaced: dict[str, str]) -> str:
        """A function that only asks gives the least there is."""
        call = self.with_(**replaced)
        if self.function.returns == "char*":
            return f'CHECK(strcmp({call}, "unknown") == 0);'
        if self.function.returns == "mllp_slice_t":
            return f"CHECK({call}.len == 0);"
        return f"(void){call};"


def source() -> str:
    text = declarations()
    states = set(re.findall(r"typedef struct (\w+) \{\s*uint64_t _state", text))
    numbers = set(re.findall(r"typedef uint32_t (\w+);", text)) - FREE_NUMBERS
    lines = ["/* Made by misuse.py from mllp.h. */"]
    names = []
    for function in functions():
        call = Call(function, states, numbers)
        if function.arguments:
            names.append(function.name)
            lines += ["", f"static void misuse_of_{function.name}(void)", "{"]
            lines += [*call.lines(), "}"]
    lines += ["", "static void misuse_of_every_function(void)", "{"]
    lines += [f"    misuse_of_{name}();" for name in names] + ["}"]
    return "\n".join(lines) + "\n"


def write(folder: pathlib.Path) -> None:
    (folder / "misuse.calls.h").write_text(source())


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
