from collections import Counter

from retrieval_qa.corpus import load_corpus, load_questions, trigrams


def test_every_answer_stands_word_for_word_in_its_passage() -> None:
    passages = {name: indexed.passage for name, indexed in load_corpus().passages.items()}
    questions = load_questions()
    assert len(passages) > 70
    assert len(questions) > 100
    missing = [q.id for q in questions.values() if q.answer.lower() not in passages[q.passage].text.lower()]
    assert missing == []


def test_every_passage_is_asked_about_and_no_question_twice() -> None:
    questions = load_questions().values()
    assert {q.passage for q in questions} == set(load_corpus().passages)
    assert [text for text, count in Counter(q.question.lower() for q in questions).items() if count > 1] == []


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    corpus = load_corpus()
    assert corpus.rarity("anvil") > corpus.rarity("island") > 0


def test_without_a_penalty_all_passages_count_as_equally_long() -> None:
    corpus = load_corpus()
    assert {corpus.relative_length(indexed, 0.0) for indexed in corpus.passages.values()} == {1.0}
    assert len({corpus.relative_length(indexed, 1.0) for indexed in corpus.passages.values()}) > 3


def test_trigrams_count_word_borders() -> None:
    assert trigrams("An ox") == Counter({" an": 1, "an ": 1, "n o": 1, " ox": 1, "ox ": 1})
