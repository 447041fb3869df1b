"""A process that is forked: whatever speaks gRPC is stopped before, and goes on in both afterwards.

gRPC does not survive a fork while threads of it run: a child that closes, or only collects, a channel of its parent
waits for ever or closes the parent's connection. So nothing of ours is open at that moment.
"""

import contextlib
import os
import weakref
from collections.abc import Callable
from typing import Protocol


class Forkable(Protocol):
    """What a fork concerns."""

    def before_fork(self) -> None:
        """In the parent, in the thread that forks; soon done."""

    def after_fork(self, *, child: bool) -> None:
        """In either process. A fork in C may call only this one, in the child."""


def watch(target: Forkable) -> None:
    """From now on the target is told, as long as it lives."""
    if not hasattr(os, "register_at_fork"):
        return
    known = weakref.ref(target)

    def told(call: Callable[[Forkable], None]) -> Callable[[], None]:
        def tell() -> None:
            found = known()
            if found is not None:
                with contextlib.suppress(Exception):  # the application comes first
                    call(found)

        return tell

    os.register_at_fork(
        before=told(lambda one: one.before_fork()),
        after_in_parent=told(lambda one: one.after_fork(child=False)),
        after_in_child=told(lambda one: one.after_fork(child=True)),
    )
