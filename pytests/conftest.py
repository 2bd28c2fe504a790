"""The end-to-end tests' ground: the built netrig, a folder of its own for each test, scenarios as text."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent

HELLO = {
    "name": "hello",
    "actors": {
        "server": {"listen": "tcp", "steps": [{"recv": "ping"}, {"send": "pong"}, {"eof": True}]},
        "client": {"connect": "server", "steps": [{"send": "ping"}, {"recv": "pong"}, {"close": True}]},
    },
}


def delivery(result, direction):
    """What became of one direction's datagrams, from a JSON line."""
    return next(one for one in result["delivery"] if one["direction"] == direction)


@pytest.fixture(scope="session")
def netrig_path():
    path = pathlib.Path(os.environ.get("NETRIG", ROOT / "build/release/netrig")).absolute()
    if not path.exists():
        pytest.fail(f"{path} does not exist: build it with ci/build, or name another in $NETRIG")
    return path


class Netrig:
    """Runs netrig in a folder; answers what it said."""

    def __init__(self, path, folder):
        self.path, self.folder = path, folder

    def __call__(self, *args, **kwargs):
        kwargs.setdefault("timeout", 120)
        return subprocess.run([self.path, *map(str, args)], cwd=self.folder, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, **kwargs)

    def start(self, *args, **kwargs):
        return subprocess.Popen([self.path, *map(str, args)], cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                stdin=subprocess.DEVNULL, **kwargs)

    def write(self, name, scenario):
        """A scenario as a dict, or as text where the text matters."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(scenario if isinstance(scenario, str) else json.dumps(scenario, indent=2))
        return path

    def results(self, *args, **kwargs):
        """The JSON lines of a run, whatever its exit status."""
        run = self("run", *args, "-q", "--json", self.folder / "results.jsonl", **kwargs)
        text = (self.folder / "results.jsonl").read_text()
        return run, [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def netrig(netrig_path, tmp_path):
    return Netrig(netrig_path, tmp_path)
