"""For all tests."""

import pytest
from hypothesis import HealthCheck, settings

# A loaded machine is not a fault of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="the long forms of the kill test and the fuzzer")
