"""Runs the tests again and again, beside a collector whose study changes the function."""

import argparse
import itertools
import sys
import time
from collections.abc import Sequence

import otel_opto
from examples.code_debugging.durations import CASES, seconds, tried


def main(arguments: Sequence[str]) -> int:
    """0 once every test passes, 1 if that did not happen in time."""
    parser = argparse.ArgumentParser(prog="python -m examples.code_debugging", description=__doc__)
    parser.add_argument("--endpoint", help="the collector's gRPC address")
    parser.add_argument("--cache-dir", help="keeps the last release")
    parser.add_argument("--seconds", type=float, default=600.0, help="ends after that time")
    said = parser.parse_args(arguments)
    otel_opto.configure(
        service_name="debugging",
        endpoint=said.endpoint,
        cache_dir=said.cache_dir,
        allow_code="unsigned",  # this program has nothing to lose, and the collector is on this machine
        wait_seconds=10.0,
    )
    source, deadline, seen = otel_opto.code_of(seconds), time.monotonic() + said.seconds, -1
    try:
        for run in itertools.takewhile(lambda _: time.monotonic() < deadline, itertools.count()):
            with otel_opto.targeting_key(f"run {run}"):  # all its tests meet the same source
                passed = sum(tried(text, wanted) for text, wanted in CASES)
                resolved = source.resolve()
            number = resolved.release or 0
            if number != seen:
                print(f"release {number}: {passed} of {len(CASES)} tests pass", flush=True)
                seen = number
            if passed == len(CASES):
                print(resolved.value)
                return 0
            time.sleep(0.2)
        return 1
    finally:
        otel_opto.shutdown()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
