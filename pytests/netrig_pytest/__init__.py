"""netrig scenarios in pytest: files as test items, and a fixture that runs them from Python tests.

This module is the plugin (`-p netrig_pytest`, or by its entry point once installed); what tests
need for type hints and `pytest.raises` is here too. Which scenarios there are, on which backends
and how one is run alone is asked of the program netrig: nothing of its format is known here.
"""

from netrig_pytest.fixture import Netrig, Running
from netrig_pytest.outcome import ScenarioFailed
from netrig_pytest.plugin import (
    netrig,
    pytest_addoption,
    pytest_collect_file,
    pytest_configure,
    pytest_report_header,
)
from netrig_pytest.program import NetrigError
from netrig_pytest.result import Delivery, Finding, Result

__all__ = [
    "Delivery",
    "Finding",
    "Netrig",
    "NetrigError",
    "Result",
    "Running",
    "ScenarioFailed",
    "netrig",
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_configure",
    "pytest_report_header",
]
