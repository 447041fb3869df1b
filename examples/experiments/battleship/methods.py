"""What writes, or chooses, the two functions; and players by hand beside them."""

import random
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import otel_opto
from collector.core.span import AnyValue
from examples.experiments.battleship.board import SIZE, SQUARES, Board
from examples.experiments.battleship.player import SHOTS, Game, act, played, reason
from examples.experiments.battleship.variants import ACT, REASON
from examples.experiments.frame.experiment import Form, Method, Setting, Tried
from examples.experiments.frame.stepping import Judged, stepped
from otel_opto.spec import ParameterValue

_WANTED = (
    "Rewrite reason and act so that a game of battleship hits more squares of ships. Ships are straight lines of 5, "
    "4, 3, 3 and 2 squares on 8 by 8; never shoot at a square that is not '.'; after a hit shoot next to it."
)
_TRAINED, _TESTED = 4, 20
"""Games of a candidate, and at the end."""


def _by_optimizer(name: str, options: Mapping[str, AnyValue], setting: Setting) -> Iterator[Tried]:
    optimizer = otel_opto.Optimizer(
        [otel_opto.code_of(reason), otel_opto.code_of(act)], name=name, options=options, metric="hits",
        instruction=_WANTED, seed=setting.seed,
    )  # fmt: skip

    def judged() -> Judged:
        scores, said = [], ""
        for number in range(_TRAINED):
            with optimizer.trace(catch=True) as run:
                game = played(f"train/{setting.seed}/{number}")
            if run.error is not None:
                run.backward()
                return None, traceback.format_exception_only(run.error)[-1].strip()
            run.backward((game.score, game.said))
            scores.append(game.score)
            said = said or game.said
        return sum(scores) / len(scores), said

    yield from stepped(optimizer, judged, setting.calls)
    with optimizer.applied():
        yield _tested(setting, optimizer.best.values, played)


def _by_model(name: str, setting: Setting) -> Iterator[Tried]:
    options: dict[str, AnyValue] = {
        "model": setting.endpoint.name, "base_url": setting.endpoint.address, "temperature": 0.7, "max_tokens": 500,
        "max_prompt_chars": 8_000, "timeout_seconds": 600, "concurrency": 1,
    }  # fmt: skip
    yield from _by_optimizer(name, options, setting)


def _by_hand(play: Callable[[str], Game], values: Mapping[str, ParameterValue], setting: Setting) -> Iterator[Tried]:
    """A player that learns nothing: every call would come to the same."""
    games = [play(f"train/{setting.seed}/{number}") for number in range(_TRAINED)]
    yield Tried(values, sum(game.score for game in games) / _TRAINED, games[0].said)
    yield _tested(setting, values, play)


def _tested(setting: Setting, values: Mapping[str, ParameterValue], play: Callable[[str], Game]) -> Tried:
    count = _TESTED if setting.form is not Form.MINUTE else 2
    scores = [play(f"test/{setting.seed}/{number}").score for number in range(count)]
    return Tried(values, sum(scores) / count, f"mean of {count} other boards", "test")


def _at_random(seed: str) -> Game:
    board, drawn = Board.of(seed), random.Random(f"shots/{seed}")
    for square in drawn.sample([[row, column] for row in range(SIZE) for column in range(SIZE)], SHOTS):
        board.shoot(square)
    return Game(board.hits / SQUARES, "")


def _in_rows(seed: str) -> Game:
    board = Board.of(seed)
    for place in range(SHOTS):
        board.shoot([place // SIZE, place % SIZE])
    return Game(board.hits / SQUARES, "")


def _hunting(seed: str) -> Game:
    with otel_opto.code_of(reason).override(REASON[0]), otel_opto.code_of(act).override(ACT[-1]):
        return played(seed)


METHODS = (
    Method("optoprime", "both functions, every call of them, games in words", partial(_by_model, "optoprime"), "model"),
    Method("opro", "both functions, scores, games in words", partial(_by_model, "opro"), "model"),
    Method("bandit", "scores; chooses among four and three functions by hand", partial(_by_optimizer, "bandit", {})),
    Method("tpe", "the same by search", partial(_by_optimizer, "search", {"startup_trials": 4})),
    Method("random shots", "nothing; never the same square twice", partial(_by_hand, _at_random, {})),
    Method("row by row", "nothing", partial(_by_hand, _in_rows, {})),
    Method("by hand", "where most room is, then along hits", partial(_by_hand, _hunting, {})),
)
