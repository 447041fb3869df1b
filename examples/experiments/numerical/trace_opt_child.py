"""Trace's own OptoPrime on a graph; for a Python that has the package ``trace-opt``: imports nothing of ours.

Read is a line of JSON that says the problem. Then a line is written for each candidate, its inputs, and one is read
that says the feedback; so whoever started it measures. A step is one call of the model, as the package makes it.
"""

import json
import sys
import urllib.request
from types import SimpleNamespace
from typing import Any

_TIMEOUT_SECONDS = 600


class Endpoint:
    """A model as trace-opt calls one: keyword arguments of a chat completion in, attributes out.

    Args:
        address: An OpenAI-compatible base URL.
        model: Its name there.
        seed: Of the first call; each further one has the next.
        warmth: The temperature.
    """

    def __init__(self, address: str, model: str, seed: int, warmth: float) -> None:
        self._address, self._model, self._seed, self._warmth = address, model, seed, warmth

    def __call__(self, **asked: Any) -> Any:
        """One call."""
        self._seed += 1
        body = {"model": self._model, "seed": self._seed, "temperature": self._warmth, **asked}
        sent = urllib.request.Request(  # noqa: S310 - the address that it was given
            f"{self._address}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(sent, timeout=_TIMEOUT_SECONDS) as answered:  # noqa: S310
            text = json.load(answered)["choices"][0]["message"]["content"] or ""
        return SimpleNamespace(choices=[SimpleNamespace(message=SimpleNamespace(content=text))])


def add(a: Any, b: Any) -> Any:
    """The sum."""
    return a + b


def subtract(a: Any, b: Any) -> Any:
    """The difference a - b."""
    return a - b


def multiply(a: Any, b: Any) -> Any:
    """The product."""
    return a * b


def same(a: Any) -> Any:
    """The value itself."""
    return a


def main() -> None:
    """Until the candidates are used up."""
    told, sys.stdout = sys.stdout, sys.stderr  # the package prints when it is imported
    from opto import trace  # noqa: PLC0415 - of the other Python
    from opto.optimizers import OptoPrime  # noqa: PLC0415

    said = json.loads(sys.stdin.readline())
    operations = {
        function.__name__: trace.bundle(f"[{function.__name__}] {function.__doc__}")(function)
        for function in (add, subtract, multiply, same)
    }
    bounds = f"a number from {said['lowest']:g} to {said['highest']:g}"
    inputs = [
        trace.node(value, name=key, trainable=True, constraint=bounds)
        for key, value in zip(said["keys"], said["start"], strict=True)
    ]
    model = Endpoint(said["address"], said["model"], said["seed"], said["warmth"])
    optimizer = OptoPrime(
        inputs, llm=model, objective=f"{OptoPrime.default_objective} {said['wanted']}", max_tokens=said["most"],
        memory_size=said["calls"],
    )  # fmt: skip
    for call in range(said["calls"] + 1):
        values = [*inputs, *(trace.node(value) for value in said["constants"])]
        for operation, left, right in said["steps"]:
            # The package's backward pass fails where a step takes one value twice.
            other = values[right] if right != left else operations["same"](values[left])
            values.append(operations[operation](values[left], other))
        told.write(json.dumps([one.data for one in inputs]) + "\n")
        told.flush()
        feedback = sys.stdin.readline()
        if not feedback or call == said["calls"]:
            return
        optimizer.zero_feedback()
        optimizer.backward(values[-1], json.loads(feedback))
        optimizer.step()


if __name__ == "__main__":
    main()
