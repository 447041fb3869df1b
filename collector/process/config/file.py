"""The configuration file: YAML out of which nothing is guessed, and where each of its keys stands.

YAML has more than a configuration needs, and some of it has opened servers or killed them: of two equal keys the last
one wins, ``<<`` brings in keys that nobody reads, aliases of aliases grow without bound. Here these are faults with a
line. References to the environment are replaced in the values, after YAML was read: what a variable holds is text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from collector.core.errors import ConfigError

KeyPath = tuple[str, ...]
"""The way to a value; elements of lists by their number."""

_MAX_BYTES = 2**20
_MAX_VALUES = 20_000
_MAX_DEPTH = 32
_REFERENCE = re.compile(r"\$(?P<escaped>\$\{)|\$\{(?:env:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\})?")
_TAG = "tag:yaml.org,2002:"
_TEXTS = frozenset({f"{_TAG}str", f"{_TAG}timestamp", f"{_TAG}value"})
_SCALARS = frozenset({f"{_TAG}int", f"{_TAG}float", f"{_TAG}bool", f"{_TAG}null"})


@dataclass(slots=True)
class ConfigFile:
    """What a file says.

    Attributes:
        name: The file, for errors.
        tree: Its sections. Keys are texts, sections left empty are not there.
        lines: Of each key path, counted from one.
        references: Of values that hold something of the environment: the names of the variables.
    """

    name: str
    tree: dict[str, Any] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    references: dict[KeyPath, tuple[str, ...]] = field(default_factory=dict)

    def at(self, path: KeyPath) -> str:
        """FILE:LINE of a key path, or of what it stands in; the file alone where it is not in there."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}:{self.lines[path]}" if path in self.lines else self.name


def read(path: Path, environment: Mapping[str, str]) -> ConfigFile:
    """Reads a file.

    Raises:
        ConfigError: with every fault, and where it is. No value is repeated in it: it may be a secret.
    """
    name = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([f"config file {name}: {error.strerror}"]) from None
    if len(content) > _MAX_BYTES:
        raise ConfigError([f"config file {name}: longer than {_MAX_BYTES} bytes; is it the right file?"])
    read_file = _Reader(name, environment)
    node = _composed(name, content)
    if node is not None and not isinstance(node, yaml.MappingNode):
        kind = "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
        raise ConfigError([f"config file {name}:{_line(node)}: found {kind}, allowed is a mapping of sections"])
    if node is not None:
        read_file.file.tree = read_file.mapping(node, ())
    if read_file.faults:
        raise ConfigError(read_file.faults)
    return read_file.file


def _composed(name: str, content: bytes) -> yaml.Node | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"config file {name}:{line}: not UTF-8: byte 0x{content[error.start]:02x}"]) from None
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(
            [f"config file {name}:{line}: not YAML: character U+{ord(text[error.position]):04X}"]
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigError([f"config file {name}{where}: not YAML: {_unquoted(error)}"]) from None
    except RecursionError:
        raise ConfigError([f"config file {name}: nested more than {_MAX_DEPTH} deep"]) from None


def _unquoted(error: yaml.MarkedYAMLError) -> str:
    """PyYAML's words without what it quotes from the file: an alias that is none may be a token that begins with *."""
    said = ", ".join(part for part in (error.context, error.problem) if part)
    return re.sub(r"(['\"]).{2,}\1", "…", " ".join(said.split()))


class _Reader:
    """Makes the tree of a file; goes on after a fault, so that all are said at once."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        self.file = ConfigFile(name)
        self.faults: list[str] = []
        self._environment = environment
        self._values = 0

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        seen: dict[str, int] = {}
        for at, value in self._keys(node, path):
            key: str = at.value
            below = (*path, key)
            if key in seen:
                self._fault(at, f"{'.'.join(below)}: given twice, in line {seen[key]} and here; keep one of them")
                continue
            seen[key] = self.file.lines[below] = _line(at)
            made = self._value(value, below)
            if made is not None:
                found[key] = made
        return found

    def _keys(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == f"{_TAG}null":
                self._fault(key, f"{'.'.join(path) or 'the file'}: a key that is no text")
            elif key.tag == f"{_TAG}merge":
                self._fault(key, f"{'.'.join(path) or 'the file'}: << is not taken; write the keys out")
            elif _REFERENCE.search(key.value):
                self._fault(key, f"{'.'.join(path) or 'the file'}: a reference in a key; values may have one, keys not")
            else:
                yield key, value

    def _value(self, node: yaml.Node, path: KeyPath) -> object:
        self._values += 1
        if self._values > _MAX_VALUES or len(path) > _MAX_DEPTH:
            much = f"more than {_MAX_VALUES} values or {_MAX_DEPTH} levels; an alias counts as what it stands for"
            raise ConfigError([f"config file {self.file.name}:{_line(node)}: {much}"])
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            made = []
            for number, item in enumerate(node.value):
                self.file.lines[*path, str(number)] = _line(item)
                made.append(self._value(item, (*path, str(number))))
            return made
        if isinstance(node, yaml.ScalarNode) and node.tag in _TEXTS | _SCALARS:
            return self._scalar(node, path)
        self._fault(node, f"{'.'.join(path)}: a YAML tag that is not taken here; leave it away")
        return None

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> object:
        if node.tag in _TEXTS:
            return self._replaced(node, path)
        if ":" in node.value:  # YAML 1.1 reads 10:20 as 620
            return node.value
        try:
            made: object = yaml.constructor.SafeConstructor().construct_document(node)
        except (yaml.YAMLError, ValueError, KeyError):
            self._fault(node, f"{'.'.join(path)}: not what its YAML tag says")
            return None
        return made

    def _replaced(self, node: yaml.ScalarNode, path: KeyPath) -> str:
        names: list[str] = []

        def value_of(match: re.Match[str]) -> str:
            if match["escaped"]:
                return "${"
            name, default = match["name"], match["default"]
            if name is None:
                self._fault(
                    node,
                    f"{'.'.join(path)}: a reference that is none; allowed are ${{env:NAME}} and "
                    "${env:NAME:-default}, and $${ where ${ itself is meant",
                )
                return ""
            names.append(name)
            found = self._environment.get(name)
            if found is None and default is None:
                self._fault(
                    node,
                    f"{'.'.join(path)}: environment variable {name} is not set; "
                    f"set it or write ${{env:{name}:-default}}",
                )
            return found or default or ""

        replaced: str = _REFERENCE.sub(value_of, node.value)
        if names:
            self.file.references[path] = tuple(names)
        return replaced

    def _fault(self, node: yaml.Node, words: str) -> None:
        self.faults.append(f"config file {self.file.name}:{_line(node)}: {words}")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
