"""Step 5: the answer in words."""

import logging

import otel_opto

from .extraction import Extraction
from .parameters import TEMPLATE

_LOG = logging.getLogger(__name__)


@otel_opto.node
def compose_answer(extraction: Extraction) -> str:
    """Fills the template; one that cannot be filled gives the bare answer."""
    template = TEMPLATE.value
    try:
        return template.format(answer=extraction.answer, sentence=extraction.sentence, title=extraction.title)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        _LOG.warning("the template %r cannot be filled (%s); the bare answer is given", template, error)
        return extraction.answer
