"""Installs to a fresh prefix, and carries out both READMEs against it.

In each, in order: a `c` block is the file that its first line names, a `cmake` block is
CMakeLists.txt, and an `sh` block is a script that succeeds. The prefix is another one than there.
"""

import os
import pathlib
import re
import shutil
import sys
import tempfile

from tools import CC, CXX, HEADER, ROOT, STRICT, has, run

SHOWN_PREFIX = "/opt/mllp"
SECOND_RUST = """
#[unsafe(no_mangle)]
pub extern "C" fn vowels(len: usize) -> usize {
    let text: Vec<String> = (0..len).map(|number| number.to_string()).collect();
    text.concat().len()
}
"""


def section(page: str, title: str) -> str:
    """The section without its title, to the next of the same level."""
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def carry_out(text: str, prefix: pathlib.Path, folder: pathlib.Path) -> str:
    """What the blocks print. `make` is run where the repository is, with what has been built."""
    printed = ""
    text = text.replace(SHOWN_PREFIX, str(prefix))
    for language, block in re.findall(r"^```(c|cmake|sh)\n(.*?)^```$", text, re.M | re.S):
        if language == "c":
            (name,) = re.findall(r"\A/\* (\w+\.c) \*/$", block, re.M)
            (folder / name).write_text(block)
        elif language == "cmake":
            (folder / "CMakeLists.txt").write_text(block)
        else:
            script = re.sub(r"^make ", f"make -s -C {ROOT} ", block, flags=re.M)
            printed += run("sh", "-ec", f"cd {folder}\n{script}")
    for source in folder.glob("*.c"):  # with more warnings than the pages ask for
        flags = ("-std=gnu99", *STRICT, f"-I{prefix / 'include'}", "-fsyntax-only")
        run(CC, *flags, source)
    return printed


def check_readme(prefix: pathlib.Path, folder: pathlib.Path) -> None:
    printed = carry_out(section((ROOT / "README.md").read_text(), "In C"), prefix, folder)
    assert "\nMSA|AA|M1\n" in printed, printed
    stored = (folder / "received.hl7").read_bytes()
    assert stored == b"MSH|^~\\&|LAB|L|HIS|H|20260101||ADT^A01|M1|P|2.5\r", stored
    print("install: the README's section, built and run against a fresh prefix")


def check_page(prefix: pathlib.Path, folder: pathlib.Path) -> None:
    """Three ways to link: the compiler alone, pkg-config, CMake."""
    if not (has("pkg-config", "install") and has("cmake", "install")):
        return
    page = (ROOT / "bindings-c" / "README.md").read_text()
    (told,) = re.findall(r"Each prints `(.*)`\.", page)
    printed = carry_out(page, prefix, folder)
    assert printed.count(told + "\n") == 3, printed
    needed = run("readelf", "--dynamic", folder / "frame") if has("readelf", "install") else ""
    assert "mllp" not in needed, needed
    print("install: bindings-c/README.md, with the compiler alone, pkg-config and CMake")


def check_cmake(prefix: pathlib.Path, folder: pathlib.Path) -> None:
    """The shared target, from C++, and that only versions of one minor version are taken."""
    if not has("cmake", "install"):
        return
    version = run("pkg-config", prefix / "lib/pkgconfig/mllp.pc", "--modversion").strip()
    major, minor, _ = version.split(".")
    listed = (folder / "CMakeLists.txt").read_text()
    listed = listed.replace("mllp_static", "mllp").replace("(frame C)", "(frame CXX)")
    (folder / "frame.cpp").write_text((folder / "frame.c").read_text())
    listed = listed.replace("frame.c)", "frame.cpp)")
    for asked, taken in {
        f"{major}.{minor}": True,
        version: True,
        "": True,
        f"{major}.{minor}.999": False,
        f"{major}.{int(minor) + 1}": False,
        f"{int(major) + 1}": False,
    }.items():
        (folder / "CMakeLists.txt").write_text(
            re.sub(r"find_package\(mllp [\d.]+ REQUIRED\)", f"find_package(mllp {asked})", listed)
            + 'message(STATUS "taken: ${mllp_FOUND}")\n'
        )
        shutil.rmtree(folder / "build")
        script = f"cd {folder} && cmake -S . -B build -DCMAKE_PREFIX_PATH={prefix} 2>&1 || true"
        told = run("sh", "-c", script)
        assert f"taken: {int(taken)}" in told, (asked, told)
        if asked == version:
            run("cmake", "--build", folder / "build")
            assert f"libmllp {version}" in run(folder / "build" / "frame")
    print("install: the shared library from C++ by CMake, and the versions it takes")


def check_second_rust(prefix: pathlib.Path, folder: pathlib.Path) -> None:
    """Another Rust archive, with the standard library, in the same program, in either order."""
    (folder / "second.rs").write_text(SECOND_RUST)
    (folder / "both.c").write_text(
        '#include "mllp.h"\nsize_t vowels(size_t);\n'
        "int main(void) { return mllp_encoded_len(vowels(12)) == 17 ? 0 : 1; }\n"
    )
    archive = folder / "libsecond.a"
    options = ("--edition", "2024", "--crate-type", "staticlib")
    run("rustc", *options, "-o", archive, folder / "second.rs")
    mllp = prefix / "lib" / "libmllp.a"
    for archives in ((archive, mllp), (mllp, archive)):
        source = folder / "both.c"
        include = f"-I{prefix / 'include'}"
        run(CC, include, source, *archives, "-lpthread", "-ldl", "-lm", "-o", folder / "both")
        run(folder / "both")
    print("install: beside a second Rust archive")


def check_staging(folder: pathlib.Path) -> None:
    """DESTDIR is where the files go, and is in none of them."""
    stage = folder / "stage"
    run("make", "-s", "install", "PREFIX=/opt/mllp", f"DESTDIR={stage}")
    staged = {path.name for path in (stage / "opt/mllp").rglob("*") if not path.is_dir()}
    assert staged >= {"mllp.h", "libmllp.a", "mllp.pc", "mllpConfig.cmake"}, staged
    for path in stage.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert str(stage).encode() not in content and str(ROOT).encode() not in content, path
    assert (stage / "opt/mllp/include/mllp.h").read_bytes() == HEADER.read_bytes()


def main() -> None:
    if not (has(CC, "install") and has(CXX, "install")):
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        prefix = folder / "prefix"
        check_readme(prefix, folder)
        check_page(prefix, folder)
        check_cmake(prefix, folder)
        check_second_rust(prefix, folder)
        check_staging(folder)


if __name__ == "__main__":
    assert not sys.flags.optimize
    # A caller's flags for another build have no place here.
    for name in ("DESTDIR", "PREFIX", "MAKEFLAGS", "MFLAGS"):
        os.environ.pop(name, None)
    main()
