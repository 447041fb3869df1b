"""A text that a model wrote by itself, without the words, fences and quotes that models put around it."""

import re
from collections.abc import Callable

from collector.optimizer.answers.reading import THOUGHT_OVER, behind_thoughts
from otel_opto.spec import ParameterSpec, ParameterType

_BLOCK = re.compile(r"^```[^\n]*\n(?P<inside>.*?)^```[^\S\n]*$", re.DOTALL | re.MULTILINE)
_LEAD = re.compile(r"\A[^\n]*:[^\S\n]*\n\s*(?=\S)")
_QUOTES = {'"': '"', "'": "'", "“": "”", "«": "»", "`": "`"}


def read_alone(said: str, spec: ParameterSpec, now: str = "") -> str:
    """The text in an answer that should be nothing else; empty where there is none.

    Taken off are: a thought, a line before it that ends with a colon, the fences of one block, quotes around the whole.

    Args:
        said: The whole answer.
        spec: Of the variable; what its default has at its ends is no wrapping.
        now: The value that the model was shown, the same of it. White space around it is put around the answer, too:
            models leave it out, and a value is not another one by that.
    """
    known = str(spec.default).strip(), now.strip()
    answer = behind_thoughts(said)
    if not any(THOUGHT_OVER.search(value) for value in known):  # some servers leave the opening tag away
        answer = THOUGHT_OVER.split(answer)[-1]
    text = _unwrapped(answer.strip(), spec.type, lambda has: any(map(has, known)))
    if not text or not now.strip():
        return text
    bare, blank = text.strip("\n" if spec.type is ParameterType.CODE else None), now.strip()
    before, _, after = now.partition(blank)
    return f"{before if spec.type is not ParameterType.CODE else ''}{bare}{after}"


def _unwrapped(answer: str, kind: ParameterType, has: Callable[[Callable[[str], bool]], bool]) -> str:
    """Without what stands around it.

    Args:
        has: Whether something is so of a value that the variable had.
    """
    blocks = _BLOCK.findall(answer)
    if len(blocks) == 1 and not has(lambda value: "```" in value):
        inside = str(blocks[0])
        return inside if kind is ParameterType.CODE else inside.strip()
    if kind is ParameterType.CODE:
        return f"{answer}\n" if answer else ""
    if not has(lambda value: bool(_LEAD.match(f"{value}\n"))):
        answer = _LEAD.sub("", answer, count=1)
    closing = _QUOTES.get(answer[:1])
    if closing and len(answer) > 1 and answer[-1] == closing and not has(lambda value: value.startswith(answer[0])):
        inner = answer[1:-1]
        answer = answer if closing in inner and answer[0] != "“" else inner.strip()
    return answer
