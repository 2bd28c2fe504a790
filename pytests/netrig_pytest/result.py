"""How a run ended, as plain values: one JSON line of `netrig run --json`, typed.

Keys that an older netrig does not say have a value that means nothing happened; keys that a newer
one says are left out, not refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# `flaky` passed when it was tried again.
PASSED = frozenset({"pass", "flaky"})
# Runs that did not take place, for a reason that is nobody's failure.
NOT_RUN = frozenset({"unsupported", "skipped"})
# Failures that the scenario expects, or that are of what is only a `should` or a `may`.
EXPECTED_FAILURES = frozenset({"xfail", "deviates"})


@dataclass(frozen=True)
class Finding:
    """A difference between the scenario and what happened, or a mistake of the file.

    `line` and `column` count from 1; 0 is no place in the file. `file` is set where the place is in
    another file than the scenario's own, which that uses.
    """

    message: str
    line: int = 0
    column: int = 0
    file: Path | None = None
    details: tuple[str, ...] = ()
    actor: str = ""
    step: str = ""
    spec: tuple[str, ...] = ()  # requirements that it is a failure of


@dataclass(frozen=True)
class Delivery:
    """What became of the datagrams of one direction.

    `lost_ordinals` counts from 1 in the order of sending. `latency_ns` has min, p50, p90, p99 and
    max, or nothing if none arrived.
    """

    direction: str
    sent: int = 0
    delivered: int = 0
    lost: int = 0
    reordered: int = 0
    duplicated: int = 0
    corrupted: int = 0
    longest_loss_run: int = 0
    lost_ordinals: tuple[int, ...] = ()
    latency_ns: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """A finished run. `text` is what netrig printed about it: empty if it passed.

    `output` is the run's folder: journal.jsonl, ladder.txt, result.json, its processes' logs.
    """

    scenario: Path
    id: str
    name: str
    row: str  # of the scenario's matrix; "" without one
    backend: str
    seed: int
    verdict: str
    reason: str
    findings: tuple[Finding, ...]
    delivery: Mapping[str, Delivery]  # by direction, "client -> server"
    counters: Mapping[str, int]
    fingerprint: str
    processes: Mapping[str, str]  # how each ended, in words
    output: Path | None
    capture: Path | None  # capture.pcapng in it
    again: str  # the command that repeats the run
    duration: float  # seconds of the machine's clock
    text: str

    @property
    def passed(self) -> bool:
        return self.verdict in PASSED

    @property
    def ladder(self) -> str:
        """Who said what to whom, as a picture in text."""
        path = self.output and self.output / "ladder.txt"
        return path.read_text(encoding="utf-8") if path and path.exists() else ""

    def journal(self) -> Iterator[dict[str, Any]]:
        """All that happened, event by event; read as it is asked for, since it may be long."""
        path = self.output and self.output / "journal.jsonl"
        if not path or not path.exists():
            return
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                yield json.loads(line)

    def check(self) -> Result:
        """Fails the test with netrig's own text unless the run passed.

        Where it did not run, the test is skipped; where it failed as expected, so does the test.

        Answers itself, so that `netrig.run("x.json").check().delivery` reads well.
        """
        __tracebackhide__ = True
        # Not at the top: outcome.py needs this module.
        from netrig_pytest.outcome import raise_unless_passed

        raise_unless_passed(self)
        return self


def headline(result: Result) -> str:
    """The result in one line: the first finding, or the reason, and what there is beside it."""
    if not result.findings:
        return f"{result.verdict}: {result.reason}" if result.reason else result.verdict
    more = len(result.findings) - 1
    beside = f" (and {more} more)" if more else ""
    return result.findings[0].message + beside


def place_of(result: Result) -> tuple[Path, int]:
    """Where a failure points at: the line of its first finding that has one, from 1."""
    for finding in result.findings:
        if finding.line:
            return finding.file or result.scenario, finding.line
    return result.scenario, 1


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def _finding(line: Mapping[str, Any], folder: Path) -> Finding:
    return Finding(
        message=line.get("message", ""),
        line=line.get("line", 0),
        column=line.get("column", 0),
        file=folder / line["file"] if line.get("file") else None,
        details=_texts(line.get("details")),
        actor=line.get("actor", ""),
        step=line.get("step", ""),
        spec=_texts(line.get("spec")),
    )


def _delivery(line: Mapping[str, Any]) -> Delivery:
    counts = ("sent", "delivered", "lost", "reordered", "duplicated", "corrupted")
    return Delivery(
        direction=line.get("direction", ""),
        **{name: line.get(name, 0) for name in counts},
        longest_loss_run=line.get("longest_loss_run", 0),
        lost_ordinals=tuple(line.get("lost_ordinals", ())),
        latency_ns=dict(line.get("latency_ns", {})),
    )


def result_from_json(
    line: Mapping[str, Any], text: str, folder: Path, output: Path | None = None
) -> Result:
    """`folder`: where netrig was started, which its paths are relative to."""
    capture = line.get("capture", "")
    deliveries = [_delivery(one) for one in line.get("delivery", ())]
    return Result(
        scenario=folder / line.get("scenario", ""),
        id=line.get("id", ""),
        name=line.get("name", ""),
        row=line.get("row", ""),
        backend=line.get("backend", ""),
        seed=line.get("seed", 0),
        verdict=line.get("verdict", ""),
        reason=line.get("reason", ""),
        findings=tuple(_finding(one, folder) for one in line.get("findings", ())),
        delivery={one.direction: one for one in deliveries},
        counters=dict(line.get("counters", {})),
        fingerprint=line.get("fingerprint", ""),
        processes=dict(line.get("processes", {})),
        output=output,
        capture=folder / capture if capture else None,
        again=line.get("again", ""),
        duration=line.get("duration_ns", 0) / 1e9,
        text=text,
    )
