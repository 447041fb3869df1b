"""A text that a model wrote by itself, without the words, fences and quotes that models put around it."""

import re

from collector.optimizer.answers.reading import behind_thoughts
from otel_opto.spec import ParameterSpec, ParameterType

_BLOCK = re.compile(r"^```[^\n]*\n(?P<inside>.*?)^```[^\S\n]*$", re.DOTALL | re.MULTILINE)
_LEAD = re.compile(r"\A[^\n]*:[^\S\n]*\n\s*(?=\S)")
_QUOTES = {'"': '"', "'": "'", "“": "”", "«": "»", "`": "`"}


def read_alone(said: str, spec: ParameterSpec) -> str:
    """The text in an answer that should be nothing else; empty where there is none.

    Taken off are: a thought, a line before it that ends with a colon, the fences of one block, quotes around the whole.

    Args:
        said: The whole answer.
        spec: Of the variable; what its default has at its ends is kept.
    """
    answer = behind_thoughts(said).strip()
    default = str(spec.default).strip()
    blocks = _BLOCK.findall(answer)
    if len(blocks) == 1 and "```" not in default:
        inside = str(blocks[0])
        return inside if spec.type is ParameterType.CODE else inside.strip()
    if spec.type is ParameterType.CODE:
        return f"{answer}\n" if answer else ""
    if not _LEAD.match(f"{default}\n"):
        answer = _LEAD.sub("", answer, count=1)
    closing = _QUOTES.get(answer[:1])
    if closing and len(answer) > 1 and answer[-1] == closing and not default.startswith(answer[0]):
        inner = answer[1:-1]
        answer = answer if closing in inner and answer[0] != "“" else inner.strip()
    return answer
