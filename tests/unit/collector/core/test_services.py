"""A service that does not say its name."""

import pytest
from opentelemetry.proto.resource.v1 import resource_pb2

from collector.core.identity.services import UNKNOWN_SERVICE, service_of
from collector.core.span import Resource
from collector.otlp.decode import resource_of
from tests import samples


@pytest.mark.parametrize("name", ["qa", "team/qa", ".", " ", "unknown_service:node", "ü"])
def test_a_text_names_a_service(name: str) -> None:
    assert service_of(name) == Resource({"service.name": name}).service == name


@pytest.mark.parametrize("name", [None, "", 5, 0, True, 0.5, b"qa", ["qa"], {"a": "b"}])
def test_anything_else_is_unknown(name: object) -> None:
    assert service_of(name) == UNKNOWN_SERVICE


@pytest.mark.parametrize(("names", "service"), [((), UNKNOWN_SERVICE), (("a", "b"), "b"), (("a", 5), UNKNOWN_SERVICE)])
def test_of_a_key_that_is_there_twice_the_last_counts(names: tuple[object, ...], service: str) -> None:
    message = resource_pb2.Resource()
    for name in names:
        message.attributes.add(key="service.name", value=samples.any_value(name))
    assert resource_of(message).service == service
