"""The program itself: LAMMPS started by the user's command, alive until it is closed."""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import signal
import subprocess
import sysconfig
import weakref
from collections import deque
from collections.abc import Callable
from pathlib import Path

from diffpair.errors import DiffPairError
from diffpair_lammps import plugin_folder

OURS = "diffpair-"  # begins the lines that LAMMPS prints for us
_PLUGINS = "LAMMPS_PLUGIN_PATH"
# Unbuffered output, or else no line would come before thousands; no files of its own in the user's folder.
_OPTIONS = ("-nonbuf", "-log", "none", "-nocite")
_IDLE = ["diffpair_wait"]  # of the plugin: what a LAMMPS does that has nothing to do, or else it would keep cores busy
_BANNER = "LAMMPS ("  # begins the line with its version, which comes before it reads any input
_TAIL, _ERRORS = (
    8,
    2,
)  # last lines of its output that an error tells, and of its own errors: mpiexec has words after them
_PATIENCE = 3.0  # s that it has to end in before it is killed
_LEFT_OUT = "pair_style diffpair is left out: "  # the plugin's own words where it does not fit a LAMMPS


class LammpsFailed(DiffPairError):
    """LAMMPS could not be started, or ended.

    Args:
        message: what has happened.
        said: its last lines.

    Attributes:
        what: the message alone.
        said: the last lines of LAMMPS.
    """

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message + (f"; its last lines:\n{said}" if said else ""))
        self.what, self.said = message, said


class LammpsProcess:
    """LAMMPS, which reads commands from its standard input as long as it lives.

    Args:
        command: as in a shell, such as "mpiexec -n 2 lmp".
        folder: where it runs; by default here.
        thermostat: whether the fit's own, fix gjf, is needed.

    Raises:
        LammpsFailed: it is not here, or lacks what the engine needs.
    """

    def __init__(self, command: str, folder: Path | None = None, thermostat: bool = True) -> None:
        self.command = command
        words = shlex.split(command)
        environment = _environment()
        program = shutil.which(words[0], path=environment["PATH"])
        if program is None:
            raise LammpsFailed(f"sampling: command {command!r}: there is no program {words[0]!r} here")
        self._lines: deque[str] = deque(maxlen=_TAIL)
        self._errors: deque[str] = deque(maxlen=_ERRORS)
        self._sent = self._answered = 0
        self._idle: list[str] = []
        try:
            # a group of its own: Ctrl-C is for the fit, which ends LAMMPS when it has kept what it has
            self._popen = subprocess.Popen(
                [program, *words[1:], *_OPTIONS], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace", env=environment, process_group=0, cwd=folder,
            )  # fmt: skip
        except OSError as error:
            raise LammpsFailed(f"sampling: command {command!r} cannot be run: {error.strerror or error}") from None
        self.close = weakref.finalize(self, _end, self._popen)
        self._check()
        self._check_thermostat() if thermostat else self.run(["clear"])

    def _check(self) -> None:
        """That it is LAMMPS, and has what the engine needs."""
        said: list[str] = []
        try:
            # Only then is there somebody to write to: a launcher whose program cannot be started breaks off over its
            # input, before it tells why.
            self._listen(said.append, lambda line: line.startswith(_BANNER))
            self.run([], said.append)
        except LammpsFailed as error:
            raise LammpsFailed(
                f"sampling: command {self.command!r} does not start LAMMPS, of 2025 or later", error.said
            ) from None
        try:
            self.run(["units real", "pair_style diffpair", *_IDLE])
        except LammpsFailed as error:
            if _IDLE[0] in error.said:
                raise LammpsFailed(
                    f"sampling: command {self.command!r}: its plugin with pair_style diffpair is that of an earlier "
                    f"diffpair; build it anew"
                ) from None
            why = "".join(f" ({line.partition(_LEFT_OUT)[2].strip()})" for line in said if _LEFT_OUT in line)
            raise LammpsFailed(
                f"sampling: command {self.command!r}: this LAMMPS has no pair_style diffpair{why}; docs/guide/lammps.md"
                f" tells how to build it for a LAMMPS of your own"
            ) from None
        self._idle = _IDLE

    def _check_thermostat(self) -> None:
        """That it has the fit's. What was tried is cleared."""
        try:
            self.run(["region box block 0 1 0 1 0 1", "create_box 1 box", "fix try all gjf 1 1 1 1", "clear"])
        except LammpsFailed:
            raise LammpsFailed(
                f"sampling: command {self.command!r}: this LAMMPS has no fix gjf, the thermostat of a fit: it needs "
                f"its package EXTRA-FIX, of June 2025 or later"
            ) from None

    def run(self, lines: list[str], heard: Callable[[str], None] | None = None) -> None:
        """Have commands done; `heard` gets what LAMMPS prints meanwhile, line by line. Raises LammpsFailed."""
        if self._answered < self._sent:
            self._wait(None)  # an interrupt has left it in the middle of something
        self._sent += 1
        assert self._popen.stdin is not None
        try:
            ends = [f'print "{self._mark}"', *self._idle]
            self._popen.stdin.write("\n".join([*lines, *ends]) + "\n")
            self._popen.stdin.flush()
        except OSError:
            pass  # its last lines tell why
        self._wait(heard)

    @property
    def _mark(self) -> str:
        return f"{OURS}done-{self._sent}"

    def _wait(self, heard: Callable[[str], None] | None) -> None:
        self._listen(heard, lambda line: line.strip() == self._mark)
        self._answered = self._sent

    def _listen(self, heard: Callable[[str], None] | None, last: Callable[[str], bool]) -> None:
        """Read what LAMMPS prints up to the line that is the last one. Raises LammpsFailed where it ends before."""
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            if last(line):
                return
            if line.strip() and not line.startswith(OURS):
                self._lines.append(line.rstrip())
                if line.startswith("ERROR"):
                    self._errors.append(line.rstrip())
            if heard is not None:
                heard(line)
        self.close()
        said = [*(line for line in self._errors if line not in self._lines), *self._lines]
        raise LammpsFailed(f"LAMMPS ({self.command}) ended before its work was done", "\n".join(said))


def _end(popen: subprocess.Popen[str]) -> None:
    """End a LAMMPS that has nothing to do, or kill it."""
    for stream in (popen.stdin, popen.stdout):
        try:
            if stream is not None:
                stream.close()
        except OSError:
            pass
    for sign in (None, signal.SIGTERM, signal.SIGKILL):  # mpiexec ends its processes on SIGTERM
        try:
            if sign is not None:
                os.killpg(popen.pid, sign)
            popen.wait(_PATIENCE)
            return
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


def _environment() -> dict[str, str]:
    """The programs of this Python's environment are found though it may not be activated, and so is the plugin."""
    found = dict(os.environ)
    found["PATH"] = os.pathsep.join(filter(None, [found.get("PATH", ""), sysconfig.get_path("scripts")]))
    found.setdefault(_PLUGINS, plugin_folder())
    return found


@functools.cache
def check_command(command: str) -> None:
    """Whether a command starts a LAMMPS that can run a fit. Raises LammpsFailed."""
    LammpsProcess(command).close()
