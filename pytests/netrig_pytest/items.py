"""Scenario files as collectors, their runs as items."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ExceptionInfo, TerminalRepr

from netrig_pytest import options
from netrig_pytest.markers import SCENARIO, add_marker, marker_name
from netrig_pytest.outcome import (
    ScenarioFailed,
    ScenarioFailedAsExpected,
    located_failure,
    raise_unless_passed,
    result_failure,
    skip_reason,
)
from netrig_pytest.program import NetrigError, Plan, PlannedRun
from netrig_pytest.result import Result, place_of

_BATCH = pytest.StashKey["Batch"]()


class Batch:
    """Files that were seen and not asked about: the first that has to know asks for all of them.

    One netrig for a thousand files instead of a thousand; pytest shows a folder's files before it
    collects the first.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._waiting: list[Path] = []
        self._plans: dict[Path, Plan] = {}
        self._failed = False

    @classmethod
    def of(cls, config: pytest.Config) -> Batch:
        return config.stash.setdefault(_BATCH, cls(config))

    def add(self, path: Path) -> None:
        self._waiting.append(path)

    def plan(self, path: Path) -> Plan | None:
        """NetrigError where there is no answer, once: it would be the same for every file."""
        if self._failed:
            return None
        if path not in self._plans:
            asked, self._waiting = self._waiting, []
            files = list(dict.fromkeys([*asked, path]))
            try:
                program = options.program(self._config)
                self._plans |= program.plans(files, options.session_settings(self._config))
            except NetrigError:
                self._failed = True
                raise
        return self._plans[path]


class ScenarioFile(pytest.File):
    """A file that netrig is asked about."""

    def collect(self) -> Iterable[pytest.Item]:
        try:
            plan = Batch.of(self.config).plan(self.path)
        except NetrigError as error:
            raise self.CollectError(str(error)) from None
        if plan is None:
            return
        if plan.broken:
            yield BrokenItem.from_parent(self, name="check", plan=plan, result=plan.broken)
        names: set[str] = set()
        for run in plan.runs:
            name = _distinct(_item_name(run), names)
            yield RunItem.from_parent(self, name=name, plan=plan, run=run)


def _item_name(run: PlannedRun) -> str:
    """The seed is no part of it: --lf must find a test again that ran with another."""
    return f"{run.backend}[{run.row}]" if run.row else run.backend


def _distinct(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}#{number}"
    taken.add(candidate)
    return candidate


class ScenarioItem(pytest.Item):
    """What a file gives. Its place is the file, and a finding's line once there is one."""

    def __init__(self, *, plan: Plan, **kw: object) -> None:
        super().__init__(**kw)  # type: ignore[arg-type]
        self.plan = plan
        self.place = (self.path, 1)
        # -k finds what netrig's own -k finds: id, name, path and tags.
        self.extra_keyword_matches |= {plan.id, plan.name, *plan.tags} - {""}
        add_marker(self, SCENARIO, "a scenario that netrig runs")
        for tag in plan.tags:
            add_marker(self, marker_name(tag), f"scenarios with the tag {tag}")

    def title(self) -> str:
        return self.plan.id

    def judge(self, result: Result) -> None:
        self.place = place_of(result)
        raise_unless_passed(result)

    def repr_failure(
        self, excinfo: ExceptionInfo[BaseException], style: object = None
    ) -> str | TerminalRepr:
        error = excinfo.value
        if isinstance(error, (ScenarioFailed, ScenarioFailedAsExpected)):
            return result_failure(error.result)
        if isinstance(error, NetrigError):
            return located_failure(str(error), str(error), *self.place)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        path, line = self.place
        return path, line - 1, self.title()

    @property
    def location(self) -> tuple[str, int | None, str]:
        """Not kept, as Item does: the line is known only when the run has ended."""
        path, line, title = self.reportinfo()
        return os.path.relpath(path, self.config.rootpath), line, title


class RunItem(ScenarioItem):
    """One run of a scenario."""

    def __init__(self, *, run: PlannedRun, **kw: Any) -> None:
        super().__init__(**kw)
        self.run = run
        add_marker(self, run.backend, f"scenarios on netrig's backend {run.backend}")
        self._properties(backend=run.backend, seed=run.seed, scenario=self.plan.name)
        if run.row:
            self._properties(row=run.row)
        if run.verdict:
            self.add_marker(pytest.mark.skip(reason=skip_reason(run.verdict, run.reason)))

    def runtest(self) -> None:
        settings = options.session_settings(self.config)
        result = options.program(self.config).run(self.run, settings, self._out())
        self._properties(verdict=result.verdict, again=result.again)
        if result.capture:
            self._properties(capture=str(result.capture))
        self.judge(result)

    def title(self) -> str:
        row = f"@{self.run.row}" if self.run.row else ""
        return f"{self.plan.id}{row} [{self.run.backend}, seed {self.run.seed}]"

    def _out(self) -> Path:
        """Distinct for every file: ids are only within a folder, and xdist runs side by side."""
        place = Path(os.path.relpath(self.path.parent, self.config.rootpath))
        parts = ["up" if part == ".." else part for part in place.parts]
        return options.out_folder(self.config).joinpath(*parts)

    def _properties(self, **properties: str) -> None:
        """For the JUnit file; text, since it has to pass from worker to controller under xdist."""
        self.user_properties.extend(properties.items())


class BrokenItem(ScenarioItem):
    """The mistakes of a file, all in one failure."""

    def __init__(self, *, result: Result, **kw: Any) -> None:
        super().__init__(**kw)
        self.result = result
        self.place = place_of(result)

    def runtest(self) -> None:
        self.judge(self.result)
