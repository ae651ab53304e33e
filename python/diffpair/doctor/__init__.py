"""`diffpair doctor`: does what is installed here work together?

Nothing is imported before its own check, so that each check works where what others look at is broken.
"""

from diffpair.doctor.finding import Finding, Status
from diffpair.doctor.look import examine

__all__ = ["Finding", "Status", "examine"]
