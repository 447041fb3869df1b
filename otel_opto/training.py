"""The door to training in one process: it lies in a package of its own, which an application does not need."""

import importlib

_PACKAGE = "otel_opto_train"
_NAMES = frozenset(
    {
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
        "TextGrad",
        "TraceOracle",
        "TrainingError",
        "always",
        "better",
        "stored_examples",
        "train",
    }
)
"""What `otel_opto` offers of it."""


def found(name: str) -> object:
    """What `otel_opto` has under a name that is not its own.

    Raises:
        AttributeError: nothing has that name.
        ImportError: it is there, and the packages that it needs are not; says which extra brings them.
    """
    if name not in _NAMES:
        raise AttributeError(f"module 'otel_opto' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_PACKAGE), name)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"otel_opto.{name} needs the extra train: pip install 'otel-opto[train]' ({error.name} is not installed)",
            name=error.name,
        ) from error
