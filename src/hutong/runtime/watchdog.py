"""
The process between hutong and an embedded PostgreSQL: restarts the server, and never lets it outlive its users.

It runs alone (`python -I -S watchdog.py ...`), before hutong can be imported by the account it drops to, so it
uses the standard library only. Every process that uses the server holds a shared lock on one file. The
watchdog waits for the exclusive one, which the kernel grants when the last user has let go or has died, however
it died. So there is nothing to clean up after `kill -9`, and no process that asks "are you still there?".
"""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from types import FrameType

_PR_SET_PDEATHSIG = 1
_CRASHES_MAX = 5  # In a row, from the first start on: it does not start at all, and somebody waits to hear why.
_CRASHES_MAX_ONCE_UP = 12  # A killed server's busy backends keep the next one out until they notice.
_UP_S = 2  # Whoever lived that long did start.
_HEALTHY_S = 30
_PAUSE_MAX_S = 5.0
_FAST_SHUTDOWN_S = 60
_LOOK_S = 5


class Watchdog:
    """One server, restarted when it crashes."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.crashes = 0
        self.was_up = False
        self.restarting = False
        self.server: subprocess.Popen[bytes] | None = None
        self.started_at = time.monotonic()

    def start(self) -> None:
        # The server must not outlive the watchdog either: Linux then sends it SIGINT, PostgreSQL's fast shutdown.
        self.started_at = time.monotonic()
        self.server = subprocess.Popen(self.command, preexec_fn=_die_with_parent)  # noqa: PLW1509  # One thread; our command.

    def child_changed(self, _signal: int, _frame: FrameType | None) -> None:
        """The server ended: restart it, unless somebody stopped it on purpose or it keeps falling over."""
        server = self.server
        # It waits below, and a second signal may come meanwhile.
        if server is None or self.restarting or server.poll() is None:
            return
        _say(f"the server ended with {server.returncode}")
        if server.returncode == 0:
            raise SystemExit(0)
        lived_s = time.monotonic() - self.started_at
        self.was_up = self.was_up or lived_s > _UP_S
        self.crashes = 1 if lived_s > _HEALTHY_S else self.crashes + 1
        if self.crashes >= (_CRASHES_MAX_ONCE_UP if self.was_up else _CRASHES_MAX):
            raise SystemExit(1)
        self.restarting = True
        time.sleep(min(0.1 * 2**self.crashes, _PAUSE_MAX_S))
        self.start()
        self.restarting = False

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if self.server is None or self.server.poll() is not None:
            return
        # A server that recovers from a crash may take a minute to hear of a fast shutdown, and has nothing to lose.
        self.server.send_signal(signal.SIGINT if self.is_ready() else signal.SIGQUIT)
        try:
            self.server.wait(_FAST_SHUTDOWN_S)
        except subprocess.TimeoutExpired:
            self.server.send_signal(signal.SIGQUIT)  # Recovery at the next start loses nothing.
            self.server.wait()

    def is_ready(self) -> bool:
        """Whether the server's pid file says that it takes connections: its eighth line."""
        data = self.command[self.command.index("-D") + 1]
        try:
            with open(f"{data}/postmaster.pid", encoding="utf-8") as facts:  # noqa: PTH123  # Nothing more to import.
                return facts.read().splitlines()[7].strip() == "ready"
        except (OSError, IndexError):
            return False


def watch(users_path: str, alive_path: str, uid: int, gid: int, command: list[str]) -> None:
    """Run the server until nobody holds `users_path`; hold `alive_path` meanwhile."""
    users = os.open(users_path, os.O_RDWR)
    alive = os.open(alive_path, os.O_RDWR)
    fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)  # It passes to the child below with the file.
    if os.fork() != 0:
        os._exit(0)  # Nobody's child: it may outlive whoever started it, when another command uses the server.
    os.chdir("/")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    watchdog = Watchdog(command)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGCHLD, watchdog.child_changed)
    # A signal between Python's last look and the wait below would not end the wait: look again now and then.
    signal.signal(signal.SIGALRM, watchdog.child_changed)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_S, _LOOK_S)
    try:
        watchdog.start()
        fcntl.flock(users, fcntl.LOCK_EX)
    finally:
        watchdog.stop()


def _die_with_parent() -> None:
    os.umask(0o077)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} watchdog: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    watch(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
