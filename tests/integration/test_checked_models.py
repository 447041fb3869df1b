"""A collector begins studies with what was found of their models."""

import json
from pathlib import Path

from collector.optimizer.drafting.checks import FILE
from tests.integration.running import RunningCollector

ADDRESS = "http://127.0.0.1:9/v1"


def test_a_study_is_begun_with_what_is_kept_and_says_that_its_model_is_too_weak(
    collector: RunningCollector, tmp_path: Path
) -> None:
    found = {"options": {"model": "m", "temperature": 0.7, "candidates": 4}, "weaknesses": ["it cannot be used"]}
    (tmp_path / "data" / FILE).write_text(json.dumps({ADDRESS: {"m": found}}), encoding="utf-8")
    options = {"model": "m", "base_url": ADDRESS, "candidates": 2}
    for optimizer in ("optoprime", "hybrid"):
        document = {"name": optimizer, "service": optimizer, "metric": "q", "optimizer": optimizer}
        begun = collector.client.post("/v1/studies", {**document, "optimizer_options": options})
        assert begun["optimizer_options"] == {**options, "temperature": 0.7}
        assert begun["message"].startswith("model 'm' was found too weak: it cannot be used; ")
