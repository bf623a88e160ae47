"""Fixtures of the end-to-end tests. One local AWS serves the whole session; each test has names of its own."""

import os
import signal
import sys

import pytest

# A shell that runs this in the background has SIGINT ignored, and the program would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "LocalAWS"))

from localaws.client import LocalEndpoint  # noqa: E402
from support.debian_root import DebianRoot, build_package, dependencies  # noqa: E402
from support.postgres import Databases  # noqa: E402
from support.scenario import Scenario  # noqa: E402
from support.shipping import Shipper, Shipping  # noqa: E402


@pytest.fixture(scope="session")
def aws():
    """The local AWS endpoint."""
    endpoint = LocalEndpoint()
    yield endpoint
    endpoint.stop()


@pytest.fixture
def scenario(aws, tmp_path, request):
    """A world of its own; faults, clock and the skew check are as they were when the test ends."""
    yield Scenario(aws, tmp_path, request.node.name.replace("test_", "", 1))
    aws.control.clear_faults()
    aws.control.clock(offset=0, freeze=False)
    aws.control.check_skew(True)


@pytest.fixture(params=["once", "follow"])
def mode(request):
    """How the shipper runs: tests that take `world` are told twice."""
    return request.param


@pytest.fixture
def world(scenario, mode):
    """Makes (shipping, shipper); names and job settings are the test's."""
    def make(files=("drupal.log",), **job):
        if mode == "follow":
            job.setdefault("rescan", "1s")
        shipping = Shipping(scenario, files, **job)
        return shipping, Shipper(shipping, mode)
    return make


@pytest.fixture(scope="session")
def package():
    """The Debian package as `make deb` leaves it: the release build is the expensive part."""
    return build_package()


@pytest.fixture(scope="session")
def debian(package, tmp_path_factory):
    """A minimal Debian with what the package depends on, and systemd; for tests to copy."""
    root = DebianRoot.bootstrap(tmp_path_factory.mktemp("debian") / "root", dependencies(package) + ["systemd", "dbus"])
    yield root
    root.remove()


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server of the session's own."""
    server = Databases()
    yield server
    server.stop()
