"""The measurements of ci/bench, which builds first: wall-clock time of whole netrig processes."""

import argparse
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NETRIG = ROOT / "build/release/netrig"
SCENARIOS = ROOT / "scenarios"
HELLO_RUNS = 200
CHECK_FILES = 1000
STARTS = 50


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


MEASUREMENTS = {"start": start, "hello": hello, "check": check, "clients": clients}


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
    print(f"{'what':<16}{'median':>12}{'lowest':>12}{'highest':>12}  {'unit':<8}aim", flush=True)
    for name in options.names or MEASUREMENTS:
        try:
            with tempfile.TemporaryDirectory(prefix="netrig-bench.") as folder:
                label, values, unit, aim = MEASUREMENTS[name](pathlib.Path(folder), options.rounds)
        except (NotMeasured, OSError, subprocess.TimeoutExpired) as error:
            print(f"{name:<16}not measured: {error}", flush=True)
            status = 1
            continue
        numbers = (statistics.median(values), min(values), max(values))
        print(f"{label:<16}" + "".join(f"{number:>12.2f}" for number in numbers) +
              f"  {unit:<8}{aim}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
