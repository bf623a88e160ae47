"""A private PostgreSQL that stands in for Redshift's table: one server for the session, a database for each test.

What is rewritten in the DDL, and why the answer still holds for Redshift:
- `ENCODE x`, `DISTSTYLE …`, `COMPOUND SORTKEY (…)` say how blocks are stored, not what is stored: taken out.
- `VARCHAR(n)` counts bytes in Redshift and characters in PostgreSQL: a check of octet_length() is added to each.
- `CAN_JSON_PARSE` and `JSON_PARSE` are functions made here over jsonb; `WITH NO SCHEMA BINDING` is taken out.
"""

import os
import re
import subprocess

from localaws.redshift.postgres import USER, Postgres

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


class Databases:
    """One server, and a database for each test that asks."""

    def __init__(self):
        self._server = Postgres()
        self._count = 0

    def database(self):
        self._count += 1
        name = "test%d" % self._count
        self._server.run("postgres", "CREATE DATABASE " + name)
        database = Database(self._server, name)
        database.sql(FUNCTIONS)
        return database

    def stop(self):
        self._server.stop()


class Database:
    def __init__(self, server, name):
        self._server, self.name = server, name

    def sql(self, text):
        """Rows as lists of text; NULL is None. `text` may hold COPY … FROM STDIN with its data."""
        result = subprocess.run(
            [os.path.join(self._server.programs, "psql"), "-h", self._server.folder, "-U", USER, "-d", self.name,
             "-XqAt", "-F", "\x1f", "-P", "null=\x1e", "-v", "ON_ERROR_STOP=1", "-f", "-"],
            input=text if isinstance(text, bytes) else text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert result.returncode == 0, result.stderr.decode()
        return [[None if field == "\x1e" else field for field in line.split("\x1f")]
                for line in result.stdout.decode().split("\n") if line]

    def texts(self, query):
        """The values of a query's one column, byte for byte: psql leaves some characters out of what it prints of rows,
        and none out of a COPY."""
        lines = self.sql("COPY (%s) TO STDOUT" % query)
        return [re.sub(r"\\(.)", lambda found: _UNESCAPES[found.group(1)], line[0]) for line in lines]

    def copy(self, table, columns, rows):
        """COPY … FROM STDIN; values are text, whole numbers or None."""
        out = [b"COPY %s (%s) FROM STDIN;\n" % (table.encode(), ", ".join('"%s"' % c for c in columns).encode())]
        for row in rows:
            out.append(b"\t".join(_field(value) for value in row) + b"\n")
        out.append(b"\\.\n")
        self.sql(b"".join(out))


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_UNESCAPES = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}


def _field(value):
    if value is None:
        return b"\\N"
    return str(value).translate(_ESCAPES).encode()
