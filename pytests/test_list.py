"""What `netrig list --json` tells a program that starts the runs itself, as the pytest plugin does."""

import copy
import json
import shlex

from conftest import HELLO


def listed(netrig, *args):
    run = netrig("list", "--json", *args)
    return run, [json.loads(line) for line in run.stdout.splitlines()]


def test_a_line_tells_what_the_scenario_is_and_each_run_with_its_own_command(netrig):
    netrig.write("hello.json", dict(HELLO, tags=["tcp", "smoke"], seed=3))
    run, [line] = listed(netrig, "hello.json")
    assert run.returncode == 0
    assert (line["scenario"], line["id"], line["tags"]) == ("hello.json", "hello", ["tcp", "smoke"])
    assert [(one["backend"], one["seed"]) for one in line["runs"]] == [("fake", 3), ("real", 3), ("wire", 3)]
    for one in line["runs"]:
        assert one["verdict"] == one["reason"] == ""
        command = shlex.split(one["again"])
        assert command[0] == "netrig"
        _, [result] = netrig.results(*command[2:])
        assert (result["verdict"], result["backend"]) == ("pass", one["backend"])


def test_options_that_change_the_runs_change_what_is_listed(netrig):
    scenario = copy.deepcopy(HELLO)
    scenario["vars"] = {"word": "ping"}
    scenario["actors"]["client"]["steps"][0] = {"send": "${word}"}
    netrig.write("hello.json", scenario)
    _, [line] = listed(netrig, "hello.json", "--seed", "9", "--backend", "fake", "--set", "word=p g")
    [one] = line["runs"]
    assert (one["backend"], one["seed"]) == ("fake", 9)
    assert "word=p g" in shlex.split(one["again"])
    _, [line] = listed(netrig, "hello.json", "--host-network")
    [one] = line["runs"]
    assert one["backend"] == "real"
    assert "--host-network" in shlex.split(one["again"])


def test_what_is_settled_without_running_is_told_with_its_reason(netrig):
    netrig.write("loss.json", dict(HELLO, network={"client -> server": {"loss": "10%"}}))
    netrig.write("skip.json", dict(HELLO, skip="the server is not written yet"))
    _, [loss, skip] = listed(netrig, "loss.json", "skip.json")
    assert [one["verdict"] for one in loss["runs"]] == ["", "unsupported", ""]
    assert "client -> server" in loss["runs"][1]["reason"]
    assert {one["verdict"] for one in skip["runs"]} == {"skipped"}
    assert skip["runs"][0]["reason"] == "the server is not written yet"


def test_a_broken_file_is_a_line_with_its_mistakes_between_the_others(netrig):
    netrig.write("a.json", HELLO)
    netrig.write("b.json", '{ "name": "b",\n  "actors": { "x": { "lisen": "tcp" } } }')
    netrig.write("c.json", HELLO)
    run, [a, b, c] = listed(netrig, "a.json", "b.json", "c.json")
    assert run.returncode == 3
    assert (a["id"], c["id"]) == ("a", "c")
    assert (b["scenario"], b["verdict"]) == ("b.json", "broken")
    assert b["findings"][0]["line"] == 2
    assert "did you mean 'listen'?" in b["findings"][0]["details"]
    assert "b.json:2:" in run.stderr


def test_without_json_there_is_one_row_a_file(netrig):
    netrig.write("scenarios/hello.json", dict(HELLO, tags=["tcp"]))
    run = netrig("list")
    assert run.returncode == 0
    assert run.stdout.split() == ["scenarios/hello.json", "hello", "tcp"]


def test_a_backend_that_there_is_not_is_a_wrong_usage(netrig):
    netrig.write("hello.json", HELLO)
    run = netrig("list", "hello.json", "--backend", "moon")
    assert run.returncode == 2
    assert run.stderr.startswith("netrig list: there is no backend 'moon'")
