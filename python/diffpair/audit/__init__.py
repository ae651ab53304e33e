"""The gradient audit: how long, and how many, the segments of the adjoint gradient should be for a user's own state.

What it measures in a live state is `fit.iterate.live_audit`, the command `fit.audit`."""

from diffpair.audit.measure import LENGTHS, LengthAudit, StateAudit, audit_state, lengths_for
from diffpair.audit.recommend import Recommendation, common, recommend

__all__ = [
    "LENGTHS",
    "LengthAudit",
    "Recommendation",
    "StateAudit",
    "audit_state",
    "common",
    "lengths_for",
    "recommend",
]
