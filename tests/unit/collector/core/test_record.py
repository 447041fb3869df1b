"""Records: what is written once in a dataclass is known to documents, messages and the command line."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass

from collector.api import trees
from collector.api.bodies import checked
from collector.api.documents import StudyDocument, document_of
from collector.api.rollout_documents import RolloutDocument
from collector.cli.terminal.options import add_options, tree_of_options
from collector.core.errors import ConfigError, InvalidRequest
from collector.core.record import About, fields_of, record_of, tree_of
from collector.core.rollout import RolloutPlan
from collector.core.study import Study
from otel_opto.v1 import rollout_pb2, study_pb2


class Mood(Enum):
    CALM = "calm"
    VERY_WILD = "very_wild"


@dataclass(frozen=True, slots=True)
class Depth:
    metres: Annotated[float, About("down", named={"floor": 100.0})] = 1.0
    lamps: int = 2


@dataclass(frozen=True, slots=True)
class Dive:
    """A toy of a study: one field of each kind. The field `mood` is the one that was added last."""

    name: Annotated[str, About("of the dive", option="name")]
    alone: bool = False
    depth: Depth = field(default_factory=Depth)
    partners: Annotated[tuple[str, ...], About(option="--partner")] = ()
    gear: Annotated[Mapping[str, Any], About("what is taken", option="--gear")] = field(default_factory=dict)
    limit: float | None = None
    mood: Annotated[Mood, About("in which one dives")] = Mood.CALM


DIVE = Dive("reef", True, Depth(100.0, 1), ("ann", "bob"), {"knife": [1, None]}, 3.5, Mood.VERY_WILD)
TREE = {
    "name": "reef",
    "alone": True,
    "depth": {"metres": 100.0, "lamps": 1},
    "partners": ["ann", "bob"],
    "gear": {"knife": [1, None]},
    "limit": 3.5,
    "mood": "very_wild",
}


def messages() -> dict[str, Descriptor]:
    """The proto file that goes with the toys, as if a person had written it; by the names of its messages."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="dive.proto", package="toy", syntax="proto3")
    mood = file.enum_type.add(name="Mood")
    for number, name in enumerate(("MOOD_UNSPECIFIED", "MOOD_CALM", "MOOD_VERY_WILD")):
        mood.value.add(name=name, number=number)
    depth = file.message_type.add(name="Depth")
    depth.field.add(name="metres", number=1, type=kinds.TYPE_DOUBLE, label=kinds.LABEL_OPTIONAL)
    depth.field.add(name="lamps", number=2, type=kinds.TYPE_UINT32, label=kinds.LABEL_OPTIONAL)
    dive = file.message_type.add(name="Dive")
    for number, (name, kind, label) in enumerate(
        (
            ("name", kinds.TYPE_STRING, kinds.LABEL_OPTIONAL),
            ("alone", kinds.TYPE_BOOL, kinds.LABEL_OPTIONAL),
            ("depth", kinds.TYPE_MESSAGE, kinds.LABEL_OPTIONAL),
            ("partners", kinds.TYPE_STRING, kinds.LABEL_REPEATED),
            ("gear_json", kinds.TYPE_STRING, kinds.LABEL_OPTIONAL),
            ("limit", kinds.TYPE_DOUBLE, kinds.LABEL_OPTIONAL),
            ("mood", kinds.TYPE_ENUM, kinds.LABEL_OPTIONAL),
        ),
        1,
    ):
        of = {"depth": ".toy.Depth", "mood": ".toy.Mood"}.get(name)
        dive.field.add(name=name, number=number, type=kind, label=label, type_name=of)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)  # type: ignore[no-untyped-call]
    return {name: pool.FindMessageTypeByName(f"toy.{name}") for name in ("Depth", "Dive")}


def options(*given: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    add_options(parser, Dive)
    return tree_of_options(parser.parse_args(given), Dive)


def unlike(record: type, message: Descriptor) -> list[str]:
    """Which fields and words one of both has, and the other has not, with the records in it."""
    here = {one.name: one for one in fields_of(record)}
    there = {trees.name_of(one): one for one in message.fields}
    faults = [f"{record.__name__}.{name} is in one only" for name in here.keys() ^ there.keys()]
    for name in here.keys() & there.keys():
        kind, found = here[name].type, there[name]
        if isinstance(kind, type) and issubclass(kind, Enum):
            words = set() if found.enum_type is None else trees.words_of(found.enum_type).keys()
            faults += [f"{name}: {word} is in one only" for word in {one.value for one in kind} ^ words]
        elif hasattr(kind, "__dataclass_fields__") and found.message_type is not None:
            faults += unlike(kind, found.message_type)
        elif getattr(kind, "__args__", None) and hasattr(kind.__args__[0], "__dataclass_fields__"):
            faults += unlike(kind.__args__[0], found.message_type)  # type: ignore[arg-type]
    return sorted(faults)


def test_a_record_is_its_tree_and_back() -> None:
    assert tree_of(DIVE) == TREE
    assert record_of(Dive, TREE) == DIVE
    assert record_of(Dive, {"name": "reef", "of a later version": 1}) == Dive("reef")


def test_a_record_is_its_document_and_back() -> None:
    document = document_of(Dive)
    assert record_of(Dive, checked(document, TREE).model_dump()) == DIVE
    assert record_of(Dive, checked(document, {"name": "reef"}).model_dump()) == Dive("reef")
    with pytest.raises(InvalidRequest) as refused:
        checked(document, {"alone": 1, "depth": {"metres": "x"}, "mood": "wild", "fins": 2})
    for words in ("name: field required", "alone: ", "depth.metres: ", "mood: input should be 'calm' or", "fins: "):
        assert words in str(refused.value)


def test_a_record_is_its_message_and_back() -> None:
    kind = GetMessageClass(messages()["Dive"])
    message = trees.message_of(kind, TREE)
    assert trees.tree_of(kind.FromString(message.SerializeToString())) == TREE
    assert trees.tree_of(kind()) == {}
    with pytest.raises(InvalidRequest, match="gear_json"):
        trees.tree_of(kind(gear_json="{"))
    assert trees.tree_of(kind(mood=9)) == {"mood": "9"}


def test_a_record_is_its_options() -> None:
    given = "reef --alone --metres floor --lamps 1 --partner ann --partner bob --gear knife=[1,null] --limit 3.5"
    assert options(*given.split(), "--mood", "very_wild") == TREE
    assert options("reef", "--no-alone") == {"name": "reef", "alone": False}
    with pytest.raises(ConfigError, match="--lamps 'many': allowed is a whole number"):
        options("reef", "--lamps", "many")
    with pytest.raises(ConfigError, match="--metres 'deep': allowed is a number, 'floor'"):
        options("reef", "--metres", "deep")


def test_what_only_one_of_both_has_is_said() -> None:
    @dataclass(frozen=True, slots=True)
    class Deeper:
        metres: float = 0.0
        lamps: int = 0
        ropes: int = 0

    assert unlike(Dive, messages()["Dive"]) == []
    assert unlike(Deeper, messages()["Depth"]) == ["Deeper.ropes is in one only"]


@pytest.mark.parametrize(("record", "message"), [(Study, study_pb2.Study), (RolloutPlan, rollout_pb2.RolloutPlan)])
def test_a_message_has_the_fields_and_words_of_its_record(record: type, message: Any) -> None:
    assert unlike(record, message.DESCRIPTOR) == []


def test_the_documents_of_the_api_have_the_fields_of_their_records() -> None:
    assert set(StudyDocument.model_fields) == {one.name for one in fields_of(Study)}
    assert set(RolloutDocument.model_fields) == {one.name for one in fields_of(RolloutPlan)}
