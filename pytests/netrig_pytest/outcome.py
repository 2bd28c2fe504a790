"""What a result means to pytest: nothing, a skip with its reason, or a failure with netrig's text.

The failure of a scenario has its place in a JSON file, not in Python: no traceback is ever part of
what is shown, and what pytest takes for "the line that crashed" is the line of the scenario.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest._code.code import ReprEntryNative, ReprExceptionInfo, ReprFileLocation, ReprTraceback

from netrig_pytest.result import EXPECTED_FAILURES, NOT_RUN, Result, headline, place_of


class ScenarioFailed(AssertionError):
    """A run that did not pass, whatever the verdict; its message is netrig's text."""

    def __init__(self, result: Result) -> None:
        super().__init__(failure_text(result))
        self.result = result


class ScenarioFailedAsExpected(pytest.xfail.Exception):  # type: ignore[misc, name-defined]
    """The same where it is no failure of the test; with --runxfail pytest takes it for one."""

    def __init__(self, result: Result) -> None:
        super().__init__(headline(result) if result.verdict == "deviates" else result.reason)
        self.result = result


def failure_text(result: Result) -> str:
    """netrig's own text, with a sentence before it where the verdict is no plain failure."""
    text = result.text or headline(result)
    if result.verdict == "invalid":
        return (
            "The run is invalid: netrig could not keep its own promise, so this is neither a pass "
            f"nor a failure of what was tested.\n{text}"
        )
    return text


def skip_reason(verdict: str, reason: str) -> str:
    return reason if verdict == "skipped" else f"{verdict}: {reason}"


def raise_unless_passed(result: Result) -> None:
    __tracebackhide__ = True
    if result.passed:
        return
    if result.verdict in NOT_RUN:
        # The item's own place, not this file's: what is skipped is the scenario.
        raise pytest.skip.Exception(
            skip_reason(result.verdict, result.reason), _use_item_location=True
        )
    if result.verdict in EXPECTED_FAILURES:
        raise ScenarioFailedAsExpected(result)
    raise ScenarioFailed(result)


def located_failure(text: str, message: str, path: Path, line: int) -> ReprExceptionInfo:
    """A failure for pytest's reports: `text` is shown, `message` is its short form.

    Only this form of pytest's own keeps the short form and the place on its way from an xdist
    worker, and for the summary, --tb=line and the JUnit file.
    """
    shown = ReprEntryNative([text.rstrip("\n") + "\n"])
    return ReprExceptionInfo(
        reprcrash=ReprFileLocation(str(path), line, message),
        reprtraceback=ReprTraceback(reprentries=[shown], extraline=None, style="native"),
    )


def result_failure(result: Result) -> ReprExceptionInfo:
    return located_failure(failure_text(result), headline(result), *place_of(result))
