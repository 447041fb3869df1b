"""The package ``trace-opt``: imported when it is used, since it brings some seventy others and takes seconds."""

import importlib.util
import os
import sys
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

from collector.core.errors import OptimizerError

MISSING = "the optimizer trace_opt needs the package trace-opt: pip install 'otel-opto[trace,llm]'"
ALGORITHMS = {"optoprime": "OptoPrime", "opro": "OPRO", "textgrad": "TextGrad"}
"""What a study calls them, and their classes in ``opto.optimizers``."""


@dataclass(frozen=True, slots=True)
class Package:
    """What is used of it: the module ``opto.trace.nodes``, and ``opto.optimizers``."""

    nodes: Any
    optimizers: Any


def installed() -> bool:
    """Whether it is there; nothing is imported."""
    return importlib.util.find_spec("opto") is not None


def package() -> Package:
    """The package.

    Raises:
        OptimizerError: permanent; it is not installed.
    """
    # LiteLLM, which it imports and which is never asked here, would else fetch a list of prices from the network.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        # At import it warns, and prints which client of models it would take.
        with warnings.catch_warnings(), redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            from opto import optimizers  # noqa: PLC0415 - an extra
            from opto.trace import nodes  # noqa: PLC0415
    except ImportError as error:
        raise OptimizerError(f"{MISSING} ({error})", permanent=True) from error
    return Package(nodes, optimizers)
