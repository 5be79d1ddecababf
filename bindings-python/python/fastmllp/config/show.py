"""Settings as text: TOML with the sources as comments, JSON, and the page ``docs/settings.md``."""

import json
from collections.abc import Iterable

from fastmllp.config.setting import Setting, Value
from fastmllp.config.sources import Settings
from fastmllp.config.table import SECTIONS, SETTINGS


def toml(settings: Settings) -> str:
    """A settings file that gives every setting its present value, each with its source."""
    sections = []
    for section in SECTIONS:
        rows = [e for e in settings.effective if e.setting.section == section]
        assignments = [f"{e.setting.key} = {_toml_value(e.value)}" for e in rows]
        width = max(len(assignment) for assignment in assignments)
        lines = [
            f"{assignment:{width}}  # {_on_one_line(e.source)}"
            for assignment, e in zip(assignments, rows, strict=True)
        ]
        sections.append("\n".join([f"[{section}]", *lines]))
    return "\n\n".join(sections) + "\n"


def as_json(settings: Settings) -> str:
    """An object of sections, of keys, of ``value`` and ``source``."""
    sections: dict[str, dict[str, object]] = {}
    for e in settings.effective:
        row = {"value": e.value, "source": e.source}
        sections.setdefault(e.setting.section, {})[e.setting.key] = row
    return json.dumps(sections, indent=2) + "\n"


def markdown() -> str:
    """The page that documents every setting."""
    parts = [_HEAD]
    for section in SECTIONS:
        rows = [setting for setting in SETTINGS if setting.section == section]
        parts.append(f"## [{section}]\n\n{_SECTION_HEADS[section]}\n\n{_table(rows)}")
    return "\n".join(parts)


_HEAD = """# Settings

Written by `fastmllp config --markdown`; a test compares it with the program.

Each setting is looked for, in this order, in the flags of the command, in the environment, in the
TOML file that is named with `--config FILE`, and in the defaults below. Without `--config` no file
is read. `fastmllp config` shows the settings that are in force and where each came from, in the
form of such a file.

What is unknown or out of bounds is an error, never left out: one line that names the file, the
variable or the flag, and exit status 2. An environment variable that is empty counts as not set.
In flags and variables a list is comma separated and a truth value is `true`, `yes`, `on` or `1`, or
`false`, `no`, `off` or `0`; the flag of a truth value takes none: `--tls` or `--no-tls`.
"""

_SECTION_HEADS = {
    "server": "Of `fastmllp serve`.",
    "client": "Of `fastmllp send`.",
    "logging": "Of `serve` and `send`. Log records go to standard error. `send` writes warnings\n"
    "and errors only, unless `log_level` is set.",
    "metrics": "Of `fastmllp serve`.",
}


def _table(settings: Iterable[Setting]) -> str:
    lines = ["| key | default | values | flag | variable | meaning |", "|---|---|---|---|---|---|"]
    for setting in settings:
        cells = [
            f"`{setting.key}`",
            f"`{_toml_value(setting.default)}`",
            _values(setting),
            f"`{setting.flag}`",
            f"`{setting.variable}`",
            setting.meaning,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _values(setting: Setting) -> str:
    if setting.choices:
        return ", ".join(f"`{choice}`" for choice in setting.choices)
    if setting.range is not None:
        return f"{setting.type_name} {setting.range.text}"
    return setting.type_name


def _toml_value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # A basic string of TOML is one of JSON, but for DEL and for characters in two escapes.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return f"[{', '.join(_toml_value(item) for item in value)}]"
    return str(value)


def _on_one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
