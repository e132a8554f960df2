"""What every test may ask for, and what no test may leave behind."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.machine import CHECKOUT, IN_CI, missing
from tests.watching import Expectation, Left, errors_logged

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if sys.platform.startswith("linux"):
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

hypothesis.settings.register_profile(
    "house",
    deadline=None,
    max_examples=60,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    print_blob=True,
)
hypothesis.settings.load_profile("house")


# ---------------------------------------------------------------- skipping: said at the end, and never in CI


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skip is a failure where CI=true."""
    report = yield
    if IN_CI and report.skipped:
        report.outcome, report.longrepr = "failed", f"skipped where CI=true: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """So is a module that skipped itself."""
    report = yield
    if IN_CI and report.skipped:
        report.outcome, report.longrepr = "failed", f"not collected where CI=true: {report.longrepr}"
    return report


# ---------------------------------------------------------------- what this machine offers


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real sample data: READING_ROOM_TEST_DATA, else ../shared/data beside the checkout."""
    given = os.environ.get("READING_ROOM_TEST_DATA")
    folder = Path(given) if given else CHECKOUT.parent / "shared" / "data"
    if not (folder / "MANIFEST.tsv").is_file():
        missing(
            "the real sample data is not here (READING_ROOM_TEST_DATA, or ../shared/data beside the checkout)"
        )
    return folder


def _outside_the_environment(name: str) -> str | None:
    """A program of the system: the environment's own commands (pynetdicom's storescu) are not another's."""
    ours = {Path(sys.prefix, "bin"), Path(sys.prefix, "Scripts")}
    places = (
        place for place in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(place) not in ours
    )
    return shutil.which(name, path=os.pathsep.join(places))


@pytest.fixture(scope="session")
def program() -> Callable[[str], Path]:
    """`program("espeak-ng")` is the path of that program of the system."""

    def find(name: str) -> Path:
        found = _outside_the_environment(name)
        if found is None:
            missing(f"{name} is not installed")
        return Path(found)

    return find


@pytest.fixture(scope="session")
def dcmtk() -> Callable[[str], Path]:
    """`dcmtk("storescu")` is the path of DCMTK's tool of that name, checked to be DCMTK's."""

    def find(name: str) -> Path:
        found = _outside_the_environment(name)
        if found is None:
            missing(f"DCMTK's {name} is not installed")
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
        assert "$dcmtk:" in said, f"{found} is not DCMTK's"
        return Path(found)

    return find


@pytest.fixture(scope="session")
def dciodvfy() -> Path:
    """The verifier of Debian's dicom3tools."""
    found = _outside_the_environment("dciodvfy")
    if found is None:
        missing("dciodvfy (dicom3tools) is not installed")
    return Path(found)


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A port of loopback that was free a moment ago, for others' programs; ours take port 0 and say which."""

    def take() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return take


# ---------------------------------------------------------------- what no test may leave behind


def _shares_a_wider_fixture(request: pytest.FixtureRequest) -> bool:
    """Does the test use something of tests/ that lives longer than it, and may start threads meanwhile?"""
    definitions = request.node._fixtureinfo.name2fixturedefs.values()
    return any(one[-1].scope != "function" and one[-1].baseid not in ("", "tests") for one in definitions)


@pytest.fixture(scope="module", autouse=True)
def _module_leaves_nothing() -> Iterator[None]:
    before = Left.now()
    yield
    before.must_be_all()


@pytest.fixture(autouse=True)
def _test_leaves_nothing(request: pytest.FixtureRequest) -> Iterator[None]:
    """Threads that keep a program alive, child processes and Qt timers of a test end with it."""
    before = Left.now()
    yield
    if not _shares_a_wider_fixture(request):
        before.must_be_all(with_timers="qtbot" in request.fixturenames)


@pytest.fixture
def expect_errors() -> Expectation:
    """`expect_errors("text")`: a record of ERROR or above with this regular expression must be logged."""
    return Expectation()


@pytest.fixture(autouse=True)
def _no_unexpected_errors(request: pytest.FixtureRequest) -> Iterator[None]:
    """An ERROR in the log that the test did not announce fails it."""
    wanted = (
        request.getfixturevalue("expect_errors") if "expect_errors" in request.fixturenames else Expectation()
    )
    with errors_logged() as records:
        yield
    wanted.check(records)
