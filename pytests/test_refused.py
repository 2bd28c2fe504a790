"""Machines that cannot: what is missing is told with the way to get it, what can run runs, and the exit status says so."""

import json
import os
import shutil
import subprocess

import pytest

import refusals
from conftest import HELLO

SANDBOX = {
    "no user namespaces": (refusals.NO_USER_NAMESPACES, "user.max_user_namespaces is 0",
                           "sysctl -w user.max_user_namespaces=10000"),
    "a seccomp profile": (refusals.seccomp("namespaces"), "clone answers Operation not permitted (EPERM)",
                          "--security-opt seccomp=unconfined"),
}


@pytest.fixture
def on(netrig):
    """Runs netrig on a machine that refuses; answers what it said, and its JSON lines."""
    def run(prefix, *args):
        if not refusals.can(prefix):
            pytest.skip(f"this machine cannot be made to refuse: {prefix[:3]}")
        return subprocess.run([*prefix, netrig.path, *map(str, args)], cwd=netrig.folder, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
    netrig.write("hello.json", HELLO)
    run.folder = netrig.folder
    return run


def verdicts(on):
    lines = (on.folder / "runs.jsonl").read_text().splitlines()
    return {one["backend"]: (one["verdict"], one["reason"]) for one in map(json.loads, lines)}


@pytest.mark.parametrize("backend", ["real", "wire"])
@pytest.mark.parametrize("machine", SANDBOX)
def test_a_backend_asked_for_by_name_that_the_machine_refuses_is_told_with_the_fix(on, machine, backend):
    prefix, missing, fix = SANDBOX[machine]
    run = on(prefix, "run", "hello.json", "--backend", backend)
    assert run.returncode == 5, run.stdout + run.stderr
    assert "no sandbox" in run.stdout and missing in run.stdout and fix in run.stdout
    assert "netrig doctor" in run.stdout
    assert f"this machine cannot run {backend}" in run.stderr


@pytest.mark.parametrize("machine", SANDBOX)
def test_without_a_backend_asked_for_the_file_runs_on_those_that_work(on, machine):
    prefix, missing, _ = SANDBOX[machine]
    run = on(prefix, "run", "hello.json", "--json", "runs.jsonl")
    assert run.returncode == 0, run.stdout + run.stderr
    told = verdicts(on)
    assert told["fake"][0] == "pass"
    for backend in ("real", "wire"):
        assert told[backend][0] == "unsupported" and missing in told[backend][1]
    assert "this machine cannot run real, wire" in run.stderr


@pytest.mark.parametrize("machine", SANDBOX)
def test_fake_and_the_hosts_own_network_need_nothing_that_is_refused(on, machine):
    prefix, _, _ = SANDBOX[machine]
    for arguments in (["--backend", "fake"], ["--host-network"]):
        run = on(prefix, "run", "hello.json", *arguments)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "cannot run" not in run.stderr


@pytest.mark.parametrize("machine", SANDBOX)
def test_a_file_for_refused_backends_only_is_no_green_light(on, machine):
    prefix, _, _ = SANDBOX[machine]
    (on.folder / "only.json").write_text(json.dumps(dict(HELLO, backends=["wire"])))
    assert on(prefix, "run", "only.json").returncode == 5


@pytest.mark.parametrize("machine", SANDBOX)
def test_the_doctor_says_what_is_missing_and_how_to_get_it(on, machine):
    prefix, missing, fix = SANDBOX[machine]
    run = on(prefix, "doctor")
    assert run.returncode == 5, run.stdout
    assert "fake: works" in run.stdout
    assert "real: does not work here" in run.stdout and "wire: does not work here" in run.stdout
    assert missing in run.stdout and "fix: " in run.stdout and fix in run.stdout


def test_what_is_refused_is_tried_once_and_until_fail_comes_to_an_end(on):
    run = on(refusals.seccomp("namespaces"), "run", "hello.json", "--backend", "wire", "--until-fail")
    assert run.returncode == 5, run.stdout + run.stderr


def test_where_only_hosts_of_their_own_are_refused_real_still_works(on):
    prefix = refusals.seccomp("host-namespaces")
    run = on(prefix, "run", "hello.json", "--json", "runs.jsonl")
    assert run.returncode == 0, run.stdout + run.stderr
    told = verdicts(on)
    assert (told["fake"][0], told["real"][0], told["wire"][0]) == ("pass", "pass", "unsupported")
    assert "no network namespace for each host: unshare and setns answer Operation not permitted (EPERM)" in told["wire"][1]
    assert on(prefix, "run", "hello.json", "--backend", "wire").returncode == 5
    doctor = on(prefix, "doctor")
    assert doctor.returncode == 5
    assert "real: works" in doctor.stdout and "wire: does not work here" in doctor.stdout


def test_without_tun_the_wire_takes_veth_and_says_so(on):
    run = on(refusals.NO_TUN, "run", "hello.json", "--backend", "wire", "-vv")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "the wire: veth and AF_PACKET" in run.stdout
    doctor = on(refusals.NO_TUN, "doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert "veth and AF_PACKET, as /dev/net/tun: No such file or directory (ENOENT)" in doctor.stdout


def test_with_neither_tun_nor_veth_both_fixes_are_told(on):
    prefix = [*refusals.NO_TUN, *refusals.seccomp("packet-sockets")]
    doctor = on(prefix, "doctor")
    assert doctor.returncode == 5, doctor.stdout
    assert "neither TUN (/dev/net/tun: No such file or directory (ENOENT)) nor veth and AF_PACKET" in doctor.stdout
    assert "--device /dev/net/tun" in doctor.stdout and "fix: veth: " in doctor.stdout
    run = on(prefix, "run", "hello.json", "--backend", "wire")
    assert run.returncode == 5
    assert "neither TUN" in run.stdout and "fix: TUN: modprobe tun" in run.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
@pytest.mark.skipif(not os.path.exists("/dev/net/tun") or os.stat("/dev/net/tun").st_mode & 0o006 == 0o006,
                    reason="everybody may open /dev/net/tun")
def test_the_doctor_tells_nobody_that_tun_is_not_for_everybody(netrig_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor")
    program = shutil.copy(netrig_path, "/tmp/netrig-doctor-test")
    try:
        run = subprocess.run(["su", "nobody", "-s", "/bin/bash", "-c", f"cd / && {program} doctor"],
                             cwd=folder, text=True, capture_output=True, timeout=60)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "veth and AF_PACKET, as /dev/net/tun: Permission denied (EACCES)" in run.stdout
    finally:
        os.unlink(program)


def test_the_hosts_own_network_is_not_for_the_wire(netrig):
    netrig.write("hello.json", HELLO)
    run = netrig("run", "hello.json", "--backend", "wire", "--host-network")
    assert run.returncode == 2
    assert "--host-network is not for the backend wire" in run.stderr
    netrig.write("only.json", dict(HELLO, backends=["wire"]))
    run = netrig("run", "only.json", "--host-network")
    assert run.returncode == 4
    assert "the scenario runs on wire only" in run.stdout
