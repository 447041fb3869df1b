"""The fixture ``opto``: an application under test, without a collector.

It lies beside `otel_opto`, because pytest imports it in every run of everybody who has the package installed: nothing
of OpenTelemetry is imported before a test asks for the fixture.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_opto.testing import Rehearsal, SpanCapture


@pytest.fixture(scope="session")
def _opto_capture() -> "SpanCapture":
    from otel_opto.testing import SpanCapture  # noqa: PLC0415 - see above

    return SpanCapture.of_process()


@pytest.fixture
def opto(_opto_capture: "SpanCapture") -> "Iterator[Rehearsal]":
    """Sets values of parameters for one test, and shows its spans and its feedback; nothing leaves the process."""
    import otel_opto  # noqa: PLC0415 - see above
    from otel_opto.testing import Rehearsal  # noqa: PLC0415 - see above

    with Rehearsal(otel_opto._sdk, _opto_capture).running() as rehearsal:  # noqa: SLF001 - the instance of the process
        yield rehearsal
