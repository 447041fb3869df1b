"""The experiment."""

from examples.experiments.frame.experiment import Budget, Experiment, Form
from examples.experiments.retrieval.methods import METHODS

EXPERIMENT = Experiment(
    name="retrieval",
    order=7,
    title="Retrieval, without a model",
    question=(
        "The application of the demo (`examples/retrieval_qa`) has seven parameters: a method, five numbers, a "
        "wording. It is trained in one process: a candidate answers 20 of 83 questions, others for each; the best "
        "one by these answers 84 that were kept apart."
    ),
    score=(
        "mean token F1 of the answers, the best so far; more is better. What was chosen among noisy means looks "
        "better than it is"
    ),
    methods=METHODS,
    budgets={Form.MINUTE: Budget(1, 3), Form.SHORT: Budget(5, 30), Form.FULL: Budget(10, 60)},
    may=("What search and bandit make of this application with so many calls, on questions that nothing went by."),
    may_not=(
        "That one of them is better in general: the bandit has only two of the seven to choose, and of those it has "
        "fewer combinations than calls. The train column is a maximum over noisy means, so the test column counts."
    ),
    paper="Not in the paper.",
)
