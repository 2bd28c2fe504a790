"""The program netrig: found, asked what there is to run, and started for one run at a time.

What tells runs apart (backend, seed, a row of a matrix, whatever comes) is netrig's business: it
hands out the command of each run, and that command is what is started.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from netrig_pytest.result import Result, result_from_json

# Read by pytest: in the traceback of a test its own line is what matters.
__tracebackhide__ = True

# Paths a call: far below what a command line may hold.
_PATHS_MAX = 200
_SUMMARY = re.compile(r"^\d+ passed, \d+ failed.* in [\d.]+ s$")
_EXIT_USAGE = 2
_EXIT_BAD_FILE = 3
_PATIENCE_SECONDS = 2.0


class NetrigError(Exception):
    """netrig is missing, was called wrongly, or ended without a result: one line says which."""


@dataclass(frozen=True)
class Settings:
    """What a run is given beside its file. None: as the file, or netrig, says."""

    backend: str | None = None  # one, or several with commas
    seed: int | str | None = None
    set: Mapping[str, str] = field(default_factory=dict)  # as --set takes them
    host_network: bool = False
    known_failures: str | None = None  # the path of a file
    allow_remote: bool = False
    timeout: str | None = None
    capture: bool = True

    def choosing(self) -> list[str]:
        """The arguments that change which runs there are, and what is expected of them."""
        arguments = []
        if self.backend:
            arguments += ["--backend", self.backend]
        if self.seed is not None:
            arguments += ["--seed", str(self.seed)]
        for name, value in self.set.items():
            arguments += ["--set", f"{name}={value}"]
        if self.host_network:
            arguments.append("--host-network")
        if self.known_failures:
            arguments += ["--known-failures", self.known_failures]
        return arguments

    def conduct(self) -> list[str]:
        """The arguments that change how one is run."""
        arguments = []
        if self.allow_remote:
            arguments.append("--allow-remote")
        if self.timeout:
            arguments += ["--timeout", self.timeout]
        if not self.capture:
            arguments.append("--no-capture")
        return arguments


@dataclass(frozen=True)
class PlannedRun:
    """A run that can be started. `verdict` is set if it is known without running."""

    backend: str
    seed: str
    row: str  # of the scenario's matrix, "transport=tcp"; "" without one
    command: tuple[str, ...]  # arguments of the program
    verdict: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Plan:
    """What netrig makes of a file.

    `broken` is the verdict of a file with mistakes; of a matrix single rows can be broken, so that
    there are runs too.
    """

    id: str
    name: str = ""
    tags: tuple[str, ...] = ()
    runs: tuple[PlannedRun, ...] = ()
    broken: Result | None = None


def find_program(option: str | None) -> Path:
    """--netrig, else $NETRIG, else `netrig` on the PATH."""
    variable = os.environ.get("NETRIG")
    for origin, wanted in (("--netrig ", option), ("$NETRIG=", variable)):
        if not wanted:
            continue
        found = shutil.which(wanted)
        if not found:
            raise NetrigError(f"{origin}{wanted}: there is no such program")
        return Path(found).absolute()
    found = shutil.which("netrig")
    if not found:
        raise NetrigError(
            "netrig was not found: name it with --netrig PATH or in $NETRIG, or put it on the PATH"
        )
    return Path(found).absolute()


class Program:
    """A netrig at a path, started in `folder`, which the paths it is told and tells start from."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder

    def plans(self, files: Sequence[Path], settings: Settings) -> dict[Path, Plan]:
        found: dict[Path, Plan] = {}
        for first in range(0, len(files), _PATHS_MAX):
            found |= self._plans(files[first : first + _PATHS_MAX], settings)
        return found

    def _plans(self, files: Sequence[Path], settings: Settings) -> dict[Path, Plan]:
        names = {self._argument(file): file for file in files}
        process = self._start(["list", "--json", *settings.choosing(), "--", *names])
        with Started(process, self.folder):
            stdout, stderr = process.communicate()
        lines = _json_lines(stdout)
        if not lines:
            raise self._no_result(process.returncode, stderr)
        plans: dict[Path, Plan] = {}
        for line in lines:
            file = names.get(line.get("scenario", ""))
            if file is not None:
                plans[file] = self._with_line(plans.get(file, Plan(file.stem)), line)
        for name, file in names.items():
            if file not in plans:
                raise NetrigError(f"`{self.path} list` says nothing about {name}")
        return plans

    def _with_line(self, plan: Plan, line: Mapping[str, Any]) -> Plan:
        """The plan with one line more about its file: mistakes, or runs."""
        if line.get("verdict") == "broken":
            result = result_from_json(line, line.get("text", "").rstrip(), self.folder)
            if plan.broken:
                result = replace(
                    result,
                    findings=plan.broken.findings + result.findings,
                    text=f"{plan.broken.text}\n{result.text}",
                )
            return replace(plan, broken=result)
        if "runs" not in line:
            raise NetrigError(f"{self.path} is too old: its `list --json` does not tell the runs")
        return replace(
            plan,
            id=line["id"],
            name=line["name"],
            tags=tuple(line["tags"]),
            runs=plan.runs + tuple(_planned_run(run) for run in line["runs"]),
        )

    def start(self, run: PlannedRun, settings: Settings, out: Path) -> Started:
        """One run, to be given to finish(). Its files come to be somewhere below `out`."""
        told = ["--json", "-", "--color", "never", "--out", self._argument(out)]
        return Started(self._start([*run.command, *settings.conduct(), *told]), out)

    def finish(self, started: Started, timeout: float | None = None) -> Result:
        """Waits for a run's end. Without a result of it: NetrigError."""
        stdout, stderr = started.process.communicate(timeout=timeout)
        lines = _json_lines(stdout)
        if len(lines) != 1:
            raise self._no_result(started.process.returncode, stderr)
        text = _without_summary(stderr)
        output = _output_of(lines[0], started.out, self.folder)
        return result_from_json(lines[0], text, self.folder, output)

    def run(self, run: PlannedRun, settings: Settings, out: Path) -> Result:
        with self.start(run, settings, out) as started:
            return self.finish(started)

    def _argument(self, path: Path) -> str:
        """As short as a user would type it: netrig's messages repeat it."""
        if path.is_relative_to(self.folder):
            return str(path.relative_to(self.folder))
        return str(path)

    def _no_result(self, status: int, stderr: str) -> NetrigError:
        said = next((line for line in stderr.splitlines() if line.strip()), "")
        if status in (_EXIT_USAGE, _EXIT_BAD_FILE) and said:
            return NetrigError(said)
        how = f"was ended by {_signal_name(-status)}" if status < 0 else f"ended with {status}"
        return NetrigError(f"{self.path} {how} and no result" + (f": {said}" if said else ""))

    def _start(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                [str(self.path), *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise NetrigError(f"{self.path} cannot be started: {error.strerror}") from error


@dataclass(frozen=True)
class Started:
    """A netrig under way, ended with the block if it still runs (Ctrl-C, a test's time limit).

    SIGTERM first: netrig then ends what it started and writes what is known.
    """

    process: subprocess.Popen[str]
    out: Path

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def _planned_run(line: Mapping[str, Any]) -> PlannedRun:
    return PlannedRun(
        backend=line["backend"],
        seed=str(line["seed"]),
        row=line.get("row", ""),
        command=tuple(shlex.split(line["again"])[1:]),
        verdict=line.get("verdict", ""),
        reason=line.get("reason", ""),
    )


def _json_lines(text: str) -> list[dict[str, Any]]:
    """What is not an object of JSON in a line is not netrig's: another program may be meant."""
    lines = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            lines.append(value)
    return lines


def _without_summary(text: str) -> str:
    """Without `0 passed, 1 failed in 0.03 s`: counting is pytest's part here."""
    lines = text.rstrip().splitlines()
    if lines and _SUMMARY.match(lines[-1]):
        lines.pop()
    return "\n".join(lines).rstrip()


def _output_of(line: Mapping[str, Any], out: Path, folder: Path) -> Path | None:
    """The run's folder: OUT/ID/BACKEND-SEED, with or without a capture in it."""
    if line.get("capture"):
        return (folder / line["capture"]).parent
    row = f"@{line['row']}" if line.get("row") else ""
    output = out / (line.get("id", "") + row) / f"{line.get('backend')}-{line.get('seed')}"
    return output if output.is_dir() else None
