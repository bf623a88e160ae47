"""The Redshift Data API: statements are taken, run in the background and asked after.

Limits and names are checked as the service documents them; a client token that is known gives the statement that it
stands for, whatever has become of it. https://docs.aws.amazon.com/redshift-data/latest/APIReference/
"""

import hashlib
import itertools
import json
import re
import threading
import uuid

from ..errors import Refusal
from ..wire import Response
from .database import Database
from .faults import StatementFaults
from .statement import Statement

STATEMENT_BYTES = 100_000
STATEMENTS = 40
TOKEN_SECONDS = 8 * 3600
KEPT_SECONDS = 24 * 3600
CLUSTER = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
WORKGROUP = re.compile(r"[a-z0-9-]{3,63}")
DEFAULTS = {"clusters": ["local-cluster"], "workgroups": ["local-workgroup"], "active_max": 200, "page_rows": 1000}
MEMBERS = {"Sql", "Sqls", "ClusterIdentifier", "WorkgroupName", "DbUser", "SecretArn", "Database", "StatementName",
           "ClientToken", "ResultFormat", "WithEvent"}


def validation(message):
    return Refusal(400, "ValidationException", message)


class RedshiftData:
    def __init__(self, clock, moto):
        self.clock = clock
        self._moto = moto
        self.database = Database()
        self.faults = StatementFaults()
        self._lock = threading.Lock()
        self._queries = itertools.count(1)
        self._statements, self._tokens = {}, {}
        self.settings = dict(DEFAULTS)

    def reset(self):
        with self._lock:
            self._statements, self._tokens = {}, {}
            self.settings = dict(DEFAULTS)
        self.faults.clear()
        self.database.reset()

    def stop(self):
        self.database.stop()

    def next_query(self):
        return next(self._queries)

    def read_object(self, bucket, key):
        return self._moto.object_bytes(bucket, key)

    def change(self, changes):
        unknown = set(changes) - set(DEFAULTS)
        if unknown:
            raise ValueError("unknown %s; known are %s" % (sorted(unknown), sorted(DEFAULTS)))
        self.settings.update(changes)
        return self.settings

    def run_sql(self, sql):
        """For tests: one statement of PostgreSQL's, at once, in its own transaction; the rows."""
        connection = self.database.connect()
        try:
            context = connection.execute_simple(sql)
            rows = [[value if isinstance(value, (int, str, bool, type(None))) else str(value) for value in row]
                    for row in context.rows or []]
            return {"rows": rows, "count": context.row_count}
        finally:
            connection.close()

    # Entry point of the gateway.

    def call(self, operation, body, access_key):
        handler = OPERATIONS.get(operation)
        if handler is None:
            raise Refusal(400, "UnknownOperationException", "")
        answer = handler(self, body, access_key)
        return Response(200, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(answer).encode())

    def execute(self, body, access_key):
        if not isinstance(body.get("Sql"), str) or "Sqls" in body:
            raise validation("Sql is required")
        return self._submit(body, [body["Sql"]], False, access_key)

    def batch(self, body, access_key):
        statements = body.get("Sqls")
        if not isinstance(statements, list) or not 1 <= len(statements) <= STATEMENTS:
            raise validation("1 validation error detected: Value at 'sqls' failed to satisfy constraint: Member must "
                             "have length less than or equal to %d" % STATEMENTS)
        return self._submit(body, statements, True, access_key)

    def _submit(self, body, statements, is_batch, access_key):
        self._check(body, statements)
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        now, token = self.clock.now(), body.get("ClientToken")
        with self._lock:
            known = self._tokens.get((access_key, token)) if token is not None else None
            if known is not None and now - known[2] < TOKEN_SECONDS:
                if known[1] != digest:
                    raise validation("ClientToken was used for another request")
                statement = known[0]
            else:
                active = sum(not s.has_ended for s in self._statements.values())
                if active >= self.settings["active_max"]:
                    raise Refusal(400, "ActiveStatementsExceededException",
                                  "The number of active statements exceeds the limit.")
                statement = Statement(self, str(uuid.uuid4()), statements, is_batch, body, now)
                self._statements[statement.id] = statement
                if token is not None:
                    self._tokens[(access_key, token)] = (statement, digest, now)
                statement.start()
        answer = {"Id": statement.id, "CreatedAt": statement.created, "Database": body["Database"]}
        answer.update({k: body[k] for k in ("ClusterIdentifier", "WorkgroupName", "DbUser", "SecretArn") if k in body})
        return answer

    def _check(self, body, statements):
        if set(body) - MEMBERS:
            raise validation("not emulated: %s" % sorted(set(body) - MEMBERS))
        for sql in statements:
            if not isinstance(sql, str) or not sql.strip():
                raise validation("Sql must not be empty")
            if len(sql.encode()) > STATEMENT_BYTES:
                raise validation("Sql statement exceeds the maximum size of 100 KB")
        token = body.get("ClientToken")
        if token is not None and not 1 <= len(token) <= 64:
            raise validation("Value at 'clientToken' failed to satisfy constraint: Member must have length less than "
                             "or equal to 64")
        cluster, workgroup = body.get("ClusterIdentifier"), body.get("WorkgroupName")
        if (cluster is None) == (workgroup is None):
            raise validation("Exactly one of ClusterIdentifier and WorkgroupName is required")
        if not body.get("Database"):
            raise validation("Database is required")
        if cluster is not None:
            if CLUSTER.fullmatch(cluster) is None or cluster not in self.settings["clusters"]:
                raise validation("Redshift endpoint doesn't exist in this region.")
            if ("DbUser" in body) == ("SecretArn" in body):
                raise validation("Exactly one of DbUser and SecretArn is required with a cluster")
        elif WORKGROUP.fullmatch(workgroup) is None or workgroup not in self.settings["workgroups"] or "DbUser" in body:
            raise validation("Redshift endpoint doesn't exist in this region.")

    def _find(self, body):
        """The statement and, for an id with a suffix, its part."""
        identifier, _, number = str(body.get("Id", "")).partition(":")
        with self._lock:
            statement = self._statements.get(identifier)
        if statement is None or self.clock.now() - statement.created > KEPT_SECONDS:
            raise Refusal(400, "ResourceNotFoundException", "Query does not exist.")
        index = int(number) - 1 if number.isdigit() else 0
        if not 0 <= index < len(statement.parts):
            raise Refusal(400, "ResourceNotFoundException", "Query does not exist.")
        return statement, statement.parts[index]

    def describe(self, body, access_key):
        return self._find(body)[0].describe()

    def cancel(self, body, access_key):
        statement, _ = self._find(body)
        if statement.has_ended:
            raise validation("Could not cancel a query that is already in %s state" % statement.status)
        statement.cancel()
        return {"Status": True}

    def result(self, body, access_key):
        statement, part = self._find(body)
        if statement.status != "FINISHED" or part.result is None:
            raise Refusal(400, "ResourceNotFoundException", "Query does not have result. Please check query status with "
                          "DescribeStatement.")
        start, size = int(body.get("NextToken") or 0), self.settings["page_rows"]
        rows = part.result[start:start + size]
        answer = {"Records": [[field(value) for value in row] for row in rows], "TotalNumRows": len(part.result),
                  "ColumnMetadata": [{"name": column["name"]} for column in part.columns]}
        if start + size < len(part.result):
            answer["NextToken"] = str(start + size)
        return answer


def field(value):
    if value is None:
        return {"isNull": True}
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"longValue": value}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)}


OPERATIONS = {
    "ExecuteStatement": RedshiftData.execute, "BatchExecuteStatement": RedshiftData.batch,
    "DescribeStatement": RedshiftData.describe, "GetStatementResult": RedshiftData.result,
    "CancelStatement": RedshiftData.cancel,
}
