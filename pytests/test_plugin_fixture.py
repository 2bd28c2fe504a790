"""The pytest plugin's fixture, for Python tests that run scenarios; and the plugin as a package."""

import os
import subprocess
import sys

import pytest

from conftest import HELLO
from plugin_ground import PYTESTS, ground  # noqa: F401: a fixture

pytest_plugins = ["pytester"]


def test_a_python_test_gets_results_as_plain_values(ground):
    ground.write("net/loss.json", {
        "name": "loss",
        "vars": {"count": 10},
        "network": {"rules": [{"on": "client -> server", "nth": [3], "do": "drop"}]},
        "actors": {
            "server": {"bind": "udp", "steps": [{"collect": True, "until": {"idle": "100ms"}}]},
            "client": {"connect": "server",
                       "steps": [{"repeat": "${count}", "steps": [{"send": "ping ${i}"}]}]},
        },
    })
    ground.write("net/test_loss.py", """
from netrig_pytest import Netrig

def test_loss(netrig: Netrig):
    result = netrig.run("loss.json", backend="fake", seed=9, set={"count": 20}).check()
    assert result.passed and result.text == ""
    assert (result.id, result.backend, result.seed, result.verdict) == ("loss", "fake", 9, "pass")
    delivery = result.delivery["client -> server"]
    assert (delivery.sent, delivery.delivered, delivery.lost_ordinals) == (20, 19, (3,))
    assert delivery.latency_ns["max"] >= 0
    assert result.counters["datagrams_dropped"] == 1
    assert result.capture.read_bytes()[:4] == bytes.fromhex("0a0d0d0a")
    assert "ping 1" in result.ladder
    assert any(event for event in result.journal())
    assert "--set count=20" in result.again
    assert result.duration > 0

def test_all_backends(netrig):
    assert [one.backend for one in netrig.run_all("loss.json")] == ["fake", "real", "wire"]
    assert netrig.run("loss.json").fingerprint == netrig.run("loss.json").fingerprint

def test_options(netrig):
    assert netrig.run("loss.json", capture=False).check().capture is None
    assert netrig.run("loss.json", timeout=0.001, backend="real").verdict == "fail"
""")
    result = ground.run("net/test_loss.py")
    result.assert_outcomes(passed=3)


def test_a_python_test_starts_its_server_and_points_a_scenario_at_it(ground):
    ground.write("shout.json", {
        "name": "The server says every line in capitals",
        "vars": {"port": 0, "word": "hello"},
        "actors": {"client": {"connect": "tcp://127.0.0.1:${port}", "steps": [
            {"send": "${word}\n"}, {"recv": "HELLO\n", "within": "2s"}, {"close": True}]}},
    })
    ground.write("test_shout.py", """
import socketserver, threading
import pytest

class Shout(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline().upper())

@pytest.fixture
def port():
    with socketserver.TCPServer(("127.0.0.1", 0), Shout) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()

def test_shout(netrig, port):
    netrig.run("shout.json", host_network=True, set={"port": port}).check()

def test_wrong_word(netrig, port):
    result = netrig.run("shout.json", host_network=True, set={"port": port, "word": "hullo"})
    assert result.verdict == "fail"
    assert [finding.actor for finding in result.findings] == ["client"]
    result.check()
""")
    # The file alone would be a test that has no server.
    ground.write("conftest.py", 'collect_ignore = ["shout.json"]\n')
    result = ground.run()
    result.assert_outcomes(passed=1, failed=1)
    line = ground.line_of("shout.json", '"recv"')
    result.stdout.fnmatch_lines([
        ">       result.check()",
        "E*FAIL  shout [[]real, seed 1[]]*",
        f"E*shout.json:{line}:*: error: client: the octets*",
        "E*again    netrig run shout.json --backend real * --host-network",
    ])
    assert "netrig_pytest/" not in result.stdout.str()


def test_a_python_test_is_itself_the_client(ground):
    ground.write("test_client.py", """
import socket, time

SERVER = {"name": "asks first", "vars": {"port": 0}, "actors": {"server": {
    "listen": "tcp://127.0.0.1:${port}",
    "steps": [{"send": "who?"}, {"recv": "me"}, {"eof": True}]}}}

def connected(port):
    for attempt in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise TimeoutError

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]

def test_client(netrig):
    port = free_port()
    with netrig.start(SERVER, host_network=True, set={"port": port}) as run:
        with connected(port) as client:
            assert client.recv(4) == b"who?"
            client.sendall(b"me")
    assert run.wait().check().verdict == "pass"

def test_stopped(netrig):
    run = netrig.start(SERVER, host_network=True, set={"port": free_port()}, timeout="20s")
    assert run.stop().verdict == "interrupted"
    assert run.wait().verdict == "interrupted"

def test_forgotten(netrig):
    netrig.start(SERVER, host_network=True, set={"port": free_port()}, timeout="20s")
""")
    result = ground.run("--durations=3")
    result.assert_outcomes(passed=3)


def test_what_cannot_be_run_is_told_to_the_python_test(ground):
    ground.write("lossy.json", dict(HELLO, network={"client -> server": {"loss": "1%"}}))
    ground.write("test_cannot.py", """
import pytest
from netrig_pytest import NetrigError, ScenarioFailed

def test_skipped(netrig):
    netrig.run("lossy.json", backend="real").check()

def test_first_possible_backend(netrig):
    assert netrig.run("lossy.json").backend == "fake"

def test_broken(netrig):
    result = netrig.run({"actors": {"x": {"lisen": "tcp"}}})
    assert result.verdict == "broken"
    with pytest.raises(ScenarioFailed, match="did you mean 'listen'") as caught:
        result.check()
    assert caught.value.result is result

def test_no_such_file(netrig):
    with pytest.raises(ScenarioFailed, match="nowhere.json: error: no such file"):
        netrig.run("nowhere.json").check()

def test_wrong_variable(netrig):
    with pytest.raises(ScenarioFailed, match="there is no such variable"):
        netrig.run("lossy.json", set={"x": 1}).check()

def test_wrong_backend(netrig):
    with pytest.raises(NetrigError, match="^netrig list: there is no backend 'moon'"):
        netrig.run("lossy.json", backend="moon")
""")
    result = ground.run("-rs", "test_cannot.py")
    result.assert_outcomes(passed=5, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * test_cannot.py:*: unsupported: *"])


def test_the_fixture_without_netrig_fails_in_a_line(ground, monkeypatch):
    monkeypatch.setenv("NETRIG", "/nowhere/netrig")
    ground.write("test_any.py", "def test_any(netrig): pass\n")
    result = ground.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["$NETRIG=/nowhere/netrig: there is no such program"])
    assert "Traceback" not in result.stdout.str()


def test_a_python_tests_runs_leave_theirs_there_too(ground):
    ground.write("test_it.py", f"""
import pytest
@pytest.mark.parametrize("text", ["a" * 300])
def test_it(netrig, text):
    result = netrig.run({HELLO!r}, backend="fake", capture=False).check()
    assert result.output.joinpath("journal.jsonl").exists()
    assert "kept" in result.output.parts
""")
    ground.run("--netrig-out", "kept").assert_outcomes(passed=1)


# --- as a package


def test_it_installs_and_works_without_the_checkout(ground, tmp_path, monkeypatch):
    # A copy, because setuptools builds in the source tree; Debian's setuptools, because there may
    # be no network.
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md"):
        (source / name).write_bytes((PYTESTS / name).read_bytes())
    package = source / "netrig_pytest"
    package.mkdir()
    for path in (PYTESTS / "netrig_pytest").iterdir():
        if path.is_file():
            (package / path.name).write_bytes(path.read_bytes())
    monkeypatch.delenv("PYTHONPATH")
    site = tmp_path / "site"
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-build-isolation", "--no-index",
         "--no-deps", "--target", site, source],
        capture_output=True, text=True, env=dict(os.environ, HOME=str(tmp_path)))
    if "No module named pip" in done.stderr:
        pytest.skip("needs Debian's python3-pip")
    assert done.returncode == 0, done.stderr
    assert list(site.glob("netrig_pytest-*.dist-info/entry_points.txt"))
    assert (site / "netrig_pytest/py.typed").exists()
    ground.write("hello.json", HELLO)
    # By its entry point: no -p.
    monkeypatch.setenv("PYTHONPATH", str(site))
    result = ground.pytester.runpytest_subprocess()
    result.assert_outcomes(passed=3)
    # Both ways at once are one plugin.
    result = ground.pytester.runpytest_subprocess("-p", "netrig_pytest")
    result.assert_outcomes(passed=3)
