"""Tags of scenarios as markers of pytest, for `-m`.

A tag is any word; a marker's name must be one that `-m` can read, and must not be one that pytest
or this plugin gives a meaning to: a tag `skip` says nothing about skipping.
"""

from __future__ import annotations

import keyword
import re

import pytest

# Every scenario has this one.
SCENARIO = "netrig"

_PYTEST = {
    "filterwarnings",
    "parametrize",
    "skip",
    "skipif",
    "tryfirst",
    "trylast",
    "usefixtures",
    "xfail",
}
_RESERVED = _PYTEST | {SCENARIO}


def marker_name(tag: str) -> str:
    """`many-clients` is `many_clients`; `not` and `skip` are `tag_not` and `tag_skip`."""
    name = re.sub(r"\W", "_", tag)
    if name.isidentifier() and name[0] != "_" and not keyword.iskeyword(name):
        return f"tag_{name}" if name in _RESERVED else name
    return f"tag_{name}"


def add_marker(item: pytest.Item, name: str, meaning: str) -> None:
    """Registers the name first: --strict-markers must not stumble over a scenario's tag."""
    registered = {line.split(":")[0].strip() for line in item.config.getini("markers")}
    if name not in registered:
        item.config.addinivalue_line("markers", f"{name}: {meaning}")
    item.add_marker(name)
