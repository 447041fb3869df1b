"""Step 4: the sentence that answers, and the words in it that are the answer."""

import re
from dataclasses import dataclass

import otel_opto

from .analysis import Analysis
from .corpus import Corpus
from .parameters import WINDOW
from .retrieval import Hit
from .words import STOP_WORDS, stem, stems, tokens

_NUMBER_WORD = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|sixteen|thirty|forty|fifty|twice|half"
)
_NUMBER = re.compile(
    rf"\b(?:\d[\d,.]*\d|\d|{_NUMBER_WORD})\b(?: (?!and\b|in\b|from\b|was\b|on\b|of\b)\w+){{0,4}}", re.IGNORECASE
)
_TIME = re.compile(
    rf"\b1[89]\d\d\b|\b20\d\d\b|\b1\d\d\d\b|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?\b"
    rf"|\b(?:half past )?(?:{_NUMBER_WORD})(?: in the \w+)?\b|\b(?:after|between|before) \w+(?: and \w+)?",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[A-Z][a-z]+ [A-Z][a-z]+\b")


@dataclass(frozen=True, slots=True)
class Extraction:
    """The answer, the sentence it stands in, and the title of the passage."""

    answer: str
    sentence: str
    title: str


class Extractor:
    """Finds answers in passages of a corpus."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    @otel_opto.node
    def extract_answer(self, ranked: list[Hit], analysis: Analysis) -> Extraction:
        """The best sentence of the passages that were kept; the rank of its passage counts a little."""
        best, best_score = Extraction("", "", ""), float("-inf")
        asked = set(analysis.words)
        for position, hit in enumerate(ranked):
            title = set(stems(hit.title))
            for sentence in re.split(r"(?<=[.;]) ", self._corpus.passages[hit.passage].text):
                shared = asked & (set(stems(sentence)) | title)
                fits = 1.5 if _candidates(analysis.kind, sentence) else 0.0
                score = sum(self._corpus.rarity(word) for word in shared) + fits - 0.3 * position
                if score > best_score:
                    best_score = score
                    best = Extraction(_phrase(analysis, sentence), sentence, hit.title)
        return best


def _candidates(kind: str, sentence: str) -> list[str]:
    patterns = {"number": _NUMBER, "time": _TIME, "person": _NAME}
    return patterns[kind].findall(sentence) if kind in patterns else []


def _phrase(analysis: Analysis, sentence: str) -> str:
    """The branch on what is asked for: a number with its unit, a time, a name, or the words that are new."""
    asked = set(analysis.words)
    fresh = [text for text in _candidates(analysis.kind, sentence) if not set(stems(text)) <= asked]
    found = fresh[0] if fresh else _new_words(sentence, asked)
    return " ".join(found.split()[: WINDOW.value]).strip(" .,;")


def _new_words(sentence: str, asked: set[str]) -> str:
    """The longest run of words that the question does not have."""
    runs: list[list[str]] = [[]]
    for word in sentence.split():
        plain = (tokens(word) or [""])[0]
        if stem(plain) in asked:
            runs.append([])
        elif plain not in STOP_WORDS or runs[-1]:
            runs[-1].append(word)
    longest: list[str] = max(runs, key=len)
    return " ".join(longest)
