"""The installed libraries: find_package(netrig CONFIG) in a project of its own (consumer/), and scenarios as
GoogleTest tests."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import HELLO, ROOT

CONSUMER = ROOT / "pytests/consumer"


def run(*command, **kwargs):
    return subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=600, **kwargs)


@pytest.fixture(scope="module")
def consumer(netrig_path, tmp_path_factory):
    """The consumer, built against what `cmake --install` puts into a prefix of its own."""
    build = netrig_path.parent
    if not (build / "cmake_install.cmake").exists() or not shutil.which("cmake"):
        pytest.skip(f"{build} is no build folder: there is nothing to install from")
    if not (build / "libnetrig_gtest.a").exists():
        pytest.skip("netrig_gtest is not built there (libgtest-dev)")
    folder = tmp_path_factory.mktemp("consumer")
    installed = run("cmake", "--install", build, "--prefix", folder / "prefix", "--component", "development")
    assert installed.returncode == 0, installed.stdout
    # The sources are copied: nothing of the checkout may be needed but what was installed.
    shutil.copytree(CONSUMER, folder / "source")
    environment = {name: value for name, value in os.environ.items() if name != "CMAKE_PREFIX_PATH"}
    configured = run("cmake", "-S", folder / "source", "-B", folder / "build", "-G", "Ninja",
                     f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}", env=environment)
    assert configured.returncode == 0, configured.stdout
    built = run("cmake", "--build", folder / "build", env=environment)
    assert built.returncode == 0, built.stdout[-5000:]
    assert str(ROOT / "harness") not in (folder / "build/build.ninja").read_text()
    return folder


def test_a_project_that_finds_netrig_passes_its_tests(consumer):
    tested = run("ctest", "--test-dir", consumer / "build", "--output-on-failure", "--no-tests=error")
    assert tested.returncode == 0, tested.stdout
    assert "Echo.ComesBackWholeThroughANetworkThatLosesAFifth" in tested.stdout
    assert "Ask.AsksAgainWhenTheFirstTwoQuestionsAreLost" in tested.stdout
    assert re.search(r"Greeting\.greeting/fake_1\b.*Passed", tested.stdout)
    assert re.search(r"Greeting\.not_yet/fake_1\b.*Skipped", tested.stdout)


def scenario_test(consumer, tmp_path, *arguments):
    return run(consumer / "build/scenario_test", "--out=out", *arguments, cwd=tmp_path)


def write(path, scenario):
    path.write_text(scenario if isinstance(scenario, str) else json.dumps(scenario, indent=2))


def test_a_failure_stands_at_its_line_of_the_json_file(consumer, tmp_path):
    bad = json.loads(json.dumps(HELLO))
    bad["actors"]["client"]["steps"][1] = {"recv": "pang"}
    write(tmp_path / "bad.json", bad)
    line = next(n for n, row in enumerate((tmp_path / "bad.json").read_text().splitlines(), 1)
                if '"recv": "pang"' in row)
    tested = scenario_test(consumer, tmp_path, "bad.json")
    assert tested.returncode == 1
    assert f"bad.json:{line}: Failure\n" in tested.stdout
    assert f"bad.json:{line}:" in tested.stdout and "pang" in tested.stdout
    assert "again    netrig run bad.json --backend fake --seed 1" in tested.stdout
    assert "[  FAILED  ] Greeting.bad/fake_1, where GetParam() = bad.json" in tested.stdout
    assert (tmp_path / "out/bad/fake-1/capture.pcapng").exists()


def test_a_broken_file_is_a_test_that_fails_at_every_mistake(consumer, tmp_path):
    write(tmp_path / "broken.json", '{\n  "nam": "x",\n  "actors": {},\n  "seed": "y"\n}\n')
    tested = scenario_test(consumer, tmp_path, "broken.json")
    assert tested.returncode == 1
    assert "broken.json:2: Failure\n" in tested.stdout
    assert "did you mean 'name'?" in tested.stdout
    assert "[  FAILED  ] Greeting.broken/is_a_scenario" in tested.stdout


def test_a_skip_has_its_reason(consumer, tmp_path):
    skipped = dict(HELLO, skip="the server is not written")
    write(tmp_path / "skipped.json", skipped)
    tested = scenario_test(consumer, tmp_path, "skipped.json")
    assert tested.returncode == 0
    assert "skipped.json:1: Skipped\nskipped: the server is not written" in tested.stdout
    assert "[  SKIPPED ] 1 test" in tested.stdout


def test_a_path_without_scenarios_is_a_failure(consumer, tmp_path):
    (tmp_path / "empty").mkdir()
    for path in ("empty", "nowhere"):
        tested = scenario_test(consumer, tmp_path, path)
        assert tested.returncode == 1, tested.stdout


def test_scenarios_run_on_real_sockets_too(consumer, tmp_path):
    write(tmp_path / "hello.json", HELLO)
    tested = scenario_test(consumer, tmp_path, "--backend=real", "hello.json")
    assert tested.returncode == 0, tested.stdout
    assert "[       OK ] Greeting.hello/real_1" in tested.stdout


def test_a_backend_that_there_is_not_is_told(consumer, tmp_path):
    write(tmp_path / "hello.json", HELLO)
    tested = scenario_test(consumer, tmp_path, "--backend=reel", "hello.json")
    assert tested.returncode == 1
    assert "there is no backend 'reel' here" in tested.stdout
