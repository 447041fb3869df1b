"""The experiment."""

from examples.experiments.code_debugging.methods import METHODS
from examples.experiments.frame.experiment import Budget, Experiment, Form

EXPERIMENT = Experiment(
    name="code_debugging",
    order=5,
    title="Code debugging",
    question=(
        "Programs of two functions that have a bug or two, and four or five tests. The sources of both functions are "
        "parameters; feedback is what a test gave and what was wanted, or what the interpreter said, with the line. "
        "New sources are checked as every suggestion is and run in a child process with limits. A seed is one of five "
        "programs, the same one for every method. A run stops where all tests pass."
    ),
    score="the share of tests that pass",
    methods=METHODS,
    budgets={Form.MINUTE: Budget(1, 2), Form.SHORT: Budget(5, 2), Form.FULL: Budget(10, 10)},
    may="Whether a model of this size mends such bugs at all when it is asked in each way, and what that costs.",
    may_not=(
        "Anything about larger programs: five programs that were written for this page, each bug a line long. Beyond "
        "five seeds the programs come again, with other chance. No tests are held back: a function that knew the shown "
        "ones by heart would count as mended; the raw answers are kept."
    ),
    paper="The paper shows code debugging by example only, without figures.",
)
