"""A private PostgreSQL that stands in for Redshift's table: started for the session, on a socket of its own.

What is rewritten in the DDL, and why the answer still holds for Redshift:
- `ENCODE x`, `DISTSTYLE …`, `COMPOUND SORTKEY (…)` say how blocks are stored, not what is stored: taken out.
- `VARCHAR(n)` counts bytes in Redshift and characters in PostgreSQL: a check of octet_length() is added to each.
- `CAN_JSON_PARSE` and `JSON_PARSE` are functions made here over jsonb; `WITH NO SCHEMA BINDING` is taken out.
"""

import glob
import os
import pwd
import re
import shutil
import subprocess
import tempfile

FUNCTIONS = """
CREATE FUNCTION json_parse(text varchar) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT text::jsonb';
CREATE FUNCTION can_json_parse(text varchar) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM text::jsonb; RETURN text IS NOT NULL; EXCEPTION WHEN others THEN RETURN false; END $$;
"""


def as_postgres_has_it(ddl):
    """The DDL that `sluice redshift ddl` prints, for PostgreSQL."""
    ddl = re.sub(r" ENCODE \w+", "", ddl)
    ddl = re.sub(r"\)\s*DISTSTYLE \w+\s*COMPOUND SORTKEY \([^)]*\)", ")", ddl)
    ddl = re.sub(r'^( +("\w+") +VARCHAR\((\d+)\) *)', r"\1 CHECK (octet_length(\2) <= \3)", ddl, flags=re.M)
    return ddl.replace("WITH NO SCHEMA BINDING", "")


class Postgres:
    """One server with one database for each test that asks."""

    def __init__(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        if not found:
            raise RuntimeError("PostgreSQL is missing: apt-get install postgresql (make setup-tests does it)")
        self._bin = os.path.dirname(found[-1])
        self.directory = tempfile.mkdtemp(prefix="sluice-pg-")
        # The server refuses to run as root; Debian's package brings the user.
        self._as_user = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.directory, user.pw_uid, user.pw_gid)
            self._as_user = ["runuser", "-u", "postgres", "--"]
        data = os.path.join(self.directory, "data")
        self._run(self._bin + "/initdb", "-D", data, "-U", "sluice", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                  "--no-sync")
        self._process = subprocess.Popen(
            self._as_user + [self._bin + "/postgres", "-D", data, "-k", self.directory, "-c", "listen_addresses=",
                             "-c", "fsync=off", "-c", "timezone=UTC"],
            stdout=subprocess.DEVNULL, stderr=open(os.path.join(self.directory, "log"), "wb"), cwd="/")
        self._wait()
        self._count = 0

    def _run(self, *command):
        subprocess.run(self._as_user + list(command), check=True, stdout=subprocess.DEVNULL, cwd="/")

    def _wait(self):
        for _ in range(100):
            ready = subprocess.run([self._bin + "/pg_isready", "-q", "-h", self.directory, "-U", "sluice"])
            if ready.returncode == 0:
                return
            if self._process.poll() is not None:
                break
            subprocess.run(["sleep", "0.1"], check=True)
        with open(os.path.join(self.directory, "log")) as log:
            raise RuntimeError("PostgreSQL does not start:\n" + log.read())

    def database(self):
        self._count += 1
        name = "test%d" % self._count
        self.sql("CREATE DATABASE " + name, "postgres")
        self.sql(FUNCTIONS, name)
        return Database(self, name)

    def sql(self, text, database, expect=0):
        """Rows as lists of text; NULL is None. `text` may hold COPY … FROM STDIN with its data."""
        result = subprocess.run(
            [self._bin + "/psql", "-h", self.directory, "-U", "sluice", "-d", database, "-XqAt", "-F", "\x1f",
             "-P", "null=\x1e", "-v", "ON_ERROR_STOP=1", "-f", "-"],
            input=text if isinstance(text, bytes) else text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        errors = result.stderr.decode()
        assert (result.returncode == 0) == (expect == 0), errors
        if expect:
            return errors
        return [[None if field == "\x1e" else field for field in line.split("\x1f")]
                for line in result.stdout.decode().split("\n") if line]

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Database:
    def __init__(self, server, name):
        self._server, self.name = server, name

    def sql(self, text, **options):
        return self._server.sql(text, self.name, **options)

    def copy(self, table, columns, rows):
        """COPY … FROM STDIN; values are text, whole numbers or None."""
        out = [b"COPY %s (%s) FROM STDIN;\n" % (table.encode(), ", ".join('"%s"' % c for c in columns).encode())]
        for row in rows:
            out.append(b"\t".join(_field(value) for value in row) + b"\n")
        out.append(b"\\.\n")
        self.sql(b"".join(out))


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _field(value):
    if value is None:
        return b"\\N"
    return str(value).translate(_ESCAPES).encode()
