"""Which JSON files are scenarios. netrig answers what is in one; this only says which to ask about.

A tree holds many other JSON files, and none of them may become a failing test. But a scenario with
a missing comma must be one, instead of being passed over: so nothing is parsed here, and the keys
are found in the text as far as it goes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

# No farther is looked for the keys: a scenario begins with them, other JSON may be large.
LOOKED_AT_MAX = 1 << 20

_SCHEMA = re.compile(r"scenario-\d+\.json$")
_ACTOR_KEYS = frozenset({"listen", "bind", "connect", "steps", "each"})
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|[{}\[\]:,]')


def matches(path: Path, root: Path, globs: Sequence[str]) -> bool:
    """A pattern with a slash is for the path below `root`, one without for the file's name.

    `*` goes over slashes too: `tests/*.json` is every JSON file below tests.
    """
    below = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    return any(fnmatchcase(below if "/" in glob else path.name, glob) for glob in globs)


def is_scenario(path: Path) -> bool:
    """By its name, `*.netrig.json`, or because it looks like one."""
    if path.suffix != ".json":
        return False
    if path.name.endswith(".netrig.json"):
        return True
    try:
        with path.open("rb") as file:
            text = file.read(LOOKED_AT_MAX).decode("utf-8", errors="replace")
    except OSError:
        return False
    return looks_like_scenario(text)


def looks_like_scenario(text: str) -> bool:
    """Names the scenarios' schema, or has actors of which one does what only an actor does."""
    if '"actors"' not in text and "scenario-" not in text:
        return False
    keys: list[str] = []  # the key that is open at each depth
    last = ""
    after_colon = False
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token[0] in "{[":
            keys.append("")
        elif token[0] in "}]":
            if not keys:
                return False
            keys.pop()
        elif token == ":" and keys:
            keys[-1] = last
            if keys[0] == "actors" and len(keys) == 3 and keys[2] in _ACTOR_KEYS:
                return True
        elif token[0] == '"':
            last = token[1:-1]
            if after_colon and keys == ["$schema"] and _SCHEMA.search(last):
                return True
        after_colon = token == ":"
    return False
