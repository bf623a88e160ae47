"""Runs the shipper as fate has it: following or by `--once` again and again, killed or stopped at random moments, and
sometimes away for so long that files are rotated several times. Notes when it was killed."""

import signal
import subprocess
import time

from .auditor import Kill

STOP_SECONDS = 60
# How a following shipper may end that was told to: all it had read is stored, or not.
ORDERLY, UNFINISHED = 0, 75


class Pilot:
    def __init__(self, program, job, mode, chance, log):
        self._program = program
        self._job = job
        self._mode = mode               # follow | once | mixed
        self._chance = chance
        self._log = log                 # the shipper's standard error, of all runs
        self._process = None
        self._is_following = False
        self.kills = []
        self.runs = 0

    def fly(self, until):
        """Until then (monotonic time). Leaves the shipper as it happens to be."""
        while time.monotonic() < until:
            if self._process is None:
                self._start()
                self._wait(min(until, time.monotonic() + min(3, self._chance.expovariate(1.2))))
            elif self._chance.random() < (0.7 if self._is_following else 0.5):
                self._kill()
            else:
                self._stop()
            if self._process is None:
                away = self._chance.uniform(1.5, 4) if self._chance.random() < 0.15 else self._chance.uniform(0, 0.6)
                time.sleep(max(0, min(away, until - time.monotonic())))

    def _start(self, once=None):
        self._is_following = not once and (
            self._mode == "follow" or self._mode == "mixed" and self._chance.random() < 0.5)
        arguments = [] if self._is_following else ["--once"]
        self._write("starts %s" % (arguments or "to follow"))
        self._process = self._program.start("ship", self._job, *arguments, stdout=subprocess.DEVNULL, stderr=self._log)
        self.runs += 1

    def _write(self, what):
        """A line of the harness among those of the shipper."""
        now = time.time()
        self._log.write(("--- %s.%03dZ %s\n" % (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)),
                                               now % 1 * 1000, what)).encode())
        self._log.flush()

    def _wait(self, until):
        """Until that time, or the end of a run that ends by itself."""
        while time.monotonic() < until and self._process.poll() is None:
            time.sleep(0.005)
        if self._process.poll() is not None:
            self._note_end()

    def _kill(self):
        self._process.kill()
        self._process.wait()
        self._write("killed")
        self.kills.append(Kill(time.time() * 1000))
        self._process = None

    def _stop(self):
        if self._is_following:
            self._write("is stopped")
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError("the shipper did not end within %d s" % STOP_SECONDS)
        self._note_end()

    def _note_end(self):
        status, self._process = self._process.returncode, None
        self._write("ended with %d" % status)
        if status in (UNFINISHED, -signal.SIGTERM):     # the latter before it could take the signal
            self.kills.append(Kill(time.time() * 1000))     # a request may have been under way
        elif status != ORDERLY:
            raise AssertionError("the shipper ended with status %d" % status)

    def follow(self):
        """Makes sure that a shipper is at work that nobody disturbs; for `--once` one whole run. True when it follows."""
        if self._mode == "once" or self._mode == "mixed" and not self._is_following:
            self.land()
            self._start(once=True)
            self._stop()
            return False
        if self._process is None or self._process.poll() is not None:
            self.land()
            self._start()
            while not self._is_following:
                self._stop()
                self._start()
        return True

    def land(self):
        """Ends what runs."""
        if self._process is not None:
            if self._process.poll() is None:
                self._stop()
            else:
                self._note_end()

    def drain(self):
        """`--once` until it says that nothing is left."""
        self.land()
        for _ in range(5):
            kills = len(self.kills)
            self._start(once=True)
            self._stop()
            if len(self.kills) == kills:
                return
        raise AssertionError("five runs of --once left something")

    def abandon(self):
        """For a round that ends with an error."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
