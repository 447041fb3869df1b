"""Studies as JSON over HTTP, and their pictures."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from collector.access.table import Endpoint
from collector.access.tokens import Access
from collector.api.answers import answer
from collector.api.archives import ArchiveDocument
from collector.api.bodies import Bodies, parse
from collector.api.documents import StudyDocument
from collector.api.http import caller_of
from collector.api.operations import Operations
from collector.api.pages import numbered, numbered_back, page_document, page_in
from collector.api.pictures import FORMS, StudyPictures
from collector.api.queries import is_true, whole_in
from collector.api.scopes import SCOPES
from collector.api.study_documents import rejected_document, study_document, trial_documents
from collector.core.errors import NotFound
from collector.core.page import DEFAULT_ON_A_PAGE, MOST_ON_A_PAGE
from collector.study.archive import Archive

_Item = TypeVar("_Item")


def endpoints(operations: Operations, archive: Archive, access: Access, bodies: Bodies) -> Sequence[Endpoint]:
    """All that is served of studies, and who may ask for it."""
    served = _Served(operations, archive, access, bodies)
    return [
        Endpoint("GET", "/v1/studies", served.studies, SCOPES["studies"]),
        Endpoint("POST", "/v1/studies", served.create_study, SCOPES["create_study"]),
        Endpoint("POST", "/v1/archives", served.take, SCOPES["import_study"]),
        Endpoint("GET", "/v1/studies/{name}", served.study, SCOPES["study"]),
        Endpoint("GET", "/v1/studies/{name}/trials", served.trials, SCOPES["study"]),
        Endpoint("GET", "/v1/studies/{name}/trials/{number:int}", served.trial, SCOPES["study"]),
        Endpoint("GET", "/v1/studies/{name}/rejected", served.rejected, SCOPES["study"]),
        Endpoint("GET", "/v1/studies/{name}/pictures/{picture}", served.picture, SCOPES["study"]),
        Endpoint("POST", "/v1/studies/{name}/stop", served.stop_study, SCOPES["stop_study"]),
    ]


class _Served:
    """One method per route."""

    def __init__(self, operations: Operations, archive: Archive, access: Access, bodies: Bodies) -> None:
        self._operations = operations
        self._archive = archive
        self._access = access
        self._bodies = bodies
        self._pictures = StudyPictures()

    async def studies(self, request: Request) -> Response:
        most = whole_in(request.query_params, "trials", DEFAULT_ON_A_PAGE, DEFAULT_ON_A_PAGE)
        page = await self._operations.studies(page_in(request.query_params), most)
        return await answer(lambda: page_document("studies", page, lambda record: study_document(record, most)))

    async def create_study(self, request: Request) -> Response:
        study = await self._bodies.of_http(request, lambda body: parse(StudyDocument, body).study())
        record = await self._operations.create_study(study, caller_of(self._access, request))
        return await answer(lambda: study_document(record), HTTPStatus.CREATED)

    async def take(self, request: Request) -> Response:
        told = await self._bodies.of_http(request, lambda body: parse(ArchiveDocument, body).told())
        record, new = await self._archive.take(told, caller_of(self._access, request).actor)
        status = HTTPStatus.CREATED if new else HTTPStatus.OK
        return await answer(lambda: {"study": record.study.name, "new": new, "trials": len(record.trials)}, status)

    async def study(self, request: Request) -> Response:
        most = whole_in(request.query_params, "trials", MOST_ON_A_PAGE, MOST_ON_A_PAGE)
        record = await self._operations.study(request.path_params["name"])
        return await answer(lambda: study_document(record, most))

    async def trials(self, request: Request) -> Response:
        record = await self._operations.study(request.path_params["name"])
        return await self._part(request, "trials", record.trials, lambda trial: trial_documents(record, [trial])[0])

    async def trial(self, request: Request) -> Response:
        name, number = request.path_params["name"], request.path_params["number"]
        record = await self._operations.study(name)
        found = next((trial for trial in record.trials if trial.number == number), None)
        if found is None:
            raise NotFound(f"trial {number}: study {name!r} has none of that number")
        return await answer(lambda: trial_documents(record, [found])[0])

    async def rejected(self, request: Request) -> Response:
        record = await self._operations.study(request.path_params["name"])
        return await self._part(request, "rejected", record.rejected, rejected_document)

    async def _part(
        self, request: Request, name: str, items: Sequence[_Item], document_of: Callable[[_Item], object]
    ) -> Response:
        paged = numbered_back if is_true(request.query_params, "newest") else numbered
        page = paged(name, items, page_in(request.query_params))
        return await answer(lambda: page_document(name, page, document_of))

    async def picture(self, request: Request) -> Response:
        picture, form = request.path_params["picture"], request.query_params.get("format", "svg")
        self._pictures.checked(picture, form)
        record = await self._operations.study(request.path_params["name"])
        made = await self._pictures.made(record, picture, form, self._operations.parameters)
        return Response(made, media_type=FORMS[form])

    async def stop_study(self, request: Request) -> Response:
        record = await self._operations.stop_study(request.path_params["name"], caller_of(self._access, request))
        return await answer(lambda: study_document(record))
