"""The runner's options for CI: shards, repetition, retries, limits of time, and what the reports say of them."""

import copy
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree

import pytest

from conftest import HELLO, ROOT


def numbered(netrig, count):
    for number in range(count):
        netrig.write(f"scenarios/s{number:02}.json", HELLO)


def wrong():
    scenario = copy.deepcopy(HELLO)
    scenario["actors"]["client"]["steps"][1] = {"recv": "pang"}
    return scenario


def slow(seconds):
    """Takes that long on a clock, and longer than no limit."""
    scenario = copy.deepcopy(HELLO)
    scenario["actors"]["client"]["steps"].insert(1, {"sleep": f"{seconds}s"})
    return scenario


def keys(results):
    return sorted((r["scenario"], r["backend"], r["seed"]) for r in results)


# ---- shards

@pytest.mark.parametrize("shards", [1, 2, 3, 7, 30])
def test_every_run_is_in_exactly_one_shard_and_they_are_equal(netrig, shards):
    numbered(netrig, 5)
    netrig.write("scenarios/broken.json", "{")
    options = ["scenarios", "--backend", "fake", "--seeds", "1:3"]
    _, whole = netrig.results(*options)
    assert len(whole) == 16
    parts = []
    sizes = []
    for index in range(1, shards + 1):
        run, part = netrig.results(*options, "--shard", f"{index}/{shards}")
        is_broken = any(r["verdict"] == "broken" for r in part)
        assert run.returncode == (3 if is_broken else 0), run.stdout + run.stderr
        if not part:
            assert "this shard has nothing to run" in run.stderr
        parts += part
        sizes.append(len(part))
    key = lambda r: (r["scenario"], r.get("seed", 0))
    assert sorted(map(key, parts)) == sorted(map(key, whole))
    assert max(sizes) - min(sizes) <= 1


def test_two_shards_of_two_backends_have_some_of_each(netrig):
    numbered(netrig, 4)
    for index in (1, 2):
        _, part = netrig.results("scenarios", "--backend", "fake,real", "--shard", f"{index}/2")
        assert sorted(r["backend"] for r in part) == ["fake", "fake", "real", "real"]


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "1/0", "a/b", "-1/3", "1/3/5", "1/100000"])
def test_a_shard_that_is_none_is_wrong_usage(netrig, shard):
    run = netrig("run", "x.json", f"--shard={shard}")
    assert run.returncode == 2
    assert "--shard takes I/N" in run.stderr


# ---- repetition

def test_repeat_plays_every_run_so_often_in_folders_of_their_own(netrig):
    netrig.write("hello.json", HELLO)
    run, results = netrig.results("hello.json", "--backend", "fake", "--repeat", 3)
    assert run.returncode == 0
    assert len(results) == 3
    assert {p.name for p in (netrig.folder / "out/hello").iterdir()} == {"fake-1", "fake-1.2", "fake-1.3"}


def test_until_fail_goes_round_by_round_until_a_run_is_not_right(netrig):
    # The failing file comes into being in a later round: until then the folder is right.
    netrig.write("scenarios/a.json", HELLO)
    process = netrig.start("run", "scenarios", "--backend", "fake", "--until-fail", "-v")
    try:
        first = process.stdout.readline()
        assert first.startswith("PASS  a [fake, seed 1]")
        netrig.write("new.json", wrong()).rename(netrig.folder / "scenarios/a.json")
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "FAIL  a [fake, seed 1]" in out
    # As many fail as were under way at that moment.
    passed, failed = map(int, re.search(r"(\d+) passed, (\d+) failed", out).groups())
    assert passed >= 1 and failed >= 1
    # However many rounds there were, the disk has only so many of them.
    assert len(list((netrig.folder / "out/a").iterdir())) <= min(passed + failed, 300)


def test_until_fail_with_repeat_ends_after_so_many_rounds(netrig):
    numbered(netrig, 2)
    run, results = netrig.results("scenarios", "--backend", "fake", "--until-fail", "--repeat", 3)
    assert run.returncode == 0
    assert [pathlib.Path(r["scenario"]).stem for r in results] == ["s00", "s01"] * 3


def test_until_fail_that_runs_out_of_time_between_rounds_is_a_pass(netrig):
    netrig.write("hello.json", HELLO)
    run = netrig("run", "hello.json", "--backend", "fake", "--until-fail", "--total-timeout", "3s")
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"\d+ passed, 0 failed in", run.stdout)


# ---- fail fast, retries

def test_fail_fast_starts_nothing_after_the_first_failure(netrig):
    netrig.write("scenarios/a.json", wrong())
    numbered(netrig, 20)
    run, results = netrig.results("scenarios", "--backend", "fake", "--fail-fast", "-j", 1)
    assert run.returncode == 1
    assert [r["verdict"] for r in results] == ["fail"]


# The port is taken by this test until the run has failed once: the next attempt finds it free.
@pytest.fixture
def flaky(netrig):
    import socket
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    scenario = copy.deepcopy(HELLO)
    scenario["actors"]["server"]["listen"] = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    netrig.write("flaky.json", scenario)

    def play(*options):
        process = netrig.start("run", "flaky.json", "--backend", "real", "--host-network", *options)
        marker = netrig.folder / "out/flaky/real-1/result.json"
        for _ in range(2000):
            if marker.exists():
                break
            time.sleep(0.001)
        taken.close()
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err
    yield play
    taken.close()


def test_a_pass_at_a_later_attempt_is_flaky_in_every_report(netrig, flaky):
    status, out, err = flaky("--retries", "50", "--json", "r.jsonl", "--junit", "j.xml", "--markdown",
                             "s.md")
    assert status == 0, out + err
    assert "FLAKY  flaky [real, seed 1]" in out
    assert re.search(r"  attempt 1 fail: flaky\.json:\d+:\d+: .*EADDRINUSE", out)
    assert "0 passed, 0 failed, 1 flaky in" in out
    [result] = [json.loads(line) for line in (netrig.folder / "r.jsonl").read_text().splitlines()]
    assert result["verdict"] == "flaky"
    assert result["earlier"][0]["verdict"] == "fail"
    assert "EADDRINUSE" in result["earlier"][0]["message"]
    assert result["earlier"][0]["line"] > 0
    assert (netrig.folder / result["earlier"][0]["output"] / "result.json").exists()
    suite = xml.etree.ElementTree.parse(netrig.folder / "j.xml").getroot()[0]
    assert suite.attrib["tests"] == "1" and suite.attrib["failures"] == "0"
    [case] = suite
    assert case.find("flakyFailure") is not None and case.find("failure") is None
    summary = (netrig.folder / "s.md").read_text()
    assert "### Flaky" in summary and "EADDRINUSE" in summary and "1 flaky" in summary


def test_without_retries_the_same_run_is_a_failure(netrig, flaky):
    status, out, _ = flaky()
    assert status == 1
    assert "FLAKY" not in out


def test_what_never_passes_is_a_failure_after_all_attempts(netrig):
    netrig.write("hello.json", wrong())
    run, [result] = netrig.results("hello.json", "--backend", "real", "--retries", 2, "--junit", "j.xml")
    assert run.returncode == 1
    assert result["verdict"] == "fail"
    assert [attempt["verdict"] for attempt in result["earlier"]] == ["fail", "fail"]
    folders = {p.name for p in (netrig.folder / "out/hello").iterdir()}
    assert folders == {"real-1", "real-1.retry-1", "real-1.retry-2"}
    [case] = xml.etree.ElementTree.parse(netrig.folder / "j.xml").getroot()[0]
    assert len(case.findall("rerunFailure")) == 2 and len(case.findall("failure")) == 1


def test_in_virtual_time_nothing_is_tried_again(netrig):
    netrig.write("hello.json", wrong())
    _, [result] = netrig.results("hello.json", "--backend", "fake", "--retries", 5)
    assert result["verdict"] == "fail"
    assert "earlier" not in result


# ---- limits of time

def test_what_the_total_timeout_leaves_is_told_as_not_run(netrig):
    for number in range(4):
        netrig.write(f"scenarios/s{number}.json", slow(0.6))
    netrig.write("scenarios/t.json", "{")
    begin = time.monotonic()
    run, results = netrig.results("scenarios", "--backend", "real", "-j", 1, "--total-timeout", "1.4s",
                                  "--junit", "j.xml", "--markdown", "s.md")
    assert time.monotonic() - begin < 10
    assert run.returncode == 5, run.stdout
    verdicts = [r["verdict"] for r in results]
    assert len(results) == 5 and verdicts[-1] == "broken"
    assert set(verdicts[:-1]) == {"pass", "not_run"}
    assert verdicts[:-1] == sorted(verdicts[:-1], key=lambda v: v == "not_run")
    reasons = {r["reason"] for r in results if r["verdict"] == "not_run"}
    assert "not started before --total-timeout 1.4s was over" in reasons
    assert re.search(r"\d not run in", run.stdout)
    suite = xml.etree.ElementTree.parse(netrig.folder / "j.xml").getroot()[0]
    assert suite.attrib["tests"] == "5"
    assert int(suite.attrib["errors"]) == verdicts.count("not_run") + 1
    assert "| Not run |" in (netrig.folder / "s.md").read_text()


def test_a_total_timeout_that_is_long_enough_changes_nothing(netrig):
    numbered(netrig, 3)
    run, results = netrig.results("scenarios", "--backend", "fake", "--total-timeout", "1min")
    assert run.returncode == 0
    assert [r["verdict"] for r in results] == ["pass"] * 3


def late(delay, within):
    """The answer comes after `delay`; the client gives it `within`."""
    scenario = copy.deepcopy(HELLO)
    scenario["actors"]["server"]["steps"].insert(1, {"sleep": delay})
    scenario["actors"]["client"]["steps"][1]["within"] = within
    return scenario


def test_time_scale_multiplies_deadlines_on_real_and_none_on_fake(netrig):
    netrig.write("late.json", late("300ms", "100ms"))
    for backend in ("real", "fake"):
        _, [result] = netrig.results("late.json", "--backend", backend)
        assert result["verdict"] == "fail"
    run, [result] = netrig.results("late.json", "--backend", "real", "--time-scale", "20")
    assert run.returncode == 0, run.stdout
    assert "--time-scale 20" in result["again"]
    _, [result] = netrig.results("late.json", "--backend", "fake", "--time-scale", "20")
    assert result["verdict"] == "fail"
    assert "--time-scale" not in result["again"]


def test_time_scale_multiplies_the_run_s_own_timeout_but_not_the_option(netrig):
    scenario = slow(0.5)
    scenario["timeout"] = "100ms"
    netrig.write("slow.json", scenario)
    _, [result] = netrig.results("slow.json", "--backend", "real")
    assert result["verdict"] == "fail"
    _, [result] = netrig.results("slow.json", "--backend", "real", "--time-scale", "50")
    assert result["verdict"] == "pass"
    _, [result] = netrig.results("slow.json", "--backend", "real", "--time-scale", "50", "--timeout", "100ms")
    assert result["verdict"] == "fail"


def test_time_scale_multiplies_upper_bounds_of_expectations_and_never_lower_ones(netrig):
    scenario = late("200ms", "5s")
    scenario["packets"] = {"to": "dst port ${server.port} and tcp[tcpflags] & tcp-push != 0",
                           "from": "src port ${server.port} and tcp[tcpflags] & tcp-push != 0"}
    scenario["expect"] = [{"time": ["to", "from"], "is": "..50ms"}]
    netrig.write("upper.json", scenario)
    scenario["expect"] = [{"time": ["to", "from"], "is": "300ms..10s"}]
    netrig.write("lower.json", scenario)
    _, [result] = netrig.results("upper.json", "--backend", "real")
    assert result["verdict"] == "fail"
    _, [result] = netrig.results("upper.json", "--backend", "real", "--time-scale", "100")
    assert result["verdict"] == "pass", result["findings"]
    _, [result] = netrig.results("lower.json", "--backend", "real", "--time-scale", "100")
    assert result["verdict"] == "fail"
    assert "upper bounds times 100 by --time-scale" in result["findings"][0]["details"]
    _, [result] = netrig.results("upper.json", "--backend", "fake", "--time-scale", "100")
    assert result["verdict"] == "fail"


@pytest.mark.parametrize("option, value, message", [
    ("--time-scale", "0.5", "--time-scale takes a factor from 1 to 1000"),
    ("--time-scale", "fast", "--time-scale takes a factor"),
    ("--total-timeout", "10", "--total-timeout: "),
    ("--total-timeout", "0s", "--total-timeout must be longer than 0s"),
    ("--retries", "-1", "--retries takes a whole number from 0 to 100"),
    ("--markdown", "-", "--markdown takes the name of a file"),
])
def test_a_wrong_value_is_told_with_the_option(netrig, option, value, message):
    run = netrig("run", "x.json", f"{option}={value}")
    assert run.returncode == 2
    assert message in run.stderr


def test_two_reports_cannot_have_one_file(netrig):
    run = netrig("run", "x.json", "--markdown", "a", "--junit", "a")
    assert run.returncode == 2
    assert "cannot write the same file" in run.stderr


# ---- what CI makes of it

def test_the_markdown_summary_tells_failures_and_reasons_and_takes_no_markup_from_them(netrig):
    bad = wrong()
    bad["actors"]["client"]["steps"][1] = {"recv": "<b>|`x`*[y](z)"}
    netrig.write("scenarios/bad|name.json", bad)
    netrig.write("scenarios/good.json", HELLO)
    skipped = copy.deepcopy(HELLO)
    skipped["skip"] = "not | yet"
    netrig.write("scenarios/skipped.json", skipped)
    netrig.write("scenarios/broken.json", '{\n  "nam": 1 }')
    run = netrig("run", "scenarios", "--backend", "fake", "--markdown", "summary.md")
    assert run.returncode == 3
    text = (netrig.folder / "summary.md").read_text()
    assert re.match(r"## netrig: 1 passed, 1 failed, 1 broken file, 1 skipped in ", text)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    for row in rows:
        # Bars that are not escaped make the columns: the same number in each row of a table.
        assert len(re.findall(r"(?<!\\)\|", row)) in (4, 5), row
    assert "<b>" not in text
    failure = next(row for row in rows if "| fail |" in row)
    assert "netrig run" in failure and "bad" in failure
    assert any(re.search(r"broken\.json:\d+:\d+ `", row) for row in rows)
    assert "| 1 | Skipped | not \\| yet |" in rows


def test_the_problem_matcher_matches_what_netrig_prints(netrig):
    matcher = json.loads((ROOT / "ci/problem-matcher.json").read_text())["problemMatcher"][0]
    [pattern] = matcher["pattern"]
    regexp = re.compile(pattern["regexp"])
    netrig.write("a/bad.json", wrong())
    netrig.write("a/broken.json", '{ "nam": 1,\n "actors": {} }')
    run = netrig("run", "a", "--backend", "fake", "--color", "never")
    matches = [m for m in map(regexp.match, run.stdout.splitlines()) if m]
    found = {m.group(pattern["file"]) for m in matches}
    assert found == {"a/bad.json", "a/broken.json"}
    for match in matches:
        assert int(match.group(pattern["line"])) >= 1 and int(match.group(pattern["column"])) >= 1
        assert match.group(pattern["severity"]) == "error"
        assert match.group(pattern["message"])
    if shutil.which("node"):  # the language that GitHub's runner reads it in has a dialect of its own
        program = ("const m = require(process.argv[1]).problemMatcher[0].pattern[0];"
                   "const r = new RegExp(m.regexp);"
                   "console.log(require('fs').readFileSync(0, 'utf8').split('\\n')"
                   ".filter(l => r.test(l)).length)")
        counted = subprocess.run(["node", "-e", program, str(ROOT / "ci/problem-matcher.json")],
                                 input=run.stdout, text=True, capture_output=True, check=True)
        assert int(counted.stdout) == len(matches)


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml"])
def test_the_ci_files_use_only_options_that_there_are(netrig, name):
    yaml = pytest.importorskip("yaml")

    def strings(value):
        if isinstance(value, str):
            return [value]
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        return [text for part in parts for text in strings(part)]

    texts = strings(yaml.safe_load((ROOT / "ci" / name).read_text()))
    [command] = [text.split("netrig run ")[1] for text in texts if "netrig run " in text]
    options = set(re.findall(r"(--[a-z-]+)", command))
    assert {"--shard", "--junit", "--markdown", "--retries", "--total-timeout"} <= options
    known = set(re.findall(r"(--[a-z-]+)", netrig("run", "--help").stdout))
    assert options <= known


# ---- completion and the manual page

def complete_in_bash(netrig, line):
    """What bash offers at the end of the line."""
    words = line.split(" ")
    script = (f'source <("{netrig.path}" completion bash)\n'
              "COMP_WORDS=(\"$@\")\nCOMP_CWORD=$(( $# - 1 ))\n"
              '_netrig\nprintf "%s\\n" "${COMPREPLY[@]}"')
    run = subprocess.run(["bash", "-c", script, "bash", *words], cwd=netrig.folder, text=True,
                         capture_output=True)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    return {word for word in run.stdout.split("\n") if word}


def test_bash_completes_commands_options_values_and_files(netrig):
    netrig.write("scenarios/a b.json", HELLO)
    netrig.write("scenarios/notes.txt", "")
    netrig.write("scenarios/sub/x.json", HELLO)
    assert complete_in_bash(netrig, "netrig ru") == {"run"}
    assert {"run", "check", "list", "completion", "--help"} <= complete_in_bash(netrig, "netrig ")
    assert complete_in_bash(netrig, "netrig run --fail") == {"--fail-fast"}
    assert complete_in_bash(netrig, "netrig run --color ") == {"auto", "always", "never"}
    assert complete_in_bash(netrig, "netrig run --color = al") == {"always"}
    assert complete_in_bash(netrig, "netrig run --color =") == {"auto", "always", "never"}
    assert complete_in_bash(netrig, "netrig run --backend f") == {"fake"}
    assert complete_in_bash(netrig, "netrig run scenarios/") == {"scenarios/a b.json", "scenarios/sub"}
    assert complete_in_bash(netrig, "netrig run --junit scenarios/n") == {"scenarios/notes.txt"}
    assert complete_in_bash(netrig, "netrig run --out ") == {"scenarios"}
    assert complete_in_bash(netrig, "netrig run --seed ") == set()
    assert complete_in_bash(netrig, "netrig completion z") == {"zsh"}
    assert complete_in_bash(netrig, "netrig nonsense ") == set()


def test_every_option_of_every_help_is_completed(netrig):
    commands = complete_in_bash(netrig, "netrig ")
    for command in commands - {"--help", "--version", "-h"}:
        help_text = netrig(command, "--help").stdout
        options = set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", help_text, re.M))
        offered = complete_in_bash(netrig, f"netrig {command} --")
        assert options and options == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_has_every_option_and_parses(netrig, shell):
    run = netrig("completion", shell)
    assert run.returncode == 0
    for word in ("--total-timeout" if shell != "fish" else "total-timeout", "completion", "never"):
        assert word in run.stdout
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    checked = subprocess.run([shell, "-n"], input=run.stdout, text=True, capture_output=True)
    assert checked.returncode == 0 and checked.stderr == ""


def test_there_is_no_completion_for_another_shell(netrig):
    run = netrig("completion", "csh")
    assert run.returncode == 2
    assert "bash, zsh and fish" in run.stderr


def test_the_manual_page_names_every_command_and_option(netrig):
    run = netrig("manual")
    assert run.returncode == 0
    assert run.stdout.startswith(".TH NETRIG 1")
    for command in ("run", "check", "completion"):
        assert f".SS netrig {command}\n" in run.stdout
    assert "\\fB\\-\\-total\\-timeout\\fR \\fIDURATION\\fR" in run.stdout
    if shutil.which("groff"):
        checked = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], input=run.stdout, text=True,
                                 capture_output=True)
        assert checked.stderr == ""
