"""The one exception type for problems that a user can cause and mend, and how its sentences show what was given."""


class DiffPairError(ValueError):
    """A problem of the user's input or of a run.

    Its text is one clear sentence that names the culprit: a file, key, particle or value. The command line prints that
    sentence and exits with status 2; it shows no traceback.

    Examples:
        >>> try:
        ...     diffpair.Potential("bspline", cutoff="1 K")
        ... except diffpair.DiffPairError as error:
        ...     print(error)
        Potential: cutoff: 'K' is not a unit of length such as nm
    """


def shortened(value: object) -> str:
    """As Python writes it, but no longer than a sentence can hold."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:40]}..."
