"""One of the two services: ``python -m examples.experiments.two_services.service ROLE SERVICE COLLECTOR [BEHIND]``.

The demo's application cut in two. The *finder* retrieves and ranks passages; the *answerer*, which users call, asks it
and makes an answer of what it found. Prints its address as one JSON line; ends when its standard input does.
"""

import json
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import otel_opto
from examples.experiments.two_services.serving import Caller, Server
from examples.retrieval_qa.analysis import analyse_question
from examples.retrieval_qa.composition import compose_answer
from examples.retrieval_qa.corpus import load_corpus
from examples.retrieval_qa.extraction import Extractor
from examples.retrieval_qa.parameters import TOP_K, WINDOW
from examples.retrieval_qa.ranking import Ranker
from examples.retrieval_qa.retrieval import Hit, Retriever

_CONNECT_SECONDS = 30.0


class Finder:
    """Passages for a question, best first."""

    def __init__(self) -> None:
        corpus = load_corpus()
        self._retriever, self._ranker = Retriever(corpus), Ranker(corpus)

    def respond(self, asked: Mapping[str, Any]) -> Mapping[str, object]:
        """``{"question": …}`` to ``{"hits": […], "releases": […]}``."""
        with otel_opto.start_node("find", {"question": asked["question"]}) as node:
            analysis = analyse_question(asked["question"])
            hits = self._ranker.rank(self._retriever.retrieve(analysis), analysis)
            node.output(hits)
        return {"hits": [asdict(hit) for hit in hits], "releases": [TOP_K.resolve().release]}


class Answerer:
    """Answers of what another process found.

    Args:
        finder: Where that is.
    """

    def __init__(self, finder: Caller) -> None:
        self._finder, self._extractor = finder, Extractor(load_corpus())

    def respond(self, asked: Mapping[str, Any]) -> Mapping[str, object]:
        """``{"question": …}`` to the answer, and the handle by which somebody may judge it, whenever that is."""
        with otel_opto.start_node("answer", {"question": asked["question"]}) as node:
            analysis = analyse_question(asked["question"])
            found = self._finder.ask(asked)
            hits = [Hit(**hit) for hit in found["hits"]]
            answer = compose_answer(self._extractor.extract_answer(hits, analysis)).answer
            node.output(answer)
            releases = [*found["releases"], WINDOW.resolve().release]
            return {"answer": answer, "handle": otel_opto.handle(), "releases": releases}


def main(arguments: Sequence[str]) -> None:
    """Serves until nobody holds the other end of standard input."""
    role, service, collector, *behind = arguments
    roles: Mapping[str, Callable[[], Finder | Answerer]] = {
        "finder": Finder,
        "answerer": lambda: Answerer(Caller(behind[0])),
    }
    connected = otel_opto.configure(service_name=service, endpoint=collector, wait_seconds=_CONNECT_SECONDS)
    server = Server(roles[role]().respond)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    sys.stdout.write(json.dumps({"address": f"127.0.0.1:{server.server_port}", "connected": connected}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.shutdown()
    server.server_close()
    otel_opto.shutdown()


if __name__ == "__main__":
    main(sys.argv[1:])
