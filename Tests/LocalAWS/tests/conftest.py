"""The emulator under test: one child for the session; each test begins with an empty account."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from localaws.client import LocalEndpoint  # noqa: E402


@pytest.fixture(scope="session")
def endpoint():
    endpoint = LocalEndpoint()
    yield endpoint
    endpoint.stop()


@pytest.fixture
def control(endpoint):
    endpoint.control.reset()
    return endpoint.control


@pytest.fixture
def kinesis(endpoint, control):
    return endpoint.client("kinesis")


@pytest.fixture
def s3(endpoint, control):
    return endpoint.client("s3")
