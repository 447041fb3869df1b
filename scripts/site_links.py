"""For mkdocs: what lies outside of docs/ is no page of the site; a link to it becomes its place in the repository."""

import re

_OUTSIDE = re.compile(r"\[([^\]]*)\]\((?:\.\./)+((?:examples|collector|otel_opto|tests|deploy|proto)\b[^)]*)\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    return _OUTSIDE.sub(lambda link: link[1] if link[1].strip("`") == link[2] else f"{link[1]} (`{link[2]}`)", markdown)
