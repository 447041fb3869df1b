"""The experiment."""

from examples.experiments.frame.experiment import Budget, Experiment, Form
from examples.experiments.robot.methods import METHODS

EXPERIMENT = Experiment(
    name="robot",
    order=4,
    title="Robot controller",
    question=(
        "A hand and a puck on a table, simulated by MuJoCo: reach a place, or push the puck to one, in 50 decisions. "
        "OptoPrime and OPRO write the controller's source, which at first stands still, by what rollouts are said to "
        "have come to; the searches have a controller by hand and look for its three constants. A candidate has "
        "three starts; the best one has ten others in the end."
    ),
    score=(
        "part of the way to the goal, 1 where it is reached within 3 cm, at most 0.9 elsewhere, the best so far; "
        "more is better"
    ),
    methods=METHODS,
    budgets={Form.MINUTE: Budget(1, 2), Form.SHORT: Budget(5, 10), Form.FULL: Budget(10, 30)},
    problems=("reach", "push"),
    may=(
        "What search makes of the constants of a controller whose structure is given, and what this model writes where "
        "nothing is given."
    ),
    may_not=(
        "That searching is better than writing, or the other way round: the searches begin with a structure that "
        "knows how to push. Nothing about Meta-World: this table is flat, and the hand has no arm."
    ),
    paper=(
        "GPT-4, Meta-World's Reach, Pick-place and Push, 30 iterations: OptoPrime with memory is best on all three; a "
        "seed's success is near 0 or 1; words on the task were needed."
    ),
)
