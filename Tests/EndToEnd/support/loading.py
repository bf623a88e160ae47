"""Rows into PostgreSQL as COPY would take them, and back again: each value is there, of its type and within its width."""

import json

from .copyrules import JSONPaths, Table
from .postgres import as_postgres_has_it

TYPES = {"TIMESTAMP": "timestamp without time zone", "SMALLINT": "smallint", "INTEGER": "integer", "BIGINT": "bigint",
         "VARCHAR": "character varying"}


class LoadedRows:
    """The table that `sluice redshift ddl` makes, and the paths that `sluice redshift jsonpaths` gives."""

    def __init__(self, program, database):
        self.database = database
        ddl = program.run("redshift", "ddl", "--super").stdout
        self.table = Table(ddl)
        self.paths = JSONPaths(program.run("redshift", "jsonpaths").stdout)
        database.sql(as_postgres_has_it(ddl))
        self._check_types()
        # To read rows back in the order that they came in.
        database.sql("ALTER TABLE drupal_log ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY")

    def _check_types(self):
        found = self.database.sql(
            "SELECT column_name, data_type, coalesce(character_maximum_length, 0) FROM information_schema.columns "
            "WHERE table_name = 'drupal_log' ORDER BY ordinal_position")
        assert found == [[name, TYPES[kind], str(width or 0)] for name, (kind, width, _) in self.table.columns.items()]

    def load(self, rows):
        """`rows` as bytes, one JSON object each; all of them are there afterwards, and nothing of them has changed."""
        expected = [self.paths.values(json.loads(row)) for row in rows]
        self.database.sql("TRUNCATE drupal_log")
        # The checks of the table are those of Redshift's widths: a value that is too wide ends this.
        self.database.copy('"public"."drupal_log"', self.paths.keys, expected)
        columns = ", ".join('"%s"' % name for name in self.paths.keys)
        answer = self.database.texts("SELECT json_build_array(%s)::text FROM drupal_log ORDER BY number" % columns)
        assert len(answer) == len(rows)
        times = [n for n, name in enumerate(self.paths.keys) if self.table.columns[name][0] == "TIMESTAMP"]
        for text, values in zip(answer, expected):
            for n in times:
                values[n] = as_postgres_writes_it(values[n])
            differ = [(name, a, b) for name, a, b in zip(self.paths.keys, json.loads(text), values) if a != b]
            assert not differ, ascii(differ)


def as_postgres_writes_it(time):
    """A time of a row, as a TIMESTAMP reads."""
    if time is None:
        return None
    seconds, _, fraction = time.rstrip("Z").partition(".")
    fraction = fraction.rstrip("0")
    return seconds + ("." + fraction if fraction else "")
