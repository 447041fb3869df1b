"""What a token has to allow for each operation, over HTTP as over gRPC: both tables of what is served ask here."""

from collections.abc import Mapping
from types import MappingProxyType

from collector.access.tokens import Scope

SCOPES: Mapping[str, Scope] = MappingProxyType(
    {
        **dict.fromkeys(
            ("declare_parameters", "watch_releases", "assignment", "release_of", "acknowledge", "submit_feedback"),
            Scope.INGEST,
        ),
        **dict.fromkeys(
            (
                "declared", "releases", "release", "diff", "acknowledgements", "feedback", "traces", "drawn", "nodes",
                "node", "studies", "study", "counts", "metrics", "rollouts", "rollout", "watch_rollout", "audit",
                "standing", "services", "doctor", "explained", "discoveries",
            ),
            Scope.READ,
        ),
        **dict.fromkeys(("propose_release", "start_rollout", "pause_rollout", "abort_rollout"), Scope.PROPOSE),
        **dict.fromkeys(("rollback", "unsigned", "sign", "create_study", "stop_study", "import_study"), Scope.PUBLISH),
        **dict.fromkeys(("approve_rollout", "resume_rollout", "promote_rollout"), Scope.APPROVE),
    }
)  # fmt: skip
"""By operation."""
