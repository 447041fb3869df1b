"""What mends the functions."""

import ast
import random
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import otel_opto
from examples.experiments.code_debugging.bugs import bug
from examples.experiments.code_debugging.program import CodeFailed, Program, traced
from examples.experiments.frame.experiment import Method, Setting, Tried
from examples.experiments.frame.stepping import Judged, stepped, until
from otel_opto.spec import InvalidValue

if TYPE_CHECKING:
    from collector.core.span import AnyValue

_MOST_TOKENS = 300


def by_optimizer(setting: Setting, *, masked: bool = False) -> Generator[Tried, None, None]:
    """OptoPrime, step by step; a run is one case. Masked, a run is one operation on both sources."""
    program = Program.of(bug(setting.seed))
    options: dict[str, AnyValue] = {
        "model": setting.endpoint.name, "base_url": setting.endpoint.address, "temperature": 0.7,
        "max_tokens": _MOST_TOKENS, "max_prompt_chars": 9_000, "timeout_seconds": 600, "concurrency": 1, "examples": 2,
    }  # fmt: skip
    optimizer = otel_opto.Optimizer(
        [program.first, program.second], name="optoprime", options=options, metric="passed", seed=setting.seed,
        instruction=f"Mend the functions. The program: {program.bug.wanted}",
    )  # fmt: skip

    def judged() -> Judged:
        outcomes = program.outcomes(optimizer.values)
        score, said = program.judged(outcomes)
        for case, outcome, (own, words) in zip(program.bug.cases, outcomes, said, strict=True):
            with optimizer.trace(catch=True) as run:
                if not masked:
                    run.output(traced(program, case[0], outcome))
                else:
                    assert program.first.value
                    assert program.second.value
                    run.output(outcome.found)
            if run.error is not None and not isinstance(run.error, CodeFailed):
                raise run.error
            run.backward((own, words))
        return score, _first_fault(said)

    yield from stepped(optimizer, judged, setting.calls)


def _first_fault(said: Sequence[tuple[float, str]]) -> str:
    return next((words for score, words in said if not score), "all pass")


def _candidate(program: Program, sources: Mapping[str, Any]) -> Tried:
    """Sources that are checked as any suggestion is, and tried."""
    try:
        for parameter in (program.first, program.second):
            parameter.spec.validate(sources[parameter.spec.key])
    except InvalidValue as error:
        return Tried(sources, None, f"refused: {error}")
    score, said = program.judged(program.outcomes(sources))
    return Tried(sources, score, _first_fault(said))


_RULES = (
    "You mend Python functions. You are shown the program and a test that fails. Answer with all functions, mended, in "
    "one block of code, and nothing else. Keep the names and the parameters."
)


def by_asking(setting: Setting) -> Generator[Tried, None, None]:
    """The plain loop: both sources and the first test that fails; no values between, no history, no graph."""
    program = Program.of(bug(setting.seed))
    best = _candidate(program, program.sources)
    yield best
    for call in range(1, setting.calls + 1):
        code = "\n\n".join(str(source) for source in best.values.values())
        asked = f"{program.bug.wanted}\n\n```python\n{code}\n```\n\nA test: {best.said}"
        messages = [{"role": "system", "content": _RULES}, {"role": "user", "content": asked}]
        warmth = 0.0 if call == 1 else 0.7
        said = setting.endpoint.advice(messages, most=2 * _MOST_TOKENS, seed=100 * setting.seed + call, warmth=warmth)
        found = _candidate(program, {**best.values, **_functions(said, program)})
        if found.values == best.values:
            yield Tried({}, None, "nothing new: no function that could be read, or the same ones")
            continue
        yield found
        if found.score is not None and found.score > (best.score or 0.0):
            best = found


def _functions(said: str, program: Program) -> Mapping[str, str]:
    """The functions in an answer, by parameter."""
    blocks = re.findall(r"```(?:python)?\n(.*?)(?:```|\Z)", said, re.DOTALL) or [said]
    keys = {parameter.spec.key.rpartition(".")[2]: parameter.spec.key for parameter in (program.first, program.second)}
    found = {}
    for block in blocks:
        try:
            tree = ast.parse(block)
        except (SyntaxError, ValueError):
            continue
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name in keys:
                found[keys[node.name]] = ast.unparse(node) + "\n"
    return found


def by_mutation(setting: Setting) -> Generator[Tried, None, None]:
    """Random small changes of the best sources so far; no model."""
    program = Program.of(bug(setting.seed))
    chance = random.Random(f"mutation/{setting.seed}")
    best = _candidate(program, program.sources)
    yield best
    for _ in range(setting.calls):
        key = chance.choice(list(best.values))
        found = _candidate(program, {**best.values, key: mutated(str(best.values[key]), chance)})
        yield found
        if found.score is not None and found.score >= (best.score or 0.0):
            best = found


_SWAPS: Mapping[type[ast.AST], Sequence[type[ast.AST]]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Add, ast.FloorDiv), ast.FloorDiv: (ast.Mult, ast.Mod),
    ast.Mod: (ast.FloorDiv,), ast.Lt: (ast.LtE, ast.Gt), ast.Gt: (ast.GtE, ast.Lt), ast.NotIn: (ast.In,),
}  # fmt: skip


def mutated(source: str, chance: random.Random) -> str:
    """One number, operator or comparison changed."""
    tree = ast.parse(source)
    places = [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and type(node.value) is int)
        or (isinstance(node, ast.BinOp) and type(node.op) in _SWAPS)
        or (isinstance(node, ast.Compare) and type(node.ops[0]) in _SWAPS)
    ]
    if not places:
        return source
    node = chance.choice(places)
    if isinstance(node, ast.Constant):
        node.value = int(str(node.value)) + chance.choice((-1, 1, -40, 40))
    elif isinstance(node, ast.BinOp):
        node.op = _other(node.op, chance)
    elif isinstance(node, ast.Compare):
        node.ops[0] = _other(node.ops[0], chance)
    return ast.unparse(tree) + "\n"


def _other(operator: Any, chance: random.Random) -> Any:
    return chance.choice(_SWAPS[type(operator)])()


def _until_mended(method: Callable[[Setting], Generator[Tried, None, None]]) -> Callable[[Setting], Iterator[Tried]]:
    return lambda setting: until(1.0, method(setting))


METHODS = (
    Method(
        "optoprime",
        "runs with the values between the functions, exceptions, what was tried",
        _until_mended(by_optimizer),
        "model",
    ),
    Method("masked", "OptoPrime with the graph withheld", _until_mended(partial(by_optimizer, masked=True)), "model"),
    Method(
        "asking",
        "asks again with both sources and the first test that fails; no graph",
        _until_mended(by_asking),
        "model",
    ),
    Method("mutation", "random small changes of numbers and operators; no model", _until_mended(by_mutation)),
)
