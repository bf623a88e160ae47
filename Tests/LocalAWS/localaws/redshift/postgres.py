"""Starts a PostgreSQL of our own: no TCP, a socket in a folder of its own, gone with this process.

PostgreSQL refuses to run as root: then it runs as `postgres` or `nobody`. Durability is off; nothing outlives a test.
"""

import ctypes
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import pg8000.native

USER = "redshift"
START_SECONDS = 60
STOP_SECONDS = 10
PR_SET_PDEATHSIG = 1
SETTINGS = ["listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off", "timezone=UTC",
            "log_min_messages=fatal", "log_min_error_statement=panic", "max_connections=60", "deadlock_timeout=200ms"]


class Postgres:
    """A running server with the databases that it is born with."""

    def __init__(self):
        self.programs = program_folder()
        # Short: the path of a socket has at most 107 bytes.
        self.folder = tempfile.mkdtemp(prefix="rs-", dir="/tmp")
        self._process = None
        try:
            self._start()
        except Exception:
            self.stop()
            raise

    def connect(self, database):
        """A connection of its own for each caller.

        A server that refuses one says why and hangs up; pg8000's good-bye then fails and would hide the reason.
        """
        try:
            # Without TLS, or each connection would read all certificates of this machine first.
            return pg8000.native.Connection(USER, database=database, timeout=600, ssl_context=False,
                                            unix_sock=os.path.join(self.folder, ".s.PGSQL.5432"))
        except pg8000.exceptions.InterfaceError as problem:
            raise reason(problem)

    def run(self, database, *statements):
        """Statements one by one, each in its own transaction."""
        connection = self.connect(database)
        try:
            for statement in statements:
                connection.run(statement)
        finally:
            connection.close()

    def stop(self):
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    # Starting.

    def _start(self):
        as_user = {}
        if os.geteuid() == 0:
            user = unprivileged_user()
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        environment = {"PATH": self.programs + ":/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        data = os.path.join(self.folder, "data")
        subprocess.run([os.path.join(self.programs, "initdb"), "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8",
                        "--no-sync", "--locale=C.UTF-8"], check=True, cwd=self.folder, env=environment,
                       stdout=subprocess.DEVNULL, **as_user)
        command = [os.path.join(self.programs, "postgres"), "-D", data, "-k", self.folder]
        for setting in SETTINGS:
            command += ["-c", setting]
        started = threading.Event()
        problem = []

        def serve():
            """The child dies with the thread that started it: this one lives as long as the child."""
            try:
                with open(os.path.join(self.folder, "log"), "wb") as log:
                    self._process = process = subprocess.Popen(
                        command, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, stderr=log,
                        preexec_fn=die_with_parent, **as_user)
            except OSError as error:
                problem.append(error)
                return
            finally:
                started.set()
            process.wait()

        threading.Thread(target=serve, name="postgres", daemon=True).start()
        started.wait()
        if problem:
            raise problem[0]
        self._wait_until_ready()

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.connect("postgres").close()
            except Exception as problem:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    with open(os.path.join(self.folder, "log"), errors="replace") as log:
                        raise RuntimeError("PostgreSQL does not start:\n" + log.read()) from problem
                time.sleep(0.05)


def reason(problem):
    """What the server said before the connection broke; the break itself when it said nothing."""
    found = problem
    while found is not None:
        if isinstance(found, pg8000.exceptions.DatabaseError):
            return found
        found = found.__context__
    return problem


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def program_folder():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"), key=lambda path: int(path.split("/")[4]))
    if found:
        return os.path.dirname(found[-1])
    program = shutil.which("postgres")
    if program is None:
        raise RuntimeError("PostgreSQL is missing: apt-get install postgresql (make setup-tests does it)")
    return os.path.dirname(os.path.realpath(program))


def unprivileged_user():
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root, and there is neither postgres nor nobody")
