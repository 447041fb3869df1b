"""The experiment."""

from examples.experiments.frame.experiment import Budget, Experiment, Form
from examples.experiments.traffic.methods import METHODS

EXPERIMENT = Experiment(
    name="traffic",
    order=3,
    title="Signal timing",
    question=(
        "Two roads cross; UXsim simulates half an hour of their traffic. Two whole numbers, the seconds of green of "
        "either road (15 to 90, at first 60 and 60), are to be such that vehicles lose as little time as possible. "
        "After each green nobody goes for 5 s, so neither the shortest nor the longest cycle is best. Each seed is "
        "another crossing, the same one for every method. `gp` and `pso` are a few lines of our own, `scats-like` is "
        "control in the manner of SCATS: it looks at each cycle's traffic, which the others do not, and never tries "
        "plans."
    ),
    score="mean seconds that a vehicle lost, the best so far; less is better. Test: the best plan on three other days",
    methods=METHODS,
    budgets={Form.MINUTE: Budget(1, 3), Form.SHORT: Budget(5, 15), Form.FULL: Budget(5, 50)},
    direction="minimize",
    may=(
        "How fast each search gets to a good plan on this family of crossings, and how near a fixed plan comes to "
        "control on the spot."
    ),
    may_not=(
        "That one search is better than another elsewhere: the space has two dimensions and 5,776 points, and one "
        "valley. Nothing about the real SCATS, of which this is an imitation in 80 lines; its best is its luckiest "
        "half hour, since it tries no plans: look at the test."
    ),
    paper=(
        "GPT-4, one crossing in UXsim, 50 iterations: OptoPrime with memory reaches SCATS quickly; OPRO does not; GP "
        "and PSO had not converged by then."
    ),
)
