"""Prompts within a number of tokens: made, counted, and made again with other room, until they fit."""

from collections.abc import Awaitable, Callable

from collector.core.errors import OptimizerError
from collector.optimizer.calls.llm import Messages
from collector.optimizer.calls.tokens import TokenCounter, length

Asking = Callable[[int], Awaitable[Messages]]
"""Gives what a draft is asked, by its number; further numbers ask for other runs among those judged alike."""

Prompting = Callable[[int, int], Awaitable[Messages]]
"""The same, within so many characters."""

_TRIES = 4
_FIRST_CHARS = 4
"""Characters of a token at the first try; what comes of it says how many they are."""

_MARGIN = 0.97
_ROOMY = 0.85
"""A prompt that was cut and takes less of the budget than this is made again, longer."""


async def fitted_prompt(prompting: Prompting, number: int, tokens: int, most: int, counter: TokenCounter) -> Messages:
    """The longest prompt found that has no more tokens than are allowed.

    Args:
        prompting: Makes it, cut to characters.
        number: Of the draft.
        tokens: Allowed.
        most: Characters that it must not have in any case.
        counter: Of the model that is asked.

    Raises:
        OptimizerError: permanent; what must be shown does not fit.
    """
    room = min(tokens * _FIRST_CHARS, most)
    best: Messages = ()
    for _ in range(_TRIES):
        try:
            messages = await prompting(number, room)
        except OptimizerError as error:
            if best:
                break
            if not error.permanent:
                raise
            raise OptimizerError(
                f"option max_prompt_tokens: {tokens} tokens are about {room} characters here. {error}", permanent=True
            ) from error
        found, chars = await counter.count(messages), length(messages)
        fits = found <= tokens
        if fits and chars > length(best):
            best = messages
        cut = chars > room * _ROOMY
        if fits and (found > tokens * _ROOMY or not cut or room >= most):
            break
        if not fits and best:
            break
        room = min(int(chars * tokens / max(found, 1) * _MARGIN), most)
    if not best:
        raise OptimizerError(
            f"option max_prompt_tokens: found no prompt of {tokens} tokens in {_TRIES} tries, the last one had "
            f"{found}; raise it, or name fewer parameters in the study",
            permanent=True,
        )
    return best
