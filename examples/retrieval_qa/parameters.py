"""What a study may change. The defaults are what a first version had."""

import otel_opto

METHOD = otel_opto.parameter(
    "retriever.method",
    "overlap",
    choices=("overlap", "bm25", "trigram"),
    description="how passages are scored against the question",
)
TOP_K = otel_opto.parameter(
    "retriever.top_k", 1, minimum=1, maximum=10, description="how many passages are kept for the answer"
)
LENGTH_PENALTY = otel_opto.parameter(
    "retriever.length_penalty", 1.0, minimum=0.0, maximum=1.0, description="BM25's b: how much long passages lose"
)
TITLE_WEIGHT = otel_opto.parameter(
    "ranker.title_weight",
    0.0,
    minimum=0.0,
    maximum=4.0,
    description="what the question's words in the title of a kept passage are worth, against its score of 0 to 1",
)
RANK_WEIGHT = otel_opto.parameter(
    "extractor.rank_weight",
    0.0,
    minimum=0.0,
    maximum=2.0,
    description="what the rank of a passage is worth when a sentence is chosen, against the words they share",
)
WINDOW = otel_opto.parameter(
    "extractor.window",
    12,
    minimum=1,
    maximum=12,
    description="within how many words of a possible answer the question's words speak for it",
)
TEMPLATE = otel_opto.parameter(
    "answer.template",
    "The answer is {answer}.",
    max_length=200,
    pattern=r".*\{(answer|sentence)\}.*",
    candidates=(
        "{title}: {sentence}",
        "{sentence}",
        "According to {title} it is {answer}.",
        "It is {answer}.",
        "{answer}",
    ),
    description="how the answer is worded; {answer}, {sentence} and {title} are filled in",
)
ALL = (METHOD, TOP_K, LENGTH_PENALTY, TITLE_WEIGHT, RANK_WEIGHT, WINDOW, TEMPLATE)
