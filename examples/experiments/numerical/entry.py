"""The experiment."""

from examples.experiments.frame.experiment import Budget, Experiment, Form
from examples.experiments.numerical.methods import METHODS

EXPERIMENT = Experiment(
    name="numerical",
    order=1,
    title="Numbers by words",
    question=(
        "Two numbers in [-10, 10] go through a random graph of five operations (add, subtract, multiply). Wanted is "
        "the output at two hidden numbers; the feedback says only that the output should be larger, or smaller. Each "
        "seed is another graph, the same one for every method. OptoPrime and OPRO also see the error of what was "
        "tried, as our optimizers always show scores; in the paper they do not, nor does `trace-opt`, the package of "
        "the paper's authors (0.1.3.8), which was given the same model, words and temperature, and 400 tokens for an "
        "answer to our 200. Where a step takes one value twice, it was given a copy, since its backward pass fails "
        "there. Adam's step size is the best of four on 20 other graphs."
    ),
    score="|h(x) - y*| as a share of what it is at the start: 1 there, 0 solved; less is better",
    methods=METHODS,
    budgets={Form.MINUTE: Budget(1, 2), Form.SHORT: Budget(5, 3), Form.FULL: Budget(30, 10)},
    direction="minimize",
    may=(
        "That each method runs through the same interface, what it costs in calls and tokens, and how far it gets with "
        "this model and so few calls."
    ),
    may_not=(
        "How OptoPrime, OPRO and the graph's worth rank with a strong model: a model of half a billion parameters "
        'follows "larger" literally and does not take the sign of an operation into account. Adam has the true '
        "gradient, which is not to be had in the problems that the others are for. Two numbers and one output: what "
        "solves a graph is a whole curve, so that chance comes near it now and then. A method with a smaller n was "
        "not run on the other graphs, for time. Ours asks again where an answer cannot be used or says what was tried "
        'already, shows worked examples, and takes "larger" for an answer, which the program then makes a number by '
        "halving; trace-opt asks once, for a number: look at the tokens beside the scores, and do not take the halving "
        "for the model's own skill."
    ),
    paper=(
        "GPT-4, 30 graphs, 10 steps: OptoPrime about as good as Adam with the best step size; masked trace and OPRO "
        "clearly worse (section 5.1)."
    ),
)
