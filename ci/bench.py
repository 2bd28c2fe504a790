"""The measurements of ci/bench, which builds first: wall-clock time of whole netrig processes, and
what the Google Benchmark programs tell."""

import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NETRIG = ROOT / "build/release/netrig"
BENCH = ROOT / "build/bench"
SCENARIOS = ROOT / "scenarios"
HELLO_RUNS = 200
CHECK_FILES = 1000
STARTS = 50
FAKE_RUNS = 2000


class NotMeasured(Exception):
    pass


def seconds(arguments, folder):
    """Wall-clock seconds of one `netrig ARGUMENTS`; a run that fails has no time."""
    begin = time.perf_counter()
    done = subprocess.run([NETRIG, *map(str, arguments)], cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    taken = time.perf_counter() - begin
    if done.returncode != 0:
        last = done.stdout.strip().splitlines()[-1:] or ["no output"]
        raise NotMeasured(f"exit status {done.returncode}: {last[0]}")
    return taken


def start(folder, rounds):
    times = [seconds(["--version"], folder) for _ in range(STARTS * rounds // 5 or 1)]
    return "start-up", [1000 * t for t in times], "ms", "< 10"


def hello(folder, rounds):
    arguments = ["run", SCENARIOS / "hello-tcp.json", "--backend", "real", "--repeat", HELLO_RUNS,
                 "-j", 2, "-q", "--out"]
    times = [seconds([*arguments, folder / f"out{i}"], folder) for i in range(rounds)]
    return "hello on real", [HELLO_RUNS / t for t in times], "runs/s", ">= 100"


def check(folder, rounds):
    shipped = sorted(p for p in SCENARIOS.rglob("*.json") if "schema" not in p.parts)
    if not shipped:
        raise NotMeasured("no scenarios")
    # Copies of the whole folder, so that payload files beside a scenario are found too.
    copies = folder / "copies"
    for number in range(-(-CHECK_FILES // len(shipped))):
        shutil.copytree(SCENARIOS, copies / str(number))
    files = sorted(p for p in copies.rglob("*.json") if "schema" not in p.parts)
    times = [seconds(["check", copies], folder) for _ in range(rounds)]
    return "check", [len(files) / t for t in times], "files/s", ">= 1000"


def clients(folder, rounds):
    found = [p for p in sorted(SCENARIOS.rglob("*.json")) if "thousand" in p.name]
    if not found:
        raise NotMeasured("no scenario with 'thousand' in its name")
    arguments = ["run", found[0], "--backend", "real", "-q", "--out"]
    times = [seconds([*arguments, folder / f"clients{i}"], folder) for i in range(rounds)]
    return "1,000 clients", times, "s", "< 2"


def fake_seconds(folder, number, scenario, *more):
    return seconds(["run", SCENARIOS / scenario, "--backend", "fake", "-q", "--out",
                    folder / f"fake{number}", "--json", folder / "runs.jsonl", *more], folder)


def one(folder, rounds):
    times = [fake_seconds(folder, i, "hello-tcp.json") for i in range(STARTS * rounds // 5 or 1)]
    return "one run on fake", [1000 * t for t in times], "ms", "< 10"


def many(folder, rounds):
    times = [fake_seconds(folder, i, "hello-tcp.json", "--repeat", FAKE_RUNS, "-j", 1)
             for i in range(rounds)]
    return "hello on fake", [FAKE_RUNS / t for t in times], "runs/s", ""


def bulk(folder, rounds, scenario, counter):
    rates = []
    for i in range(rounds):
        time_taken = fake_seconds(folder, i, f"bench/{scenario}.json", "--set", "loss=1%",
                                  "--no-capture")
        told = json.loads((folder / "runs.jsonl").read_text(encoding="utf-8").splitlines()[0])
        rates.append(told["counters"][counter] / time_taken / 1e6)
    return scenario, rates, "M/s", ""


def bulk_tcp(folder, rounds):
    return bulk(folder, rounds, "bulk-tcp", "packets_sent")


def bulk_udp(folder, rounds):
    return bulk(folder, rounds, "bulk-udp", "datagrams_sent")


def memory(folder, _rounds):
    # In a process of its own: what counts is the largest child so far.
    script = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, "
              "stdout=subprocess.DEVNULL); "
              "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    done = subprocess.run(
        [sys.executable, "-c", script, NETRIG, "run", SCENARIOS / "bench/bulk-tcp.json",
         "--backend", "fake", "--set", "loss=1%", "--no-capture", "-q", "--out", folder / "out"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=300)
    if done.returncode != 0:
        raise NotMeasured("bulk-tcp failed")
    return "bulk-tcp's memory", [int(done.stdout) / 1024], "MiB", "<= 32"


# What a Google Benchmark program tells of `name`: items a second, by the processor's time.
def items_per_second(program, name, rounds):
    done = subprocess.run(
        [BENCH / program, f"--benchmark_filter=^{name}$", "--benchmark_format=json",
         f"--benchmark_repetitions={rounds}", "--benchmark_min_time=0.2"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        timeout=600)
    if done.returncode != 0:
        raise NotMeasured(f"{program} ended with status {done.returncode}")
    values = [run["items_per_second"] for run in json.loads(done.stdout)["benchmarks"]
              if run["run_type"] == "iteration" and "error_message" not in run]
    if not values:
        raise NotMeasured(f"{program} has no {name}")
    return values


def inside(rows, unit, scale):
    def measure(_folder, rounds):
        return [(label, [value / scale for value in items_per_second(program, name, rounds)],
                 unit, aim) for label, program, name, aim in rows]
    return measure


frames = inside([
    ("TCP frames", "world_bench", "tcp_transfer/plain", ">= 2"),
    ("  1 % lost", "world_bench", "tcp_transfer/lossy", ">= 2"),
    ("  captured", "world_bench", "tcp_transfer/captured", ">= 1"),
    ("datagrams", "network_bench", "datagrams/lossy_link", ">= 4"),
    ("  captured", "network_bench", "datagrams/lossy_link_captured", ">= 2"),
    ("  by sockets", "world_bench", "udp_flood/no_link", ""),
    ("  by sockets, link", "world_bench", "udp_flood/lossy", ""),
    ("  and captured", "world_bench", "udp_flood/captured", ""),
], "M/s", 1e6)
hellos = inside([
    ("hello, TCP", "exchange_bench", "play_hello/tcp", ">= 20"),
    ("hello, UDP", "exchange_bench", "play_hello/udp", ">= 20"),
], "k runs/s", 1e3)
connections = inside([
    ("10 connections", "world_bench", "connections/10", ""),
    ("1,000", "world_bench", "connections/1000", "as for 10"),
    ("10,000", "world_bench", "connections/10000", "as for 10"),
], "k/s", 1e3)

# What wire_bench measures: name, counter, label, unit, scale, aim.
WIRE = [
    ("veth/tcp", "gbit_s", "veth pair, TCP", "Gbit/s", 1, ""),
    ("wire_tun/tcp", "gbit_s", "wire, TCP", "Gbit/s", 1, ""),
    ("wire_tun/tcp_lossy", "gbit_s", "  0.1 % lost", "Gbit/s", 1, ""),
    ("wire_tun/tcp_bbr_lossy", "gbit_s", "  0.1 % lost, BBR", "Gbit/s", 1, ">= 12"),
    ("wire_packet/tcp", "gbit_s", "  by AF_PACKET", "Gbit/s", 1, ""),
    ("veth/datagrams", "per_s", "veth pair, datagrams", "k/s", 1e3, ""),
    ("wire_tun/datagrams", "per_s", "wire, datagrams", "k/s", 1e3, ">= 250"),
    ("veth/round_trip", "median_us", "veth pair, round trip", "us", 1, ""),
    ("wire_tun/round_trip", "median_us", "wire, round trip", "us", 1, "<= veth + 15"),
    ("wire_tun/delay_error", "median_us", "delay error", "us", 1, "<= 30"),
    ("wire_tun/delay_error_spinning", "median_us", "  spinning", "us", 1, "<= 1"),
]


def wire(_folder, rounds):
    done = subprocess.run(
        [BENCH / "wire_bench", "--benchmark_format=json", f"--benchmark_repetitions={rounds}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        timeout=1200)
    if done.returncode != 0:
        raise NotMeasured(f"wire_bench ended with status {done.returncode}")
    runs = [run for run in json.loads(done.stdout)["benchmarks"]
            if run["run_type"] == "iteration" and "error_message" not in run]
    told = []
    for name, counter, label, unit, scale, aim in WIRE:
        values = [run[counter] / scale for run in runs
                  if run["name"].split("/iterations")[0] == name]
        if values:
            told.append((label, values, unit, aim))
    made = [run["real_time"] for run in runs if run["name"].startswith("set_up/wire")]
    told.append(("two hosts made, unmade", made, "ms", "<= 40"))
    return told


MEASUREMENTS = {"start": start, "hello": hello, "check": check, "clients": clients, "one": one,
                "many": many, "bulk-tcp": bulk_tcp, "bulk-udp": bulk_udp, "memory": memory,
                "frames": frames, "hellos": hellos, "connections": connections, "wire": wire}


def main():
    parser = argparse.ArgumentParser(prog="ci/bench", add_help=False)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MEASUREMENTS]
    if unknown or options.rounds < 1:
        parser.error(f"unknown name {unknown[0]!r}, one of {' '.join(MEASUREMENTS)}" if unknown
                     else "--rounds takes a number above zero")
    status = 0
    print(f"{'what':<20}{'median':>12}{'lowest':>12}{'highest':>12}  {'unit':<10}aim", flush=True)
    for name in options.names or MEASUREMENTS:
        try:
            with tempfile.TemporaryDirectory(prefix="netrig-bench.") as folder:
                measured = MEASUREMENTS[name](pathlib.Path(folder), options.rounds)
        except (NotMeasured, OSError, subprocess.TimeoutExpired) as error:
            print(f"{name:<20}not measured: {error}", flush=True)
            status = 1
            continue
        for label, values, unit, aim in measured if isinstance(measured, list) else [measured]:
            numbers = (statistics.median(values), min(values), max(values))
            print(f"{label:<20}" + "".join(f"{number:>12.2f}" for number in numbers) +
                  f"  {unit:<10}{aim}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
