"""The gradient audit: how long, and how many, the segments of the adjoint gradient should be for a user's own state.

`run` (the command) is not imported here: it needs `fit`, which needs this package.
"""

from diffpair.audit.measure import LENGTHS, LengthAudit, StateAudit, audit_state
from diffpair.audit.recommend import Recommendation, common, recommend

__all__ = ["LENGTHS", "LengthAudit", "Recommendation", "StateAudit", "audit_state", "common", "recommend"]
