"""The experiment."""

from examples.experiments.frame.experiment import Budget, Experiment, Form
from examples.experiments.prompts.methods import METHODS
from examples.experiments.prompts.tasks import TASKS

EXPERIMENT = Experiment(
    name="prompts",
    order=2,
    title="Prompts",
    question=(
        "The instruction of a model that answers small questions, each with exactly one right answer. It begins with a "
        "vague one; feedback names the answer and the one that was expected. Methods see the training part; the best "
        "two meet on the validation part, and the one that wins is measured once on the test part. A run whose prompt "
        "has every training answer right stops there. Task and optimizer are the same model. Seeds draw other "
        "questions from one pool, and give other chance to the method."
    ),
    score="the share of answers that are exactly right",
    methods=METHODS,
    budgets={Form.MINUTE: Budget(1, 1), Form.SHORT: Budget(5, 4), Form.FULL: Budget(10, 10)},
    problems=tuple(task.name for task in TASKS),
    may=(
        "That the same program runs under each method, and what it costs; whether this model finds the form that is "
        "wanted."
    ),
    may_not=(
        "How the optimizers rank with strong models, and what real tasks would give: the questions are made by chance, "
        "the feedback names the form that is wanted, and worked examples in the optimizers' prompts show what a good "
        "instruction looks like. `edits` draws from a dozen words without the labels: it is a floor, no rival. "
        "COPRO and GEPA have no worked examples, and were made for strong models and more calls than these: that they "
        "find nothing here says nothing against them."
    ),
    paper=(
        "BIG-Bench Hard, GPT-4: 59.5 % for OptoPrime, 55.3 % for DSPy-COPRO, 41.6 % before; word sorting from 0 to "
        "84 %, object counting from 0 to 42 %, web of lies from 0 to 50 % (table 1)."
    ),
    notes={
        "sentiment": "Right is one lowercase word, `positive` or `negative`.",
        "object counting": "Right is the number in digits.",
        "word sorting": "Right are the words with single spaces between.",
        "web of lies": "Right is one lowercase word, `yes` or `no`; guessing gives half.",
    },
)
