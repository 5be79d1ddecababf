"""Settings as text: TOML with the sources as comments, JSON, and the page ``docs/settings.md``."""

import json
from collections.abc import Iterable

from fastmllp.config.setting import Setting, Value
from fastmllp.config.sources import Effective, Settings, SettingsTable
from fastmllp.config.table import TABLE
from fastmllp.logging.printable import one_line


def toml(settings: Settings) -> str:
    """A settings file that gives every setting its present value, each with its source.

    A setting that is not set and must not be set to nothing stands there as a comment.
    """
    sections = []
    for section in dict.fromkeys(e.setting.section for e in settings.effective):
        rows = [e for e in settings.effective if e.setting.section == section]
        assignments = [_assignment(e) for e in rows]
        width = max(len(assignment) for assignment in assignments)
        lines = [
            f"{assignment:{width}}  # {one_line(e.source)}"
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


def markdown(table: SettingsTable = TABLE, command: str = "fastmllp config") -> str:
    """The page that documents every setting.

    Args:
        table: The settings.
        command: The one that shows them, and writes this page with ``--markdown``.
    """
    parts = [_HEAD.format(command=command)]
    for section in table.sections:
        rows = [setting for setting in table.settings if setting.section == section]
        head = [table.section_heads[section]] if section in table.section_heads else []
        parts.append("\n\n".join([f"## [{section}]", *head, _table(rows)]))
    return "\n".join(parts)


_HEAD = """# Settings

Written by `{command} --markdown`; a test compares it with the program.

Each setting is looked for, in this order, in the flags of the command, in the environment, in the
TOML file that is named with `--config FILE`, and in the defaults below. Without `--config` no file
is read. `{command}` shows the settings that are in force and where each came from, in the
form of such a file.

What is unknown or out of bounds is an error, never left out: one line that names the file, the
variable or the flag, and exit status 2. An environment variable that is empty counts as not set,
with one exception: a setting that is marked *never empty* protects someone, so each source that
sets it must give it a value. An empty list, text or variable is an error there, in every source.

In flags and variables a list is comma separated and a truth value is `true`, `yes`, `on` or `1`, or
`false`, `no`, `off` or `0`; the flag of a truth value takes none: `--tls` or `--no-tls`. A number
has the digits 0 to 9 only. The file is in UTF-8, with or without a byte order mark; its lines end
in LF or CR LF.
"""


def _assignment(e: Effective) -> str:
    text = f"{e.setting.key} = {_toml_value(e.value)}"
    return f"# {text}" if e.setting.never_empty and e.value in ("", ()) else text


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
    return f"{setting.type_name}, never empty" if setting.never_empty else setting.type_name


def _toml_value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{"".join(map(_toml_character, value))}"'
    if isinstance(value, tuple):
        return f"[{', '.join(_toml_value(item) for item in value)}]"
    return str(value)


def _toml_character(character: str) -> str:
    """A character of a basic string. What is not printable is escaped, for the terminal's sake."""
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
