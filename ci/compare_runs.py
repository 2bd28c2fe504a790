#!/usr/bin/python3
"""Compares what `netrig run --json` told of the same scenarios several times.

    ci/compare_runs.py parity FAKE.jsonl REAL.jsonl [WIRE.jsonl]
    ci/compare_runs.py determinism A.jsonl B.jsonl [C.jsonl...]

parity: the transcripts on all backends that can play a scenario must be equal: verdict, what every
actor saw (fingerprint) and which datagrams were lost, reordered, duplicated and corrupted. Of those
with programs only the verdict is. Scenarios that only one can play are counted as skipped.
determinism: everything must be equal, the fingerprints' parts and counters included, and so must
the octets of every capture and journal, whoever compiled netrig.

The last line says how many scenarios were compared: `N passed, N failed, N skipped`. Exit status:
0 all equal, 1 a difference, 2 wrong usage.
"""

import hashlib
import json
import pathlib
import sys

DELIVERY = ("direction", "sent", "delivered", "lost", "reordered", "duplicated", "corrupted",
            "lost_ordinals")
# Written by every run into its folder, and alike whatever the machine and the time of day are.
FILES = ("capture.pcapng", "journal.jsonl")


# Transcripts that differ by nature, and why.
NOT_COMPARED = {
    "ephemeral-port": "its messages tell the ports that were chosen",
    "write": "what one write takes depends on when the kernel handles acknowledgements",
}


def runs(path):
    """{(scenario, row, seed): run}"""
    with open(path, encoding="utf-8") as lines:
        told = [json.loads(line) for line in lines]
    return {(run["scenario"], run.get("row", ""), run["seed"]): run for run in told}


def transcript(run):
    verdict = "pass" if run["verdict"] == "flaky" else run["verdict"]
    seen = {"verdict": verdict}
    # A run that fails, as it is expected to, ends wherever it then stands; and what programs say is
    # not the same twice.
    if verdict == "pass" and not run.get("processes"):
        seen["fingerprint"] = run["fingerprint"]
        seen["delivery"] = [{key: one[key] for key in DELIVERY} for one in run["delivery"]]
    return seen


def everything(run):
    kept = {key: run[key] for key in ("verdict", "reason", "fingerprint", "fingerprints",
                                      "counters", "delivery")}
    for name in FILES:
        path = pathlib.Path(run["capture"]).parent / name
        kept[name] = (hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "none")
    return kept


def difference(first, second):
    return next(f"{key}: {first[key]!r} and {second[key]!r}"[:400]
                for key in first if first[key] != second[key])


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in ("parity", "determinism"):
        print(__doc__.strip())
        return 2
    parity = sys.argv[1] == "parity"
    view = transcript if parity else everything
    first, *others = [runs(path) for path in sys.argv[2:]]
    passed, failed, skipped = 0, 0, 0
    for key in sorted(set(first).union(*others)):
        told = [all_runs.get(key) for all_runs in [first, *others]]
        name = f"{key[0]} ({key[1] + ', ' if key[1] else ''}seed {key[2]})"
        if None in told:
            print(f"{name}: not in {sys.argv[2 + told.index(None)]}")
            failed += 1
            continue
        if parity:
            told = [run for run in told if run["verdict"] not in ("unsupported", "skipped")]
            if len(told) < 2:
                skipped += 1
                continue
        if parity and told[0]["id"] in NOT_COMPARED:
            print(f"{name}: not compared: {NOT_COMPARED[told[0]['id']]}")
            skipped += 1
            continue
        views = [view(run) for run in told]
        wrong = next((other for other in views[1:] if other != views[0]), None)
        if wrong is None:
            passed += 1
        else:
            print(f"{name}: differs in {difference(views[0], wrong)}")
            failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
