"""What an application would send, and where it gets lost: ``python -m otel_opto.doctor`` in its environment.

Changes nothing that lasts: an export request without spans is sent, and the collector is asked what is in force.
"""

from otel_opto.doctor.examination import CHECKS, examine
from otel_opto.doctor.finding import Finding, Level, document_of, lines_of

__all__ = ["CHECKS", "Finding", "Level", "document_of", "examine", "lines_of"]
