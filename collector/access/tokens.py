"""Bearer tokens and what they allow (RFC 6750)."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from collector.core.requests import Caller

REQUEST_ID = "idempotency-key"
"""The header of HTTP, and the metadata of gRPC, with a request's id (draft-ietf-httpapi-idempotency-key-header)."""


class Scope(StrEnum):
    """What a token allows. None includes another."""

    INGEST = "ingest"
    """What an application does: send telemetry and feedback, declare parameters, watch releases, acknowledge them."""

    READ = "read"
    """Read traces, feedback, releases, studies, statistics."""

    PROPOSE = "propose"
    """What a machine may: propose releases and rollouts, pause and abort them."""

    PUBLISH = "publish"
    """Change what applications run: begin and stop studies, roll back."""

    APPROVE = "approve"
    """A person's word: approve a release for a rollout, go on with it, promote it, sign off an automatic policy."""

    ADMIN = "admin"
    """Look after the collector itself."""


@dataclass(frozen=True, slots=True)
class Token:
    """One bearer token.

    Attributes:
        name: For logs; the secret is never shown.
        secret: What the client sends.
        scopes: What it allows.
    """

    name: str
    secret: str
    scopes: frozenset[Scope]


class Denied(Exception):
    """The request is not allowed.

    Attributes:
        authenticated: Whether the token is known, but does not allow it: 403 and PERMISSION_DENIED, else 401 and
            UNAUTHENTICATED.
    """

    def __init__(self, message: str, *, authenticated: bool) -> None:
        super().__init__(message)
        self.authenticated = authenticated


class Access:
    """Decides. Without tokens everything is allowed: the collector listens on loopback by default."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tuple(tokens)

    @property
    def open(self) -> bool:
        """Whether nobody has to show a token."""
        return not self._tokens

    def caller(self, authorization: str, request_id: str = "") -> Caller:
        """Who asks for a change with that header, under that id."""
        known = self._known(authorization)
        may_approve = self.open or (known is not None and Scope.APPROVE in known.scopes)
        return Caller(f"token:{known.name}" if known else "local", may_approve, request_id)

    def scopes(self, authorization: str) -> frozenset[Scope]:
        """All that a header's token allows; everything where nobody has to show one."""
        known = self._known(authorization)
        return frozenset(Scope) if self.open else known.scopes if known else frozenset()

    def _known(self, authorization: str) -> Token | None:
        given = authorization.partition(" ")[2].strip().encode()
        found = [token for token in self._tokens if hmac.compare_digest(token.secret.encode(), given)]
        return found[0] if found else None

    def check(self, authorization: str, scope: Scope | None) -> None:
        """Passes where the header's token allows it. Takes the same time for every wrong token.

        Args:
            authorization: The header's value; empty if it is missing.
            scope: What is wanted; None: any token that is known will do.

        Raises:
            Denied: saying what was found and what is needed.
        """
        if self.open:
            return
        kind, _, secret = authorization.partition(" ")
        if kind.lower() != "bearer" or not secret:
            found = f"scheme {kind!r}" if kind else "no authorization header"
            raise Denied(f"found {found}, needed is `Authorization: Bearer TOKEN`", authenticated=False)
        given = secret.strip().encode()
        known = [token for token in self._tokens if hmac.compare_digest(token.secret.encode(), given)]
        if not known:
            raise Denied("the bearer token is not known here", authenticated=False)
        if scope is not None and not any(scope in token.scopes for token in known):
            raise Denied(f"token {known[0].name!r} does not allow {scope.value!r}", authenticated=True)
