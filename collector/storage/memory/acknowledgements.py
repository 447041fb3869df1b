"""What applications said of releases, in a dictionary."""

from collector.core.page import Page, PageRequest, cursor, key_of, page_of
from collector.core.release import Acknowledgement


class MemoryAcknowledgements:
    """See `AcknowledgementStore`. Not durable."""

    def __init__(self) -> None:
        self._words: dict[tuple[int, str, str], Acknowledgement] = {}

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """See `AcknowledgementStore`."""
        one = acknowledgement
        self._words[one.release, one.service, one.instance_id] = one

    async def of(self, release: int, page: PageRequest) -> Page[Acknowledgement]:
        """See `AcknowledgementStore`."""
        behind = key_of(page.cursor, "acknowledgements", str, str)
        rest = [
            word
            for (of, *instance), word in sorted(self._words.items())
            if of == release and (behind is None or tuple(instance) > behind)
        ]
        return page_of(
            rest,
            page.limit,
            lambda word: word,
            lambda word: cursor("acknowledgements", word.service, word.instance_id),
            lambda word: len(word.service) + len(word.instance_id) + len(word.error) + 50,
        )
