"""What a sender is told when its request could not be kept: come back, or do not."""

from collector.core.errors import CollectorError, InvalidRequest, TooLarge, Unavailable

_ANSWERS = (InvalidRequest, TooLarge, Unavailable)
_PASSING = (MemoryError, OSError, RuntimeError)
"""Of our own: no memory, no file, no thread, shutting down. Anything else would come again with the same request."""


def answer_to(error: Exception) -> CollectorError:
    """The error to answer with, which is `error` itself where it was raised on purpose.

    A fault that may pass is `Unavailable`: the sender keeps its data and tries again. A fault of ours that this request
    brings about would come at every try, and would hold up all that the sender has behind it: `InvalidRequest`.
    """
    if isinstance(error, _ANSWERS):
        return error
    if isinstance(error, _PASSING) and not isinstance(error, RecursionError):
        return Unavailable("the collector could not keep the request; see its log", 3)
    return InvalidRequest(
        f"the collector cannot keep this request ({type(error).__name__}: {str(error)[:200]}), today or later: a fault "
        "of the collector, see its log; other requests are taken"
    )
