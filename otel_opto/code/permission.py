"""Whether this process runs code that comes with a release."""

import logging
from typing import Final, Literal

_LOG = logging.getLogger("otel_opto")

AllowCode = bool | Literal["unsigned"]
"""False: never. True: from releases that the configured public key verifies. ``unsigned``: from whoever publishes."""

_OFF: Final = ("", "0", "false", "no", "off")
_ON: Final = ("1", "true", "yes", "on")


def permitted(said: object, variable: str, *, signed: bool) -> bool:
    """What was said, else the environment variable. Everything that is not plainly a yes is a no, with a word why.

    Args:
        signed: Whether only verified releases are applied.
    """
    word = str(variable if said is None else said).strip().lower()
    if word in _OFF:
        return False
    if word == "unsigned":
        return True
    if word not in _ON:
        _LOG.error("allow_code: found %r, allowed: true, false, unsigned; new code is not run", word)
        return False
    if not signed:
        _LOG.error(
            "allow_code is set without a public key, so that whoever reaches the collector could run code here: give "
            "public_key=, or the word 'unsigned'; new code is not run"
        )
    return signed
