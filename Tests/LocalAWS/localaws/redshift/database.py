"""The database behind the Data API, on a PostgreSQL that is started when it is first asked for."""

import threading

from .postgres import Postgres

DATABASE = "dev"
# What Redshift has and PostgreSQL lacks, as far as loading needs it.
FUNCTIONS = [
    """
CREATE FUNCTION pg_last_copy_count() RETURNS bigint LANGUAGE sql VOLATILE AS
  $$ SELECT coalesce(nullif(current_setting('local.last_copy_count', true), ''), '0')::bigint $$
""", """
CREATE FUNCTION getdate() RETURNS timestamp LANGUAGE sql STABLE AS $$ SELECT now() AT TIME ZONE 'UTC' $$
""", """
CREATE TABLE sys_load_error_detail (
  user_id integer, query_id bigint, transaction_id bigint, session_id integer, database_name text, table_id integer,
  start_time timestamp, step bigint, file_name text, line_number bigint, column_name text, column_type text,
  column_length text, "position" integer, error_code integer, error_message text)
"""]


class Database:
    def __init__(self):
        self._lock = threading.Lock()
        self._server = None
        self.is_used = False

    def connect(self, database=DATABASE):
        """A connection of its own for each caller; the first one starts the server."""
        with self._lock:
            if self._server is None:
                self._server = Postgres()
                self._server.run("template1", *FUNCTIONS)
                self._make_database()
            self.is_used = True
        return self._server.connect(database)

    def reset(self):
        """An empty database again; whoever is in it is thrown out."""
        with self._lock:
            if self._server is None or not self.is_used:
                return
            self.is_used = False
            self._make_database()

    def _make_database(self):
        self._server.run("postgres", "DROP DATABASE IF EXISTS %s WITH (FORCE)" % DATABASE,
                         "CREATE DATABASE %s TEMPLATE template1" % DATABASE)

    def stop(self):
        with self._lock:
            if self._server is not None:
                self._server.stop()
                self._server = None
