"""The wire under what programs and people do to it: floods, forks, junk, kills; and what is left behind."""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from conftest import HELLO, delivery
from test_processes import FIXED_PORT, alive, children_of, wait_until
from test_programs import MISTAKES, PYTHON, shell, waiting

# The full number is 200: NETRIG_KILLS=200.
KILLS = int(os.environ.get("NETRIG_KILLS", "20"))


def python(script, **more):
    return {"run": [PYTHON, "-c", script], **more}


@pytest.mark.parametrize("mistake", ["quotes its last lines", "never becomes ready", "binds another port",
                                     "goes to the background", "ignores TERM", "crashes", "leaves a child behind",
                                     "leaves a port behind"])
def test_on_the_wire_too_a_program_that(netrig, mistake):
    program, actors, message = MISTAKES[mistake]
    netrig.write("program.json", {"name": mistake, "processes": {"prog": program}, "actors": actors})
    run = netrig("run", "program.json", "--backend", "wire")
    assert run.returncode == 1, run.stdout + run.stderr
    assert message in run.stdout


FLOODS = {
    "datagrams to one port": """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try: s.sendto(b"x" * 100, ("${server.address}", ${server.port}))
    except OSError: pass
""",
    "large datagrams to all ports": """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
port = 0
while True:
    port = port % 65535 + 1
    try: s.sendto(b"x" * 30000, ("${server.address}", port))
    except OSError: pass
""",
    "connections that are reset": """
import socket, struct
while True:
    try:
        s = socket.create_connection(("${server.address}", 9), timeout=1)
        s.close()
    except OSError: pass
""",
}


@pytest.mark.parametrize("fault", ["", "loss 10%"])
@pytest.mark.parametrize("programs", [1, 3])
@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_ends_with_the_run(netrig, flood, programs, fault):
    scenario = {
        "name": "flood",
        "processes": {f"flood{i}": python(FLOODS[flood]) for i in range(programs)},
        "actors": {"server": {"bind": "udp", "leftover": "ignore", "steps": [{"sleep": "2s"}]}},
    }
    if fault:
        scenario["network"] = {"*": {"loss": "10%", "delay": "1ms"}}
    netrig.write("flood.json", scenario)
    begin = time.monotonic()
    _, [result] = netrig.results("flood.json", "--backend", "wire", "--no-capture", "--timeout", "20s")
    # Where netrig does not get the processor for so long, packets are late or lost, and it says so.
    assert result["verdict"] in ("pass", "invalid"), result
    assert result["counters"]["packets_sent"] > (1000 if "datagrams" in flood else 5)
    assert time.monotonic() - begin < 40


JUNK = """
import os, random, socket, struct, sys
try: s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
except PermissionError:
    print("not allowed"); sys.exit(0)
s.bind(("eth0", 0))
chance = random.Random(3)
destination = socket.inet_aton("${server.address}")
source = socket.inet_aton("${junk.address}")
ethernet = s.getsockname()[3] == 1  # ARPHRD_ETHER
for i in range(20000):
    octets = bytearray(chance.randbytes(chance.randrange(1, 200)))
    kind = chance.randrange(4)
    if kind and len(octets) >= 28:
        octets[0:20] = struct.pack(">BBHHHBBH4s4s", 0x45, 0, len(octets), i % 65536,
                                   chance.choice([0, 0x2000, 0x20b9, 0x1fff]), 64, chance.choice([1, 6, 17, 47]), 0,
                                   source, destination)
    if ethernet: octets[0:0] = bytes([2, 0, 0, 0, 0, 1] * 2 + [8, 0])
    try: s.send(octets)
    except OSError: pass
print("sent")
"""


def test_junk_of_a_program_is_counted_and_breaks_nothing(netrig):
    netrig.write("junk.json", {
        "name": "junk",
        "processes": {"junk": python(JUNK, exits=0)},
        "actors": {"server": {"listen": "tcp", "steps": [{"recv": "ping"}, {"send": "pong"}, {"eof": True}]},
                   "client": {"connect": "server", "steps": [{"sleep": "500ms"}, {"send": "ping"}, {"recv": "pong"},
                                                             {"close": True}]}},
    })
    _, [result] = netrig.results("junk.json", "--backend", "wire", "--timeout", "20s")
    out = (netrig.folder / "out/junk/wire-1/junk.stdout").read_text()
    if "not allowed" in out:
        pytest.skip("only root's programs may have packet sockets")
    assert "sent" in out
    # The kernel may refuse at the server what it took at the sender: that is told as invalid.
    assert result["verdict"] in ("pass", "invalid"), result
    assert result["counters"]["packets_to_nobody"] > 1000
    assert (netrig.folder / "out/junk/wire-1/capture.pcapng").stat().st_size > 1000


def test_a_program_that_forks_and_dies_leaves_nobody(netrig):
    marker = f"netrig-forked-{time.time_ns()}"
    netrig.write("forks.json", {
        "name": "forks", "actors": waiting("100ms"),
        "processes": {"prog": shell(f"for i in 1 2 3 4 5; do setsid sh -c 'sleep 1000; : {marker}' & done; exit 3",
                                    exits=3)}})
    run = netrig("run", "forks.json", "--backend", "wire")
    assert run.returncode in (0, 1), run.stdout + run.stderr
    assert subprocess.run(["pgrep", "-f", marker], capture_output=True).returncode == 1


def in_namespaces(namespaces):
    """Processes and descriptors of the machine that still hold one of the network namespaces."""
    holders = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            links = [process / "ns/net", *(process / "fd").iterdir()]
        except OSError:
            continue
        for link in links:
            try:
                if os.readlink(link) in namespaces:
                    holders.append(str(link))
            except OSError:
                pass
    return holders


def namespaces_of(pids):
    own = os.readlink("/proc/self/ns/net")
    found = set()
    for pid in pids:
        try:
            links = [pathlib.Path(f"/proc/{pid}/ns/net"), *pathlib.Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        for link in links:
            try:
                found.add(os.readlink(link))
            except OSError:
                pass
    return {one for one in found if re.fullmatch(r"net:\[\d+\]", one)} - {own}


def test_sigkill_at_any_moment_leaves_no_process_namespace_device_or_file(netrig):
    marker = f"netrig-left-{time.time_ns()}"
    netrig.write("tree.json", {
        "name": "tree",
        "network": {"client <-> server": {"delay": "1ms", "loss": "5%"}},
        "processes": {"prog": shell(f"for i in 1 2 3; do setsid sh -c 'sleep 1000; : {marker}' & done; "
                                    f"sleep 1000; : {marker}")},
        "actors": {
            "server": {"listen": "tcp", "leftover": "ignore", "steps": [{"sleep": "60s"}]},
            "client": {"connect": "server", "steps": [{"send": {"pattern": "x", "length": 50_000_000}}]}}})
    files = set(os.listdir("/tmp"))
    devices = set(os.listdir("/sys/class/net"))
    moments = random.Random(5)
    seen = set()
    running = 0
    for i in range(KILLS):
        run = netrig.start("run", "tree.json", "--backend", "wire", start_new_session=True)
        # Every other time not before its programs run, however slow the machine is.
        if i % 2:
            wait_until(lambda: len(children_of(run.pid)) > 2, 10)
        time.sleep(moments.uniform(0, 0.2))
        pids = children_of(run.pid)
        namespaces = namespaces_of(pids)
        seen |= namespaces
        running += len(pids) > 2
        run.send_signal(signal.SIGKILL)
        run.communicate()
        assert wait_until(lambda: not alive(pids), 20), f"left: {alive(pids)}"
        # At once, for the kernel gives the next ones the same numbers.
        assert wait_until(lambda: not in_namespaces(namespaces), 20), in_namespaces(namespaces)
    assert running >= KILLS // 4, "most were killed before anything ran"
    assert seen, "no namespace was ever seen"
    assert wait_until(lambda: subprocess.run(["pgrep", "-f", marker], capture_output=True).returncode == 1, 20)
    assert set(os.listdir("/sys/class/net")) == devices
    # Others on this machine have files there as well: netrig's own have its name.
    left = {name for name in set(os.listdir("/tmp")) - files if re.fullmatch(r"netrig-\w{6}", name)}
    assert not left


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become nobody")
def test_an_ordinary_user_has_a_wire(netrig_path):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="netrig-nobody-", dir="/tmp"))
    try:
        shutil.copy(netrig_path, folder / "netrig")
        lossy = dict(HELLO, network={"client <-> server": {"loss": "20%"}})
        (folder / "lossy.json").write_text(json.dumps(lossy))
        folder.chmod(0o777)
        run = subprocess.run(["su", "nobody", "-s", "/bin/bash", "-c",
                              f"cd {folder} && ./netrig run lossy.json --backend wire --seeds 1:5 -vv"],
                             text=True, capture_output=True, timeout=60)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "5 passed" in run.stdout and "the wire: " in run.stdout
    finally:
        shutil.rmtree(folder)


def test_calls_and_runs_side_by_side_do_not_meet(netrig):
    """The same ports and addresses in all of them."""
    netrig.write("fixed.json", FIXED_PORT)
    calls = [netrig.start("run", "fixed.json", "--backend", "wire", "--repeat", "6", "-j", "3", "--out", f"out-{i}")
             for i in range(2)]
    for call in calls:
        stdout, stderr = call.communicate(timeout=60)
        assert call.returncode == 0, stdout + stderr
        assert "6 passed" in stdout


def test_the_same_datagrams_are_lost_on_all_backends(netrig):
    path = netrig.write("loss.json", {
        "name": "loss",
        "network": {"client -> server": {"loss": "10%"}},
        "actors": {
            "server": {"bind": "udp", "steps": [{"collect": True, "until": {"idle": "2s"}}]},
            "client": {"connect": "server", "steps": [{"repeat": 300, "steps": [{"send": "ping ${i}"}]}]},
        },
    })
    run, results = netrig.results(path, "--seed", 7)
    assert run.returncode == 0, run.stdout
    assert {one["backend"] for one in results} == {"fake", "real", "wire"}
    lost = [delivery(one, "client -> server")["lost_ordinals"] for one in results]
    assert lost[0] and lost[0] == lost[1] == lost[2]


HOSTS = {f"a{i}": {"steps": [{"sleep": "1ms"}]} for i in range(65)}
BAD = {
    "no such backend": (HELLO, ["--backend", "wired"], 2, "there is no backend 'wired'"),
    "an unknown value of a setting": (dict(HELLO, network={"segments": "some"}), [], 3, "segments"),
    "an algorithm that nobody has": (dict(HELLO, network={"congestion": "nosuch"}), [], 3, "congestion"),
    "more hosts than a wire has": ({"name": "many", "actors": HOSTS}, [], 4, "65 hosts are too many for wire"),
    "an output that cannot be written": (HELLO, ["--out", "/proc/nowhere"], 5, ""),
    "a link between hosts that are not there": (dict(HELLO, network={"a -> b": {"loss": "1%"}}), [], 3, "'a'"),
}


@pytest.mark.parametrize("mistake", BAD)
def test_bad_input_is_told_and_has_its_exit_status(netrig, mistake):
    scenario, arguments, status, message = BAD[mistake]
    netrig.write("bad.json", scenario)
    run = netrig("run", "bad.json", *(arguments if "--backend" in arguments else ["--backend", "wire", *arguments]))
    assert run.returncode == status, run.stdout + run.stderr
    assert message in run.stdout + run.stderr
    assert "netrig itself failed" not in run.stdout
