"""Prompts as parameters: system messages and templates, under keys that stay the same from run to run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from collector.core.wildcard import fits
from collector.graph.reading.facts import Facts, ParameterUse, Role
from collector.graph.spans.trace import Trace
from collector.graph.texts import plain, texts

MIN_WORDS: Final = 5
"""Of the application's own in a message. With fewer it is labels around values: ``Question: … Notes: …``."""

MIN_HOLE: Final = 8
"""Characters of a caller's input that is taken for a field."""

MIN_LITERAL_WORDS: Final = 2
"""Fewer words between the inputs of a filled-in prompt make no template."""

MAX_UP: Final = 8
"""So many operations around one are looked at."""

MAX_LENGTH: Final = 20_000
"""Characters of a message that is looked at."""

MAX_NAME: Final = 64
"""Characters of a field's name."""

MAX_TEMPLATES: Final = 64

FIELD: Final = re.compile(r"\{%[^{}\n]*%\}|\{\{[^{}\n]*\}\}|\{[\w.\[\]!:]*\}|%\(\w+\)s")
"""Of a template, in any style."""

_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_VALUE: Final = re.compile(r"\{[^{}]*\}|^\|.*$|^[^\w\n]*+\w++(?: \w++){0,2}+(?::[ \n]| = ).*$", re.MULTILINE)
"""A field, a row of a table, or a line with a label of up to three words: what follows it is a value, too."""

_GENERIC: Final = re.compile(
    r"(RunnableSequence|RunnableLambda|RunnableParallel|RunnableWithFallbacks|RunnableRetry|ChatPromptTemplate|turn|response|"
    r"agent run|Step \d+|(execute_task |invoke_agent )?(RunnableSequence|call_model|LangGraph)|chat|chat .*|.*\.chat|"
    r"ChatCompletion|AutoFunctionInvocationLoop|call_llm|openai\..*|ai\..*|LLM|Chat.*|.*Chat|completion|generate|generation)$"
)
"""Names that frameworks give to what is around a model's call."""

_COUNT: Final = re.compile(r"(?<=\w)[ :]+[#№]?\d+$")
"""What tells the rounds of a loop apart: ``turn 7``."""


class _Prompt(NamedTuple):
    """A prompt that a span used: its place in the workflow, what it is for, its text."""

    site: str
    kind: str
    text: str
    span_id: str


def prompts(trace: Trace, parts: Mapping[str, Mapping[str, str]]) -> Mapping[str, Sequence[ParameterUse]]:
    """By span, all parameter uses: those stated, and system messages and templates under keys of their place.

    Each text of a place has a number, by the time at which it was first used, so that a prompt keeps its key from run
    to run.

    Args:
        trace: The spans.
        parts: See `collector.graph.arbiter.Flow.parts`.
    """
    stated = {
        use.value: use
        for said in trace.facts.values()
        for use in said.uses
        if not use.prompt and isinstance(use.value, str)
    }
    uses: dict[str, dict[str, ParameterUse]] = {}
    templates = _Templates(trace, parts, frozenset(stated))
    found: list[_Prompt] = []
    for span_id in trace.forest.spans:
        said = trace.facts[span_id]
        if not (said.uses or said.taken or (templates.used and said.inputs)):
            continue
        for use in (*said.uses, *(stated[text] for text in _systems(said) if text in stated)):
            if not use.prompt and (unfilled := templates.behind(span_id, use)):
                uses.setdefault(span_id, {}).setdefault(use.key, unfilled)
        if templates.used:
            found.extend(templates.of_span(span_id))
    found = _at_home(trace, found)
    numbers: dict[tuple[str, str], dict[str, int]] = {}
    for prompt in sorted(found, key=lambda one: (trace.starts[one.span_id], one)):
        of_place = numbers.setdefault((prompt.site, prompt.kind), {})
        of_place.setdefault(prompt.text, len(of_place) + 1)
    for prompt in found:
        number = numbers[prompt.site, prompt.kind][prompt.text]
        key = f"{prompt.site}.{prompt.kind}" + (f".{number}" if number > 1 else "")
        use = ParameterUse(key, value=prompt.text, prompt=True, discovered=True)
        uses.setdefault(prompt.span_id, {}).setdefault(key, use)
    return {span_id: (*by_key.values(),) for span_id, by_key in uses.items()}


class _Templates:
    """The templates of a trace, and what they were made into.

    Args:
        trace: The spans.
        parts: By span, the texts that were found inside its messages, and the spans that made them.
        stated: Texts that are parameters anyway.
    """

    def __init__(self, trace: Trace, parts: Mapping[str, Mapping[str, str]], stated: frozenset[str]) -> None:
        self._trace, self._parts, self._stated = trace, parts, stated
        facts = trace.facts.values()
        recorded = {text for said in facts for text in _recorded(said)}
        self._literals = [(text, FIELD.split(text)) for text in sorted(filter(FIELD.search, recorded))[:MAX_TEMPLATES]]
        taken = [message for said in facts for message in said.taken if isinstance(message.content, str)]
        self.used = bool(taken or recorded)
        self._given = {plain(str(message.content)) for message in taken if message.role == "user"}
        self._system_texts = {self._template(str(one.content)) for one in taken if one.role == "system"}
        self._written: set[str] = set()
        self._behind: dict[str, str] = {}

    def of_span(self, span_id: str) -> Iterator[_Prompt]:
        """Templates that the span itself records, its system messages, and the template that it fills in."""
        said = self._trace.facts[span_id]
        systems = [self._template(text) for text in _systems(said) if text not in self._stated]
        recorded = [text for text in _recorded(said) if text not in self._stated]
        for text in dict.fromkeys((*systems, *recorded)):
            kind = "system_prompt" if text in systems or text in self._system_texts else "template"
            yield _Prompt(_site(self._trace, span_id), kind, text, span_id)
        if recorded:
            return
        for text in dict.fromkeys(self._filled(span_id)):
            if text not in systems:
                yield _Prompt(_site(self._trace, span_id), "user_prompt", text, span_id)
        if self._given and said.role in (Role.STEP, Role.TEMPLATE) and said.inputs:
            for text in self._derived(said):
                yield _Prompt(said.name, "template", text, span_id)

    def behind(self, span_id: str, use: ParameterUse) -> ParameterUse | None:
        """A use as it is; of what is called a prompt and has others' outputs in it the template, if there are words."""
        text, parts = use.value, self._parts.get(span_id, {})
        if not use.discovered or not isinstance(text, str) or not any(part in plain(text) for part in parts):
            return use
        template = self._unfilled(text, {}, parts)
        return use._replace(value=template) if template != text else None

    def _template(self, text: str) -> str:
        """The recorded template that was filled in to give the text, else the text.

        Loops of a template may repeat what is in them: anything may stand between its literal parts.
        """
        return next((template for template, literals in self._literals if fits(literals, text)), text)

    def _filled(self, span_id: str) -> Iterator[str]:
        """The templates of messages to a model of which none was recorded, the fields called like who made the values.

        A message that comes again in a history is looked at once.
        """
        said = [message.content for message in self._trace.facts[span_id].taken if message.role == "user"]
        if not said:
            return
        whole = [text for text in said if isinstance(text, str) and len(text) <= MAX_LENGTH]
        fresh = [text for text in whole if text not in self._behind]
        around = dict(self._given_around(span_id)) if fresh else {}
        self._behind |= {text: self._unfilled(text, around, self._parts.get(span_id, {})) for text in fresh}
        for text in whole:
            is_known = self._template(text) != text or plain(text) in self._written
            if self._behind[text] != text and not is_known:
                yield self._behind[text]

    def _given_around(self, span_id: str) -> Iterator[tuple[str, str]]:
        """The texts that the callers were given, with the names under which they were."""
        for caller in self._trace.forest.above(span_id, MAX_UP):
            for name, value in self._trace.facts[caller].inputs.items():
                yield from ((text, name) for text in texts(value) if len(text) >= MIN_HOLE)

    def _unfilled(self, said: str, around: Mapping[str, str], parts: Mapping[str, str]) -> str:
        """The message itself where it is no template: what a caller was given whole is its user's own words."""
        whole = plain(said)
        if any(whole in text for text in around):
            return said
        makers = {text: self._trace.facts[maker] for text, maker in parts.items() if text != whole}
        values = {**around, **{text: maker.actor or maker.name for text, maker in makers.items()}}
        template = said
        for text, name in sorted(values.items(), key=lambda item: (-len(item[0]), item[0])):
            if text in whole:
                template = _replaced(template, text, "{" + re.sub(r"\W+", "_", name[:MAX_NAME]).strip("_") + "}")
            if len(template) > 2 * MAX_LENGTH:  # names that hold values, whose names hold values
                return said
        return template if len({*_WORD.findall(_VALUE.sub(" ", template))}) >= MIN_WORDS else said

    def _derived(self, said: Facts) -> Iterator[str]:
        """An operation whose output is what a model's user says fills in a template: its inputs are the fields."""
        for made in texts(said.output):
            if made not in self._given:
                continue
            self._written.add(made)
            text, holes = made, 0
            for name, value in said.inputs.items():
                for part in sorted(set(texts(value)), key=len, reverse=True):
                    if len(part) >= MIN_HOLE and part in text and part != text:
                        text, holes = text.replace(part, "{" + name + "}"), holes + 1
            own = len(_WORD.findall(FIELD.sub(" ", text)))
            if holes >= (1 if said.role is Role.TEMPLATE else 2) and own >= MIN_LITERAL_WORDS:
                yield text


def _replaced(template: str, text: str, field: str) -> str:
    """The template with the field where the text stands, whatever white space is between its words; in linear time."""
    wanted = " ".join(text.split())
    if text in template or wanted not in " ".join(template.split()):
        return template.replace(text, field)
    kept = [at for at, letter in enumerate(template) if not (letter.isspace() and template[at - 1 : at].isspace())]
    said = "".join(" " if template[at].isspace() else template[at] for at in kept)
    pieces, begin, at = [], 0, said.find(wanted)
    while at >= 0:
        pieces.append(template[begin : kept[at]])
        begin = kept[at + len(wanted) - 1] + 1
        at = said.find(wanted, at + len(wanted))
    return field.join([*pieces, template[begin:]])


def _recorded(said: Facts) -> list[str]:
    return [str(use.value) for use in said.uses if use.prompt and use.value]


def _systems(said: Facts) -> list[str]:
    found = [message.content for message in said.taken if message.role == "system"]
    return [text for text in found if isinstance(text, str) and text]


def _at_home(trace: Trace, found: Sequence[_Prompt]) -> list[_Prompt]:
    """An operation that is given the same prompt as one around it is a part of that: the place is the outer one's.

    So it is with one call in two records.
    """
    sites: dict[tuple[str, str, str], str] = {}
    placed = []
    for prompt in sorted(found, key=lambda one: trace.forest.position[one.span_id]):
        near = (trace.records.first.get(prompt.span_id, ""), *trace.forest.above(prompt.span_id, MAX_UP))
        known = (sites.get((one, prompt.kind, prompt.text)) for one in near)
        site = next((one for one in known if one is not None), prompt.site)
        sites[prompt.span_id, prompt.kind, prompt.text] = site
        placed.append(prompt._replace(site=site))
    return placed


def _site(trace: Trace, span_id: str) -> str:
    """The agent, else the nearest operation around it that an application named."""
    for up in (span_id, *trace.forest.above(span_id, MAX_UP)):
        said = trace.facts[up]
        if said.actor:
            return said.actor
        own = said.role is not Role.MODEL or said.name != trace.forest.spans[up].name
        if own and (named := _place(said.name)) is not None:
            return named
    return trace.facts[span_id].name


@lru_cache(maxsize=1_024)
def _place(name: str) -> str | None:
    """Without a count; None for a name that frameworks give."""
    return None if _GENERIC.match(name) else _COUNT.sub("", name)
