"""The errors that cross a border between stages.

CollectorError
├── ConfigError        the configuration is wrong; every fault at once
├── InvalidRequest     OTLP or API input that must not be sent again: HTTP 400, gRPC INVALID_ARGUMENT
├── NotFound           HTTP 404, gRPC NOT_FOUND
├── AlreadyExists      HTTP 409, gRPC ALREADY_EXISTS
├── Conflict           the state does not allow it: HTTP 409, gRPC FAILED_PRECONDITION
│   └── Outdated       somebody else changed it meanwhile; looking again and deciding anew may help
├── TooLarge           HTTP 413, gRPC RESOURCE_EXHAUSTED without a retry hint
├── Unavailable        try again later: HTTP 503 + Retry-After, gRPC UNAVAILABLE + RetryInfo
├── Damaged            stored bytes are not what was written: HTTP 500, gRPC DATA_LOSS; trying again does not help
├── GraphError         spans that make no DAG; names the span
└── OptimizerError     an optimizer could not propose; the study says so and tries again or stops
"""

from collections.abc import Sequence

_MOST_NAMED, _MOST_CHARACTERS = 20, 2_000


class CollectorError(Exception):
    """What the collector raises on purpose; the text is for the person who caused it."""


class ConfigError(CollectorError):
    """The configuration is wrong. `faults` holds every fault: key path, what was found, what is allowed."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class InvalidRequest(CollectorError):
    """Input that must not be sent again as it is."""


class NotFound(CollectorError):
    """Nothing has that name."""


class AlreadyExists(CollectorError):
    """Something has that name already."""


class Conflict(CollectorError):
    """The state does not allow it."""


class Outdated(Conflict):
    """A stream of the ledger is not at the expected version any more. `stream` names it."""

    def __init__(self, stream: str, expected: int, found: int) -> None:
        super().__init__(
            f"{stream} is at version {found} and not at {expected} any more: somebody else changed it; look again "
            "and decide anew"
        )
        self.stream = stream


class TooLarge(CollectorError):
    """Over a size limit, before or after decompression."""


class Unavailable(CollectorError):
    """A passing fault: nothing was kept, the sender should try again after `retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Damaged(CollectorError):
    """Stored bytes are not what was written, and could not be mended while the collector runs."""


class GraphError(CollectorError):
    """Spans that make no DAG."""


class OptimizerError(CollectorError):
    """An optimizer could not propose. `permanent`: trying again would not help (wrong options, no key)."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class BudgetSpent(OptimizerError):
    """A study's cap on calls, tokens or money is reached: nothing failed, and nothing more may be spent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


def some(texts: Sequence[str], separator: str = ", ") -> str:
    """The first of many faults or names, and how many more there are: an answer must not grow with its question."""
    more = len(texts) - _MOST_NAMED
    return separator.join(texts[:_MOST_NAMED]) + (f"{separator}and {more} more" if more > 0 else "")


def words(error: Exception) -> str:
    """What a transport says of an error: its text, cut where it repeats a long input (gRPC has room for 8 KiB)."""
    text = str(error)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}… ({len(text)} characters)"
