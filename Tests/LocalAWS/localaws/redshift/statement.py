"""One statement or one batch: its state as DescribeStatement tells it, and running it on PostgreSQL.

A batch is one transaction (SERIALIZABLE, as Redshift's); so is a single statement. It runs in a thread of its own.
"""

import threading
import time

import pg8000.native

from . import dialect
from .copying import Copy, CopyFailed

LOST = "ERROR: connection to the database was lost"


class Part:
    def __init__(self, identifier, sql):
        self.id, self.sql = identifier, sql
        self.status, self.error = "SUBMITTED", None
        self.rows, self.result, self.columns, self.query_id = -1, None, None, 0


class Failed(Exception):
    """The transaction fails with this text; `committed` when its effect stays all the same."""

    def __init__(self, text, committed=False):
        super().__init__(text)
        self.text, self.committed = text, committed


class Statement:
    def __init__(self, service, identifier, statements, is_batch, request, now):
        self.id, self.request, self.is_batch = identifier, request, is_batch
        self.created = self.updated = now
        self.status, self.error, self.session = "SUBMITTED", None, 0
        self.parts = [Part("%s:%d" % (identifier, n) if is_batch else identifier, sql)
                      for n, sql in enumerate(statements, 1)]
        self.is_cancelled = False
        self._service = service
        self._connection = None

    @property
    def has_ended(self):
        return self.status in ("FINISHED", "FAILED", "ABORTED")

    def start(self):
        threading.Thread(target=self._run, name="statement " + self.id, daemon=True).start()

    def cancel(self):
        self.is_cancelled = True

    # Running.

    def _run(self):
        self.status = "STARTED"
        self.updated = self._service.clock.now()
        try:
            self._run_transaction()
            self.status = "FINISHED"
        except Failed as problem:
            self.error = problem.text
            self.status = "ABORTED" if self.is_cancelled and not problem.committed else "FAILED"
        except Exception as problem:
            self.error, self.status = "FATAL: %s" % problem, "FAILED"
        finally:
            self._close()
            self.updated = self._service.clock.now()

    def _close(self):
        if self._connection is not None:
            try:
                self._connection.close()
            except Exception:
                pass

    def _run_transaction(self):
        try:
            self._connection = self._service.database.connect(self.request["Database"])
        except pg8000.exceptions.DatabaseError as problem:
            raise Failed(dialect.error_text(problem))
        self.session = self._connection.run("SELECT pg_backend_pid()")[0][0]
        self._connection.run("BEGIN ISOLATION LEVEL SERIALIZABLE")
        for part in self.parts:
            try:
                self._run_part(part)
            except Failed as problem:
                part.status, part.error = "FAILED", problem.text
                for later in self.parts[self.parts.index(part) + 1:]:
                    later.status = "ABORTED"
                raise
            part.status = "FINISHED"
        rule = self._service.faults.choose("COMMIT of " + "; ".join(part.sql for part in self.parts))
        if rule is not None and rule.kind != "wait":
            raise Failed(dialect.conflict_text() if rule.kind == "conflict" else rule.text.get("message", LOST))
        self._do(lambda: self._connection.run("COMMIT"))

    def _run_part(self, part):
        part.status, part.query_id = "STARTED", self._service.next_query()
        rule = self._service.faults.choose(part.sql)
        kind = rule.kind if rule is not None else None
        if kind == "wait":
            time.sleep(rule.text.get("seconds", 1))
        if self.is_cancelled:
            raise Failed("ERROR: Query cancelled on user's request")
        if kind == "fail":
            raise Failed(rule.text.get("message", "ERROR: injected by a fault rule"))
        if kind == "conflict":
            raise Failed(dialect.conflict_text())
        if kind == "crash":
            self._connection.close()
            raise Failed(LOST)
        word = dialect.first_word(part.sql)
        if word in dialect.TRANSACTION_WORDS:
            raise Failed("ERROR: %s is not emulated" % word)
        self._do(lambda: self._copy(part) if word == "COPY" else self._query(part))
        if kind == "after":
            self._do(lambda: self._connection.run("COMMIT"))
            raise Failed(LOST, committed=True)

    def _do(self, work):
        try:
            work()
        except CopyFailed as problem:
            raise Failed(str(problem))
        except pg8000.exceptions.DatabaseError as problem:
            raise Failed(dialect.error_text(problem))
        except pg8000.exceptions.InterfaceError as problem:
            raise Failed("FATAL: %s" % problem)

    def _query(self, part):
        # As it is, so that a colon in it is no parameter of pg8000's.
        context = self._connection.execute_simple(dialect.to_postgres(part.sql))
        part.rows = context.row_count if context.row_count is not None else -1
        if context.columns is not None:
            part.columns, part.result = context.columns, list(context.rows or [])

    def _copy(self, part):
        count = Copy(part.sql).run(self._connection, self._service.read_object,
                                   lambda **columns: self._report(part, columns))
        part.rows = count
        self._connection.run("SELECT set_config('local.last_copy_count', :count, false)", count=str(count))

    def _report(self, part, columns):
        """On a connection of its own: it stays when the transaction goes."""
        columns = dict(columns, query_id=part.query_id, session_id=self.session, database_name=self.request["Database"])
        names = sorted(columns)
        connection = self._service.database.connect(self.request["Database"])
        try:
            connection.run('INSERT INTO sys_load_error_detail (start_time, %s) VALUES (getdate(), %s)'
                           % (", ".join(names), ", ".join(":" + n for n in names)), **columns)
        finally:
            connection.close()

    # What the API tells.

    def describe(self):
        single = self.parts[0]
        answer = {"Id": self.id, "Status": self.status, "CreatedAt": self.created, "UpdatedAt": self.updated,
                  "RedshiftPid": self.session, "HasResultSet": any(p.result is not None for p in self.parts),
                  "Database": self.request["Database"], "Duration": int((self.updated - self.created) * 1e9),
                  "RedshiftQueryId": 0 if self.is_batch else single.query_id,
                  "ResultRows": -1 if self.is_batch else single.rows, "ResultSize": 0}
        if self.error:
            answer["Error"] = self.error
        if self.is_batch:
            answer["SubStatements"] = [
                dict({"Id": p.id, "Status": p.status, "RedshiftQueryId": p.query_id, "ResultRows": p.rows,
                      "HasResultSet": p.result is not None, "QueryString": p.sql},
                     **({"Error": p.error} if p.error else {})) for p in self.parts]
        else:
            answer["QueryString"] = single.sql
        return answer
