"""The log as JSON, a line a record, for who collects logs."""

import json
import logging
from datetime import UTC, datetime

from collector.access.calling import CALLING


class JsonFormatter(logging.Formatter):
    """One JSON object for each record; names of trace ids as in OpenTelemetry's logs without OTLP."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "severity": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        calling = CALLING.get()
        if calling is not None:
            document |= {"trace_id": calling[0], "span_id": calling[1]}
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            document["stack"] = record.stack_info
        return json.dumps(document)  # ASCII: nothing in it moves a terminal
