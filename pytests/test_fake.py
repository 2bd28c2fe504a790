"""The simulated world from outside: the same octets every time, losses equal to the real world's, captures that
Wireshark believes, and an end to every run, whatever it does."""

import json
import os
import signal
import time

import pytest

from conftest import HELLO, ROOT, delivery
from test_captures import needs_tshark, tshark
from test_processes import SLOW, alive, children_of, wait_until

EPOCH = 946_684_800  # virtual time 0 in captures: 2000-01-01T00:00:00Z

# It turns the loop as fast as it can, in no virtual time at all.
FOREVER = {
    "name": "forever",
    "actors": {
        "server": {"listen": "tcp", "leftover": "ignore", "steps": [
            {"repeat": 1_000_000_000, "steps": [{"recv": "x"}, {"send": "y"}]}]},
        "client": {"connect": "server", "leftover": "ignore", "steps": [
            {"repeat": 1_000_000_000, "steps": [{"send": "x"}, {"recv": "y"}]}]},
    },
}
# It never lets go of the loop by itself.
SPINNING = {"name": "spinning", "actors": {"a": {"steps": [
    {"socket": "udp"}, {"repeat": 1_000_000_000, "steps": [{"set_option": {"SO_RCVBUF": 5000}}]}]}}}

LOSSY = {
    "name": "lossy",
    "network": {"client <-> server": {"loss": "10%", "delay": "5ms..15ms"}},
    "actors": {
        "server": {"listen": "tcp", "steps": [{"recv": {"length": 100_000}}, {"send": "thanks"}, {"eof": True}]},
        "client": {"connect": "server", "steps": [
            {"send": {"pattern": "0123456789", "length": 100_000}}, {"recv": "thanks"}, {"close": True}]},
    },
}


def files_of(netrig, result):
    """What a run leaves that must be the same every time, octet by octet."""
    folder = (netrig.folder / result["capture"]).parent
    return {name: (folder / name).read_bytes() for name in ("capture.pcapng", "journal.jsonl", "ladder.txt")}


def shipped(netrig, *args):
    run, results = netrig.results(ROOT / "scenarios", "--backend", "fake", *args)
    assert run.returncode == 0, run.stdout + run.stderr
    return [result for result in results if result["verdict"] != "unsupported"]


def test_every_shipped_scenario_gives_the_same_octets_with_one_job_and_with_eight(netrig):
    ways = [shipped(netrig, "--out", "one", "-j", "1"), shipped(netrig, "--out", "eight", "-j", "8")]
    assert len(ways[0]) > 100
    for one, eight in zip(*ways, strict=True):
        assert one["verdict"] in ("pass", "xfail"), one
        assert one["fingerprints"] == eight["fingerprints"], one["id"]
        assert one["counters"] == eight["counters"], one["id"]
        assert files_of(netrig, one) == files_of(netrig, eight), one["id"]


def test_check_determinism_passes_on_every_shipped_scenario(netrig):
    results = shipped(netrig, "--check-determinism")
    assert len(results) > 100
    assert sum(result["counters"]["events_compared"] for result in results) > 10_000


def test_a_seed_gives_the_same_octets_twice_and_another_seed_others(netrig):
    path = netrig.write("lossy.json", LOSSY)
    seen = []
    for seed in (1, 1, 2):
        run, [result] = netrig.results(path, "--backend", "fake", "--seed", seed)
        assert run.returncode == 0, run.stdout
        assert result["counters"]["packets_dropped"] > 0
        seen.append((files_of(netrig, result), result["fingerprints"]))
    assert seen[0] == seen[1]
    for name, octets in seen[0][0].items():
        assert octets != seen[2][0][name], name
    assert set(seen[0][1]) == {"time", "link", "headers", "payload"}
    assert seen[0][1]["link"] != seen[2][1]["link"]


def test_a_change_of_timing_alone_leaves_the_fingerprint_of_the_content(netrig):
    prints = []
    for delay in ("1ms", "2ms"):
        path = netrig.write("hello.json", dict(HELLO, network={"client <-> server": {"delay": delay}}))
        run, [result] = netrig.results(path, "--backend", "fake")
        assert run.returncode == 0, run.stdout
        prints.append(result["fingerprints"])
    assert prints[0]["payload"] == prints[1]["payload"]
    assert prints[0]["time"] != prints[1]["time"]


@pytest.mark.parametrize("folder", ["tcp-and-udp", "network"])
def test_the_same_datagrams_are_lost_on_fake_and_on_real(netrig, folder):
    _, results = netrig.results(ROOT / "scenarios" / folder, "--backend", "fake,real", "--seeds", "1:5")
    lost = {}
    for result in results:
        fates = {one["direction"]: (one["lost_ordinals"], one["sent"], one["duplicated"], one["corrupted"])
                 for one in result["delivery"]}
        lost.setdefault((result["id"], result["seed"]), {})[result["backend"]] = (result["verdict"], fates)
    compared = 0
    for run, worlds in lost.items():
        # A machine that is too slow for a run's times says `invalid`, which is nothing to compare.
        if len(worlds) < 2 or {"unsupported", "invalid"} & {worlds["fake"][0], worlds["real"][0]}:
            continue
        assert worlds["fake"] == worlds["real"], run
        compared += any(fates[0] for fates in worlds["fake"][1].values())
    assert compared >= 10


def with_every_packet_in_its_capture(netrig, path):
    """The scenario without its expectations, captured before the links."""
    shown = netrig("show", "--expanded", path)
    assert shown.returncode == 0, shown.stderr
    scenario = json.loads(shown.stdout)
    scenario.setdefault("network", {})["capture"] = "sent"
    scenario.pop("expect", None)
    scenario["backends"] = ["fake"]
    return netrig.write(path.name, scenario)


@needs_tshark
@pytest.mark.parametrize("path", [*sorted((ROOT / "scenarios/tcp").glob("*.json")),
                                  ROOT / "scenarios/tcp-and-udp/tcp-through-a-faulty-network.json"],
                         ids=lambda path: path.stem)
def test_tshark_counts_as_many_retransmissions_as_netrig(netrig, path):
    """Captured where it is sent, nothing is out of order: what tshark calls so, because it comes sooner than 3 ms
    after what it repeats or fills a hole, is sent again too."""
    run, [result] = netrig.results(with_every_packet_in_its_capture(netrig, path), "--backend", "fake")
    assert run.returncode == 0, run.stdout
    # Sockets that are closed after the end are in the capture, but are not counted.
    end = EPOCH + result["counters"]["virtual_time_us"] / 1e6
    seen = tshark(netrig.folder / result["capture"], "(tcp.analysis.retransmission || tcp.analysis.out_of_order) "
                                                     f"&& frame.time_epoch <= {end:.6f}")
    expected = result["counters"]["tcp_retransmissions"]
    if path.stem == "simultaneous-open":
        expected += 2  # a SYN with ACK answers a SYN that crossed: tshark takes it for the SYN sent again
    assert len(seen) == expected, seen[:5]


@needs_tshark
def test_without_reordering_every_lost_segment_is_sent_again_once(netrig):
    for seed in (1, 2):
        run, [result] = netrig.results(ROOT / "scenarios/bench/bulk-tcp.json", "--backend", "fake",
                                       "--set", "loss=1%", "--seed", seed,
                                       "--no-capture")
        assert run.returncode == 0, run.stdout
        counters = result["counters"]
        assert counters["tcp_segments_dropped"] > 20
        assert counters["tcp_retransmissions"] == counters["tcp_segments_dropped"]


@pytest.mark.parametrize("scenario", [FOREVER, SPINNING], ids=lambda scenario: scenario["name"])
def test_a_signal_ends_a_run_that_is_busy_within_seconds(netrig, scenario):
    netrig.write("busy.json", scenario)
    process = netrig.start("run", "busy.json", "--backend", "fake", "--json", "results.jsonl")
    assert wait_until((netrig.folder / "out/busy/fake-1/journal.jsonl").exists)
    time.sleep(0.3)
    children = children_of(process.pid)
    assert children
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    stdout, stderr = process.communicate(timeout=30)
    assert time.monotonic() - started < 8
    assert process.returncode == 130, stdout + stderr
    [result] = map(json.loads, (netrig.folder / "results.jsonl").read_text().splitlines())
    assert result["verdict"] == "interrupted"
    assert (netrig.folder / "out/busy/fake-1/result.json").exists()
    assert not alive(children)


def test_sigkill_of_netrig_leaves_no_worker(netrig):
    netrig.write("busy.json", SPINNING)
    for pause in (0, 0.02, 0.3):
        process = netrig.start("run", "busy.json", "--backend", "fake", "--seeds", "1:4", "-j", "2")
        assert wait_until(lambda: len(children_of(process.pid)) > 0)
        time.sleep(pause)
        children = children_of(process.pid)
        process.kill()
        process.communicate()
        assert wait_until(lambda: not alive(children)), f"left: {alive(children)}"


@pytest.mark.parametrize("scenario", [FOREVER, SPINNING], ids=lambda scenario: scenario["name"])
def test_a_run_without_an_end_is_ended_by_the_wall_clock_and_the_others_go_on(netrig, scenario):
    netrig.write("a.json", HELLO)
    netrig.write("b-busy.json", scenario)
    netrig.write("c.json", HELLO)
    started = time.monotonic()
    run, results = netrig.results("a.json", "b-busy.json", "c.json", "--backend", "fake", "--timeout", "200ms",
                                  "-j", "2", timeout=60)
    assert time.monotonic() - started < 20
    assert [result["verdict"] for result in results] == ["pass", "invalid", "pass"]
    assert "on this machine's clock, at 0s of virtual time" in results[1]["reason"]
    assert run.returncode == 5


def test_a_worker_that_is_killed_is_one_error_and_not_the_end_of_all(netrig):
    netrig.write("a-busy.json", SPINNING)
    netrig.write("b.json", HELLO)
    process = netrig.start("run", "a-busy.json", "b.json", "--backend", "fake", "--json", "results.jsonl", "-j", "1")
    assert wait_until((netrig.folder / "out/a-busy/fake-1/journal.jsonl").exists)
    [worker] = children_of(process.pid)
    os.kill(worker, signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 5, stdout + stderr
    busy, hello = map(json.loads, (netrig.folder / "results.jsonl").read_text().splitlines())
    assert busy["verdict"] == "error" and "signal 9" in busy["reason"]
    assert hello["verdict"] == "pass"


def test_thirty_virtual_seconds_take_no_time(netrig):
    netrig.write("slow.json", SLOW)
    run, [result] = netrig.results("slow.json", "--backend", "fake", "--timeout", "60s")
    assert result["counters"]["virtual_time_us"] >= 30_000_000
    assert result["duration_ns"] < 5_000_000_000


@pytest.mark.parametrize("args, runs", [(["--repeat", "300"], 300), (["--seeds", "1:200"], 200)])
def test_many_runs_of_one_scenario_share_a_process_a_job(netrig, args, runs):
    """A relative --out, too: a run works in its own folder, and the next one must find its own."""
    netrig.write("lossy.json", LOSSY)
    process = netrig.start("run", "lossy.json", "--backend", "fake", "-q", "-j", "2", "--json", "results.jsonl", *args)
    workers = set()
    while process.poll() is None:
        workers.update(children_of(process.pid))
        time.sleep(0.005)
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stdout + stderr
    assert 1 <= len(workers) <= 2
    results = [json.loads(line) for line in (netrig.folder / "results.jsonl").read_text().splitlines()]
    assert [result["verdict"] for result in results] == ["pass"] * runs
    sights = {json.dumps(result["fingerprints"]) for result in results}
    assert len(sights) == (1 if args[0] == "--repeat" else runs)
    assert all((netrig.folder / result["capture"]).stat().st_size > 0 for result in results)


@pytest.mark.parametrize("network, place", [
    ({"client -> server": {"mtu": 10}}, "mtu"),
    ({"client -> server": {"mtu": "1200ms"}}, "mtu"),
    ({"client -> server": {"mtu": 100_000}}, "mtu"),
    ({"capture": "received"}, "capture"),
    ({"capture": True}, "capture"),
])
def test_a_wrong_mtu_or_capture_is_told_at_its_place(netrig, network, place):
    path = netrig.write("bad.json", dict(HELLO, network=network))
    line = next(n for n, row in enumerate(path.read_text().splitlines(), 1) if f'"{place}"' in row)
    run = netrig("run", "bad.json", "--backend", "fake")
    assert run.returncode == 3
    output = run.stdout + run.stderr
    assert f"bad.json:{line}:" in output and "error:" in output, output


def test_captures_before_the_links_are_unsupported_on_real(netrig):
    netrig.write("hello.json", dict(HELLO, network={"capture": "sent"}))
    run, results = netrig.results("hello.json")
    assert {result["backend"]: result["verdict"] for result in results} == {
        "fake": "pass", "real": "unsupported", "wire": "pass"}
    assert "fake and wire can" in results[1]["reason"]


def test_all_backends_run_by_default(netrig):
    netrig.write("hello.json", HELLO)
    run, results = netrig.results("hello.json")
    assert run.returncode == 0, run.stdout
    assert [result["backend"] for result in results] == ["fake", "real", "wire"]
    assert [result["verdict"] for result in results] == ["pass", "pass", "pass"]


@pytest.mark.parametrize("args, words", [
    (["--backend", "fake", "--host-network"], "--host-network is not for the backend fake"),
    (["--backend", "real", "--check-determinism"], "--check-determinism is not for the backend real"),
    (["--host-network", "--check-determinism"], "--check-determinism"),
    (["--backend", "wir"], "there is no backend 'wir'"),
])
def test_options_that_exclude_each_other_are_refused_in_a_sentence(netrig, args, words):
    netrig.write("hello.json", HELLO)
    run = netrig("run", "hello.json", *args)
    assert run.returncode == 2
    assert words in run.stderr


def test_an_option_that_needs_one_backend_chooses_it(netrig):
    netrig.write("hello.json", HELLO)
    _, results = netrig.results("hello.json", "--host-network")
    assert [result["backend"] for result in results] == ["real"]
    _, results = netrig.results("hello.json", "--check-determinism")
    assert [result["backend"] for result in results] == ["fake"]
    assert results[0]["counters"]["events_compared"] > 10


def test_the_doctor_says_that_fake_needs_nothing(netrig):
    run = netrig("doctor")
    assert "fake: works" in run.stdout
    assert "virtual time" in run.stdout


def test_losses_that_lo_cannot_apply_to_tcp_change_nothing_of_what_arrives(netrig):
    path = netrig.write("lossy.json", LOSSY)
    run, results = netrig.results(path)
    fake, real, wire = results
    assert (fake["verdict"], real["verdict"], wire["verdict"]) == ("pass", "unsupported", "pass")
    assert "fake and wire can" in real["reason"]


def test_a_dropped_datagram_is_in_the_capture_when_asked(netrig):
    scenario = {
        "name": "rule",
        "network": {"rules": [{"on": "client -> server", "match": "udp", "nth": 2, "do": "drop"}],
                    "capture": "sent"},
        "actors": {
            "server": {"bind": "udp", "steps": [{"recv": "one"}, {"recv": "three"}]},
            "client": {"connect": "server", "steps": [{"send": "one"}, {"send": "two"}, {"send": "three"}]},
        },
        "expect": [{"capture": "udp", "count": 3}],
    }
    netrig.write("rule.json", scenario)
    run, [result] = netrig.results("rule.json", "--backend", "fake")
    assert run.returncode == 0, run.stdout
    assert delivery(result, "client -> server")["lost_ordinals"] == [2]
