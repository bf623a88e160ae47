"""Runs the real `sluice` in a clean environment and keeps what it said."""

import json
import os
import signal
import subprocess
import time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
DEFAULT_BINARY = os.path.join(REPOSITORY, ".build", "debug", "sluice")
TIMEOUT_SECONDS = 120


def binary():
    """The program under test: SLUICE_BIN, else the debug build."""
    path = os.path.abspath(os.environ.get("SLUICE_BIN", DEFAULT_BINARY))
    if not os.access(path, os.X_OK):
        raise RuntimeError("no program at %s: build it, or set SLUICE_BIN" % path)
    return path


class Result:
    """How one run ended. `exit` is as a shell shows it: 128 + n after signal n."""

    def __init__(self, arguments, status, stdout, stderr, seconds):
        self.arguments = arguments
        self.exit = 128 - status if status < 0 else status
        self.was_killed = status == -signal.SIGKILL
        self.stdout = stdout
        self.stderr = stderr
        self.seconds = seconds

    @property
    def report(self):
        """The `--json` result."""
        return json.loads(self.stdout)

    def __str__(self):
        return "sluice %s: exit %d after %.1f s\n--- stdout\n%s\n--- stderr\n%s" % (
            " ".join(self.arguments), self.exit, self.seconds, self.stdout[-6000:], self.stderr[-12000:])


class Program:
    """`environment` is all the program gets: nothing of the caller's leaks in, save PATH and what sanitizers read."""

    def __init__(self, environment, directory):
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(directory), "TZ": "UTC", "LC_ALL": "C.UTF-8"}
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS") or name == "LLVM_PROFILE_FILE" or name == "LD_LIBRARY_PATH":
                self.environment[name] = value
        self.environment.update(environment)
        self.directory = str(directory)

    def start(self, *arguments, environment=None, failpoint=None, stdin=None, stdout=subprocess.PIPE,
              stderr=subprocess.PIPE, **options):
        """A running program (subprocess.Popen), for tests that kill it or look in on it."""
        full = dict(self.environment, **(environment or {}))
        if failpoint is not None:
            full["SLUICE_FAILPOINT"] = failpoint
        full = {name: value for name, value in full.items() if value is not None}
        return subprocess.Popen([binary()] + [str(a) for a in arguments], env=full, cwd=self.directory,
                                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                                stdout=stdout, stderr=stderr, **options)

    def run(self, *arguments, expect=0, timeout=TIMEOUT_SECONDS, stdin=None, **options):
        """Runs to the end. `expect`: the exit status, several of them, or None for any."""
        started = time.monotonic()
        process = self.start(*arguments, stdin=stdin, **options)
        return self.finish(process, arguments, expect, timeout, stdin, started)

    def finish(self, process, arguments=(), expect=0, timeout=TIMEOUT_SECONDS, stdin=None, started=None):
        """Waits for a program that `start` started."""
        started = time.monotonic() if started is None else started
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.kill()
            out, err = process.communicate()
            err = (err or b"") + b"\n[killed by the test after %d s]" % timeout
            expect = ()
        # What went to a file of the test's own is not here.
        out, err = (out or b"").decode("utf-8", "replace"), (err or b"").decode("utf-8", "replace")
        result = Result([str(a) for a in arguments], process.returncode, out, err, time.monotonic() - started)
        allowed = (expect,) if isinstance(expect, int) else expect
        assert allowed is None or result.exit in allowed, "expected exit %s\n%s" % (expect, result)
        return result
