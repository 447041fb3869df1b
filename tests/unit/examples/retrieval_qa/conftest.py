"""The application over the shipped passages and questions."""

import pytest
from retrieval_qa.application import Application
from retrieval_qa.corpus import load_corpus, load_questions


@pytest.fixture(scope="package")
def application() -> Application:
    return Application(load_corpus(), load_questions())
