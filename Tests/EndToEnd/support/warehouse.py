"""A table in the local Redshift that waits for the rows of an archive, and the archive itself, which tests share."""

import collections
import itertools
import re
import time

HOUR = 3_600_000
LINES = 120
SEAL = {"records": 20}
_numbers = itertools.count(1)


def make_archive(scenario, lines=None, **job):
    """Three hours on two shards, in some batches."""
    scenario.set_up(shards=2, **dict({"seal": SEAL}, **job))
    scenario.start = int(time.time() * 1000) // HOUR * HOUR - 4 * HOUR
    lines = scenario.lines(LINES) if lines is None else lines
    scenario.load(lines, arrivals=[scenario.start + n * 3 * HOUR // len(lines) for n in range(len(lines))])
    scenario.archive()
    return scenario


class Warehouse:
    """A table and a ledger of their own, over an archive that may be somebody else's, too.

    COPY manifests of earlier loads are taken away, so that a load begins from nothing.
    """

    ddl = None

    def __init__(self, scenario, **job):
        self.scenario, self.control, self.job = scenario, scenario.control, dict({"seal": SEAL}, **job)
        number = next(_numbers)
        self.table, self.ledger = "t_%d" % number, "l_%d" % number
        self.group = {"cluster": "local-cluster", "user": "loader", "database": "dev", "table": self.table,
                      "ledger_table": self.ledger, "role_arn": "arn:aws:iam::111122223333:role/copy"}
        self.write_job()
        for key in scenario.keys(scenario.control_prefix + "redshift/"):
            scenario.s3.delete_object(Bucket=scenario.bucket, Key=key)
        if Warehouse.ddl is None:
            Warehouse.ddl = re.sub(r"--[^\n]*", "", scenario.program.run("redshift", "ddl").stdout).split(";\n")[0]
        self.execute(Warehouse.ddl.replace('"drupal_log"', '"%s"' % self.table))

    @property
    def start(self):
        """When the first record arrived, in milliseconds."""
        return self.scenario.start

    def write_job(self, group=None, **changes):
        """`group`: changes of `redshift:`; a value of None takes a key out."""
        wanted = {k: v for k, v in dict(self.group, **(group or {})).items() if v is not None}
        self.scenario.write_job(**dict(dict(self.job, redshift=wanted), **changes))

    def use(self, place, **job):
        """Another way to the same table, or other settings of the job."""
        self.job = dict({"seal": SEAL}, **job)
        self.group = dict({"database": "dev", "table": self.table, "ledger_table": self.ledger}, **place)
        self.write_job()

    def execute(self, sql):
        """One statement in Redshift's words."""
        client = self.scenario.endpoint.observer("redshift-data")
        answer = client.execute_statement(Sql=sql, ClusterIdentifier="local-cluster", DbUser="x", Database="dev")
        while True:
            found = client.describe_statement(Id=answer["Id"])
            if found["Status"] in ("FINISHED", "FAILED", "ABORTED"):
                assert found["Status"] == "FINISHED", found
                return
            time.sleep(0.02)

    def sql(self, text):
        """Rows of one statement in PostgreSQL's words; {t} and {l} are table and ledger."""
        return self.control.sql(text.format(t='"%s"' % self.table, l='"%s"' % self.ledger))

    def load(self, *arguments, expect=0, **options):
        return self.scenario.program.run("redshift", "load", self.scenario.job, "--json", *arguments, expect=expect,
                                         **options)

    def start_load(self, *arguments, **options):
        return self.scenario.program.start("redshift", "load", self.scenario.job, "--json", *arguments, **options)

    def verify(self, *arguments, expect=0, **options):
        return self.scenario.program.run("verify", self.scenario.job, "--redshift", "--json", *arguments, expect=expect,
                                         **options)

    def manifests(self):
        """By the names that the ledger has for them."""
        keys = self.scenario.keys(self.scenario.control_prefix + "commits/")
        return {"s3://%s/%s" % (self.scenario.bucket, k): self.scenario.json_object(k) for k in keys}

    def has_ledger(self):
        return self.control.sql("SELECT count(*) FROM pg_tables WHERE tablename = '%s'" % self.ledger) == [[1]]

    def fault(self, kind, match, **rule):
        """In the database, for statements about this table alone."""
        self.control.redshift_fault(kind, "(?=.*(?:%s|%s)\\b).*%s" % (self.table, self.ledger, match), **rule)

    def wait_for_fault(self):
        self.scenario.wait_for(lambda: self.control.redshift_faults()[0]["fired"] == 1)

    def audit(self, complete=True):
        """Table and ledger against the stream and against each other; the count of rows."""
        records = {(r["shard"], r["sequence"]) for r in self.scenario.oracle()}
        # In one statement, so at one moment: what a killed host has handed in may still be committed.
        both = self.sql("SELECT 'row', shard_id, sequence_number, 0, 0 FROM {t}" + (
            " UNION ALL SELECT 'batch', manifest, '', object_count, row_count FROM {l}" if self.has_ledger() else ""))
        rows = collections.Counter((shard, sequence) for kind, shard, sequence, _, _ in both if kind == "row")
        assert max(rows.values(), default=1) == 1, "a row is in the table twice"
        assert set(rows) <= records
        ledger = [(manifest, objects, count) for kind, manifest, _, objects, count in both if kind == "batch"]
        manifests = self.manifests()
        assert len({m for m, _, _ in ledger}) == len(ledger), "a batch is in the ledger twice"
        expected = set()
        for name, objects, count in ledger:
            manifest = manifests[name]
            assert (len(manifest["objects"]), manifest["rows"]) == (objects, count)
            expected |= {(s, n) for s, n in records
                         if s == manifest["shard"] and int(manifest["first"]) <= int(n) <= int(manifest["last"])}
        assert set(rows) == expected, "ledger and table differ"
        if complete:
            assert len(ledger) == len(manifests) and set(rows) == records
        return len(rows)
