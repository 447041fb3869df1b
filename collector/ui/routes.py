"""The page's addresses, and what is behind each.

All of them are open to everybody: what they show and do they ask the API for, which checks the token of who looks.
"""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from collector.access.table import Endpoint
from collector.access.tokens import Denied, Scope
from collector.ui.news import News
from collector.ui.pages import comparing, discoveries, overview, releases, rollouts, services, studies, traces, trials
from collector.ui.sessions import COOKIE, remember
from collector.ui.shell import HEADERS, Look, Page, Shell

NEWS_SCOPE = Scope.READ


def endpoints(shell: Shell, news: News) -> Sequence[Endpoint]:
    """All of them."""
    entrance = _Entrance(shell)
    shown = {
        "/": overview.overview,
        "/doctor": overview.doctor,
        "/studies": studies.studies,
        "/studies/{name}": studies.study,
        "/studies/{name}/trials/{number:int}": trials.trial,
        "/studies/{name}/importance": trials.importance,
        "/compare": comparing.compared,
        "/rollouts": rollouts.rollouts,
        "/rollouts/{name}": rollouts.rollout,
        "/releases": releases.releases,
        "/releases/{number:int}": releases.release,
        "/traces": traces.traces,
        "/traces/{trace_id}": traces.trace,
        "/traces/{trace_id}/spans/{span_id}": traces.span,
        "/services/{service}": services.service,
        "/services/{service}/discoveries": discoveries.discoveries,
        "/services/{service}/parameters/{key}": services.parameter,
        "/login": entrance.form,
    }
    done = {
        "/studies/{name}/stop": studies.stop,
        "/rollouts/{name}/{step}": rollouts.step,
        "/releases/{number:int}/rollback": releases.rollback,
    }
    return [
        *(Endpoint("GET", path, shell.page(make), None) for path, make in shown.items()),
        *(Endpoint("POST", path, shell.page(_doing(shell, do)), None) for path, do in done.items()),
        Endpoint("POST", "/login", shell.page(entrance.enter), None),
        Endpoint("POST", "/logout", shell.page(entrance.leave), None),
        Endpoint("GET", "/static/{version}/{name}", shell.assets.answer, None),
        Endpoint("GET", "/news", news.answer, NEWS_SCOPE),
    ]


def _doing(shell: Shell, do: Callable[[Shell, Look], Awaitable[Response]]) -> Callable[[Look], Awaitable[Response]]:
    async def done(look: Look) -> Response:
        return await do(shell, look)

    return done


class _Entrance:
    """In with a token, and out again."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def form(self, look: Look) -> Page | Response:
        if self._shell.access.open:
            return RedirectResponse("/", HTTPStatus.SEE_OTHER, HEADERS)
        return _login(look.asked("next"))

    async def enter(self, look: Look) -> Page | Response:
        fields = await self._shell.form(look)
        target = fields.get("next", "")
        try:
            name = self._shell.sessions.begin(fields.get("token", "").strip())
        except Denied:
            return _login(target, "This token is not known here.", HTTPStatus.UNAUTHORIZED)
        answer = RedirectResponse(_own(target), HTTPStatus.SEE_OTHER, HEADERS)
        remember(answer, name, secure=look.request.url.scheme == "https")
        return answer

    async def leave(self, look: Look) -> Response:
        await self._shell.form(look)
        self._shell.sessions.end(look.session)
        answer = RedirectResponse("/login", HTTPStatus.SEE_OTHER, HEADERS)
        answer.delete_cookie(COOKIE)
        return answer


def _login(target: str, fault: str = "", status: HTTPStatus = HTTPStatus.OK) -> Page:
    return Page("login.html", "Log in", {"next": target, "fault": fault}, status=status)


def _own(target: str) -> str:
    """A page of ours: no name of a login may lead elsewhere."""
    parts = urlsplit(target.replace("\\", "/"))
    return target if target.startswith("/") and not target.startswith("//") and not parts.netloc else "/"
