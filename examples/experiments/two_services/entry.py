"""The experiment."""

from examples.experiments.frame.experiment import Budget, Experiment, Form
from examples.experiments.two_services.methods import METHODS

EXPERIMENT = Experiment(
    name="two_services",
    order=8,
    title="Two services, late feedback",
    question=(
        "The same application cut in two: a service that finds passages and one that answers, in two processes with "
        "HTTP between them, beside a real collector over OTLP. Users ask the second one at a steady rate; what an "
        "answer was worth is said later, to neither of them but to the collector, by the answer's handle. A study "
        "for each service tries candidates on all traffic, both at a time on the same requests, releases what fresh "
        "requests show to be better, and the services apply it while they run."
    ),
    score=(
        "mean token F1 of the answers, before and after the studies, on the 83 questions that users ask; test: "
        "after, on 84 that nobody asked; more is better"
    ),
    methods=METHODS,
    budgets={Form.MINUTE: Budget(1, 1), Form.SHORT: Budget(5, 1), Form.FULL: Budget(5, 1)},
    may=(
        "That parameters of a service which never sees feedback, nor the user, are learnt from one score at the edge "
        "that comes when the request is long over, and what that adds to what the edge's own process could have "
        "learnt."
    ),
    may_not=(
        "How fast it is elsewhere: requests are cheap here, and the gain is large. Seconds are mostly waiting for "
        "feedback, which is 20 s late in the form `short` and three minutes in `full`. `both` tries four candidates "
        "for each service, and so twice as many as `edge only`."
    ),
    notes={"": "With the services' own values, before: 0.205 on the users' questions, 0.215 on those kept apart."},
    paper="Not in the paper, which names distributed workflows among what it cannot do.",
)
