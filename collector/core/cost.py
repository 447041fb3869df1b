"""What proposals take: calls, tokens, time, money."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """What a proposal took. Zero where nothing was spent.

    Attributes:
        money: In the unit of the study's own table of prices; 0 where it has none.
        refused: Answers that could be read and that the generator's guards against overfitting refused.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    money: float = 0.0
    refused: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        """Both together."""
        return Cost(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.seconds + other.seconds,
            self.money + other.money,
            self.refused + other.refused,
        )
