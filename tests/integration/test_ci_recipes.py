"""The recipes of docs/ci.md, run as far as they can be without the services: their commands, in the order and with the
variables of the service, in a checkout; what is kept of a job, and handed to the next, by the patterns of the recipe.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import LIMIT
from confinement import confined
from doc_pages import blocks
from tools import CHECKOUT

from sockcheck import recording
from sockcheck.events import RunStarted

# It is what the tests run in already.
INSTALL = "pip install ./tools/sockcheck"
SCENARIO = """\
scenario: A line is echoed
client:
  - connect
  - send: "{line}\\n"
  - expect: "{line}\\n"
"""
Recipe = Mapping[str, Any]
RECIPES: dict[str, Recipe] = {
    f"{block.save_as.strip('.').partition('/')[0].partition('-')[0]} in "
    f"{'shards' if 'shard' in block.text else 'one piece'}": yaml.safe_load(block.text)
    for block in blocks(CHECKOUT / "docs" / "ci.md")
    if block.save_as.startswith(".git")
}
GITHUB = [name for name in RECIPES if name.startswith("github ")]
GITLAB = [name for name in RECIPES if name.startswith("gitlab ")]


class Service:
    """A CI: a fresh checkout for each job, and the files that jobs leave to others by name."""

    def __init__(self, folder: Path, server: str) -> None:
        self._folder = folder
        self.sandbox: list[str] = []
        self._jobs = 0
        self.kept: dict[str, Path] = {}
        self._checkout = folder / "checkout"
        scenarios = self._checkout / "scenarios" / "echo"
        scenarios.mkdir(parents=True)
        (scenarios / "contract.yaml").write_text("contract: echo\nconditions: none\n")
        for name in ("one", "two", "three", "four", "five", "six"):
            (scenarios / f"{name}.sock.yaml").write_text(SCENARIO.format(line=name))
        (self._checkout / "my_server.py").write_text(server)
        programs = folder / "bin"
        programs.mkdir()
        for name, words in (("sockcheck", "-m sockcheck"), ("python", ""), ("python3", "")):
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n')
            program.chmod(0o755)
        # What the service does not set must not come from where the tests run.
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "GIT"))}
        self._environment |= {"CI": "true", "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder)}

    def begin(self) -> Path:
        """The folder of another job."""
        self._jobs += 1
        job = self._folder / f"job-{self._jobs}"
        shutil.copytree(self._checkout, job)
        return job

    def run(self, script: str, job: Path, variables: Mapping[str, str]) -> int:
        """The exit code of a script, as the services run it: it ends at the first command that fails."""
        lines = [line for line in script.splitlines() if line != INSTALL]
        done = subprocess.run(
            [*self.sandbox, "bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)],
            cwd=job,
            env={**self._environment, **variables},
            stdin=subprocess.DEVNULL,
            timeout=LIMIT,
            check=False,
        )
        return done.returncode

    def keep(self, name: str, job: Path, pattern: str) -> None:
        found = list(job.glob(pattern))
        assert found, f"{name}: nothing is called {pattern}"
        self.kept[name] = self._folder / "kept" / name
        self.kept[name].mkdir(parents=True)
        for path in found:
            shutil.copy(path, self.kept[name])

    def bring(self, pattern: str, job: Path) -> None:
        for name, folder in self.kept.items():
            if Path(name).match(pattern):
                shutil.copytree(folder, job, dirs_exist_ok=True)


GOOD = (CHECKOUT / "tests" / "data" / "docs" / "my_server.py").read_text()
WRONG = """\
import socket, sys
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    while True:
        client, _ = server.accept()
        with client:
            client.recv(1024)
            client.sendall(b"no\\n")
"""


@pytest.fixture(params=["good"])
def service(tmp_path: Path, request: pytest.FixtureRequest) -> Service:
    return Service(tmp_path, {"good": GOOD, "wrong": WRONG}[request.param])


def filled(text: Any, matrix: Mapping[str, Any]) -> str:
    """What GitHub makes of `${{ matrix.shard }}`; there are no other expressions."""
    return re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda found: str(matrix[found[1]]), str(text))


def on_github(recipe: Recipe, service: Service, *, lost: str = "") -> Mapping[str, list[int]]:
    """What the jobs end with, by name, one for each of the matrix. Of the job `lost` nothing is kept."""
    ended: dict[str, list[int]] = {}
    for name, job in recipe["jobs"].items():
        before = [code for other in [job["needs"]] for code in ended[other]] if "needs" in job else []
        assert not any(before) or job["if"] == "always()"
        for matrix in combinations(job):
            ended.setdefault(name, []).append(github_job(job, matrix, service))
            if lost and filled(lost, matrix) in service.kept:
                del service.kept[filled(lost, matrix)]
                lost = ""
    return ended


def combinations(job: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    matrix = job.get("strategy", {}).get("matrix", {})
    if not matrix:
        yield {}
    for key, values in matrix.items():
        yield from ({key: value} for value in values)


def github_job(job: Mapping[str, Any], matrix: Mapping[str, Any], service: Service) -> int:
    folder = service.begin()
    summary = folder / "summary.md"
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(folder),
        "GITHUB_STEP_SUMMARY": str(summary),
        "RUNNER_OS": "Linux",
    }
    code = 0
    for step in job["steps"]:
        if code and step.get("if") != "always()":
            continue
        given = {key: filled(value, matrix) for key, value in step.get("with", {}).items()}
        match step.get("uses", "").partition("@")[0]:
            case "":
                code = code or service.run(filled(step["run"], matrix), folder, variables)
            case "actions/upload-artifact":
                service.keep(given["name"], folder, given["path"])
            case "actions/download-artifact":
                assert given["merge-multiple"] == "True"
                service.bring(given["pattern"], folder)
            case used:
                assert used in ("actions/checkout", "actions/setup-python")
    return code


def on_gitlab(recipe: Recipe, service: Service) -> Mapping[str, list[int]]:
    """What the jobs end with, by name; each gets what those of the stages before have kept."""
    ended: dict[str, list[int]] = {}
    jobs = {name: job for name, job in recipe.items() if name != "stages"}
    stages = recipe.get("stages", ["test"])
    for name, job in sorted(jobs.items(), key=lambda item: stages.index(item[1].get("stage", "test"))):
        failed = any(code for codes in ended.values() for code in codes)
        assert not failed or job["when"] == "always"
        total = job.get("parallel", 1)
        kept = dict(service.kept)
        for index in range(1, total + 1):
            folder = service.begin()
            for each in kept:
                service.bring(each, folder)
            variables = {
                "GITLAB_CI": "true",
                "CI_PROJECT_DIR": str(folder),
                "CI_NODE_INDEX": str(index),
                "CI_NODE_TOTAL": str(total),
            }
            ended.setdefault(name, []).append(service.run("\n".join(job["script"]), folder, variables))
            assert job["artifacts"]["when"] == "always"
            for pattern in job["artifacts"]["paths"]:
                service.keep(f"{name}-{index}", folder, pattern)
            junit = job["artifacts"].get("reports", {}).get("junit")
            assert junit is None or (folder / junit).read_text().startswith("<?xml")
    return ended


def reported(service: Service) -> RunStarted:
    """How the record of all begins, which is kept with the other reports."""
    folder = next(folder for folder in service.kept.values() if (folder / "sockcheck.jsonl").exists())
    assert {path.name for path in folder.iterdir()} == {"sockcheck.xml", "sockcheck.html", "sockcheck.jsonl"}
    started = next(iter(recording.read(folder / "sockcheck.jsonl")))
    assert isinstance(started, RunStarted)
    return started


GRADESCOPE = {
    block.save_as: block.text
    for block in blocks(CHECKOUT / "docs" / "ci.md")
    if block.save_as in ("setup.sh", "run_autograder")
}
# What fetches from the network: the tests run in what it would install.
FETCHED = (
    "apt-get update && apt-get install -y python3 python3-venv",
    "/autograder/venv/bin/pip install /autograder/source/sockcheck",
)


def graded(tmp_path: Path, service: Service, submission: str | None) -> Mapping[str, Any]:
    """What is in results.json, in an image that setup.sh has made."""
    autograder = tmp_path / "autograder"
    for name in ("submission", "results"):
        (autograder / name).mkdir(parents=True)
    shutil.move(service.begin(), autograder / "source")
    if submission is not None:
        (autograder / "submission" / "my_server.py").write_text(submission)
    for name, text in GRADESCOPE.items():
        lines = [line for line in text.splitlines() if line not in FETCHED]
        script = autograder / name
        # Nothing is installed by it, so that it needs no pip.
        shell = "\n".join(lines).replace("/autograder", str(autograder)).replace("-m venv", "-m venv --without-pip")
        script.write_text(f"{shell}\n")
        script.chmod(0o755)
        if name == "run_autograder":
            shutil.copy(tmp_path / "bin" / "sockcheck", autograder / "venv" / "bin")
        service.run(str(script), autograder, {})
    results: Mapping[str, Any] = json.loads((autograder / "results" / "results.json").read_text())
    return results


@pytest.mark.parametrize(("submission", "earned"), [(GOOD, 6), (WRONG, 0), (None, 0)])
def test_gradescope(submission: str | None, earned: int, tmp_path: Path, service: Service) -> None:
    results = graded(tmp_path, service, submission)
    assert list(GRADESCOPE) == ["setup.sh", "run_autograder"]
    assert len(results["tests"]) == 6
    assert sum(test["score"] for test in results["tests"]) == earned
    assert all(test["max_score"] == 1 for test in results["tests"])


def test_there_are_recipes() -> None:
    assert sorted(RECIPES) == [f"{name} in {how}" for name in ("github", "gitlab") for how in ("one piece", "shards")]


@pytest.mark.parametrize("name", GITHUB)
def test_github(name: str, service: Service) -> None:
    ended = on_github(RECIPES[name], service)
    assert not any(code for codes in ended.values() for code in codes), ended
    assert reported(service).total == 6


@pytest.mark.parametrize("name", GITLAB)
def test_gitlab(name: str, service: Service) -> None:
    ended = on_gitlab(RECIPES[name], service)
    assert not any(code for codes in ended.values() for code in codes), ended
    assert reported(service).total == 6


def test_a_shard_that_is_lost_fails_the_job_that_reports(service: Service) -> None:
    ended = on_github(RECIPES["github in shards"], service, lost="shard-${{ matrix.shard }}")
    assert ended == {"shard": [0, 0, 0, 0, 0], "report": [4]}
    share = reported(service).share
    assert share is not None
    assert share.numbers == (2, 3, 4, 5)


@pytest.mark.parametrize("service", ["wrong"], indirect=True)
def test_where_cases_fail_the_reports_are_kept(service: Service) -> None:
    ended = on_github(RECIPES["github in one piece"], service)
    assert ended == {"sockcheck": [1]}
    assert reported(service).total == 6


def test_where_the_kernel_cannot_be_asked_the_recipe_does_its_work_and_says_so(service: Service) -> None:
    service.sandbox = confined("no-netlink", "no-namespaces")
    assert on_github(RECIPES["github in one piece"], service) == {"sockcheck": [0]}
    assert reported(service).total == 6
    [report] = [folder / "sockcheck.html" for folder in service.kept.values()]
    assert "sock_diag is not to be had here" in report.read_text()
