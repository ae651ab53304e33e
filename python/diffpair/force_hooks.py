"""Forces that Python gives to a segment: the C function that the core's hook calls, and what it calls in turn.

The core calls from whatever thread a replica runs on, for several replicas at a time; ctypes takes the GIL for it.
"""

from __future__ import annotations

import copy
import ctypes
import itertools
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError

Array = NDArray[np.float64]


class ForceHook:
    """Further forces of a segment by a function of the positions.

    They must be minus the gradient of an energy: the backward of a segment takes their Hessian to be symmetric, and its
    product with a direction from differences of the forces. Beside the evaluation of the forward, that takes one more
    in every step of a replica, on alternating sides of the path, so that steps take each other's errors back; or two,
    on both sides, with `central`.

    Args:
        forces: a function of the replica's number and positions, nm, [N, 3], that returns kJ/mol/nm, [N, 3]. Called by
            several threads, but never by two for one replica.
        atoms: N, the number of atoms.
        distance: nm by which differences move the particle that is moved farthest. The error of a difference is the
            noise of the forces over it, plus what the forces' curvature makes of it.
        central: differences on both sides in every step.
        single_distance: the distance in segments of float32, by default the same. Such a segment rounds the forces that
            it keeps, which are one end of a difference that is not central.
    """

    def __init__(
        self, forces: Callable[[int, Array], Array], atoms: int, distance: float, central: bool = False,
        single_distance: float | None = None,
    ) -> None:  # fmt: skip
        self.forces, self.atoms, self.distance, self.central = forces, atoms, distance, central
        self.single_distance = single_distance or distance
        self._register()

    def of_segment(self, single: bool) -> ForceHook:
        """The same forces for one segment, whose failures are its own.

        Args:
            single: it is one of float32.

        Returns:
            Another hook.
        """
        alone = copy.copy(self)
        alone.distance = self.single_distance if single else self.distance
        alone._register()
        return alone

    def _register(self) -> None:
        self.user = next(_numbers)
        self._failure: BaseException | None = None
        _hooks[self.user] = self

    def fail(self, failure: BaseException) -> None:
        """Keep what is to be raised: the first Exception, or rather what is none, such as KeyboardInterrupt.

        Args:
            failure: what `forces` raised.
        """
        graver = isinstance(self._failure, Exception) and not isinstance(failure, Exception)
        if self._failure is None or graver:
            self._failure = failure

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """A context that raises what `forces` raised within, instead of the core's error.

        Raises:
            DiffPairError: `forces` raised an Exception, which the sentence tells; all else, such as KeyboardInterrupt,
                is raised as it is.
        """
        self._failure = None
        try:
            yield
        except RuntimeError as error:
            if self._failure is None and _NO_FORCES in str(error):
                raise KeyboardInterrupt from None  # a signal before `try` in _call: nothing else can get past that
            if self._failure is None:
                raise
            if not isinstance(self._failure, Exception):
                raise self._failure from None
            raise DiffPairError(f"the further forces of a segment cannot be evaluated: {self._failure}") from error


_numbers = itertools.count(1)
_hooks: weakref.WeakValueDictionary[int, ForceHook] = weakref.WeakValueDictionary()
_NO_FORCES = "Further forces of a segment could not be evaluated"  # as the core says it
_Doubles = ctypes.POINTER(ctypes.c_double)


# `done` is 0 before a call. What a callback of ctypes returns could not tell: where a signal comes before `try` that is
# what lies in memory, the answer of the call before among it.
@ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, _Doubles, _Doubles, ctypes.POINTER(ctypes.c_int))
def _call(user: int, replica: int, x: Any, forces: Any, done: Any) -> None:
    hook = None
    try:
        hook = _hooks.get(user)  # a number, not an address: what is gone is missed
        if hook is None:
            return
        shape = (hook.atoms, 3)
        np.ctypeslib.as_array(forces, shape)[:] = hook.forces(replica, np.ctypeslib.as_array(x, shape))
        done[0] = 1
    except BaseException as failure:  # ctypes would print it, and go on
        done[0] = 0
        if hook is not None:
            hook.fail(failure)


FUNCTION = int(ctypes.cast(_call, ctypes.c_void_p).value or 0)


def hook_of(user: int) -> ForceHook | None:
    """The hook of that number, if it is alive."""
    return _hooks.get(user)
