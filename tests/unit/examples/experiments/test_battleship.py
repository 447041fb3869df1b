"""Battleship: the board, the words, and the two functions as parameters."""

import subprocess
import sys
from pathlib import Path

import pytest

from examples.experiments.battleship.board import SIZE, SQUARES, UNKNOWN, Board, placed

ROOT = Path(__file__).parents[4]


def test_ships_have_their_squares_on_the_board_and_a_seed_is_a_board() -> None:
    for number in range(50):
        squares = placed(f"s{number}")
        assert len(squares) == SQUARES == 17
        assert all(0 <= row < SIZE and 0 <= column < SIZE for row, column in squares)
    assert placed("s1") == placed("s1") != placed("s2")


def test_shots_are_told_counted_and_seen() -> None:
    board = Board.of("s1")
    (row, column), empty = min(board.ships), next([0, c] for c in range(SIZE) if (0, c) not in board.ships)
    assert board.shoot([row, column]) == f"[{row}, {column}] is a hit"
    assert board.shoot((row, column)) == f"[{row}, {column}] was shot at before"
    assert board.shoot(empty) == f"{empty} is a miss"
    assert board.shoot([8, 0]) == "[8, 0] is beside the board"
    assert (board.hits, board.shots, board.wasted) == (1, 4, 2)
    board.known[row][column] = UNKNOWN
    assert board.seen[row][column] == "X", "who looks may not change it"


@pytest.mark.parametrize("shot", [None, "ab", [1], [0.5, 1], [1, "2"]])
def test_what_is_no_shot_is_refused_with_what_it_is(shot: object) -> None:
    with pytest.raises(ValueError, match="the shot is"):
        Board.of("s1").shoot(shot)


TRAINED = """
import otel_opto
from examples.experiments.battleship.player import act, played, reason
from examples.experiments.battleship.variants import ACT, REASON

functions = [otel_opto.code_of(reason), otel_opto.code_of(act)]
assert played("a").score < 0.1
with functions[0].override(REASON[0]), functions[1].override(ACT[-1]):
    game = played("a")
assert game.score > 0.5, game
assert "wasted" not in game.said

optimizer = otel_opto.Optimizer(functions, name="bandit", seed=1)
for _ in range(3):
    with optimizer.trace(catch=True) as run:
        game = played("a")
    run.backward((game.score, game.said))
    step = optimizer.step()
    assert set(step.changed) <= {"battleship.reason", "battleship.act"}, step
    assert step.values["battleship.reason"].startswith(("def reason", "\\ndef reason")), step
print(max(attempt.mean or 0.0 for attempt in optimizer.history))
try:
    with functions[0].override("def reason(seen):\\n    while True: pass\\n"):
        pass
except otel_opto.InvalidValue as error:
    print(error)
"""


def test_both_functions_are_parameters_that_choose_and_refuse() -> None:
    done = subprocess.run([sys.executable, "-c", TRAINED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    best, _, refused = done.stdout.partition("\n")
    assert float(best) > 0.2
    assert "its processor time was used up" in refused
