"""Candidates by content, and measurements that are pooled."""

import random

import pytest

from collector.core.study import Cost
from collector.selection.archive import Archive, Candidate, Fate, Measured
from collector.selection.race import Race, Rules
from collector.selection.selectors import selector_of


def archive() -> Archive:
    kept = Archive(Candidate.of({"top_k": 1}))
    kept.add(Candidate.of({"top_k": 5}, "search", Cost(calls=1)))
    return kept


INCUMBENT, FIVE = Candidate.of({"top_k": 1}).key, Candidate.of({"top_k": 5}).key


def test_a_repeated_candidate_is_no_new_one_and_its_cost_counts() -> None:
    kept = archive()
    assert not kept.add(Candidate.of({"top_k": 5}, "optoprime", Cost(calls=2)))
    (known,) = kept.all()
    assert known.origins == ("search", "optoprime")
    assert known.cost == Cost(calls=3)


def test_what_is_in_force_and_what_is_invalid_is_kept_and_never_measured() -> None:
    kept = archive()
    assert kept.add(Candidate.of({"top_k": 1}, "a copy"))
    assert kept.add(Candidate.of({"top_k": 99}), fault="top_k: found 99, allowed is 1 to 9")
    assert [one.fate for one in kept.all()] == [Fate.OPEN, Fate.DROPPED, Fate.INVALID]
    assert [one.key for one in kept.open()] == [FIVE]


def test_the_lead_is_that_within_batches_whatever_changes_between_them() -> None:
    kept = archive()
    kept.take(1, [*(Measured(INCUMBENT, 0.8) for _ in range(90)), *(Measured(FIVE, 0.9) for _ in range(10))])
    kept.take(2, [*(Measured(INCUMBENT, 0.1) for _ in range(10)), *(Measured(FIVE, 0.2) for _ in range(90))])
    assert kept.standing(FIVE).lead == pytest.approx(0.1)


def test_late_and_shuffled_units_end_in_the_same_standing() -> None:
    rng = random.Random(4)
    units = [(rng.randrange(3), Measured(rng.choice([INCUMBENT, FIVE]), rng.random())) for _ in range(200)]
    leads = []
    for _ in range(3):
        kept = archive()
        for batch, unit in rng.sample(units, len(units)):
            kept.take(batch, [unit])
        leads.append(kept.standing(FIVE))
    assert leads[0].lead == pytest.approx(leads[1].lead)
    assert leads[0].deviation == pytest.approx(leads[2].deviation)


def test_failures_are_a_third_outcome_and_clipped_scores_are_counted() -> None:
    kept = archive()
    kept.take(1, [Measured(INCUMBENT, 0.5), Measured(FIVE, 1.0, clipped=1), Measured(FIVE, None)])
    found = kept.standing(FIVE)
    assert (found.units, found.errors, found.lead, kept.clipped) == (1, 1, 0.5, 1)


def test_few_units_promise_little() -> None:
    kept = archive()
    kept.take(1, [*(Measured(INCUMBENT, 0.0) for _ in range(5)), *(Measured(FIVE, 1.0) for _ in range(5))])
    few = kept.standing(FIVE).expected()[0]
    kept.take(2, [*(Measured(INCUMBENT, 0.0) for _ in range(500)), *(Measured(FIVE, 1.0) for _ in range(500))])
    assert few < 0.5 < kept.standing(FIVE).expected()[0] <= 1.0


def test_failures_are_compared_with_those_of_the_same_batches() -> None:
    """In the second batch everything fails for a while; the incumbent's first batch was a good one."""
    kept = Archive(Candidate("control", {}))
    kept.add(Candidate("a", {}))
    kept.take(1, [Measured("control", 1.0)] * 60)
    kept.take(2, [Measured("control", None)] * 10 + [Measured("control", 1.0)] * 20)
    kept.take(2, [Measured("a", None)] * 20 + [Measured("a", 1.0)] * 40)
    own, usual = kept.failures("a")
    assert (own.failed, own.ran, usual.ran) == (20, 60, 50)
    assert usual.rate == pytest.approx((10 + 20 * 10 / 90) / 50)
    race = Race(kept, selector_of("greedy"), Rules())
    race.next()
    assert kept.kept("a").fate is not Fate.BROKEN
