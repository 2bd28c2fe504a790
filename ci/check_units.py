#!/usr/bin/python3
"""Runs a compiler over many files side by side, and remembers what was clean.

    ci/check_units.py headers [FILE...]     does every header compile alone?
    ci/check_units.py tidy [FILE...]        clang-tidy-19 over every .cc but the tests

A file is clean until it, a project header that it includes, the flags, the rules or the tool
change: build/ci/lint-cache/ keeps one empty file for each clean state, named by its hash. Findings
are never remembered. Needs build/release/compile_commands.json (ci/build --configure release).
Prints what the tool says about bad files, then `N passed, N failed`. Exit status 1 if any failed.
"""

import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys
import time

import include_graph

ROOT = include_graph.ROOT
CACHE = ROOT / "build/ci/lint-cache"
DATABASE = ROOT / "build/release/compile_commands.json"
SECONDS_MAX = 300
DAYS_KEPT = 30


def compile_flags():
    """{file: its flags in the release build, without compiler, output and input}."""
    flags = {}
    for entry in json.loads(DATABASE.read_text()):
        words = shlex.split(entry["command"])
        name = os.path.relpath(entry["file"], ROOT)
        # Up to the compiler itself there may be a launcher (ccache).
        first = next(i for i, word in enumerate(words) if word.startswith("-"))
        kept = words[first:words.index("-o")] if "-o" in words else words[first:]
        flags[name] = [word for word in kept if word != "-c"]
    return flags


def without_gcc_only(flags):
    """clang-tidy refuses a machine option that only GCC has."""
    return [word for word in flags if not word.startswith("-mmemset-strategy")]


def header_flags(flags):
    """A header is compiled with the flags of a .cc in its own folder; without one, of any .cc."""
    by_folder = {os.path.dirname(name): value for name, value in sorted(flags.items())}
    anywhere = next(iter(by_folder.values()), ["-std=c++23", f"-I{ROOT}"])
    return lambda name: by_folder.get(os.path.dirname(name), anywhere)


def tidy_config(name):
    """A folder may have a .clang-tidy of its own (which clang-tidy finds by itself)."""
    own = (ROOT / name).parent / ".clang-tidy"
    return [] if own.exists() else [f"--config-file={ROOT}/.clang-tidy"]


def tool_version(tool):
    return subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout


class Cache:
    def __init__(self, texts, *common):
        self.texts = texts
        self.edges = include_graph.graph(texts)
        self.common = "\0".join(common)

    def path(self, name, command):
        digest = hashlib.sha256(self.common.encode())
        digest.update("\0".join(command).encode())
        for part in include_graph.closure(self.edges, name):
            digest.update(f"\0{part}\0".encode() + self.texts[part].encode())
        return CACHE / digest.hexdigest()


def run_all(commands, cache, keep):
    """`commands`: {file: argv}. `keep(output)` picks the lines of a bad file worth showing."""

    def judge(name):
        marker = cache.path(name, commands[name])
        if marker.exists():
            os.utime(marker)
            return name, None
        try:
            done = subprocess.run(commands[name], cwd=ROOT, text=True, timeout=SECONDS_MAX,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  errors="replace")
        except subprocess.TimeoutExpired:
            return name, f"took more than {SECONDS_MAX} s\n"
        if done.returncode == 0:
            marker.touch()
            return name, None
        return name, keep(done.stdout) or f"exit status {done.returncode}\n"

    CACHE.mkdir(parents=True, exist_ok=True)
    for marker in CACHE.iterdir():
        if time.time() - marker.stat().st_mtime > DAYS_KEPT * 86400:
            marker.unlink(missing_ok=True)
    failed = 0
    shown = set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for name, output in pool.map(judge, sorted(commands)):
            if output is None:
                continue
            failed += 1
            # A finding in a header comes back from each of its users: once is enough.
            if output not in shown:
                shown.add(output)
                print(f"--- {name}\n{output}", end="", flush=True)
    return len(commands) - failed, failed


def check_headers(names, texts, flags):
    compiler = os.environ.get("CXX", "c++")
    chosen = header_flags(flags)
    commands = {
        name: [compiler, *chosen(name), "-fsyntax-only", "-x", "c++", "-include", name, "/dev/null"]
        for name in names
    }
    return run_all(commands, Cache(texts, tool_version(compiler)), lambda output: output)


def check_tidy(names, texts, flags):
    missing = [name for name in names if name not in flags]
    for name in missing:
        print(f"{name}: not part of the release build")
    commands = {
        name: ["clang-tidy-19", "--quiet", *tidy_config(name), name, "--",
               *without_gcc_only(flags[name]), "-Wno-unknown-warning-option", f"-I{ROOT}"]
        for name in names if name not in missing
    }
    cache = Cache(texts, tool_version("clang-tidy-19"), (ROOT / ".clang-tidy").read_text())
    passed, failed = run_all(commands, cache, without_suppressed_count)
    return passed, failed + len(missing)


def without_suppressed_count(output):
    noise = ("warnings generated", "Suppressed ", "Use -header-filter", "warning generated",
             "warnings treated as errors", "warning treated as error", "errors generated.",
             "error generated.", "Error while processing")
    return "".join(line + "\n" for line in output.splitlines() if not any(n in line for n in noise))


def main():
    arguments = sys.argv[1:]
    if not arguments or arguments[0] not in ("headers", "tidy"):
        print(__doc__.strip())
        return 0 if arguments and arguments[0] in ("-h", "--help") else 2
    if not DATABASE.exists():
        print(f"{DATABASE} is missing: ci/build --configure release")
        return 1
    texts = include_graph.read_all(include_graph.source_files())
    names = [os.path.relpath(os.path.abspath(name), ROOT) for name in arguments[1:]]
    if arguments[0] == "headers":
        names = names or [name for name in texts if name.endswith(".h")]
        passed, failed = check_headers(names, texts, compile_flags())
    else:
        names = names or [name for name in texts
                          if name.endswith(".cc") and not include_graph.is_test(name)]
        passed, failed = check_tidy(names, texts, compile_flags())
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
