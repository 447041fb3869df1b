"""For all tests."""

import pytest
from hypothesis import HealthCheck, settings

# A loaded machine is not a fault of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="the long forms of the kill test and the fuzzer")
    parser.addoption("--pictures", action="store_true", help="writes what tests/browser sees into docs/pictures")
    parser.addoption(
        "--longest-pause",
        type=float,
        default=0.5,
        metavar="SECONDS",
        help="that the collector's event loop may stand still while it computes. The default finds work that belongs"
        " elsewhere on any machine; 0.05 is what it is built for, and to be asked of a quiet one",
    )


@pytest.fixture(scope="session")
def longest_pause(pytestconfig: pytest.Config) -> float:
    """In seconds; see ``--longest-pause``."""
    return float(pytestconfig.getoption("--longest-pause"))
