"""An archive of a study as the API takes it, and whether it can be shown."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from collector.api.bodies import MOST_ITEMS, faults_of
from collector.api.documents import Document, at_most
from collector.api.openapi.study_answers import StudyReport
from collector.api.study_documents import study_document
from collector.core.errors import some
from collector.core.study import StudyRecord
from collector.study.archive import Told


class ToldDocument(Document):
    """One event, as `GET /v1/audit` shows it where the study was."""

    kind: str = Field(max_length=64)
    data: dict[str, Any]
    time_unix_nano: int = Field(ge=0, lt=2**63)
    actor: str = Field("", max_length=300)


class ArchiveDocument(Document):
    """The body that brings a study: all of its events, in their order."""

    events: Annotated[list[ToldDocument], BeforeValidator(at_most(MOST_ITEMS))]

    def told(self) -> list[Told]:
        """The events."""
        return [Told(one.kind, one.data, one.time_unix_nano, one.actor) for one in self.events]


def shown(record: StudyRecord) -> None:
    """Shows a study as the API does.

    Raises:
        ValueError: a field of it is not what the API promises.
    """
    try:
        StudyReport.model_validate_json(json.dumps(study_document(record)))
    except ValidationError as error:
        raise ValueError(some(faults_of(error), "; ")) from None
