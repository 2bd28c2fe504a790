"""Captures: what Wireshark's own eyes find in them."""

from concurrent import futures
import json
import shutil
import subprocess

import pytest

from conftest import HELLO, ROOT, delivery

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def tshark(capture, display_filter, *fields):
    # Payloads of these exchanges are nobody's protocol, whatever the port: only the network is judged.
    command = ["tshark", "-r", capture, "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
               "-o", "ip.check_checksum:TRUE", "-d", "udp.port==1-65535,data",
               "-d", "tcp.port==1-65535,data", "-Y", display_filter]
    if fields:
        command += ["-T", "fields", *[part for field in fields for part in ("-e", field)]]
    run = subprocess.run(command, text=True, capture_output=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def bad_packets(capture):
    """Those that are malformed or have a wrong checksum, but for those that a link has damaged, and ICMP errors
    of the largest size: what they quote is cut, so that tshark sums up less than was sent."""
    return tshark(capture, "(ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 "
                           "|| icmp.checksum.status == 0 || icmpv6.checksum.status == 0 || _ws.malformed) "
                           "&& !(frame.comment contains \"corrupted\") "
                           "&& !(icmp && ip.len == 576) && !(icmpv6 && ipv6.plen == 1240)")


@needs_tshark
@pytest.mark.parametrize("backend", ["fake", "real"])
def test_no_shipped_scenario_leaves_a_malformed_packet_or_a_bad_checksum(netrig, backend):
    run, results = netrig.results(ROOT / "scenarios", "-j", "2", "--backend", backend)
    captures = [result["capture"] for result in results if result["verdict"] == "pass"]
    assert len(captures) > 30
    with futures.ThreadPoolExecutor(2) as pool:
        for capture, bad in zip(captures, pool.map(lambda one: bad_packets(netrig.folder / one), captures)):
            assert not bad, f"{capture}: {bad[:3]}"


@needs_tshark
def test_a_capture_is_complete_and_says_which_step_sent_what(netrig):
    netrig.write("hello.json", HELLO)
    run, [result] = netrig.results("hello.json", "--backend", "real")
    assert run.returncode == 0
    rows = tshark(netrig.folder / result["capture"], "tcp", "tcp.flags.str", "tcp.len", "frame.comment")
    flags = [row.split("\t")[0].replace("·", "") for row in rows]
    assert flags.count("S") == 1 and flags.count("AS") == 1 and flags.count("AF") == 2
    comments = [row.split("\t")[2] for row in rows if row.split("\t")[1] == "4"]
    assert comments == ["client step 1 (send)", "server step 2 (send)"]
    # The acknowledgement of the last FIN is there: nothing was cut off at the end.
    assert "F" not in rows[-1].split("\t")[0] and rows[-1].split("\t")[1] == "0"


@needs_tshark
def test_a_dropped_datagram_is_in_the_journal_and_not_on_the_wire(netrig):
    netrig.write("rule.json", {
        "name": "rule",
        "network": {"rules": [{"on": "client -> server", "match": "udp", "nth": 2, "do": "drop"}]},
        "actors": {
            "server": {"bind": "udp", "steps": [{"recv": "one"}, {"recv": "three"}]},
            "client": {"connect": "server", "steps": [{"send": "one"}, {"send": "two"}, {"send": "three"}]},
        },
    })
    run, [result] = netrig.results("rule.json", "--backend", "real")
    assert run.returncode == 0, run.stdout
    assert delivery(result, "client -> server")["lost_ordinals"] == [2]
    assert len(tshark(netrig.folder / result["capture"], "udp")) == 2
    journal = (netrig.folder / result["capture"]).with_name("journal.jsonl").read_text()
    assert any("rule" in line and "drop" in line for line in journal.splitlines())


@needs_tshark
def test_each_direction_is_an_interface_of_its_own_on_fake(netrig):
    netrig.write("hello.json", HELLO)
    run, [result] = netrig.results("hello.json", "--backend", "fake")
    assert run.returncode == 0, run.stdout
    capture = netrig.folder / result["capture"]
    cut = {name: tshark(capture, f'frame.interface_name == "{name}"', "ip.src", "ip.dst")
           for name in ("client -> server", "server -> client", "lo")}
    assert not cut["lo"]
    assert sum(map(len, cut.values())) == len(tshark(capture, "ip"))
    [there], [back] = ({*cut[name]} for name in ("client -> server", "server -> client"))
    assert there.split("\t") == back.split("\t")[::-1]


@needs_tshark
def test_unix_traffic_can_be_followed_as_a_stream(netrig):
    scenario = json.loads(json.dumps(HELLO))
    scenario["actors"]["server"]["listen"] = "unix"
    netrig.write("unix.json", scenario)
    run, [result] = netrig.results("unix.json", "--backend", "real")
    assert run.returncode == 0, run.stdout
    capture = netrig.folder / result["capture"]
    follow = subprocess.run(["tshark", "-r", capture, "-q", "-z", "follow,tcp,ascii,0"], text=True,
                            capture_output=True, timeout=60)
    assert "ping" in follow.stdout and "pong" in follow.stdout
    interfaces = tshark(capture, "tcp", "frame.interface_name")
    assert set(interfaces) == {"unix:/tmp/server.sock"}


def test_verify_judges_a_capture_made_elsewhere(netrig):
    netrig.write("hello.json", HELLO)
    _, [result] = netrig.results("hello.json", "--backend", "real")
    netrig.write("good.json", {"name": "good", "expect": [{"capture": "syn", "count": 1}]})
    netrig.write("bad.json", {"name": "bad", "expect": [{"capture": "syn", "count": 2}]})
    good = netrig("verify", result["capture"], "good.json")
    assert good.returncode == 0, good.stdout + good.stderr
    bad = netrig("verify", result["capture"], "bad.json")
    assert bad.returncode == 1
    assert "bad.json:" in bad.stdout + bad.stderr
    assert netrig("verify", "good.json", "good.json").returncode in (3, 5)


def test_the_shipped_captures_meet_their_expectations(netrig):
    captures = sorted((ROOT / "captures").glob("*.pcapng"))
    assert captures
    for capture in captures:
        run = netrig("verify", capture, capture.with_suffix(".json"))
        assert run.returncode == 0, run.stdout + run.stderr
