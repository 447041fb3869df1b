"""Addresses and request ids that are none, told as what they are."""

import pytest

from collector.cli import main
from collector.cli.client import ApiClient, Unreachable
from collector.core.errors import ConfigError


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:abc", "http://a b", "ftp://a", "http://"])
def test_an_address_that_is_none_is_said(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Unreachable, match=r"give --collector http://HOST:PORT|say where it is"):
        ApiClient(url).get("/v1/stats")
    assert main(["stats", "--collector", url]) == 3
    said = capsys.readouterr().err
    assert (said.count("\n"), "Traceback" in said) == (1, False)


@pytest.mark.parametrize("request_id", ["a\nb", "ü€", "x" * 201])
def test_a_request_id_that_cannot_be_sent_is_said(request_id: str) -> None:
    with pytest.raises(ConfigError, match=r"--request-id: found .*, allowed are up to 200"):
        ApiClient("http://127.0.0.1:1").post("/v1/studies", {}, request_id)


def test_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    create = ["studies", "create", "tune", "--service", "qa", "--metric", "quality"]
    for more in (["--limit", "latency"], ["--limit", "latency=abc"], ["--batch-size", "1.5"], ["--label", "good"]):
        assert main([*create, *more]) == 2, more
        assert capsys.readouterr().err.startswith(f"otel-opto: {more[0]} ")
