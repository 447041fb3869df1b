"""The experiment."""

from examples.experiments.battleship.methods import METHODS
from examples.experiments.frame.experiment import Budget, Experiment, Form

EXPERIMENT = Experiment(
    name="battleship",
    order=6,
    title="Battleship",
    question=(
        "8 by 8 squares, ships of 5, 4, 3, 3 and 2, 32 shots. `reason` says which squares are worth a shot, `act` "
        "takes one; their sources are the parameters. At first they shoot at the same square again and again. A "
        "candidate plays four boards; the best one plays 20 others in the end. New sources are checked, run once in "
        "a process of their own, and then play. `bandit` and `tpe` write nothing: they choose among four and three "
        "functions that are given."
    ),
    score="share of the ships' squares that were hit, the best so far; more is better",
    methods=METHODS,
    budgets={Form.MINUTE: Budget(1, 2), Form.SHORT: Budget(5, 6), Form.FULL: Budget(10, 20)},
    may=(
        "That functions are trained like any other parameter, by choice without a model and by writing with one; how "
        "far choosing among a dozen combinations gets in so many calls; what this model writes, and how much of it "
        "is refused."
    ),
    may_not=(
        "Anything about finding a strategy: those that `bandit` and `tpe` choose among were written by us, the best "
        "one included. Nothing against the paper's curve, whose games end otherwise than ours."
    ),
    paper=(
        "GPT-4, 10 seeds, 20 iterations: about 60 % of the ships' squares are hit; enumeration after two updates, "
        "exploring and exploiting in less than seven; OPRO and an agent that enumerates stay below."
    ),
)
