"""The ground of the plugin's tests: a pytest of its own in a folder, with the plugin in it."""

import copy
import json

import pytest

from conftest import HELLO, ROOT

PYTESTS = ROOT / "pytests"


def wrong_hello():
    scenario = copy.deepcopy(HELLO)
    scenario["actors"]["client"]["steps"][1] = {"recv": "pang"}
    return scenario


class Ground:
    """A folder with scenarios and tests, and a pytest with the plugin in it."""

    def __init__(self, pytester):
        self.pytester, self.path = pytester, pytester.path

    def write(self, name, content):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
        return path

    def line_of(self, name, part):
        rows = (self.path / name).read_text().splitlines()
        return next(number for number, row in enumerate(rows, 1) if part in row)

    def run(self, *args):
        """In this process: fast."""
        return self.pytester.runpytest_inprocess("-p", "netrig_pytest", "-p", "no:xdist", *args)

    def run_in_workers(self, *args):
        return self.pytester.runpytest_subprocess("-p", "netrig_pytest", "-n", "2", *args)

    def items(self, *args):
        """The ids of what is collected."""
        shown = self.run("--collect-only", "-q", *args)
        return [line for line in shown.outlines if "::" in line]


@pytest.fixture
def ground(pytester, netrig_path, monkeypatch):
    monkeypatch.setenv("NETRIG", str(netrig_path))
    monkeypatch.setenv("PYTHONPATH", str(PYTESTS))
    monkeypatch.delenv("CI", raising=False)  # pytest cuts no lines there
    return Ground(pytester)
