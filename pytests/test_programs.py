"""Programs under test and relays: what goes wrong with them has a message of its own, and nothing is left behind."""

import json
import pathlib
import random
import signal
import subprocess
import time

import pytest

CLIENT = {"client": {"connect": "prog", "steps": [{"send": "x"}, {"close": True}]}}
PYTHON = "/usr/bin/python3"


def waiting(duration="300ms"):
    """An actor that keeps the run going."""
    return {"client": {"steps": [{"sleep": duration}]}}


def shell(script, **more):
    return {"run": ["sh", "-c", script], **more}


# What goes wrong, what is run, who else takes part, what is told.
MISTAKES = {
    "does not exist": ({"run": ["no-such-program"]}, waiting(), "cannot start prog: no program 'no-such-program' was found"),
    "is not executable": ({"run": ["${here}/text"]}, waiting(), "is not executable"),
    "exits at once": (shell("echo bye; exit 7"), waiting(), "prog ended with exit status 7 while it was needed"),
    "quotes its last lines": (shell("echo bye; exit 7"), waiting(), "out: bye"),
    "exits before it is ready": (shell("echo no >&2; exit 7", ready={"listening": "tcp"}), CLIENT,
                                 "prog ended with exit status 7 before it was ready"),
    "never becomes ready": ({"run": ["sleep", "60"], "ready": {"listening": "tcp", "within": "200ms"}}, CLIENT,
                            "no process of it waits for peers at tcp 10.0.0.2:5001"),
    "never says that it is ready": (shell("echo not yet; sleep 60", ready={"log": "^ready", "within": "200ms"}), waiting(),
                                    'no line of its output matches "^ready"'),
    "binds another port": ({"run": [PYTHON, "-m", "http.server", "--bind", "${prog.address}", "6000"],
                            "ready": {"listening": "tcp", "within": "5s"}}, CLIENT,
                           "its processes wait at: tcp 10.0.0.2:6000"),
    "prints a gigabyte": (shell("yes | head -c 1000000000"), waiting("30s"), "prog printed more than 16MiB"),
    "goes to the background": (shell("(sleep 100 &); exit 0", ready={"listening": "tcp", "within": "5s"}), CLIENT,
                               "prog went to the background"),
    "ignores TERM": (shell("trap '' TERM; while true; do sleep 0.1; done", stop={"within": "300ms"}), waiting(),
                     "prog did not end within 300ms after SIGTERM and was killed"),
    "crashes": (shell("kill -SEGV $$"), waiting(), "prog was killed by SIGSEGV while it was needed"),
    "crashes when it is stopped": (
        {"run": [PYTHON, "-c", "import os, signal, time\n"
                               "signal.signal(signal.SIGTERM, lambda *_: os.abort())\n"
                               "print('up', flush=True)\ntime.sleep(60)"], "ready": {"log": "up"}},
        waiting(), "prog was killed by SIGABRT when it was stopped"),
    "leaves a child behind": (shell("sleep 100 & trap 'exit 0' TERM; wait; wait"), waiting(),
                              "prog left processes behind, which were killed"),
    "leaves a port behind": (
        shell(PYTHON + " -m http.server --bind ${prog.address} ${prog.port} & "
              "trap 'exit 0' TERM; while true; do sleep 0.05; done", ready={"listening": "tcp"}),
        waiting(), "still waiting for peers at: tcp 10.0.0.2:5001"),
    "ends otherwise than said": ({"run": ["false"], "exits": 0}, None,
                                 "prog ended with exit status 1, and not with exit status 0"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_program_that(netrig, mistake):
    program, actors, message = MISTAKES[mistake]
    (netrig.folder / "text").write_text("no program")
    scenario = {"name": mistake, "processes": {"prog": program}}
    if actors:
        scenario["actors"] = actors
    netrig.write("program.json", scenario)
    run = netrig("run", "program.json", "--backend", "real")
    assert run.returncode == 1, run.stdout + run.stderr
    assert message in run.stdout
    assert "program.json:" in run.stdout


def test_a_relay_without_its_target_is_told(netrig):
    netrig.write("relay.json", {
        "name": "relay", "relays": {"via": {"listen": "tcp", "to": "tcp://server:81"}},
        "actors": {"server": {"listen": "tcp", "leftover": "ignore", "steps": []},
                   "client": {"connect": "via", "steps": [{"send": "x"}, {"eof": True}]}}})
    for backend in ("fake", "real"):
        run = netrig("run", "relay.json", "--backend", backend)
        assert run.returncode == 1
        assert "via cannot reach its target at tcp 10.0.0.1:81: ECONNREFUSED" in run.stdout


def test_output_status_and_files_of_a_program_are_kept(netrig):
    netrig.write("kept.json", {
        "name": "kept",
        "processes": {"prog": {"run": ["sh", "-c", "cat a/b.conf; cat; echo $WORD >&2; exit 3"],
                               "env": {"WORD": "from ${prog.address}"}, "files": {"a/b.conf": "conf\n"},
                               "input": "in\n", "exits": 3}},
        "expect": [{"process": "prog", "exit": "1..3", "stdout": "conf\nin\n", "stderr": "from 10.0.0.1\n"}]})
    _, results = netrig.results("kept.json", "--backend", "real")
    (result,) = results
    assert result["verdict"] == "pass"
    assert result["processes"] == {"prog": "ended with exit status 3"}
    folder = netrig.folder / "out" / "kept" / "real-1"
    assert (folder / "prog.stdout").read_text() == "conf\nin\n"
    assert (folder / "prog.stderr").read_text() == "from 10.0.0.1\n"


def test_a_program_has_a_clean_environment_and_cannot_write_outside(netrig, monkeypatch):
    monkeypatch.setenv("SECRET", "of the user")
    netrig.write("inside.json", {
        "name": "inside",
        "processes": {"prog": {"run": ["sh", "-c",
            "env | cut -d= -f1 | sort | tr '\\n' ' '; for f in /usr/x ${here}/x /proc/sysrq-trigger /sys/x; do "
            "echo 1 2>/dev/null >$f && echo wrote $f; done; ls /dev/sd* /dev/vd* /dev/mem 2>/dev/null; "
            "mount -o remount,rw / 2>/dev/null && echo remounted; echo end"], "exits": 0}},
        "expect": [{"process": "prog", "stdout": {"matches": "HOME LANG PATH PWD TMPDIR TZ (_ )?end\n"}}]})
    run = netrig("run", "inside.json", "--backend", "real")
    assert run.returncode == 0, run.stdout
    assert not (netrig.folder / "x").exists()


def test_programs_are_unsupported_without_a_sandbox(netrig):
    netrig.write("program.json", {"name": "program", "processes": {"prog": {"run": ["true"], "exits": 0}}})
    _, (fake,) = netrig.results("program.json", "--backend", "fake")
    assert (fake["verdict"], "real and wire can" in fake["reason"]) == ("unsupported", True)
    run = netrig("run", "program.json", "--host-network")
    assert "programs are started in a sandbox only" in run.stdout


def test_killing_netrig_leaves_nothing(netrig):
    """At random moments of a run with a program that starts others in the background."""
    marker = f"netrig-left-{time.time_ns()}"
    netrig.write("tree.json", {
        "name": "tree", "actors": waiting("60s"),
        "processes": {"prog": shell(f"for i in 1 2 3; do setsid sh -c 'sleep 1000; : {marker}' & done; "
                                    f"sleep 1000; : {marker}")}})
    moments = random.Random(7)
    for _ in range(20):
        run = netrig.start("run", "tree.json", "--backend", "real", start_new_session=True)
        time.sleep(moments.uniform(0, 0.15))
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
        run.stderr.close()
    deadline = time.monotonic() + 20
    while left := subprocess.run(["pgrep", "-f", marker], capture_output=True, text=True).stdout:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


@pytest.mark.parametrize("transport", ["tcp", "unix"])
def test_a_relay_is_captured_on_both_sides_and_passes_ends_and_resets(netrig, transport):
    netrig.write("relay.json", {
        "name": "relay", "relays": {"via": {"listen": transport, "to": "server", "chop": "1..2", "delay": "1ms..3ms"}},
        "actors": {
            "server": {"listen": "tcp", "steps": [{"recv": "question"}, {"eof": True}, {"send": "answer"}]},
            "client": {"connect": "via", "steps": [{"send": "question"}, {"shutdown": "write"}, {"recv": "answer"},
                                                   {"eof": True}]}},
        "expect": [{"stream": "via -> server", "is": "question"}, {"stream": "client -> via", "is": "question"},
                   {"stream": "server -> via", "is": "answer"}]})
    _, results = netrig.results("relay.json")
    assert {one["verdict"] for one in results} == {"pass"} and len(results) >= 2, json.dumps(results, indent=1)


@pytest.mark.parametrize("transport", ["tcp", "unix"])
def test_a_relay_whose_client_resets_counts_nothing_that_waits_as_under_way(netrig, transport):
    """More than a relay holds of one direction: the rest still waits in its socket when it stops."""
    reset = {"reset": True} if transport == "tcp" else {"close": True}
    netrig.write("relay.json", {
        "name": "relay", "timeout": "20s", "relays": {"via": {"listen": transport, "to": "server", "delay": "300ms"}},
        "actors": {
            "server": {"listen": "tcp", "leftover": "ignore", "steps": [
                {"send": {"pattern": "0123456789", "length": 12000000}, "error": "EPIPE"}]},
            "client": {"connect": "via", "leftover": "ignore", "steps": [{"sleep": "100ms"}, reset]}}})
    _, results = netrig.results("relay.json")
    assert {one["verdict"] for one in results} == {"pass"} and len(results) >= 2, json.dumps(results, indent=1)


def test_every_sender_of_a_datagram_relay_gets_its_own_answer(netrig):
    netrig.write("relay.json", {
        "name": "relay", "relays": {"via": {"listen": "udp", "to": "server", "delay": "2ms"}},
        "actors": {
            "server": {"bind": "udp", "steps": [{"repeat": 3, "steps": [
                {"recv": {"matches": "I am (?P<who>[0-9])"}}, {"send": "you are ${who}"}]}]},
            "client": {"count": 3, "connect": "via", "steps": [{"send": "I am ${i}"}, {"recv": "you are ${i}"}]}}})
    _, results = netrig.results("relay.json")
    assert {one["verdict"] for one in results} == {"pass"} and len(results) >= 2, json.dumps(results, indent=1)


def test_scenario_folders_in_fresh_folders_are_seen_by_programs(netrig):
    assert pathlib.Path(netrig.folder).is_absolute()
    (netrig.folder / "words.txt").write_text("seen")
    netrig.write("seen.json", {"name": "seen",
                               "processes": {"prog": {"run": ["cat", "${here}/words.txt"], "exits": 0}},
                               "expect": [{"process": "prog", "stdout": "seen"}]})
    assert netrig("run", "seen.json", "--backend", "real").returncode == 0
