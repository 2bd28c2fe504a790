"""What the fixture `netrig` is: runs scenarios from Python tests and answers with plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

from netrig_pytest.program import NetrigError, Plan, PlannedRun, Program, Settings, Started
from netrig_pytest.result import Result, result_from_json

# Read by pytest: in the traceback of a test its own line is what matters.
__tracebackhide__ = True

Scenario = str | PathLike[str] | Mapping[str, Any]
_STOP_SECONDS = 10.0


class Running:
    """A run under way, for tests that speak with it. Ended by the test's end at the latest."""

    def __init__(self, program: Program, started: Started) -> None:
        self._program = program
        self._started = started
        self._result: Result | None = None

    def wait(self, timeout: float | None = None) -> Result:
        """Its result. subprocess.TimeoutExpired if it does not end in `timeout` seconds."""
        if self._result is None:
            self._result = self._program.finish(self._started, timeout)
        return self._result

    def stop(self) -> Result:
        """Ends it; the verdict is `interrupted` unless it had ended already."""
        process = self._started.process
        if self._result is not None or process.poll() is not None:
            return self.wait()
        process.terminate()
        try:
            return self.wait(_STOP_SECONDS)
        except NetrigError:
            # Too early even for a result.
            line = {"verdict": "interrupted", "reason": "it was stopped before it had begun"}
            self._result = result_from_json(line, "", self._program.folder)
            return self._result

    def close(self) -> None:
        with self._started:
            pass

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.wait()
        else:
            self.close()


class Netrig:
    """Runs scenarios. A failure is a value until check() is asked: a test may expect it.

    `here`: what paths are relative to, the folder of the test. `scratch`: for scenarios given as
    values. `out`: for the files of the runs, a folder each.
    """

    def __init__(
        self, program: Program, defaults: Settings, here: Path, scratch: Path, out: Path
    ) -> None:
        self.program = program.path
        self._program = program
        self._defaults = defaults
        self._here = here
        self._scratch = scratch
        self._out = out
        self._written = 0
        self._runs = 0
        self._running: list[Running] = []

    def run(self, scenario: Scenario, **parameters: Any) -> Result:
        """Runs it once and answers how it ended.

        `scenario` is the path of a file, relative to the test's folder, or a scenario as a dict.
        Parameters, all by name, those of `netrig run`:
          backend       one of fake, real, wire (default: --netrig-backend, else the first that the
                        scenario can run on)
          seed          (default: --netrig-seed, else the scenario's own)
          set           a dict, other values for entries of `vars`
          host_network  True: on this machine's own network, where servers of the test can be
                        reached (on `real` only)
          allow_remote  True: with host_network also other addresses than loopback
          timeout       seconds, or text as "30s"
          capture       False: record no packets
        A file with mistakes gives a result too, with the verdict `broken`. NetrigError where netrig
        could not be asked.
        """
        settings = self._settings(**parameters)
        plan = self._plan(scenario, settings)
        if plan.broken:
            return plan.broken
        return self._program.run(_one_run(plan), settings, self._next_out())

    def run_all(self, scenario: Scenario, **parameters: Any) -> list[Result]:
        """Runs it once on each backend that it allows, and with each row of its matrix."""
        settings = self._settings(**parameters)
        plan = self._plan(scenario, settings)
        results = [plan.broken] if plan.broken else []
        for run in plan.runs:
            results.append(self._program.run(run, settings, self._next_out()))
        return results

    def start(self, scenario: Scenario, **parameters: Any) -> Running:
        """As run(), without waiting for its end: for tests that are one of its peers themselves.

        A file with mistakes is a NetrigError here.
        """
        settings = self._settings(**parameters)
        plan = self._plan(scenario, settings)
        if plan.broken:
            raise NetrigError(plan.broken.text)
        started = self._program.start(_one_run(plan), settings, self._next_out())
        running = Running(self._program, started)
        self._running.append(running)
        return running

    def close(self) -> None:
        for running in self._running:
            running.close()

    def _plan(self, scenario: Scenario, settings: Settings) -> Plan:
        path = self._file(scenario)
        return self._program.plans([path], settings)[path]

    def _file(self, scenario: Scenario) -> Path:
        if not isinstance(scenario, Mapping):
            return self._here / scenario
        self._written += 1
        number = "" if self._written == 1 else f"-{self._written}"
        path = self._scratch / f"scenario{number}.json"
        # Indented: a failure quotes the line.
        path.write_text(json.dumps(scenario, indent=2, ensure_ascii=False), encoding="utf-8")
        return path

    def _next_out(self) -> Path:
        self._runs += 1
        return self._out / f"run-{self._runs}"

    def _settings(
        self,
        *,
        backend: str | None = None,
        seed: int | None = None,
        set: Mapping[str, object] | None = None,
        host_network: bool | None = None,
        allow_remote: bool = False,
        timeout: float | str | None = None,
        capture: bool = True,
    ) -> Settings:
        defaults = self._defaults
        on_host = defaults.host_network if host_network is None else host_network
        return Settings(
            # The session's backend is a wish, and host_network leaves one backend only.
            backend=backend or (None if on_host else defaults.backend),
            seed=defaults.seed if seed is None else seed,
            set={name: _set_value(value) for name, value in (set or {}).items()},
            host_network=on_host,
            allow_remote=allow_remote,
            timeout=f"{round(timeout * 1000)}ms" if isinstance(timeout, (int, float)) else timeout,
            capture=capture,
        )


def _one_run(plan: Plan) -> PlannedRun:
    """Of several backends the first that can run it; a matrix has to be narrowed by the test."""
    possible = [run for run in plan.runs if not run.verdict] or list(plan.runs)
    if not possible:
        raise NetrigError(f"{plan.id} has no run")
    first = possible[0]
    rows = [run for run in possible if run.backend == first.backend]
    if len(rows) > 1:
        raise NetrigError(
            f"{plan.id} has {len(rows)} runs on {first.backend}: run_all() runs them all, "
            "and `set` chooses one"
        )
    return first


def _set_value(value: object) -> str:
    """As --set takes it: text that would be read as another kind of value is quoted."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        read = json.loads(value)
    except ValueError:
        return value
    return value if isinstance(read, (dict, list)) else json.dumps(value)
