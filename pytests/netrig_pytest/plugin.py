"""pytest's hooks, and the fixture. Each is a few lines: what they do is in the other modules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest

from netrig_pytest import discovery, options
from netrig_pytest.fixture import Netrig
from netrig_pytest.items import Batch, ScenarioFile
from netrig_pytest.program import NetrigError

_NAME_MAX = 100


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Wrong options are told at once. That no netrig is found is told when one is needed."""
    options.session_settings(config)
    if config.getoption("netrig"):
        try:
            options.program(config)
        except NetrigError as error:
            raise pytest.UsageError(str(error)) from None


def pytest_report_header(config: pytest.Config) -> str | None:
    try:
        return f"netrig: {options.program(config).path}"
    except NetrigError:
        return None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    if not _is_scenario(file_path, parent.session):
        return None
    Batch.of(parent.config).add(file_path)
    return ScenarioFile.from_parent(parent, path=file_path)


def _is_scenario(path: Path, session: pytest.Session) -> bool:
    """The globs of netrig_scenarios, if there are any; what the user names is meant in any case."""
    globs = options.scenario_globs(session.config)
    if globs and discovery.matches(path, session.config.rootpath, globs):
        return True
    if path.suffix != ".json":
        return False
    return session.isinitpath(path) or (not globs and discovery.is_scenario(path))


def _folder_name(nodeid: str) -> str:
    """Readable, and short enough for a file system; ids of parametrized tests may be neither."""
    name = re.sub(r"[^\w.-]+", "_", nodeid)
    return name if len(name) <= _NAME_MAX else f"{name[:_NAME_MAX]}-{crc32(nodeid.encode()):08x}"


@pytest.fixture
def netrig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Netrig]:
    """Runs netrig scenarios: `netrig.run("echo.json", set={"size": 100}).check()`."""
    try:
        program = options.program(request.config)
    except NetrigError as error:
        pytest.fail(str(error), pytrace=False)
    asked = options.asked_out(request.config)
    out = asked / _folder_name(request.node.nodeid) if asked else tmp_path / "netrig"
    settings = options.session_settings(request.config)
    netrig = Netrig(program, settings, request.path.parent, tmp_path, out)
    yield netrig
    netrig.close()
