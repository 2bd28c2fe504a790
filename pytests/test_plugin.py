"""The pytest plugin's items: which files are tests, what a failure shows, pytest's other options."""

import copy
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

import pytest

from conftest import HELLO
from plugin_ground import ground, wrong_hello  # noqa: F401: a fixture

pytest_plugins = ["pytester"]


# --- which files, which items


def test_a_scenario_is_an_item_on_each_backend_that_it_allows(ground):
    ground.write("both.json", HELLO)
    ground.write("deep/one.json", dict(HELLO, backends=["fake"]))
    assert ground.items() == ["both.json::fake", "both.json::real", "both.json::wire", "deep/one.json::fake"]
    result = ground.run()
    result.assert_outcomes(passed=4)
    assert result.ret == 0


def test_other_json_files_are_no_tests(ground):
    others = {
        "package.json": {"name": "x", "scripts": {"test": "jest"}},
        "film.json": {"name": "Film", "actors": {"Tom": {"born": 1956}}, "year": 1994},
        "list.json": [{"actors": {"a": {"listen": "tcp"}}}],
        "broken.json": '{ "name": ',
        "parts.json": {"parts": {"login": [{"send": "x"}]}},
        "empty.json": "",
    }
    for name, content in others.items():
        ground.write(name, content)
    ground.write("binary.json", "\0\1\2")
    ground.write("scenario.json", HELLO)
    assert ground.items("--netrig-backend=fake") == ["scenario.json::fake"]


def test_a_scenario_with_a_syntax_error_is_still_one(ground):
    text = json.dumps(HELLO, indent=2)
    ground.write("comma.json", text.replace("},", "}", 1))
    ground.write("schema.json", '{ "$schema": "../schema/scenario-1.json", "name": "x" }')
    ground.write("named.netrig.json", "{")
    assert ground.items() == ["comma.json::check", "named.netrig.json::check", "schema.json::check"]


def test_the_ini_file_says_which_files_are_scenarios_and_the_command_line_adds_its_own(ground):
    ground.write("pytest.ini", "[pytest]\nnetrig_scenarios =\n    net/*.json\n    *.scn\n")
    ground.write("net/deep/a.json", dict(HELLO, backends=["fake"]))
    ground.write("other.json", dict(HELLO, backends=["fake"]))
    ground.write("b.scn", dict(HELLO, backends=["fake"]))
    assert ground.items() == ["b.scn::fake", "net/deep/a.json::fake"]
    assert ground.items("other.json") == ["other.json::fake"]


def test_backend_seed_and_vars_come_from_the_command_line(ground):
    scenario = copy.deepcopy(HELLO)
    scenario["vars"] = {"word": "ping"}
    scenario["actors"]["client"]["steps"][0] = {"send": "${word}"}
    ground.write("hello.json", scenario)
    result = ground.run("--netrig-backend", "fake", "--netrig-seed", "7", "--netrig-set", "word=pong")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*again * --backend fake --seed 7 --set word=pong"])
    ground.run("--netrig-backend", "real", "--netrig-set=word=ping").assert_outcomes(passed=1)


def test_known_failures_are_xfailed_and_must_not_pass(ground):
    ground.write("net/wrong.json", wrong_hello())
    ground.write("good.json", HELLO)
    ground.write("known.txt", "# known\nnet/wrong.json [fake]: bug 17\nwrong [real]: bug 18\n")
    known = ["--netrig-known-failures=known.txt", "--netrig-backend=fake,real", "-rxf"]
    result = ground.run(*known)
    result.assert_outcomes(passed=2, xfailed=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines_random([
        "XFAIL net/wrong.json::fake - reason: bug 17 (known.txt:2)*",
        "XFAIL net/wrong.json::real - reason: bug 18 (known.txt:3)*",
    ])
    result = ground.run(*known, "--runxfail")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["FAILED net/wrong.json::fake - client: the octets*"])
    ground.write("net/wrong.json", HELLO)
    result = ground.run(*known)
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines([
        "*it passed, and was expected to fail: bug 17 (known.txt:2)",
        "*again * net/wrong.json --backend fake --seed 1 --known-failures known.txt",
        "*it passed, and was expected to fail: bug 18 (known.txt:3)",
        "FAILED net/wrong.json::fake - xpass: it passed*",
        "FAILED net/wrong.json::real - xpass: it passed*",
    ])


def test_known_failures_are_known_to_every_worker_and_to_no_python_test(ground):
    ground.write("wrong.json", wrong_hello())
    ground.write("known.txt", "wrong: bug 17\n")
    ground.write("test_wrong.py", """
def test_wrong(netrig):
    assert netrig.run("wrong.json", backend="fake").verdict == "fail"
""")
    result = ground.run_in_workers("--netrig-known-failures=known.txt", "--netrig-backend=fake,real")
    result.assert_outcomes(passed=1, xfailed=2)


def test_every_row_of_a_matrix_is_an_item(ground):
    scenario = copy.deepcopy(HELLO)
    scenario["matrix"] = {"transport": ["tcp", "unix"], "word": ["ping", "pang"]}
    scenario["actors"]["server"]["listen"] = "${transport}"
    scenario["actors"]["client"]["steps"][0] = {"send": "${word}"}
    ground.write("hello.json", scenario)
    items = ground.items("--netrig-backend", "fake")
    assert len(items) == 4
    assert all(re.fullmatch(r"hello\.json::fake\[.*(tcp|unix).*(ping|pang).*\]", one) for one in items)
    result = ground.run("--netrig-backend", "fake")
    result.assert_outcomes(passed=2, failed=2)
    failed = [one for one in items if "pang" in one]
    result.stdout.fnmatch_lines([f"FAILED {one.replace('[', '[[]')}*" for one in failed])
    ground.run("--netrig-backend", "fake", items[0]).assert_outcomes(passed=1)
    ground.run("--netrig-backend", "fake", "-k", "unix").assert_outcomes(passed=1, failed=1)


def test_a_broken_row_of_a_matrix_hides_no_other(ground):
    scenario = dict(HELLO, matrix={"backend": ["fake", "moon"]}, backends=["${backend}"])
    ground.write("hello.json", scenario)
    result = ground.run("-v")
    assert result.parseoutcomes().get("failed", 0) >= 1
    result.stdout.fnmatch_lines(["hello.json::check FAILED*"])


def test_on_the_hosts_network_only_real_runs(ground):
    ground.write("hello.json", HELLO)
    assert ground.items("--netrig-host-network") == ["hello.json::real"]
    ground.run("--netrig-host-network").assert_outcomes(passed=1)


def test_words_and_tags_select(ground):
    ground.write("a.json", dict(HELLO, name="Grüße cross over", tags=["many-clients", "tcp"]))
    ground.write("b.json", dict(HELLO, name="other", tags=["skip", "not", "tcp"]))
    both = ["--strict-markers", "-W", "error", "--netrig-backend=fake,real"]
    a, b = ["a.json::fake", "a.json::real"], ["b.json::fake", "b.json::real"]
    assert ground.items(*both, "-m", "many_clients") == a
    assert ground.items(*both, "-m", "tag_skip and tag_not") == b
    assert ground.items(*both, "-m", "tcp and real") == [a[1], b[1]]
    assert ground.items(*both, "-m", "not netrig") == []
    assert ground.items(*both, "-k", "many-clients or cross") == a
    assert ground.items(*both, "-k", "b.json and fake") == [b[0]]
    ground.run(*both).assert_outcomes(passed=4)


def test_a_tag_becomes_a_marker_that_can_be_asked_for(ground):
    # Inside: what is imported out here, the plugin could not be loaded with.
    ground.write("test_names.py", """
import pytest
from netrig_pytest.markers import marker_name

@pytest.mark.parametrize("tag, marker", [
    ("tcp", "tcp"), ("many-clients", "many_clients"), ("7up", "tag_7up"), ("_x", "tag__x"),
    ("None", "tag_None"), ("not", "tag_not"), ("skip", "tag_skip"), ("xfail", "tag_xfail"),
    ("netrig", "tag_netrig"), ("größe", "größe"),
])
def test_name(tag, marker):
    assert marker_name(tag) == marker
""")
    ground.run().assert_outcomes(passed=10)


def test_one_run_is_named_by_its_id(ground):
    ground.write("hello.json", HELLO)
    assert ground.items("hello.json::real") == ["hello.json::real"]
    ground.run("hello.json::real").assert_outcomes(passed=1)


# --- what is shown


def test_a_failure_shows_netrigs_text_and_no_python(ground):
    ground.write("net/hello.json", wrong_hello())
    line = ground.line_of("net/hello.json", "pang")
    result = ground.run("--netrig-backend", "fake")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([
        "*___ hello [[]fake, seed 1[]] ___*",
        "FAIL  hello [[]fake, seed 1[]]*",
        f"net/hello.json:{line}:*: error: client: the octets are not the expected ones*",
        f"*{line} |*\"recv\": \"pang\"*",
        "*|*^^^^^^*",
        "*again    netrig run net/hello.json --backend fake --seed 1",
        "FAILED net/hello.json::fake - client: the octets*",
    ])
    shown = result.stdout.str()
    assert "Traceback" not in shown and ".py:" not in shown
    assert "0 passed, 1 failed in" not in shown


def test_the_place_of_a_failure_is_the_line_of_its_finding(ground):
    ground.write("hello.json", wrong_hello())
    line = ground.line_of("hello.json", "pang")
    ground.write("conftest.py", """
        def pytest_runtest_logreport(report):
            if report.when == "call":
                print("PLACE", report.location[0], report.location[1])
    """.replace("\n        ", "\n"))
    result = ground.run("-s", "--tb=line", "--netrig-backend=fake")
    result.stdout.fnmatch_lines([f"*PLACE hello.json {line - 1}", f"*hello.json:{line}: client: *"])


def test_a_broken_file_is_one_failing_item_with_all_its_mistakes(ground):
    text = json.dumps(HELLO, indent=2).replace('"listen"', '"lisen"').replace('"eof"', '"eol"')
    ground.write("broken.json", text)
    ground.write("good.json", dict(HELLO, backends=["fake"]))
    result = ground.run()
    result.assert_outcomes(failed=1, passed=1)
    line = ground.line_of("broken.json", "lisen")
    result.stdout.fnmatch_lines([
        f"broken.json:{line}:*: error: unknown key 'lisen'",
        "*did you mean 'listen'?",
        "broken.json:*: error: *'eol'*",
        "FAILED broken.json::check - unknown key 'lisen' (and * more)",
    ])
    assert "Traceback" not in result.stdout.str()


def test_what_does_not_run_is_skipped_with_its_reason(ground):
    ground.write("loss.json", dict(HELLO, network={"client -> server": {"loss": "0.1%"}}))
    ground.write("later.json", dict(HELLO, skip="the server is not written yet"))
    result = ground.run("-rs", "--netrig-backend", "real")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines([
        "SKIPPED [[]1[]] later.json: the server is not written yet",
        "SKIPPED [[]1[]] loss.json: unsupported: *client -> server*",
    ])


# A netrig that answers what is in the file: for verdicts that cannot be had at will.
PRETENDER = """\
#!{python}
import json, sys
line = {{"scenario": "hello.json", "id": "hello", "name": "n", "tags": []}}
if sys.argv[1] == "list":
    run = {{"backend": "real", "seed": 1, "again": "netrig run hello.json --backend real --seed 1"}}
    print(json.dumps(dict(line, runs=[run])))
else:
    {behaviour}
"""


@pytest.fixture
def pretender(ground, monkeypatch):
    def write(behaviour):
        program = ground.write("pretender", PRETENDER.format(python=sys.executable, behaviour=behaviour))
        program.chmod(0o755)
        monkeypatch.setenv("NETRIG", str(program))
        ground.write("hello.json", HELLO)
    return write


@pytest.mark.parametrize("verdict, outcome, shown", [
    ("invalid", "failed", "The run is invalid: netrig could not keep its own promise*"),
    ("error", "failed", "FAILED hello.json::real - error: a reason"),
    ("interrupted", "failed", "FAILED hello.json::real - interrupted: a reason"),
    ("a new one", "failed", "FAILED hello.json::real - a new one: a reason"),
    ("unsupported", "skipped", "SKIPPED [[]1[]] hello.json:1: unsupported: a reason"),
    ("flaky", "passed", "*1 passed*"),
    ("xfail", "xfailed", "XFAIL hello.json::real*"),
    ("deviates", "xfailed", "*deviates: a reason"),
    ("xpass", "failed", "FAILED hello.json::real - xpass: a reason"),
])
def test_every_verdict_has_its_outcome(ground, pretender, verdict, outcome, shown):
    pretender(f'print(json.dumps(dict(line, verdict="{verdict}", reason="a reason", seed=1)))')
    result = ground.run("-rsfx")
    result.assert_outcomes(**{outcome: 1})
    result.stdout.fnmatch_lines([shown])


def test_a_netrig_that_dies_is_told_in_a_line(ground, pretender):
    pretender("import os; os.abort()")
    result = ground.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*pretender was ended by SIGABRT and no result"])
    assert "Traceback" not in result.stdout.str()


# --- errors of the whole call


def test_without_netrig_there_is_one_clear_line_however_many_files(ground, monkeypatch):
    monkeypatch.delenv("NETRIG")
    monkeypatch.setenv("PATH", "/nowhere")
    ground.write("a.json", HELLO)
    ground.write("b.json", HELLO)
    result = ground.run()
    shown = [line for line in result.outlines if "netrig was not found" in line]
    assert shown == ["netrig was not found: name it with --netrig PATH or in $NETRIG, or put it on the PATH"]
    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_without_netrig_and_without_scenarios_nothing_is_wrong(ground, monkeypatch):
    monkeypatch.setenv("NETRIG", "/nowhere/netrig")
    ground.write("test_other.py", "def test_other(): pass\n")
    result = ground.run()
    result.assert_outcomes(passed=1)
    assert not any(line.startswith("netrig") for line in result.outlines)


@pytest.mark.parametrize("arguments, said", [
    (["--netrig", "/nowhere/netrig"], "ERROR: --netrig /nowhere/netrig: there is no such program"),
    (["--netrig-set", "word"], "ERROR: --netrig-set takes NAME=VALUE, got 'word'"),
])
def test_a_wrong_option_is_told_before_anything_runs(ground, arguments, said):
    result = ground.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])


@pytest.mark.parametrize("arguments, said", [
    (["--netrig-backend", "moon"], "netrig list: there is no backend 'moon'*"),
    (["--netrig-seed", "x"], "netrig list: --seed takes a whole number*"),
    (["--netrig-known-failures", "gone.txt"], "netrig list: --known-failures gone.txt: *"),
    (["--netrig-known-failures=bad.txt"], "netrig list: bad.txt:1: a line is SCENARIO [[]BACKEND] [[]ROW]: *"),
])
def test_what_netrig_says_about_an_option_is_shown_once(ground, arguments, said):
    ground.write("bad.txt", "nonsense\n")
    ground.write("a.json", HELLO)
    ground.write("b.json", HELLO)
    result = ground.run(*arguments)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([said])
    result.assert_outcomes(errors=1)


# --- with pytest's other options


def test_workers_share_the_runs_and_tell_the_same(ground):
    for number in range(4):
        ground.write(f"{number}/hello.json", HELLO)
    ground.write("wrong.json", wrong_hello())
    ground.write("later.json", dict(HELLO, skip="not yet"))
    result = ground.run_in_workers("-rsf", "--junitxml=junit.xml", "--netrig-backend=fake,real")
    result.assert_outcomes(passed=8, failed=2, skipped=2)
    result.stdout.fnmatch_lines([
        "SKIPPED * later.json: not yet",
        "FAILED wrong.json::* - client: the octets*",
    ])
    assert "netrig_pytest/" not in result.stdout.str()
    captures = {path.relative_to(ground.path).parts[3:] for path in ground.path.rglob("capture.pcapng")}
    assert ("3", "hello", "real-1", "capture.pcapng") in captures and len(captures) == 10
    check_junit(ground)


def check_junit(ground):
    line = ground.line_of("wrong.json", "pang")
    cases = {(case.get("classname"), case.get("name")): case
             for case in xml.parse(ground.path / "junit.xml").iter("testcase")}
    case = cases["wrong.json", "fake"]
    failure = case.find("failure")
    assert failure.get("message").startswith("client: the octets are not the expected ones")
    assert f"wrong.json:{line}:" in failure.text
    assert "again    netrig run wrong.json --backend fake --seed 1" in failure.text
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert (properties["backend"], properties["seed"], properties["verdict"]) == ("fake", "1", "fail")
    assert properties["again"] == "netrig run wrong.json --backend fake --seed 1"
    assert pathlib.Path(properties["capture"]).exists()
    assert cases["later.json", "fake"].find("skipped").get("message") == "not yet"


def test_the_last_failures_can_be_run_again(ground):
    ground.write("good.json", HELLO)
    ground.write("wrong.json", wrong_hello())
    ground.run("--junitxml=junit.xml", "--netrig-backend", "fake").assert_outcomes(passed=1, failed=1)
    case = xml.parse(ground.path / "junit.xml").find(".//testcase[@name='fake'][failure]")
    assert case.get("classname") == "wrong.json"
    ground.run("--lf", "--netrig-seed", "5", "--netrig-backend", "fake").assert_outcomes(failed=1)
    ground.write("wrong.json", HELLO)
    ground.run("--lf", "--netrig-backend", "fake").assert_outcomes(passed=1)


def test_runs_leave_their_files_where_the_user_says(ground):
    ground.write("net/hello.json", HELLO)
    ground.run("--netrig-out", "traces").assert_outcomes(passed=3)
    assert {path.name for path in (ground.path / "traces/net/hello/fake-1").iterdir()} >= {"capture.pcapng"}
    ground.write("pytest.ini", "[pytest]\nnetrig_out = kept\nnetrig_backend = fake\n")
    ground.run().assert_outcomes(passed=1)
    assert [path.name for path in (ground.path / "kept/net/hello").iterdir()] == ["fake-1"]
