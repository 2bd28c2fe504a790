"""What a run answers: verdicts, exit statuses, findings at their line, and the command that repeats them."""

import copy
import shlex

import pytest

from conftest import HELLO, ROOT, delivery


def broken(side, step, key, value):
    scenario = copy.deepcopy(HELLO)
    scenario["actors"][side]["steps"][step] = {key: value}
    return scenario


@pytest.mark.parametrize("backend", ["fake", "real"])
def test_a_right_scenario_passes_and_leaves_its_files(netrig, backend):
    netrig.write("hello.json", HELLO)
    run, [result] = netrig.results("hello.json", "--backend", backend)
    assert run.returncode == 0, run.stdout + run.stderr
    assert result["verdict"] == "pass"
    folder = netrig.folder / f"out/hello/{backend}-1"
    names = {path.name for path in folder.iterdir()}
    assert names == {"result.json", "journal.jsonl", "capture.pcapng", "ladder.txt"}
    assert all(path.stat().st_size > 0 for path in folder.iterdir())


def test_a_wrong_byte_is_told_with_place_dump_and_a_command_that_repeats_it(netrig):
    netrig.write("hello.json", broken("client", 1, "recv", "pang"))
    run = netrig("run", "hello.json")
    assert run.returncode == 1
    text = (netrig.folder / "hello.json").read_text()
    line = next(n for n, row in enumerate(text.splitlines(), 1) if '"recv": "pang"' in row)
    column = text.splitlines()[line - 1].index('"pang"') + 1
    assert f"hello.json:{line}:{column}: error: " in run.stdout
    assert "pang" in run.stdout and "pong" in run.stdout
    again = next(row for row in run.stdout.splitlines() if row.split()[:1] == ["again"])
    command = shlex.split(again)[1:]
    assert command[0] == "netrig"
    repeated = netrig(*command[1:])
    assert repeated.returncode == 1
    assert f"hello.json:{line}:{column}: error: " in repeated.stdout


@pytest.mark.parametrize("side, step, key, value, message", [
    ("server", 0, "recv", "pingo", "TIMEOUT|EOF|waits|came"),
    ("client", 1, "recv", "po", "2 octets left unread"),
    ("server", 2, "send", "more", "4 octets left unread|never read 4 octets|ECONNRESET|EPIPE"),
    ("client", 1, "eof", True, "expected the end of the stream"),
])
def test_a_step_that_goes_otherwise_fails_the_run(netrig, side, step, key, value, message):
    netrig.write("hello.json", broken(side, step, key, value))
    run = netrig("run", "hello.json")
    assert run.returncode == 1, run.stdout
    assert any(part in run.stdout for part in message.split("|")), run.stdout


@pytest.mark.parametrize("backend", ["fake", "real"])
def test_a_deadlock_is_told_at_once_with_who_waits_for_what(netrig, backend):
    scenario = copy.deepcopy(HELLO)
    scenario["actors"]["server"]["steps"] = [{"recv": "ping"}, {"recv": "more"}, {"send": "pong"}]
    netrig.write("deadlock.json", scenario)
    run, [result] = netrig.results("deadlock.json", "--backend", backend)
    assert run.returncode == 1
    assert "everyone waits and nothing can come" in run.stdout
    assert "server waits in recv" in run.stdout and "client waits in recv" in run.stdout
    assert result["duration_ns"] < 5_000_000_000


def test_an_expectation_on_the_capture_that_does_not_hold_fails(netrig):
    scenario = dict(HELLO, expect=[{"capture": "reset", "count": "1.."}])
    netrig.write("hello.json", scenario)
    run = netrig("run", "hello.json")
    assert run.returncode == 1
    assert "expected" in run.stdout and "reset" in run.stdout


def test_losses_are_equal_for_one_seed_and_on_both_backends_and_differ_for_another(netrig):
    path = netrig.write("loss.json", {
        "name": "loss",
        "network": {"client -> server": {"loss": "10%"}},
        "actors": {
            "server": {"bind": "udp", "steps": [{"collect": True, "until": {"idle": "300ms"}}]},
            "client": {"connect": "server", "steps": [
                {"repeat": 300, "steps": [{"send": "ping ${i}"}]}]},
        },
    })
    lost = []
    for backend, seed in (("real", 7), ("fake", 7), ("real", 7), ("real", 8)):
        run, [result] = netrig.results(path, "--backend", backend, "--seed", seed)
        assert run.returncode == 0, run.stdout
        lost.append(delivery(result, "client -> server")["lost_ordinals"])
    assert lost[0] == lost[1] == lost[2] != lost[3]
    assert 5 < len(lost[0]) < 60


def test_a_fault_that_real_cannot_apply_makes_the_run_unsupported(netrig):
    netrig.write("hello.json", dict(HELLO, network={"client -> server": {"loss": "10%"}}))
    run, [result] = netrig.results("hello.json", "--backend", "real")
    assert result["verdict"] == "unsupported"
    assert "client -> server" in result["reason"]
    assert run.returncode == 4


def test_every_shipped_scenario_has_a_name_and_the_schema(netrig):
    for path in sorted((ROOT / "scenarios").rglob("*.json")):
        if "schema" in path.parts:
            continue
        assert netrig("check", path).returncode == 0, path


def test_the_expanded_form_reads_again_to_itself(netrig):
    shipped = [path for path in sorted((ROOT / "scenarios").rglob("*.json")) if "schema" not in path.parts]
    for path in shipped[:12]:
        once = netrig("show", "--expanded", path)
        assert once.returncode == 0, once.stderr
        again = netrig("show", "--expanded", netrig.write("expanded.json", once.stdout))
        assert again.stdout == once.stdout, path
