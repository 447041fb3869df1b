"""Studies of one service side by side: who is in arms of several has the values of all of them."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod

from collector.core.errors import Conflict
from collector.core.release import Release, ReleasedValue
from collector.publisher.desk import Composed
from collector.study.studies import Studies, actor_of
from otel_opto.assignment import Assignment, Crossing, Layer

MOST_RELEASES = 64
"""Of a service's layers together, the control among them: applications hold all of them."""


def room(now: Assignment, study: str, running: int) -> int:
    """How many arms a study may have: as many as the others, and no more than fit beside what these have.

    Args:
        running: Studies of the service, this one among them.
    """
    of_others = prod(len(layer.arms) + 1 for layer in now.layers if layer.name != study)
    alike = int(MOST_RELEASES ** (1 / max(running, 1)) + 1e-9)
    return min(MOST_RELEASES // of_others, alike) - 1


def with_layer(now: Assignment, study: str, layer: Layer | None) -> tuple[Layer, ...]:
    """The layers where a study has this one; None: where it has none."""
    others = [one for one in now.layers if one.name != study]
    return tuple(sorted([*others, *([layer] if layer is not None else [])], key=lambda one: one.name))


def combinations(layers: Sequence[Layer]) -> Sequence[tuple[int, ...]]:
    """Of arms of two and more layers: their releases, in the order of the layers."""
    choices = [(0, *(arm.release for arm in layer.arms)) for layer in layers]
    found = (tuple(number for number in one if number) for one in product(*choices))
    return [one for one in found if len(one) > 1]


class Crossings:
    """Makes their releases, and knows those that there are.

    Args:
        studies: Knows which parameters each study has.
    """

    def __init__(self, studies: Studies) -> None:
        self._studies = studies
        self._desk = studies.desk

    async def of(self, now: Assignment, layers: Sequence[Layer], study: str) -> tuple[Crossing, ...]:
        """The crossings that these layers need; the releases of those that are not in force already are made.

        Args:
            study: Who deals anew.

        Raises:
            Conflict: a release or a study that is crossed is not there any more.
        """
        known = {one.of: one.release for one in now.crossings}
        needed = combinations(layers)
        missing = [one for one in needed if one not in known]
        control = await self._desk.release(now.control)
        if control is None:
            raise Conflict(f"release {now.control}, which is in force, cannot be read")
        keys = {layer.name: await self._keys(layer.name) for layer in layers} if missing else {}
        drafts = [await self._composed(one, layers, control, keys) for one in missing]
        made = await self._desk.compose(now.service, drafts, actor_of(study))
        known |= {of: release.number for of, release in zip(missing, made, strict=True)}
        return tuple(Crossing(known[one], one) for one in needed)

    async def _keys(self, study: str) -> Sequence[str]:
        record = await self._studies.study(study)
        if record is None or not record.trials:
            raise Conflict(f"study {study!r}, which has arms, cannot be read")
        return tuple(record.trials[0].values)

    async def _composed(
        self, of: tuple[int, ...], layers: Sequence[Layer], control: Release, keys: Mapping[str, Sequence[str]]
    ) -> Composed:
        values: dict[str, ReleasedValue] = dict(control.values)
        words = []
        for number in of:
            release = await self._desk.release(number)
            if release is None:
                raise Conflict(f"release {number}, the arm of a study, cannot be read")
            (name,) = (layer.name for layer in layers if layer.share(number))
            values |= {key: release.values[key] for key in keys[name] if key in release.values}
            words.append(f"release {number} of study {name}")
        return Composed(values, f"units in arms of several studies: {', '.join(words)}")
