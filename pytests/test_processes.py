"""What is left when a run is stopped from outside: what is known is written, nothing else stays."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from conftest import HELLO

FIXED_PORT = {
    "name": "fixed port",
    "actors": {
        "server": {"listen": "tcp://:80", "steps": [{"recv": "ping"}, {"eof": True}]},
        "client": {"connect": "server", "steps": [{"sleep": "50ms"}, {"send": "ping"}, {"close": True}]},
    },
}

SLOW = {
    "name": "slow",
    "actors": {
        "server": {"listen": "tcp", "steps": [{"recv": "ping"}, {"sleep": "30s"}]},
        "client": {"connect": "server", "steps": [{"send": "ping"}, {"sleep": "30s"}]},
    },
}


def children_of(pid):
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(stat.parent.name)
            found += [child, *children_of(child)]
    return found


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def alive(pids):
    return [pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_and_what_is_known_is_written(netrig, number):
    netrig.write("slow.json", SLOW)
    process = netrig.start("run", "slow.json", "--backend", "real", "--json", "results.jsonl", "--junit", "junit.xml")
    journal = netrig.folder / "out/slow/real-1/capture.pcapng"
    assert wait_until(journal.exists)
    time.sleep(0.3)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=10)
    assert process.returncode == 130, stdout + stderr
    [result] = map(json.loads, (netrig.folder / "results.jsonl").read_text().splitlines())
    assert result["verdict"] == "interrupted"
    assert (netrig.folder / "junit.xml").exists()
    assert (netrig.folder / "out/slow/real-1/result.json").exists()
    assert (netrig.folder / "out/slow/real-1/journal.jsonl").stat().st_size > 0


def test_sigkill_leaves_no_process(netrig):
    netrig.write("slow.json", SLOW)
    chooser = random.Random(1)
    for _ in range(20):
        process = netrig.start("run", "slow.json", "--backend", "real", "--seeds", "1:4", "-j", "2")
        time.sleep(chooser.uniform(0.0, 0.25))
        children = children_of(process.pid)
        process.kill()
        process.communicate()
        assert wait_until(lambda: not alive(children)), f"left: {alive(children)}"


def test_sigkill_of_netrig_leaves_no_namespace(netrig):
    netrig.write("slow.json", SLOW)
    process = netrig.start("run", "slow.json", "--backend", "real")
    assert wait_until(lambda: len(children_of(process.pid)) > 0)
    time.sleep(0.2)
    namespaces = {os.readlink(f"/proc/{pid}/ns/net") for pid in children_of(process.pid)}
    namespaces.discard(os.readlink("/proc/self/ns/net"))
    assert namespaces
    process.kill()
    process.communicate()

    def in_use():
        used = set()
        for link in pathlib.Path("/proc").glob("[0-9]*/ns/net"):
            try:
                used.add(os.readlink(link))
            except OSError:
                pass
        return used & namespaces

    assert wait_until(lambda: not in_use())


def test_ports_of_runs_side_by_side_do_not_collide(netrig):
    netrig.write("fixed.json", FIXED_PORT)
    run = netrig("run", "fixed.json", "--backend", "real", "--repeat", "12", "-j", "6")
    assert run.returncode == 0, run.stdout
    assert "12 passed" in run.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become nobody")
def test_an_ordinary_user_can_run_everything(netrig_path, tmp_path_factory):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="netrig-nobody-", dir="/tmp"))
    try:
        shutil.copy(netrig_path, folder / "netrig")
        (folder / "hello.json").write_text(json.dumps(HELLO))
        folder.chmod(0o777)
        run = subprocess.run(["su", "nobody", "-s", "/bin/bash", "-c",
                              f"cd {folder} && ./netrig run hello.json"],
                             text=True, capture_output=True, timeout=60)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "3 passed" in run.stdout  # on fake, on real and on wire
    finally:
        shutil.rmtree(folder)


def test_runs_on_the_host_network_side_by_side_get_ports_of_their_own(netrig):
    netrig.write("hello.json", HELLO)
    run = netrig("run", "hello.json", "--host-network", "--repeat", "8", "-j", "4")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "8 passed" in run.stdout
