"""File descriptors: every connection takes one, and files need theirs, too."""

import logging
import sys
from collections.abc import Mapping

if sys.platform != "win32":  # which has no such limit
    import resource

_LOG = logging.getLogger(__name__)
_FOR_FILES = 256
"""Segments, indexes, the database, what is being accepted; a quarter of all where there are few."""


def raise_limit() -> None:
    """Lets this process have as many as it may give itself."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError) as error:
            _LOG.warning("the limit of %d open files stays: %s", soft, error)


def shared_out(wanted: Mapping[str, int]) -> Mapping[str, int]:
    """How many connections each listener may have: what it wants, or its share of what there is.

    So no listener can take the descriptors of another one, or those that files need.
    """
    if sys.platform == "win32":
        return wanted
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return wanted
    total, room = sum(wanted.values()), limit - min(_FOR_FILES, limit // 4)
    if total <= room:
        return wanted
    shares = {name: max(1, number * room // total) for name, number in wanted.items()}
    _LOG.warning("%d open files are allowed: connections are limited to %s; raise `ulimit -n` for more", limit, shares)
    return shares
