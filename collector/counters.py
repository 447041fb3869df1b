"""What came, what went and what was lost: every loss path has a counter, named after the OpenTelemetry Collector's."""

import threading
from collections.abc import Mapping
from enum import StrEnum


class Counter(StrEnum):
    """The counters; the value is the public name. Units are items unless the name says requests."""

    RECEIVER_ACCEPTED_SPANS = "otel_opto_receiver_accepted_spans"
    RECEIVER_ACCEPTED_LOG_RECORDS = "otel_opto_receiver_accepted_log_records"
    RECEIVER_REFUSED_SPANS = "otel_opto_receiver_refused_spans"
    RECEIVER_REFUSED_LOG_RECORDS = "otel_opto_receiver_refused_log_records"
    RECEIVER_REPAIRED_SPANS = "otel_opto_receiver_repaired_spans"
    RECEIVER_REPAIRED_LOG_RECORDS = "otel_opto_receiver_repaired_log_records"
    RECEIVER_IGNORED_METRIC_REQUESTS = "otel_opto_receiver_ignored_metric_requests"
    RECEIVER_INVALID_REQUESTS = "otel_opto_receiver_invalid_requests"
    RECEIVER_TOO_LARGE_REQUESTS = "otel_opto_receiver_too_large_requests"
    RECEIVER_UNAVAILABLE_REQUESTS = "otel_opto_receiver_unavailable_requests"
    RECEIVER_UNAUTHENTICATED_REQUESTS = "otel_opto_receiver_unauthenticated_requests"
    RECEIVER_CIRCLING_REQUESTS = "otel_opto_receiver_circling_requests"
    HTTP_REFUSED_CONNECTIONS = "otel_opto_http_refused_connections"
    HTTP_EVICTED_CONNECTIONS = "otel_opto_http_evicted_connections"
    HTTP_FAILED_HANDSHAKES = "otel_opto_http_failed_handshakes"
    HTTP_MALFORMED_REQUESTS = "otel_opto_http_malformed_requests"
    HTTP_TOO_LARGE_HEADS = "otel_opto_http_too_large_heads"
    HTTP_TIMED_OUT_REQUESTS = "otel_opto_http_timed_out_requests"
    HTTP_SHED_REQUESTS = "otel_opto_http_shed_requests"
    GRPC_SHED_REQUESTS = "otel_opto_grpc_shed_requests"
    STORAGE_FORGOTTEN_SPANS = "otel_opto_storage_forgotten_spans"
    STORAGE_FORGOTTEN_LOG_RECORDS = "otel_opto_storage_forgotten_log_records"
    STORAGE_DAMAGED_STRETCHES = "otel_opto_storage_damaged_stretches"
    STORAGE_DAMAGED_BYTES = "otel_opto_storage_damaged_bytes"
    STORAGE_TORN_BYTES = "otel_opto_storage_torn_bytes"
    STORAGE_REBUILT_INDEXES = "otel_opto_storage_rebuilt_indexes"
    STORAGE_MENDED_DATABASES = "otel_opto_storage_mended_databases"
    STORAGE_LOST_ROWS = "otel_opto_storage_lost_rows"
    EXPORTER_SENT_SPANS = "otel_opto_exporter_sent_spans"
    EXPORTER_SENT_LOG_RECORDS = "otel_opto_exporter_sent_log_records"
    EXPORTER_SEND_FAILED_REQUESTS = "otel_opto_exporter_send_failed_requests"
    EXPORTER_DROPPED_ITEMS = "otel_opto_exporter_dropped_items"
    EXPORTER_DAMAGED_BYTES = "otel_opto_exporter_damaged_bytes"
    OWN_SPANS_SENT = "otel_opto_own_spans_sent"
    OWN_SPANS_DROPPED = "otel_opto_own_spans_dropped"
    FEEDBACK_ACCEPTED = "otel_opto_feedback_accepted"
    FEEDBACK_INVALID = "otel_opto_feedback_invalid"
    FEEDBACK_UNSCORED = "otel_opto_feedback_unscored"
    FEEDBACK_ATTACHED = "otel_opto_feedback_attached"
    FEEDBACK_EXPIRED = "otel_opto_feedback_expired"
    FEEDBACK_SETTLED_EARLY = "otel_opto_feedback_settled_early"
    GRAPHS_REFUSED = "otel_opto_graphs_refused"
    GRAPHS_TOO_LARGE = "otel_opto_graphs_too_large"
    QUERIES_PARTIAL = "otel_opto_queries_partial"
    PROPOSALS_ACCEPTED = "otel_opto_proposals_accepted"
    PROPOSALS_REJECTED = "otel_opto_proposals_rejected"
    ANSWERS_REFUSED = "otel_opto_answers_refused"
    OPTIMIZER_ERRORS = "otel_opto_optimizer_errors"
    RELEASES_PUBLISHED = "otel_opto_releases_published"
    RELEASES_APPLIED = "otel_opto_releases_applied"
    RELEASES_FAILED = "otel_opto_releases_failed"


class Gauge(StrEnum):
    """What is measured rather than counted; the value is the public name."""

    LOOP_LONGEST_PAUSE = "otel_opto_event_loop_longest_pause_seconds"
    LOOP_LONGEST_BUSY_PAUSE = "otel_opto_event_loop_longest_busy_pause_seconds"


class Counters:
    """Counts since the start of the process; used from any thread."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(Counter, 0)
        self._highest = dict.fromkeys(Gauge, 0.0)
        self._lock = threading.Lock()

    def add(self, counter: Counter, amount: int = 1) -> None:
        """Adds to one counter."""
        with self._lock:
            self._counts[counter] += amount

    def raise_to(self, gauge: Gauge, value: float) -> None:
        """Remembers the highest value until it is read."""
        with self._lock:
            self._highest[gauge] = max(self._highest[gauge], value)

    def exposition(self) -> str:
        """All counters and gauges in Prometheus' text format 0.0.4, under their public names.

        A gauge is the highest value since the last time.
        """
        lines = [f"# TYPE {counter.value} counter\n{counter.value} {count}" for counter, count in self._counts.items()]
        with self._lock:
            highest, self._highest = self._highest, dict.fromkeys(Gauge, 0.0)
        lines += [f"# TYPE {gauge.value} gauge\n{gauge.value} {value:.6f}" for gauge, value in highest.items()]
        return "\n".join(lines) + "\n"

    def snapshot(self) -> Mapping[str, int]:
        """All counters by their public names."""
        return {counter.value: count for counter, count in self._counts.items()}
