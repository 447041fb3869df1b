"""The player: two trainable functions, and games with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import otel_opto
from examples.experiments.battleship.board import SQUARES, Board, Seen
from examples.experiments.battleship.variants import ACT, REASON
from otel_opto.code.process import Call, Limits, evaluate

SHOTS = 32
"""In a game: half as many as there are squares, so that random shots hit half of the ships' squares."""

_LIMITS = Limits(seconds=60.0, cpu_seconds=5)
_TOLD = 6


def _empty() -> Seen:
    return Board.of("").known


def reason_ends(function: Callable[..., object]) -> str:
    """Tried in a process of its own before it runs in this one: it may be wrong, and may not hang or kill."""
    return evaluate(function, [Call((_empty(),))], limits=_LIMITS).ended


def act_ends(function: Callable[..., object]) -> str:
    """The same of the other function."""
    return evaluate(function, [Call((_empty(), [[0, 0], [3, 4]]))], limits=_LIMITS).ended


@otel_opto.node(
    trainable=otel_opto.Trainable(
        key="battleship.reason",
        constraint=reason_ends,
        candidates=REASON,
        description=(
            "where a ship may be: [row, column] pairs; seen is 8 rows of 8 texts, '.' unknown, 'X' a hit, 'O' a miss"
        ),
        fallback=False,
    )
)
def reason(seen: list[list[str]]) -> list[list[int]]:
    """The places that are worth a shot."""
    return [[row, column] for row in range(len(seen)) for column in range(len(seen))]


@otel_opto.node(
    trainable=otel_opto.Trainable(
        key="battleship.act",
        constraint=act_ends,
        candidates=ACT,
        description="which of the places to shoot at: one pair [row, column], of whole numbers from 0 to 7",
        fallback=False,
    )
)
def act(seen: list[list[str]], places: list[list[int]]) -> list[int]:
    """One of the places."""
    return places[0] if places else [0, 0]


@dataclass(frozen=True, slots=True)
class Game:
    """How a game went.

    Attributes:
        score: Share of the ships' squares that were hit.
        said: In words.
    """

    score: float
    said: str


def played(seed: str) -> Game:
    """One game with the functions in force.

    Raises:
        Exception: whatever they raise; or ValueError, because the shot is none.
    """
    board = Board.of(seed)
    with otel_opto.start_node("game", {"shots": SHOTS}) as node:
        told = [board.shoot(act(board.known, reason(board.known))) for _ in range(SHOTS)]
        node.output({"hits": board.hits, "wasted": board.wasted})
    return Game(board.hits / SQUARES, _words(board, told))


def _words(board: Board, told: Sequence[str]) -> str:
    wasted = f" {board.wasted} shots were wasted: beside the board, or where one was before." if board.wasted else ""
    first = "; ".join(told[:_TOLD])
    return f"{board.hits} of {SQUARES} squares of ships were hit with {board.shots} shots.{wasted} The first: {first}."
