"""One import for the user: otel_opto names what training adds, and brings it in when it is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

import otel_opto
import otel_opto_train
from otel_opto import training


def test_what_is_named_is_there() -> None:
    for name in training._NAMES:
        assert getattr(otel_opto, name) is getattr(otel_opto_train, name)


def test_what_a_type_checker_sees_is_what_is_there() -> None:
    source = Path(otel_opto.__file__).read_text(encoding="utf-8")
    assert {name for name in training._NAMES if f"import {name} as {name}\n" in source} == training._NAMES


def test_another_name_is_none() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'optoprime'"):
        _ = otel_opto.optoprime  # type: ignore[attr-defined]


def test_without_its_packages_the_extra_is_named() -> None:
    script = (
        "import sys\n"
        "sys.modules['xxhash'] = sys.modules['re2'] = None\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'collector.optimizer.registry': raise ModuleNotFoundError('no', name='pydantic')\n"
        "sys.meta_path.insert(0, Missing())\n"
        "import otel_opto\n"
        "assert not any(name.startswith('collector') for name in sys.modules)\n"
        "try: otel_opto.OptoPrime\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "otel_opto.OptoPrime needs the extra train: pip install 'otel-opto[train]' (pydantic is not installed)\n"
    )


def test_what_can_be_told_an_optimizer_is_said() -> None:
    with pytest.raises(TypeError, match=r"found startup; allowed are .*sampler, seed, startup_trials"):
        otel_opto.Search(startup=3)  # type: ignore[call-arg]


def test_the_named_optimizers_train_what_is_declared() -> None:
    size = otel_opto.parameter("door.size", default=2, minimum=1, maximum=4)
    optimizer = otel_opto.Search([size], seed=1, startup_trials=2)
    for _ in range(5):
        with optimizer.trace() as run:
            run.output(size.value)
        run.backward(float(run.values["door.size"]))  # type: ignore[arg-type]
        step = optimizer.step()
    assert step.finished
    assert optimizer.best.values == {"door.size": 4}
    for asking in (otel_opto.OptoPrime, otel_opto.OPRO, otel_opto.TextGrad):
        with pytest.raises(ValueError, match="option model: found ''"):
            asking([size], model="")
        assert asking([size], model="m", temperature=0.5, options={"max_tokens": 99}).values == {"door.size": 2}


def test_more_folds_than_examples_are_refused() -> None:
    size = otel_opto.parameter("door.folded", default=2, minimum=1, maximum=4)
    with pytest.raises(ValueError, match="folds: found 20, allowed are 6 at most: one for each example"):
        otel_opto.train(lambda _: size.value, range(8), lambda output: 1.0, parameters=[size], folds=20)
