"""Where the arms of a window stand among the buckets."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256

from collector.core.candidate import Window
from collector.core.study import Study
from otel_opto.assignment import BUCKETS, Arm, Assignment


def free_of(now: Assignment, window: Window | None) -> tuple[int, int]:
    """The largest stretch of buckets in which nobody's arm is but those of this window: its start and its end.

    Of equal ones the upper one: a rollout's arm grows from the lower end.
    """
    mine = set(window.releases.values()) if window is not None else set()
    others = [arm for arm in now.arms if arm.release not in mine]
    starts = [0, *(arm.start + arm.share for arm in others)]
    ends = [*(arm.start for arm in others), BUCKETS]
    return max(zip(starts, ends, strict=True), key=lambda gap: (gap[1] - gap[0], gap[0]))


def shares_of(study: Study, wanted: Mapping[int, float], width: int) -> Mapping[int, float] | None:
    """Of all traffic, what each trial of a window gets; None where there is no room.

    Args:
        wanted: Of the window, by trial; 0 is what is in force; together 1.
        width: Buckets that are free.
    """
    candidates = {number: part for number, part in wanted.items() if number}
    if not candidates:
        return {0: 1.0}
    if study.exploration.whole:
        buckets = {number: int(part * width) for number, part in candidates.items()}
        kept = width - sum(buckets.values())
    else:
        room = int(study.exploration.share * BUCKETS)
        buckets = {number: int(part / sum(candidates.values()) * room) for number, part in candidates.items()}
        kept = BUCKETS - room if room <= width else 0
    if kept <= 0 or not all(buckets.values()):
        return None
    return {0: kept / BUCKETS, **{number: share / BUCKETS for number, share in buckets.items()}}


def dealt(study: Study, window: Window, before: Window | None) -> Callable[[Assignment], Assignment]:
    """What is in force in a window: its candidates from the upper end of what is free, everybody else as it was.

    Where nobody else has an arm, all units are dealt anew: who was there when a candidate was found is no fresh unit.
    """

    def change(now: Assignment) -> Assignment:
        mine = {*window.releases.values(), *(before.releases.values() if before is not None else ())}
        others = [arm for arm in now.arms if arm.release not in mine]
        _, end = free_of(now, replace(window, releases=dict(enumerate(mine))))
        arms = []
        for number in window.trials:
            share = round(window.shares[number] * BUCKETS)
            end -= share
            arms.append(Arm(window.releases[number], end, share))
        salt = now.salt if others else sha256(f"study/{study.name}\n{window.number}".encode()).hexdigest()[:16]
        ordered = tuple(sorted([*others, *arms], key=lambda arm: arm.start))
        return replace(now, arms=ordered, salt=salt if ordered else now.salt)

    return change
