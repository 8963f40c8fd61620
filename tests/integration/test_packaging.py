"""What is built can be installed, and what is installed finds its scenarios: from a wheel and from a checkout.

Everything that is installed beside it comes from the environment of the tests, so that no network is needed.
"""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from tools import CHECKOUT

from sockcheck import __version__

SCENARIOS = sorted(path.relative_to(CHECKOUT / "scenarios") for path in (CHECKOUT / "scenarios").rglob("*.yaml"))
LAW_PAGES = sorted(path.name for path in (CHECKOUT / "docs" / "laws").iterdir())
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV"))}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked: what is built from it proves that it is complete."""
    folder = tmp_path_factory.mktemp("sdist")
    _build("sdist", CHECKOUT, folder)
    [archive] = folder.glob("*.tar.gz")
    _output(folder, "tar", "-xf", archive)
    return folder / f"sockcheck-{__version__}"


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _build("wheel", source, folder)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheel."""
    return _environment(tmp_path_factory.mktemp("installed"), str(wheel))


@pytest.fixture(scope="module")
def editable(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with an editable installation."""
    return _environment(tmp_path_factory.mktemp("editable"), "--editable", str(source))


def test_the_wheel_holds_the_packages_and_the_scenarios_and_no_more(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "sockcheck",
        "sockcheck_reports",
        f"sockcheck-{__version__}.dist-info",
    }
    assert {"sockcheck/py.typed", "sockcheck_reports/py.typed"} <= set(names)
    assert {f"sockcheck_reports/templates/report.{ending}" for ending in ("html.j2", "css", "js")} <= set(names)
    assert (
        sorted(
            Path(name).relative_to("sockcheck/_scenarios")
            for name in names
            if name.startswith("sockcheck/_scenarios/") and name.endswith(".yaml")
        )
        == SCENARIOS
    )
    assert LAW_PAGES
    assert sorted(Path(name).name for name in names if name.startswith("sockcheck/_laws/")) == LAW_PAGES


@pytest.mark.parametrize("way", ["installed", "editable"])
def test_the_bundled_scenarios_are_found(way: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    bin_folder: Path = request.getfixturevalue(way)
    folder = Path(
        _output(tmp_path, bin_folder / "python", "-c", "from sockcheck.suite import bundled; print(bundled())")
    )
    assert folder.is_absolute()
    assert not folder.is_relative_to(CHECKOUT)
    assert SCENARIOS
    assert sorted(path.relative_to(folder) for path in folder.rglob("*.yaml")) == SCENARIOS


@pytest.mark.parametrize("way", ["installed", "editable"])
def test_the_pages_of_the_laws_are_found(way: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    bin_folder: Path = request.getfixturevalue(way)
    assert _output(tmp_path, bin_folder / "sockcheck", "explain", "plain").startswith("plain\n")


@pytest.mark.parametrize("way", ["installed", "editable"])
def test_both_commands_say_their_version(way: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    bin_folder: Path = request.getfixturevalue(way)
    assert _output(tmp_path, bin_folder / "sockcheck", "--version") == f"sockcheck {__version__}"
    assert _output(tmp_path, bin_folder / "python", "-m", "sockcheck", "--version") == f"sockcheck {__version__}"


def _build(target: str, source: Path, folder: Path) -> None:
    _output(source, sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder)


def _environment(folder: Path, *what: str) -> Path:
    """A fresh environment without pip, with `what` in it; everything else is borrowed from this one."""
    _output(folder, sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    site_packages = Path(_output(folder, python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    site_packages.joinpath("borrowed.pth").write_text("\n".join(sorted(borrowed)))
    pip = (sys.executable, "-m", "pip", "--python", python, "--isolated", "--disable-pip-version-check")
    _output(folder, *pip, "install", "--ignore-installed", "--no-index", "--no-deps", "--no-build-isolation", *what)
    return folder / "bin"


def _output(cwd: Path, *command: str | Path) -> str:
    done = subprocess.run(command, cwd=cwd, env=CLEAN, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()
