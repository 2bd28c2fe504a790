#!/usr/bin/python3
"""Checks the house plan of harness/ARCHITECTURE.md: who includes whom, and what must be absent
where.

    ci/check_floors.py

Reads the text of every .h and .cc under harness/ and fakes/, no compiler needed. Prints
`file:line: rule: message` for each finding, then `N passed, N failed` counted in rules.
Exit status 0 if every rule holds, 1 if not.
"""

import collections
import re
import sys

import include_graph

# A file includes its own room and the rooms of lower floors; never a sibling, never upwards.
FLOORS = {
    "harness/base": 0,
    "harness/net": 1,
    "harness/sockets": 2,
    "harness/link": 2,
    "harness/capture": 2,
    "harness/process": 2,
    "harness/real": 3,
    "harness/wire": 3.2,
    "fakes/tcp": 2,
    "fakes/network": 3,
    "fakes/host": 3.2,
    "fakes/world": 3.4,
    "fakes/posix": 3.6,
    "fakes/packetdrill": 3.6,
    "fakes/parity": 3.6,
    "harness/scenario": 4,
    "harness/run": 5,
    "harness/expect": 6,
    "harness/report": 7,
    "harness/cli": 8,
    "harness/gtest": 9,
}

FAKES = {room for room in FLOORS if room.startswith("fakes/")}

# Beyond the floors: room -> rooms it must not include though they are lower.
NOT_KNOWN = {
    "harness/scenario": {"harness/process", "harness/real", "harness/wire", *FAKES},
    "harness/expect": {"harness/process", "harness/sockets", "harness/real", "harness/wire", *FAKES},
}

# Where simulated and kernel's calls meet: behind POSIX's names, behind packetdrill's, side by side.
MEETS_THE_KERNEL = {"fakes/posix", "fakes/packetdrill", "fakes/parity"}

# Folders that make no system call, so include no header that offers one. <sys/socket.h>,
# <netinet/...> and <poll.h> are allowed for their constants, which SocketApi speaks in; calls are found by "::".
NO_SYSTEM_CALLS = ("harness/scenario/", "harness/expect/", *sorted(FAKES - MEETS_THE_KERNEL))
# Opens users' files itself, so that a FIFO, a device or a file that never ends is refused in time.
READS_FILES = ("harness/scenario/payload_file.cc",)
CONSTANTS_ONLY = re.compile(r"sys/(socket|un|types)\.h|netinet/.*|linux/tcp\.h|poll\.h")
GLOBAL_CALL = re.compile(
    r"(?<![\w>:])::(socket|socketpair|bind|listen|accept4?|connect|send(to|msg|mmsg)?"
    r"|recv(from|msg|mmsg)?|[gs]etsockopt|poll|epoll_\w+|read|write|open|close|fork|ioctl)\s*\("
)
SYSTEM_CALL_HEADERS = re.compile(
    r"(sys|netinet|arpa|net|netpacket|linux)/.*"
    r"|(unistd|fcntl|poll|sched|signal|pthread|netdb|csignal)(\.h)?"
)

# The real loop reads the clock; reports date themselves; the command line measures and seeds. The
# two that serve other programs' calls name them, and pass on to the kernel what is not theirs.
MAY_READ_CLOCK = ("harness/real/", "harness/report/", "harness/cli/", "harness/gtest/", "fakes/posix/",
                  "fakes/packetdrill/")
CLOCK_READ = re.compile(
    r"\b(clock_gettime|gettimeofday|timespec_get|steady_clock::now|system_clock::now"
    r"|high_resolution_clock|random_device|getrandom|getentropy|s?rand\s*\(\s*\)"
    r"|time\s*\(\s*(nullptr|NULL|0)\s*\))"
)

# A program to be tested, written as its authors would.
OTHERS_CODE = "fakes/posix/example/"
EXIT_CALL = re.compile(r"(?<![\w.>])(std::|::)?exit\s*\(")
LINES_USUAL = 400
LINES_MAX = 600
COLUMNS_MAX = 100


def room_of(name):
    parts = name.split("/")
    return "/".join(parts[:2])


def check_floors(texts, report):
    for name, text in texts.items():
        room = room_of(name)
        if room not in FLOORS:
            report("floors", name, 1, f"{room} is on no floor of the house (ci/check_floors.py)")
            continue
        for line, bracket, target in include_graph.includes(text):
            if not target.startswith(("harness/", "fakes/")):
                if bracket == '"':
                    report("floors", name, line,
                           f'"{target}": the project\'s headers are "harness/..." or "fakes/...", '
                           "the system's stand in <>")
                continue
            below = room_of(target)
            if target not in texts:
                report("floors", name, line, f'"{target}" does not exist')
            elif target.endswith(".cc"):
                report("floors", name, line, f'"{target}" is no header')
            elif below == room:
                continue
            elif FLOORS.get(below, 99) > FLOORS[room]:
                report("floors", name, line, f"{below} is a higher floor than {room}")
            elif FLOORS.get(below, 99) == FLOORS[room]:
                report("floors", name, line, f"{below} and {room} are siblings on one floor")
            elif below in NOT_KNOWN.get(room, ()):
                report("floors", name, line, f"{room} must not know {below}")
            elif name.startswith("fakes/tcp/") and below == "harness/sockets":
                report("floors", name, line, "fakes/tcp knows no loop and no socket")


def check_one_file_names_the_worlds(texts, report):
    naming = collections.defaultdict(list)
    for name, text in texts.items():
        if room_of(name) != "harness/run" or include_graph.is_test(name):
            continue
        for line, _, target in include_graph.includes(text):
            if (room_of(target) in ("harness/real", "harness/wire", *FAKES)
                    and target.endswith("_world.h")):
                naming[name.rsplit(".", 1)[0]].append((name, line))
    if len(naming) > 1:
        for places in naming.values():
            for name, line in places:
                report("worlds", name, line,
                       "one file in harness/run names the worlds, here are " + ", ".join(naming))


def check_cycles(texts, report):
    """Every cycle is found once, by the edge that closes it in a depth-first walk."""
    edges = include_graph.graph(texts)
    done = set()
    for start in edges:
        path = []
        stack = [(start, iter(edges[start]))] if start not in done else []
        if stack:
            path.append(start)
        while stack:
            name, targets = stack[-1]
            target = next(targets, None)
            if target is None:
                stack.pop()
                done.add(path.pop())
            elif target in path:
                loop = path[path.index(target):] + [target]
                report("cycles", name, 1, " -> ".join(loop))
            elif target not in done:
                path.append(target)
                stack.append((target, iter(edges[target])))


def check_absences(texts, report):
    for name, text in texts.items():
        if include_graph.is_test(name):
            continue
        code = include_graph.without_comments(text)
        if name.startswith(NO_SYSTEM_CALLS):
            for line, bracket, target in include_graph.includes(text):
                if (bracket == "<" and SYSTEM_CALL_HEADERS.fullmatch(target)
                        and not CONSTANTS_ONLY.fullmatch(target) and name not in READS_FILES):
                    report("no-system-calls", name, line, f"<{target}> offers system calls")
        for number, line in enumerate(code.splitlines(), 1):
            call = GLOBAL_CALL.search(line)
            if call and name.startswith(NO_SYSTEM_CALLS) and name not in READS_FILES:
                report("no-system-calls", name, number, f"::{call.group(1)} is a system call")
            if not name.startswith(MAY_READ_CLOCK):
                found = CLOCK_READ.search(line)
                if found:
                    report("no-clock", name, number,
                           f"{found.group(1)}: only the real loop reads a clock or a random device")
            if EXIT_CALL.search(line) and not name.endswith("/main.cc"):
                report("no-exit", name, number, "exit() belongs to main.cc alone")
            if re.search(r"\bthread_local\b", line):
                report("no-thread-local", name, number, "no thread-locals")


def check_shape(texts, report):
    for name, text in texts.items():
        lines = text.splitlines()
        if len(lines) > LINES_MAX:
            report("length", name, len(lines), f"{len(lines)} lines, {LINES_MAX} at most")
        elif len(lines) > LINES_USUAL:
            print(f"{name}:{len(lines)}: note: {len(lines)} lines; past {LINES_USUAL} a file "
                  "usually holds two things")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                report("columns", name, number, f"{len(line)} columns, {COLUMNS_MAX} at most")
        if name.startswith(OTHERS_CODE):
            continue
        if name.endswith(".h") and (not lines or lines[0] != "#pragma once"):
            report("pragma-once", name, 1, "a header starts with #pragma once")


def main():
    if len(sys.argv) > 1:
        print(__doc__.strip())
        return 0 if sys.argv[1] in ("-h", "--help") else 2
    texts = include_graph.read_all(include_graph.source_files())
    rules = ["floors", "worlds", "cycles", "no-system-calls", "no-clock", "no-exit",
             "no-thread-local", "length", "columns", "pragma-once"]
    findings = collections.Counter()

    def report(rule, name, line, message):
        findings[rule] += 1
        print(f"{name}:{line}: {rule}: {message}")

    for check in (check_floors, check_one_file_names_the_worlds, check_cycles, check_absences,
                  check_shape):
        check(texts, report)
    failed = sum(1 for rule in rules if findings[rule])
    if not texts:
        print("no source files found")
        failed = len(rules)
    print(f"{len(texts)} files: {len(rules) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
