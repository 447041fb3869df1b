"""Where the arms of a window stand among the buckets of their study's layer."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from collector.core.candidate import Window
from collector.core.study import Study
from collector.selection.race import Batch
from otel_opto.assignment import BUCKETS, Arm, Layer

INTERRUPTED = "what is in force for everybody has changed"
"""Why a window is closed that measures beside what is not in force any more."""


def shares_of(study: Study, wanted: Mapping[int, float]) -> Mapping[int, float] | None:
    """Of all traffic, what each trial of a window gets; None where somebody would get none.

    Args:
        wanted: Of the window, by trial; 0 is what is in force; together 1.
    """
    candidates = {number: part for number, part in wanted.items() if number}
    if not candidates:
        return {0: 1.0}
    if study.exploration.whole:
        buckets = {number: int(part * BUCKETS) for number, part in candidates.items()}
        kept = BUCKETS - sum(buckets.values())
    else:
        room = int(study.exploration.share * BUCKETS)
        buckets = {number: int(part / sum(candidates.values()) * room) for number, part in candidates.items()}
        kept = BUCKETS - room
    if kept <= 0 or not all(buckets.values()):
        return None
    return {0: kept / BUCKETS, **{number: share / BUCKETS for number, share in buckets.items()}}


def narrowed(batch: Batch, incumbent: str, most: int) -> Batch:
    """The batch with so many candidates, those with the largest shares; the others wait for the next one."""
    candidates = sorted((key for key in batch.shares if key != incumbent), key=lambda key: -batch.shares[key])
    if len(candidates) <= most:
        return batch
    kept = {incumbent, *candidates[:most]}
    part = sum(share for key, share in batch.shares.items() if key in kept)
    shares = {key: share / part for key, share in batch.shares.items() if key in kept}
    return replace(batch, shares=shares, units=max(math.ceil(batch.units * part), 1))


def layer_of(study: Study, window: Window, before: Sequence[Window]) -> Layer | None:
    """The arms of a window, dealt from the upper end; None where it has none.

    All units are dealt anew, by chance that no other study shares: who was there when a candidate was found is no
    fresh unit, and what another study does is nobody's lead. Where only what is in force for everybody has changed
    under the window before, every unit keeps its arm.

    Args:
        before: All windows before it, in their order.
    """
    arms, end = [], BUCKETS
    for number in window.trials:
        share = round(window.shares[number] * BUCKETS)
        end -= share
        arms.append(Arm(window.releases[number], end, share))
    dealt = window.number
    for earlier in reversed(before):
        same = (earlier.purpose, earlier.trials) == (window.purpose, window.trials)
        if earlier.closed != INTERRUPTED or not same:
            break
        dealt = earlier.number
    salt = sha256(f"study/{study.name}\n{dealt}".encode()).hexdigest()[:16]
    return Layer(study.name, salt, tuple(reversed(arms))) if arms else None
