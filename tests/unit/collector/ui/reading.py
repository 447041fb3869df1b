"""HTML as a browser reads it, for tests."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx


@dataclass
class Read(HTMLParser):
    """Tags with their attributes, in order, and the text between them."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def field(self, name: str) -> str:
        """The value of the first hidden field of that name."""
        return next(one["value"] or "" for one in self.all("input") if one.get("name") == name)

    def actions(self) -> list[str]:
        """Where its forms lead."""
        return [one["action"] or "" for one in self.all("form") if one.get("method") == "post"]


def read(answer: httpx.Response) -> Read:
    found = Read()
    found.feed(answer.text)
    found.close()
    return found
