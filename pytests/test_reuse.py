"""One file, many runs: matrix, environment, parts of other files, known failures, requirements."""

import copy
import json
import shlex

import pytest

from conftest import HELLO

MATRIX = {
    "name": "one exchange over {transport}",
    "matrix": {"transport": ["tcp", "unix"], "word": ["ping", "50% off"]},
    "actors": {
        "server": {"listen": "${transport}", "steps": [{"recv": "${word}"}, {"eof": True}]},
        "client": {"connect": "server", "steps": [{"send": "${word}"}, {"close": True}]},
    },
}
ROWS = ["transport=tcp,word=ping", "transport=tcp,word=50%-off",
        "transport=unix,word=ping", "transport=unix,word=50%-off"]


def failing(**more):
    scenario = copy.deepcopy(HELLO)
    scenario["actors"]["client"]["steps"][1] = {"recv": "pang", "spec": ["RFC 1 2"]}
    return scenario | more


def test_each_row_is_a_run_with_its_name_folder_and_command(netrig):
    netrig.write("m.json", MATRIX)
    run, results = netrig.results("m.json", "--backend", "fake")
    assert run.returncode == 0, run.stderr
    assert [result["row"] for result in results] == ROWS
    for result in results:
        assert (netrig.folder / f"out/m@{result['row']}/fake-1/result.json").exists()
        _, [again] = netrig.results(*shlex.split(result["again"])[2:])
        assert again["row"] == result["row"]
        assert again["fingerprint"] == result["fingerprint"]


def test_rows_are_selected_by_words_and_pinned_by_set(netrig):
    netrig.write("m.json", MATRIX)
    _, results = netrig.results("m.json", "--backend", "fake", "-k", "transport=unix and not 50")
    assert [result["row"] for result in results] == [ROWS[2]]
    _, results = netrig.results("m.json", "--backend", "fake", "--set", "word=ping")
    assert [result["row"] for result in results] == [ROWS[0], ROWS[2]]
    _, results = netrig.results("m.json", "--backend", "fake", "--set", "transport=tcp6",
                                "--set", "word=ping")
    assert [result["row"] for result in results] == ["transport=tcp6,word=ping"]


def test_runs_of_one_row_are_not_played_by_the_process_of_another(netrig):
    """With -j1 every row's scenario may come to lie where the one before lay."""
    scenario = copy.deepcopy(MATRIX)
    scenario["matrix"] = {"transport": ["tcp"], "word": [f"word {n}" for n in range(40)]}
    scenario["expect"] = [{"stream": "client -> server", "is": "${word}"}]
    netrig.write("m.json", scenario)
    run, results = netrig.results("m.json", "--backend", "fake", "-j", "1")
    assert run.returncode == 0, run.stdout
    assert len({result["fingerprints"]["payload"] for result in results}) == 40


def test_a_mistake_in_one_row_is_told_with_the_row(netrig):
    scenario = copy.deepcopy(MATRIX)
    scenario["matrix"]["transport"] = ["tcp", "upd"]
    netrig.write("m.json", scenario)
    check = netrig("check", "m.json")
    assert check.returncode == 3
    assert "in the matrix's row transport=upd,word=ping" in check.stdout
    assert netrig("run", "m.json", "--backend", "fake").returncode == 3


def test_a_million_rows_are_a_mistake_and_ten_thousand_are_not(netrig):
    scenario = copy.deepcopy(MATRIX)
    scenario["matrix"] = {"transport": ["tcp"], "word": [f"{n}" for n in range(1000)],
                          "more": list(range(1000))}
    netrig.write("m.json", scenario)
    check = netrig("check", "m.json", timeout=20)
    assert "the matrix has 1000000 rows, 10000 are the limit" in check.stdout


def test_environment_variables_come_only_by_name(netrig, monkeypatch):
    monkeypatch.setenv("NETRIG_WORD", "from outside")
    scenario = copy.deepcopy(MATRIX)
    scenario["env"] = {"NETRIG_WORD": "inside"}
    scenario["matrix"] = {"transport": ["tcp"]}
    scenario["vars"] = {"word": "${env.NETRIG_WORD}"}
    netrig.write("e.json", scenario)
    _, [result] = netrig.results("e.json", "--backend", "fake")
    assert "--set 'env.NETRIG_WORD=from outside'" in result["again"]
    monkeypatch.delenv("NETRIG_WORD")
    shown = netrig("show", "--expanded", "e.json").stdout
    assert '"inside"' in shown and "from outside" not in shown
    scenario["env"] = {"GITHUB_TOKEN": ""}
    netrig.write("e.json", scenario)
    assert "looks like the name of a secret" in netrig("check", "e.json").stdout


PARTS = {"parts": {"ask": {"parameters": ["word"], "steps": [
    {"send": "${word}"}, {"recv": "pong"}]}}}


def test_a_failure_in_a_part_is_told_in_the_parts_file(netrig):
    netrig.write("lib/ask.parts.json", PARTS)
    scenario = copy.deepcopy(HELLO)
    scenario["actors"]["server"]["steps"][1] = {"send": "pung"}
    scenario["actors"]["client"]["steps"] = [
        {"use": "lib/ask.parts.json#ask", "with": {"word": "ping"}}, {"close": True}]
    netrig.write("u.json", scenario)
    run = netrig("run", "u.json", "--backend", "fake")
    assert run.returncode == 1
    assert "lib/ask.parts.json:" in run.stdout and '"recv": "pong"' in run.stdout
    run, [result] = netrig.results("u.json", "--backend", "fake")
    assert result["findings"][0]["file"] == "lib/ask.parts.json"


def test_files_of_parts_are_checked_and_not_run(netrig):
    netrig.write("s/ask.parts.json", PARTS)
    netrig.write("s/hello.json", HELLO)
    run, results = netrig.results("s", "--backend", "fake")
    assert run.returncode == 0 and len(results) == 1
    assert "2 files, 0 with mistakes" in netrig("check", "s").stdout
    bad = copy.deepcopy(PARTS)
    bad["parts"]["ask"]["steps"].append({"sned": "x"})
    netrig.write("s/ask.parts.json", bad)
    assert "unknown verb 'sned'" in netrig("check", "s").stdout
    assert "it is no scenario of its own" in netrig("run", "s/ask.parts.json").stdout


@pytest.mark.parametrize("backend", ["fake", "real"])
def test_an_expected_failure_is_none_and_a_pass_instead_is_one(netrig, backend):
    netrig.write("x.json", failing(expected_failure="bug 17"))
    run, [result] = netrig.results("x.json", "--backend", backend)
    assert run.returncode == 0 and result["verdict"] == "xfail" and result["reason"] == "bug 17"
    assert result["findings"]
    netrig.write("x.json", HELLO | {"expected_failure": "bug 17"})
    run, [result] = netrig.results("x.json", "--backend", backend)
    assert run.returncode == 1 and result["verdict"] == "xpass" and "bug 17" in result["reason"]


def test_known_failures_stand_in_a_file_and_old_lines_are_told(netrig):
    netrig.write("s/bad.json", failing())
    netrig.write("s/good.json", HELLO)
    netrig.write("known.txt", "# known\ns/bad.json [fake]: bug 17\n")
    run, results = netrig.results("s", "--backend", "fake", "--known-failures", "known.txt")
    assert run.returncode == 0, run.stdout
    assert {result["id"]: result["verdict"] for result in results} == {
        "bad": "xfail", "good": "pass"}
    netrig.write("known.txt", "good: bug 18\nbad [fake]: a\nbad [real]: b\nbad [wire]: b\nbad [a=b]: c\ns/gone.json: d\n")
    run, results = netrig.results("s", "--known-failures", "known.txt")
    assert run.returncode == 1
    assert "bug 18 (known.txt:1)" in run.stdout
    assert "known.txt:5: it is about no run of 'bad'" in run.stderr
    assert "known.txt:6: there is no file 's/gone.json'" in run.stderr
    netrig.write("known.txt", "nonsense\n")
    run = netrig("run", "s", "--known-failures", "known.txt")
    assert run.returncode == 3 and "known.txt:1: a line is SCENARIO" in run.stderr


def test_a_missing_program_makes_the_run_unsupported_with_its_package(netrig):
    needs = ["sh", {"program": "no-such-server", "package": "no-such-package"}]
    netrig.write("n.json", HELLO | {"needs": needs})
    run, [result] = netrig.results("n.json", "--backend", "fake")
    assert run.returncode == 4 and result["verdict"] == "unsupported"
    assert result["reason"] == "no-such-server is not installed (Debian package no-such-package)"


def test_a_failed_should_is_told_and_fails_only_a_strict_call(netrig):
    netrig.write("s.json", failing(level="should"))
    run, [result] = netrig.results("s.json", "--backend", "fake")
    assert run.returncode == 0 and result["verdict"] == "deviates" and result["level"] == "should"
    assert "DEVIATES" in run.stdout and "pang" in run.stdout
    run, [result] = netrig.results("s.json", "--backend", "fake", "--strict")
    assert run.returncode == 1 and result["verdict"] == "fail"


def test_the_conformance_report_says_which_requirements_hold(netrig):
    netrig.write("a.json", HELLO | {"spec": ["RFC 1 1"]})
    netrig.write("b.json", failing(spec=["RFC 1 3"], level="should"))
    netrig.write("c.json", HELLO | {"spec": ["RFC 1 4"], "needs": ["no-such-server"]})
    netrig("run", "a.json", "b.json", "c.json", "--backend", "fake", "--conformance", "c.out")
    report = json.loads((netrig.folder / "c.out").read_text())
    verdicts = {(one["spec"], one["level"]): one["verdict"] for one in report["requirements"]}
    assert verdicts == {("RFC 1 1", "must"): "pass", ("RFC 1 2", "should"): "fail",
                        ("RFC 1 3", "should"): "fail", ("RFC 1 4", "must"): "unsupported"}
    assert report["summary"]["should"]["fail"] == 2
