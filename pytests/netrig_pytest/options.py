"""The options of the plugin, and what they mean for a run."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from netrig_pytest.program import Program, Settings, find_program

_FOLDER = pytest.StashKey[Path]()
_PROGRAM = pytest.StashKey[Program]()


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("netrig", "netrig scenarios")
    group.addoption("--netrig", metavar="PATH", help="the program (or $NETRIG; or from the PATH)")
    group.addoption(
        "--netrig-backend",
        metavar="NAMES",
        help="fake, real, wire, several with commas (default: all that the file allows)",
    )
    group.addoption("--netrig-seed", metavar="N", help="instead of each file's own seed")
    group.addoption(
        "--netrig-set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="another value for an entry of the files' vars; may be repeated",
    )
    group.addoption(
        "--netrig-known-failures",
        metavar="FILE",
        help="lines SCENARIO [BACKEND] [ROW]: REASON; those may fail, and must not pass",
    )
    group.addoption(
        "--netrig-out",
        metavar="DIR",
        help="folder for the files of each run (default: netrig in pytest's cache folder)",
    )
    group.addoption(
        "--netrig-host-network",
        action="store_true",
        help="on this machine's own network instead of a private one",
    )
    parser.addini(
        "netrig_scenarios",
        "globs of the files that are scenarios (default: *.netrig.json, and every *.json with "
        "netrig's $schema or actors)",
        type="linelist",
        default=None,
    )
    parser.addini("netrig_backend", "as --netrig-backend", default="")
    parser.addini("netrig_out", "as --netrig-out, from the ini-file's folder", default="")


def scenario_globs(config: pytest.Config) -> list[str]:
    return config.getini("netrig_scenarios") or []


def program(config: pytest.Config) -> Program:
    """NetrigError if there is none. Started where pytest was, so that paths read as typed there."""
    if _PROGRAM not in config.stash:
        path = find_program(config.getoption("netrig"))
        config.stash[_PROGRAM] = Program(path, config.invocation_params.dir)
    return config.stash[_PROGRAM]


def session_settings(config: pytest.Config) -> Settings:
    """What the command line says about every run. pytest.UsageError for a word without `=`."""
    values = {}
    for word in config.getoption("netrig_set"):
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise pytest.UsageError(f"--netrig-set takes NAME=VALUE, got '{word}'")
        values[name] = value
    settings = Settings(
        backend=config.getoption("netrig_backend") or config.getini("netrig_backend") or None,
        seed=config.getoption("netrig_seed"),
        set=values,
        host_network=config.getoption("netrig_host_network"),
        known_failures=config.getoption("netrig_known_failures"),
    )
    # The ini-file's backends are a preference; --netrig-host-network leaves one only.
    if settings.host_network and not config.getoption("netrig_backend"):
        return replace(settings, backend=None)
    return settings


def asked_out(config: pytest.Config) -> Path | None:
    """The folder that the user named, if any."""
    option = config.getoption("netrig_out")
    if option:
        return config.invocation_params.dir / option
    ini = config.getini("netrig_out")
    return (config.inipath.parent if config.inipath else config.rootpath) / ini if ini else None


def out_folder(config: pytest.Config) -> Path:
    """Where the runs of collected files leave theirs: all workers of xdist in the same folder.

    Without --netrig-out it is pytest's cache folder, which no version control sees and which is
    there for the next session too; else a temporary one.
    """
    if _FOLDER not in config.stash:
        config.stash[_FOLDER] = asked_out(config) or _cache_folder(config) or _temporary_folder()
    return config.stash[_FOLDER]


def _cache_folder(config: pytest.Config) -> Path | None:
    cache = getattr(config, "cache", None)  # absent with -p no:cacheprovider
    if cache is None:
        return None
    try:
        folder = Path(cache.mkdir("netrig"))
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _temporary_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="pytest-netrig-"))
