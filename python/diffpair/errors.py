"""The one exception type for problems that a user can cause and mend, and how its sentences show what was given."""


class DiffPairError(ValueError):
    """A problem of the user's input or of a run.

    ``str(error)`` is one clear sentence that names the culprit: a file, key, particle or value. The command line prints
    that sentence and exits with status 2; it shows no traceback.
    """


def shortened(value: object) -> str:
    """As Python writes it, but no longer than a sentence can hold."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:40]}..."
