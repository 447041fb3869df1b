"""Worked examples, as turns of the conversation before the question: chosen by what the variables are.

A model that sees one solved problem of the same form answers in that form. What an example is about must not leak into
an answer: each says which of its words have no business in another task's value.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from collector.optimizer.answers.moves import KEEP, LARGER, SMALLER
from collector.optimizer.instance.alone import value_now
from otel_opto.spec import ParameterSpec, ParameterType

_NUMBER, _TEXT, _CHOICE, _CODE = "number", "text", "choice", "code"
_FAMILY = {
    ParameterType.INTEGER: _NUMBER,
    ParameterType.FLOAT: _NUMBER,
    ParameterType.TEXT: _TEXT,
    ParameterType.JSON: _TEXT,
    ParameterType.CHOICE: _CHOICE,
    ParameterType.BOOLEAN: _CHOICE,
    ParameterType.CODE: _CODE,
}
MOST = 4


@dataclass(frozen=True, slots=True)
class Worked:
    """A solved problem.

    Attributes:
        family: Of the variables that it is about.
        variables: The lines under #Variables.
        run: The lines of the one run that is shown.
        reasoning: Why.
        suggestion: The answer.
        own: Words of its task that no answer to another one needs.
        tried: The lines under #Tried; empty for none.
        now: The value of its only variable, where that is a text or code.
        apart: It is shown only where a text is asked for by itself: beside two others in the form of objects it made
            small models say one thing again and again.
    """

    family: str
    variables: str
    run: str
    reasoning: str
    suggestion: Mapping[str, object]
    own: frozenset[str] = frozenset()
    tried: str = ""
    now: str = ""
    apart: bool = False

    def turns(self) -> Sequence[Mapping[str, str]]:
        """What was asked, and what was answered."""
        tried = f"#Tried\n{self.tried}\n\n" if self.tried else ""
        asked = f"#Variables\n{self.variables}\n\n{tried}#Runs\n<run>\n{self.run}\n</run>"
        answer = json.dumps({"reasoning": self.reasoning, "suggestion": self.suggestion}, ensure_ascii=False)
        return ({"role": "user", "content": asked}, {"role": "assistant", "content": answer})

    def turns_alone(self, *, shown: bool = True) -> Sequence[Mapping[str, str]]:
        """The same of its only variable, with nothing around the new value; its value before it may be left out."""
        (answer,) = self.suggestion.values()
        told = f"{value_now(self.now) if shown else ''}<run>\n{self.run}\n</run>"
        return ({"role": "user", "content": told}, {"role": "assistant", "content": str(answer).strip()})


_LIMITED = "a text of at most 500 characters"
_COUNTED, _TOLD = "How many words are in the text?", "Tell me about the question."
_SEEN = "Which colour is it? Answer with exactly 'red' and nothing else."
_TAXED = "def tax(price):\n    return price * 0.1\n"
_WORKED = (
    Worked(
        _TEXT,
        f"prompt = {json.dumps(_COUNTED)} ({_LIMITED})",
        'input text = "a red car"\noutput = "There are three words in the text."\n'
        "feedback: score 0, \"wrong: the answer was 'There are three words in the text.', expected exactly '3'\"",
        "Only the number is accepted as an answer, so the prompt has to say so.",
        {"prompt": "How many words are in the text? Answer with the number alone, as '3', and nothing else."},
        frozenset({"number", "digit", "words", "3"}),
        now=_COUNTED,
    ),
    Worked(
        _TEXT,
        f"prompt = {json.dumps(_TOLD)} ({_LIMITED})",
        'input text = "Is it late?"\noutput = "The question asks for the time."\n'
        "feedback: score 0, \"wrong: the answer was 'The question asks for the time.', expected exactly 'yes'\"\n"
        '</run>\n<run>\ninput text = "Who are you?"\noutput = "I am an assistant."\n'
        "feedback: score 0, \"wrong: the answer was 'I am an assistant.', expected exactly 'no'\"",
        "Only yes or no is accepted as an answer, so the prompt has to name both.",
        {"prompt": "Can the question be answered with yes or no? Answer with exactly 'yes' or 'no' and nothing else."},
        frozenset({"question", "yes", "no"}),
        now=_TOLD,
    ),
    Worked(
        _TEXT,
        f"prompt = {json.dumps(_SEEN)} ({_LIMITED})",
        'input text = "the sky at noon"\noutput = "red"\n'
        "feedback: score 0, \"wrong: the answer was 'red', expected exactly 'blue'\"\n"
        '</run>\n<run>\ninput text = "deep water"\noutput = "red"\n'
        "feedback: score 0, \"wrong: the answer was 'red', expected exactly 'blue'\"",
        "The prompt names one of the answers only, so it has to name the other one beside it.",
        {"prompt": "Which colour is it? Answer with exactly 'red' or 'blue' and nothing else."},
        frozenset({"colour", "red", "blue"}),
        now=_SEEN,
        apart=True,
    ),
    Worked(
        _NUMBER,
        "depth = 4 (a finite number from 0 to 40)\nrate = 0.9 (a finite number from 0 to 1)",
        'output = "depth 4, rate 0.9"\nfeedback: score -9, "depth is too small; rate is too large"',
        "depth is too small, so it should be larger. rate is too large, so it should be smaller.",
        {"depth": LARGER, "rate": SMALLER},
    ),
    Worked(
        _NUMBER,
        "height = 3 (a finite number from 0 to 9)\nweight = 70 (a finite number from 0 to 100)",
        'output = "height 3, weight 70"\nfeedback: score -5, "height is right; weight is too small"',
        "height is right, so it is kept. weight is too small, so it should be larger.",
        {"height": KEEP, "weight": LARGER},
        tried='score -9: height = 1, weight = 60; feedback "height is too small; weight is too small"',
    ),
    Worked(
        _NUMBER,
        "speed = 8 (a finite number from 0 to 9)\nturns = 70 (a whole number from 0 to 100)",
        'output = "speed 8, turns 70"\nfeedback: score -7, "speed is too large; turns is too large"',
        "speed is too large, so it should be smaller. turns is too large, so it should be smaller.",
        {"speed": SMALLER, "turns": SMALLER},
    ),
    Worked(
        _NUMBER,
        "length = 2 (a finite number from 0 to 9)\nwidth = 20 (a finite number from 0 to 100)",
        'output = "length 2, width 20"\nfeedback: score -2, "length is too small; width is right"',
        "length is too small, so it should be larger. width is right, so it is kept.",
        {"length": LARGER, "width": KEEP},
        tried='score -5: length = 9, width = 40; feedback "length is too large; width is too large"\n'
        'score -4: length = 7, width = 30; feedback "length is too large; width is too large"',
    ),
    Worked(
        _CHOICE,
        "order = \"oldest\" (one of 'oldest', 'newest')\nshort = false (true or false)",
        'output = "a letter of 1970, in full"\nfeedback: score 0, "out of date, and far too long"',
        "The feedback wants what is up to date and short, so order is newest and short is true.",
        {"order": "newest", "short": True},
    ),
    Worked(
        _CODE,
        f"tax = {json.dumps(_TAXED)} (a function tax(price))",
        'input price = -5\noutput tax = -0.5\nfeedback: score 0, "a negative price has no tax, expected 0"',
        "The function has to treat a negative price by itself.",
        {"tax": "def tax(price):\n    if price < 0:\n        return 0\n    return price * 0.1\n"},
        frozenset({"tax", "price"}),
        now=_TAXED,
    ),
)


def worked_for(parameters: Sequence[ParameterSpec], most: int = MOST) -> Sequence[Worked]:
    """All of the one kind of variable that there is, else two of each kind, most common first; so many at most."""
    families = [_FAMILY[spec.type] for spec in parameters]
    wanted = sorted(set(families), key=lambda family: (-families.count(family), family))
    each = MOST if len(wanted) == 1 else 2
    known = [one for one in _WORKED if not one.apart]
    chosen = [worked for family in wanted for worked in [one for one in known if one.family == family][:each]]
    return chosen[:most]


def worked_alone(spec: ParameterSpec, most: int, draft: int) -> Sequence[Worked]:
    """Those about one text or code, so many at most; each draft has another one last, which counts most."""
    known = [one for one in _WORKED if one.family == _FAMILY[spec.type] and one.now][:most]
    turned = (draft - 1) % len(known) if known else 0
    return [*known[turned:], *known[:turned]]


def leaked(text: str, known: str, examples: Collection[Worked]) -> Sequence[str]:
    """The words of examples that stand in a text though nothing of the task itself has them."""
    said, task = _words(text), _words(known)
    return sorted({word for example in examples for word in example.own if word in said and word not in task})


def _words(text: str) -> frozenset[str]:
    kept = "".join(char if char.isalnum() else " " for char in text.casefold())
    return frozenset(kept.split())
