"""A following shipper as a service manager has it: started, told to be ready, stopped by SIGTERM."""

import os
import signal
import socket
import tempfile
import time

READY_SECONDS = 30
STOP_SECONDS = 40


class Notifications:
    """The socket of a service manager: what `sd_notify` says. `NOTIFY_SOCKET` is `address`."""

    def __init__(self, abstract=False):
        self._directory = tempfile.mkdtemp(prefix="notify-")    # short: a socket's path has 107 bytes at most
        self.address = "@sluice-test-%d-%d" % (os.getpid(), time.monotonic_ns()) if abstract else \
            os.path.join(self._directory, "socket")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.address[1:] if abstract else self.address)
        self._socket.setblocking(False)
        self.messages = []      # (monotonic time, text)

    def poll(self):
        """Takes what has come."""
        while True:
            try:
                data = self._socket.recv(65_536)
            except BlockingIOError:
                return self
            for line in data.decode().splitlines():
                self.messages.append((time.monotonic(), line))

    def all(self, name):
        """Values of every assignment to `name` so far."""
        return [text.partition("=")[2] for _, text in self.poll().messages if text.partition("=")[0] == name]

    def close(self):
        self._socket.close()
        if os.path.exists(os.path.join(self._directory, "socket")):
            os.unlink(os.path.join(self._directory, "socket"))
        os.rmdir(self._directory)


class Follower:
    """`sluice ship JOB` as a service; use it in a `with`. Leaving it in order stops it with SIGTERM."""

    def __init__(self, shipping, *arguments, expect=0, environment=None, abstract=False, **options):
        self._shipping = shipping
        self._expect = expect
        self._arguments = arguments
        self._options = options
        self._environment = environment or {}
        self._abstract = abstract
        self.result = None

    def __enter__(self):
        self.notifications = Notifications(self._abstract)
        self._errors = tempfile.TemporaryFile()     # a pipe that nobody reads would stop the shipper
        self.process = self._shipping.scenario.program.start(
            "ship", self._shipping.job, "--json", *self._arguments, stderr=self._errors,
            environment=dict(self._environment, NOTIFY_SOCKET=self.notifications.address), **self._options)
        try:
            self.wait_for(lambda: self.notifications.all("READY") == ["1"], READY_SECONDS, "READY=1")
        except AssertionError:
            self.kill()
            raise
        return self

    def __exit__(self, kind, *_):
        if self.result is None:
            if kind is None:
                self.stop()
            else:
                self.kill()
        self._errors.close()
        self.notifications.close()

    def wait_for(self, condition, seconds=20, what="the condition"):
        """Waits while the shipper runs."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, "the shipper ended with %s\n%s" % (
                self.process.returncode, self.errors())
            assert time.monotonic() < end, "%s did not come true in %s s\n%s" % (what, seconds, self.errors())
            time.sleep(0.02)

    def wait_for_lines(self, count, seconds=30):
        self.wait_for(lambda: self._shipping.count() >= count, seconds, "%d lines on the stream" % count)

    def errors(self):
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace")[-12_000:]

    def stop(self, number=signal.SIGTERM, expect=None):
        """Ends it in order; its Result."""
        self.process.send_signal(number)
        return self.finish(expect)

    def finish(self, expect=None):
        """Waits for it to end by itself; its Result."""
        self.result = self._shipping.scenario.program.finish(
            self.process, ("ship",), expect=None, timeout=STOP_SECONDS)
        self.result.stderr = self.errors()
        allowed = self._expect if expect is None else expect
        assert self.result.exit in ((allowed,) if isinstance(allowed, int) else allowed), str(self.result)
        return self.result

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.result = self.process.wait()
        self.process.stdout.close()
