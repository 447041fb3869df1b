"""Every implementation of `Store`; another one is another row."""

from collections.abc import Callable
from pathlib import Path

from collector.core.protocols import Clock, Store
from collector.storage.file_store import FileStore

STORES: dict[str, Callable[[Path, Clock], Store]] = {"files": FileStore}
