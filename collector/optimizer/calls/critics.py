"""How many calls of critics a request makes, and how long they are, for who makes them and who counts beforehand."""

from collections.abc import Mapping

from collector.optimizer.options import Option

CRITIC_OPTIONS: Mapping[str, Option] = {
    "examples": Option((int,), 2, "a whole number from 1 to 100", 1, 100),
    "max_edges": Option((int,), 12, "a whole number from 1 to 1000, for each run", 1, 1000),
}
"""Of how many runs, and how many edges of each are criticized at most, by one call each."""

CRITIQUE_CHARS = 600
"""Of a critique, at most."""

VALUE_CHARS = 1_000
"""Of a value that a critic sees, at most."""

PROMPT_CHARS = 3 * VALUE_CHARS + 2 * CRITIQUE_CHARS + 600
"""About what a critic is asked: what a step took and gave, what was said of it, and what that is for."""
