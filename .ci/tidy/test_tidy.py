"""Every rule finds a fault that is planted, and leaves alone what is tidy."""

from pathlib import Path

import crates
import lengths
import pytest
import rooms
import waits
from source import ROOT, File, Function, files, functions


def rust(text: str, path: str = "tests/a.rs") -> File:
    return File(Path(path), "rust", text)


def python(text: str, path: str = "tests/test_a.py") -> File:
    return File(Path(path), "python", text)


def c(text: str) -> File:
    return File(Path("tests/a.c"), "c", text)


def wrong(*sources: File) -> list[str]:
    return list(waits.findings(sources, exempt=()))


def test_a_file_that_is_too_long() -> None:
    assert list(lengths.findings([rust("\n" * 400)])) == []
    assert list(lengths.findings([rust("\n" * 401)])) == ["tests/a.rs: 401 lines, at most 400"]
    assert list(lengths.findings([python("x = 1\n" * 400 + "x = 1")]))


def test_a_function_of_rust_that_is_too_long() -> None:
    for lines in (57, 58):
        text = "\n" + "fn long(\n) {\n" + "    let _ = '{';\n" * lines + "}\n"
        found = ["tests/a.rs:2: long has 61 lines, at most 60"] if lines == 58 else []
        assert list(lengths.findings([rust(text)])) == found


def test_a_function_of_python_that_is_too_long() -> None:
    told = 'def long():\n    """Tell.\n' + "\n" * 80 + '    """\n'
    assert list(lengths.findings([python(told + "    x = 1\n" * 59)])) == []
    (found,) = lengths.findings([python(told + "    x = 1\n" * 60)])
    assert found == "tests/test_a.py:1: long has 61 lines, at most 60"


def test_what_a_function_of_rust_is() -> None:
    text = """
    // fn commented() { {
    /* fn too() { */
    const TEXT: &str = r#"fn quoted() { " { "#;
    trait Shape { fn declared(&self) -> [u8; 3]; fn given(&self) { let _ = b'}'; } }
    impl<'a> Shape for &'a str where [u8; 2]: Copy {
        fn declared(&self) -> [u8; 3] { let close = || "}\\" }"; close(); [0; 3] }
    }
    """
    assert [(it.name, it.length) for it in functions(rust(text))] == [("given", 1), ("declared", 1)]


def test_what_a_function_of_c_is() -> None:
    text = """
static int first(const char *text, int (*how)(int))
{
    if (text[0] == '{') { return how(1); }
    /* } */
    return 0;
}
struct point { int x; };
int declared(void);
#define TWICE(x) { x; x; }
int main(void) { while (first("}", 0)) { } return 0; }
"""
    assert list(functions(c(text))) == [Function("first", 2, 6), Function("main", 11, 1)]


@pytest.mark.parametrize(
    "statement",
    [
        "time.sleep(0.1)",
        "sleep(seconds)",
        "await asyncio.sleep(0.5)",
        "for _ in range(9): time.sleep(0.01)",
        "assert time.monotonic() - began < 2",
        "assert 0.5 <= time.perf_counter() - began",
        "took = time.monotonic() - began\n    assert took >= 0.5",
    ],
)
def test_a_test_of_python_that_relies_on_time(statement: str) -> None:
    text = f"async def test():\n    {statement}\n"
    assert len(wrong(python(text))) == 1
    assert wrong(python(text, "python/a.py")) == []


@pytest.mark.parametrize(
    "statement",
    [
        "await asyncio.sleep(0)",
        "while not done(): time.sleep(0.01)",
        "assert time.monotonic() < deadline",
        "deadline = time.monotonic() + 10",
        "left = deadline - time.monotonic()",
    ],
)
def test_a_test_of_python_that_waits_for_an_event(statement: str) -> None:
    assert wrong(python(f"async def test():\n    {statement}\n")) == []


def test_an_exemption_is_for_one_function_and_must_be_needed() -> None:
    text = "def pause():\n    sleep(1)\ndef test():\n    sleep(1)\n"
    exempt = {"tests/test_a.py: pause"}
    found = list(waits.findings([python(text)], exempt))
    assert found == ["tests/test_a.py:4: waits for a fixed time"]
    (found,) = waits.findings([python("")], exempt)
    assert found == "tests/test_a.py: pause is exempt, and there is nothing in it"


@pytest.mark.parametrize(
    "statement",
    [
        "thread::sleep(SHORT);",
        "tokio::time::sleep(SHORT).await;",
        "for _ in 0..9 { std::thread::sleep(SHORT) }",
        "assert!(began.elapsed() < SHORT);",
        "let took = began.elapsed(); assert!(took < SHORT, {});",
    ],
)
def test_a_test_of_rust_that_relies_on_time(statement: str) -> None:
    inside = f"fn run() {{ {statement} }}\n"
    assert len(wrong(rust(inside))) == 1
    assert wrong(rust(inside, "src/a.rs")) == []
    module = f"{inside}\n#[cfg(test)]\nmod tests {{ {inside} }}\n"
    assert len(wrong(rust(module, "src/a.rs"))) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "while !done() { thread::sleep(SHORT) }",
        "loop { thread::sleep(SHORT); if done() { break } }",
        "assert!(Instant::now() < end);",
        'let text = "thread::sleep(SHORT)"; // thread::sleep(SHORT)',
    ],
)
def test_a_test_of_rust_that_waits_for_an_event(statement: str) -> None:
    assert wrong(rust(f"fn test() {{ {statement} }}\n")) == []


def test_a_test_of_c_that_relies_on_time() -> None:
    assert wrong(c("int main(void) { usleep(1000); return 0; }\n"))
    assert not wrong(c("int main(void) { while (!done()) { usleep(1000); } return 0; }\n"))


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small repository in order."""
    package = tmp_path / "bindings-python/python/fastmllp"
    (package / "serving/sockets").mkdir(parents=True)
    (package / "__init__.py").write_text("from fastmllp.serving import x\n")
    (package / "serving/__init__.py").write_text("from fastmllp._native import y\n")
    (package / "serving/sockets/gate.py").write_text("import socket\n")
    (package / "server.py").write_text("from fastmllp import serving\n")
    houses = ["| folder | what | needs |", "|---|---|---|", "| `bindings-python/` | | |"]
    for number, core in enumerate(crates.CORES):
        needs = "memchr" if number == 0 else crates.CORES[0]
        (tmp_path / core).mkdir()
        (tmp_path / core / "Cargo.toml").write_text(f"[dependencies]\n{needs}.workspace = true\n")
        houses.append(f"| `{core}/` | | `{needs}` |")
    text = ["## The house", "", *houses, "", "### The rooms of the Python package", ""]
    text += ["| room | what | imports |", "|---|---|---|", "| `_native` | | |"]
    text += ["| `serving` | | `_native` |", "| `server` | | `serving` |"]
    text += ["| `__init__` | | `serving` |", ""]
    (tmp_path / "ARCHITECTURE.md").write_text("\n".join(text))
    return tmp_path


def plant(house: Path, path: str, old: str, new: str) -> list[str]:
    """What is found once a text is another one."""
    file = house / path
    file.parent.mkdir(parents=True, exist_ok=True)
    text = file.read_text() if file.exists() else ""
    assert old in text
    file.write_text(text.replace(old, new) if old else new)
    return [*rooms.findings(house), *crates.findings(house)]


PACKAGE = "bindings-python/python/fastmllp"


def test_a_house_in_order(house: Path) -> None:
    assert [*rooms.findings(house), *crates.findings(house)] == []
    assert rooms.show(rooms.package_graph(house)).startswith("fastmllp: 4 rooms, 3 arrows\n")


def test_a_room_that_imports_one_above_it(house: Path) -> None:
    gate = f"{PACKAGE}/serving/sockets/gate.py"
    found = plant(house, gate, "import socket", "def f():\n    from ...server import x")
    assert "fastmllp: serving imports server, which is above it" in found
    assert "fastmllp: serving imports server, and ARCHITECTURE.md says otherwise" in found
    table = plant(house, "ARCHITECTURE.md", "| `serving` | | `_native`", "| `serving` | | `server`")
    assert "ARCHITECTURE.md: serving imports server, which is not above it in the table" in table


def test_a_table_that_differs_from_the_tree(house: Path) -> None:
    found = plant(house, f"{PACKAGE}/server.py", "import serving", "import __version__")
    assert "fastmllp: server no longer imports serving, and ARCHITECTURE.md says otherwise" in found
    found = plant(house, f"{PACKAGE}/helpers.py", "", "x = 1\n")
    assert "fastmllp: the room helpers is in no row of ARCHITECTURE.md" in found
    found = plant(house, "utils/a.txt", "", "x")
    assert "the folder utils/ is in no row of ARCHITECTURE.md" in found
    found = plant(house, "ARCHITECTURE.md", "| `mllp-core/`", "| `mllp-cores/`")
    assert "the folder mllp-cores/ is in ARCHITECTURE.md only" in found


def test_too_many_rooms_and_arrows(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MAX_ROOMS", 3)
    monkeypatch.setattr(rooms, "MAX_ARROWS", 2)
    found = list(rooms.findings(house))
    assert found == [
        "fastmllp: 4 rooms, at most 3",
        "fastmllp: 3 arrows between rooms, at most 2",
    ]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("memchr.workspace", "libc.workspace", "depends on libc, which it must not know"),
        ("memchr.workspace", "ack-gen.workspace", "depends on ack-gen, which it must not know"),
        ("[dep", "[target.'cfg(unix)'.dependencies]\npyo3 = '1'\n[dep", "depends on pyo3"),
        ("[dep", "[build-dependencies]\ncbindgen = '1'\n[dep", "depends on cbindgen"),
        ("[dep", "[dev-dependencies]\nx = {package = 'pyo3'}\n[dep", "is tested with pyo3"),
    ],
)
def test_a_core_that_learns_of_a_binding(house: Path, old: str, new: str, what: str) -> None:
    found = plant(house, "mllp-core/Cargo.toml", old, new)
    assert any(it.startswith(f"mllp-core/Cargo.toml: {what}") for it in found), found


def test_every_source_file_is_looked_at() -> None:
    there = {str(file.path) for file in files(ROOT)}
    assert there >= {
        ".ci/tidy/source.py",
        "bindings-c/include/mllp.h",
        "bindings-python/tests/conftest.py",
        "engine/engine/src/engine.rs",
        "mllp-core/src/lib.rs",
    }
    assert not any("target/" in path or ".venv" in path for path in there)


def test_without_git_what_was_built_is_left_out(house: Path) -> None:
    for path in ("a/target/b.rs", ".venv/c.py", "d/e.rs"):
        (house / path).parent.mkdir(parents=True)
        (house / path).write_text("\n")
    assert {str(file.path) for file in files(house) if file.text == "\n"} == {"d/e.rs"}
