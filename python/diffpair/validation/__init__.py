"""`diffpair validate` of a potential in production: does it reproduce the targets in runs of its own?"""

from diffpair.validation.subject import Subject, subject_of
from diffpair.validation.trial import StateTrial, try_states

__all__ = ["StateTrial", "Subject", "subject_of", "try_states"]
