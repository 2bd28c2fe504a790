"""Bad input: a clear message, the right exit status, nothing left behind."""

import os
import subprocess

import pytest

from conftest import HELLO


def check(netrig, text, name="bad.json"):
    netrig.write(name, text)
    return netrig("check", name)


@pytest.mark.parametrize("text, place", [
    ('{ "name": "x", }', ":1:"),
    ('{\n  "name": "x",\n  "actors": { "a": { "listn": "tcp" } }\n}', ":3:"),
    ('{ "name": "x", "actors": { "a": { "connect": "tcp://127.0.0.1:65536" } } }', "65536"),
    ('{ "name": "x", "name": "y", "actors": {} }', ":1:"),
    ('{ "name": 7, "actors": {} }', ":1:"),
    ("", ":1:1"),
    ("[1, 2]", ":1:1"),
    ('{ "name": "x", "packets": { "p": "tcp port port" }, "actors": { "a": { "bind": "udp" } }, '
     '"expect": [ { "capture": "p", "count": 0 } ] }', "p"),
])
def test_a_mistake_is_told_at_its_place(netrig, text, place):
    run = check(netrig, text)
    assert run.returncode == 3
    output = run.stdout + run.stderr
    assert "bad.json:" in output and "error:" in output and place in output
    assert "Traceback" not in output and "terminate" not in output


def test_wrong_utf8_is_told(netrig):
    (netrig.folder / "bad.json").write_bytes(b'{ "name": "\xff\xfe", "actors": {} }')
    run = netrig("check", "bad.json")
    assert run.returncode == 3
    assert "UTF-8" in run.stdout + run.stderr


def test_a_hundred_megabytes_are_refused_quickly(netrig):
    with open(netrig.folder / "big.json", "wb") as big:
        big.write(b'{ "name": "')
        for _ in range(100):
            big.write(b"x" * (1 << 20))
        big.write(b'" }')
    run = netrig("check", "big.json", timeout=10)
    assert run.returncode == 3
    assert "big.json" in run.stdout + run.stderr


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000],
                         ids=["arrays left open", "objects left open", "arrays closed again"])
def test_deep_nesting_is_refused(netrig, text):
    run = check(netrig, text)
    assert run.returncode == 3
    assert len(run.stdout + run.stderr) < 2000
    assert "nest" in run.stdout + run.stderr or "deep" in run.stdout + run.stderr


def test_a_missing_file_is_told(netrig):
    run = netrig("run", "nowhere.json")
    assert run.returncode in (2, 3)
    assert "nowhere.json" in run.stdout + run.stderr


def test_one_broken_file_of_many_does_not_count_as_green(netrig):
    netrig.write("a.json", HELLO)
    netrig.write("b.json", '{ "name": ')
    run = netrig("run", "a.json", "b.json")
    assert run.returncode == 3
    assert "b.json:1:" in run.stdout + run.stderr
    assert "3 passed" in run.stdout  # on fake, on real and on wire


@pytest.mark.parametrize("args", [
    ["run", "--backend", "nonsense", "a.json"], ["run", "-j", "0", "a.json"], ["run", "--seed", "x", "a.json"],
    ["run", "--seeds", "9:1", "a.json"], ["run", "--set", "novalue", "a.json"], ["run", "--timeout", "5", "a.json"],
    ["nonsense"], ["run", "--nonsense"], ["run", "-k", "tcp and (", "a.json"],
])
def test_wrong_usage_exits_with_2(netrig, args):
    netrig.write("a.json", HELLO)
    run = netrig(*args)
    assert run.returncode == 2, run.stdout + run.stderr
    assert run.stderr


def test_nothing_to_run_exits_with_4(netrig):
    (netrig.folder / "empty").mkdir()
    assert netrig("run", "empty").returncode == 4
    netrig.write("a.json", HELLO)
    assert netrig("run", "a.json", "-k", "nothing_of_this_name").returncode == 4


def test_an_output_folder_that_cannot_be_made_is_told(netrig):
    netrig.write("a.json", HELLO)
    (netrig.folder / "out").write_text("a file stands here")
    run = netrig("run", "a.json")
    assert run.returncode == 5
    assert "out" in run.stdout + run.stderr


def test_a_full_disk_for_the_capture_makes_the_run_invalid(netrig):
    """A file-size limit stands in for the disk: the write fails in the same place."""
    netrig.write("a.json", {
        "name": "bulk",
        "actors": {
            "server": {"listen": "tcp", "steps": [{"recv": {"length": "2MiB"}}, {"eof": True}]},
            "client": {"connect": "server", "steps": [
                {"send": {"pattern": "x", "length": "2MiB"}}, {"close": True}]},
        },
    })
    run = netrig("run", "a.json", preexec_fn=lambda: limit_file_size(256 * 1024))
    assert run.returncode == 5, run.stdout + run.stderr
    assert "capture" in run.stdout + run.stderr


def limit_file_size(size):
    import resource
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("path", ["/etc/netrig-was-here.sock", "/root/netrig.sock", "${tmp}/../etc/x.sock",
                                  "relative.sock"])
def test_a_scenario_cannot_write_outside_its_folders(netrig, path):
    netrig.write("a.json", {"name": "x", "actors": {"a": {"steps": [
        {"socket": "unix"}, {"bind": f"unix:{path}"}]}}})
    run = netrig("run", "a.json")
    assert run.returncode in (1, 3)
    assert not os.path.exists(path)


def test_a_scenario_cannot_reach_another_machine_from_the_host_network(netrig):
    netrig.write("a.json", {"name": "x", "actors": {"a": {"steps": [
        {"socket": "udp"}, {"send_to": "x", "to": "udp://192.0.2.1:9", "error": "EPERM"},
        {"socket": "tcp"}, {"connect": "tcp://192.0.2.1:9", "error": "EPERM"}]}}})
    run = netrig("run", "a.json", "--host-network", "--no-capture")
    assert run.returncode == 0, run.stdout + run.stderr


def test_help_has_examples_for_every_command(netrig):
    for command in ("run", "list", "check", "show", "schema", "doctor", "verify"):
        run = netrig(command, "--help")
        assert run.returncode == 0
        assert "xample" in run.stdout, command


def test_a_closed_pipe_or_a_full_stdout_is_not_a_success(netrig):
    netrig.write("a.json", HELLO)
    with open("/dev/full", "w") as full:
        run = subprocess.run([netrig.path, "run", "a.json", "-v"], cwd=netrig.folder, stdout=full,
                             stderr=subprocess.PIPE, timeout=60)
    assert run.returncode == 5
