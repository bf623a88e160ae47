"""A PostgreSQL of our own: no TCP, a socket in a folder of its own, gone with this process. Started when first asked for.

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

DATABASE = "dev"
START_SECONDS = 60
PR_SET_PDEATHSIG = 1
# What Redshift has and PostgreSQL lacks, as far as loading needs it.
FUNCTIONS = """
CREATE FUNCTION pg_last_copy_count() RETURNS bigint LANGUAGE sql VOLATILE AS
  $$ SELECT coalesce(nullif(current_setting('local.last_copy_count', true), ''), '0')::bigint $$;
CREATE FUNCTION getdate() RETURNS timestamp LANGUAGE sql STABLE AS $$ SELECT now() AT TIME ZONE 'UTC' $$;
CREATE TABLE sys_load_error_detail (
  user_id integer, query_id bigint, transaction_id bigint, session_id integer, database_name text, table_id integer,
  start_time timestamp, step bigint, file_name text, line_number bigint, column_name text, column_type text,
  column_length text, "position" integer, error_code integer, error_message text);
"""


class Database:
    def __init__(self):
        self._lock = threading.Lock()
        self._folder = None
        self._process = None
        self.is_used = False

    def connect(self, database=DATABASE):
        """A connection of its own for each caller; the first one starts the server."""
        with self._lock:
            if self._process is None:
                self._start()
            self.is_used = True
        return self._connection(database)

    def _connection(self, database):
        return pg8000.native.Connection("redshift", database=database, unix_sock=self._socket, timeout=600)

    @property
    def _socket(self):
        return os.path.join(self._folder, ".s.PGSQL.5432")

    def reset(self):
        """An empty database again; whoever is in it is thrown out."""
        with self._lock:
            if self._process is None or not self.is_used:
                return
            self.is_used = False
            self._make_database()

    def _make_database(self):
        connection = self._connection("postgres")
        try:
            connection.run("DROP DATABASE IF EXISTS %s WITH (FORCE)" % DATABASE)
            connection.run("CREATE DATABASE %s TEMPLATE template1" % DATABASE)
        finally:
            connection.close()

    def stop(self):
        with self._lock:
            if self._process is not None:
                self._process.send_signal(signal.SIGQUIT)
                try:
                    self._process.wait(10)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()
                self._process = None
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None

    # Starting.

    def _start(self):
        programs = program_folder()
        # Short: the path of a socket has at most 107 bytes.
        self._folder = tempfile.mkdtemp(prefix="rs-", dir="/tmp")
        as_user = {}
        if os.geteuid() == 0:
            user = unprivileged_user()
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        environment = {"PATH": programs + ":/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        data = os.path.join(self._folder, "data")
        subprocess.run([os.path.join(programs, "initdb"), "-D", data, "-U", "redshift", "-A", "trust", "-E", "UTF8",
                        "--no-sync", "--locale=C.UTF-8"], check=True, cwd=self._folder, env=environment,
                       stdout=subprocess.DEVNULL, **as_user)
        command = [os.path.join(programs, "postgres"), "-D", data, "-k", self._folder, "-c", "listen_addresses=",
                   "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
                   "-c", "log_min_messages=panic", "-c", "log_min_error_statement=panic", "-c", "timezone=UTC",
                   "-c", "max_connections=60", "-c", "deadlock_timeout=200ms"]
        started = threading.Event()
        problem = []

        def serve():
            """The child dies with the thread that started it: this one lives as long as the child."""
            try:
                self._process = subprocess.Popen(command, cwd=self._folder, env=environment, stdout=subprocess.DEVNULL,
                                                 stderr=subprocess.DEVNULL, preexec_fn=die_with_parent, **as_user)
            except OSError as error:
                problem.append(error)
            started.set()
            if self._process is not None:
                self._process.wait()

        threading.Thread(target=serve, name="postgres", daemon=True).start()
        started.wait()
        if problem:
            raise problem[0]
        self._wait_until_ready()
        connection = self._connection("template1")
        for statement in FUNCTIONS.split(";\n"):
            if statement.strip():
                connection.run(statement)
        connection.close()
        self._make_database()

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self._connection("postgres").close()
            except Exception:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def program_folder():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"), key=lambda path: int(path.split("/")[4]))
    if found:
        return os.path.dirname(found[-1])
    program = shutil.which("postgres")
    if program is None:
        raise RuntimeError("the local Redshift needs PostgreSQL: apt-get install postgresql")
    return os.path.dirname(os.path.realpath(program))


def unprivileged_user():
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root, and there is neither postgres nor nobody")
