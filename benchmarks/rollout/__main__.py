"""Prints the tables of docs/rollouts.md: ``python -m benchmarks.rollout [--runs N]``.

Every user gives thumbs up with a probability that depends on the release; one look after every user.
"""

import argparse
import random
import statistics
from collections.abc import Callable

from collector.selection.evidence import Evidence, Margins

_NEEDED = 20.0
_ORDINARY_Z = 1.96


def looked_at(
    seed: int, control: float, arm: float, share: float, units: int, stop: Callable[[Evidence], bool]
) -> int | None:
    """After how many users it stopped; None if it never did."""
    rng, evidence = random.Random(seed), Evidence()
    for number in range(1, units + 1):
        in_arm = rng.random() < share
        outcome = float(rng.random() < (arm if in_arm else control))
        evidence = evidence.with_unit(outcome, in_arm=in_arm, share=share, margins=Margins(0.0, 0.05))
        if stop(evidence):
            return number
    return None


def harm(least: int) -> Callable[[Evidence], bool]:
    """Evidence that the arm is worse."""
    return lambda evidence: evidence.fewest >= least and evidence.harm_e_value >= _NEEDED


def sound(evidence: Evidence) -> bool:
    """Evidence that the arm is no worse by 0.05."""
    return evidence.fewest >= 100 and evidence.sound_e_value >= _NEEDED


def ordinary(evidence: Evidence) -> bool:
    """What looking at a p-value after every user does."""
    arm, control = evidence.arm_mean, evidence.control_mean
    if evidence.fewest < 20 or arm is None or control is None:
        return False
    spread = arm * (1 - arm) / evidence.arm_units + control * (1 - control) / evidence.control_units
    return spread > 0 and (control - arm) / spread**0.5 >= _ORDINARY_Z


def row(words: str, found: list[int | None], bound: int) -> str:
    """Share of runs that stopped, and the median, where half of them did."""
    stopped = [one for one in found if one is not None]
    share = len(stopped) / len(found)
    middle = statistics.median(one if one is not None else bound for one in found)
    return f"| {words} | {share:.1%} | {f'{middle:.0f}' if share > 0.5 else '–'} |"


def exploration(runs: int) -> list[str]:
    """Three bad candidates and a good one: what trying them costs on a tenth of the traffic, and on all of it."""
    candidates, control, batch = (0.4, 0.5, 0.3, 0.8), 0.6, 60
    lines = []
    for words, share, stop in (
        ("10 % of the traffic, harm stops a trial", 0.1, True),
        ("all of the traffic", 1.0, False),
    ):
        requests, on_bad = [], []
        for seed in range(runs):
            rng, came, bad = random.Random(seed), 0, 0
            for quality in candidates:
                evidence, units = Evidence(), 0
                while units < batch:
                    came += 1
                    if share == 1.0:
                        units += 1
                        bad += quality < control
                        continue
                    in_arm = rng.random() < share
                    outcome = float(rng.random() < (quality if in_arm else control))
                    evidence = evidence.with_unit(outcome, in_arm=in_arm, share=share, margins=Margins())
                    units += in_arm
                    bad += in_arm and quality < control
                    if stop and evidence.fewest >= 20 and evidence.harm_e_value >= _NEEDED:
                        break
            requests.append(came)
            on_bad.append(bad)
        lines.append(f"| {words} | {statistics.median(requests):.0f} | {statistics.median(on_bad):.0f} |")
    return lines


def main() -> None:
    """Runs all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    print(f"{runs} runs each\n")
    print("| users until it is taken back | runs in which it was | median users |\n| --- | ---: | ---: |")
    for mean in (0.8, 0.97):
        for share in (0.1, 0.5):
            found = [looked_at(seed, mean, mean, share, 3_000, harm(20)) for seed in range(runs)]
            print(row(f"no difference at {mean:g}, share {share:g} (a false alarm)", found, 3_000), flush=True)
    found = [looked_at(seed, 0.8, 0.8, 0.5, 3_000, ordinary) for seed in range(runs)]
    print(row("the same at 0.8, share 0.5, by a p-value of 0.05 after every user", found, 3_000))
    for arm in (0.7, 0.5):
        for share in (0.1, 0.5):
            found = [looked_at(seed, 0.8, arm, share, 4_000, harm(20)) for seed in range(runs)]
            print(row(f"0.8 falls to {arm:g}, share {share:g}", found, 4_000), flush=True)
    print("\n| users until it is promoted | runs in which it was | median users |\n| --- | ---: | ---: |")
    for words, arm in (
        ("as good as the control at 0.8", 0.8),
        ("better: 0.9", 0.9),
        ("worse by the margin: 0.75", 0.75),
    ):
        found = [looked_at(seed, 0.8, arm, 0.5, 6_000, sound) for seed in range(runs)]
        print(row(f"{words}, share 0.5", found, 6_000), flush=True)
    print("\n| four candidates are tried | requests in all | of them on worse releases |\n| --- | ---: | ---: |")
    print("\n".join(exploration(runs)))


if __name__ == "__main__":
    main()
