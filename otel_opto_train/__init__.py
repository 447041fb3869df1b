"""Training in one process: the optimizers and the graph of the collector on the spans of the SDK, without a server.

It stands on both packages, so that neither knows of it: `otel_opto` names what is here and imports it when it is asked
for, so that an application goes on needing the SDK only (docs/adr/016).
"""

from collector.core.problem import Objective, Problem, TraceOracle, black_box
from otel_opto_train.course import always, better
from otel_opto_train.judgement import InvalidJudgement, Judgement
from otel_opto_train.optimizers import OPRO, Optimizer, OptoPrime, Search, TextGrad
from otel_opto_train.run import Run, StrayValue
from otel_opto_train.stepping import NothingJudged, Step
from otel_opto_train.trainer.examples import Example, InvalidDataset
from otel_opto_train.trainer.report import Report
from otel_opto_train.trainer.stored import Past, stored_examples
from otel_opto_train.trainer.train import train
from otel_opto_train.trainer.training import TrainingError

__all__ = [
    "OPRO",
    "Example",
    "InvalidDataset",
    "InvalidJudgement",
    "Judgement",
    "NothingJudged",
    "Objective",
    "Optimizer",
    "OptoPrime",
    "Past",
    "Problem",
    "Report",
    "Run",
    "Search",
    "Step",
    "StrayValue",
    "TextGrad",
    "TraceOracle",
    "TrainingError",
    "always",
    "better",
    "black_box",
    "stored_examples",
    "train",
]
