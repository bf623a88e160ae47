"""One round of torture: a plan drawn from a seed, a world of its own, a few phases, and the audit.

In a phase everything happens at once. After it the writer is silent until the stream holds every line, as the auditor
says; then old rotated files are deleted, and the next phase begins. The last word has `--once`.
"""

import json
import os
import random
import subprocess
import sys
import time

from support import jobs

from . import faults, truth
from .auditor import Audit
from .pilot import Pilot
from .records import user_records

# Longer than the longest wait between two tries of a request.
PATIENCE_SECONDS = 30
PHASES = 2


def draw_plan(seed, **fixed):
    """All that is decided by chance before a round begins. `fixed` settings are taken as they are."""
    chance = random.Random(seed)
    plan = {
        "aggregate": chance.choice(("none", "lines", "kpl")), "multiline": chance.choice(("join", "off")),
        "mode": chance.choice(("follow", "once", "mixed")), "shards": chance.randint(1, 4),
        "write_limits": chance.random() < 0.3, "linger": chance.choice(("0s", "100ms", "1s")),
        "max_in_flight": chance.choice((1, 4, 16)), "aggregate_bytes": chance.choice(("8KiB", "48KiB", "256KiB")),
        "files": chance.randint(1, 3), "olddir": chance.random() < 0.2,
    }
    plan["faults"] = faults.draw(chance)
    plan.update(fixed)
    if isinstance(plan["files"], int):
        plan["files"] = [draw_file(chance, plan) for _ in range(plan["files"])]
    plan["seed"] = seed
    return plan


def draw_file(chance, plan):
    methods = chance.choice((["create"], ["create"], ["copytruncate"], ["copytruncate_lossy"], ["create", "copytruncate"]))
    truncates = methods != ["create"]
    return {"methods": methods, "names": chance.choice(("numbered", "dateext")),
            "compress": chance.choice(("never", "now", "delayed", "delayed")), "keep": chance.randint(0, 4),
            "rotate_every": chance.choice((0.3, 0.8, 2)), "holds": chance.random() < 0.6,
            "creates": chance.random() < 0.7, "in_olddir": plan["olddir"],
            "appends": not truncates or chance.random() < 0.8,
            # A stream at its limits takes 1,000 records a second from each shard.
            "pace": chance.choice((100, 200) if plan["write_limits"] else (100, 300, 600)),
            "long_lines": chance.random() < 0.3}


class Round:
    def __init__(self, scenario, seed, **fixed):
        self.plan = draw_plan(seed, **fixed)
        self._scenario = scenario
        self._logs = os.path.join(scenario.directory, "logs")
        self._rules = {}
        self._audit = None
        scenario.set_up(shards=self.plan["shards"], limits=self.plan["write_limits"])
        self._writer = self._start_writer()
        self._log = open(os.path.join(scenario.directory, "shipper.log"), "ab")
        self._pilot = Pilot(scenario.program, self._write_job(), self.plan["mode"], random.Random(seed + 1), self._log)

    def _start_writer(self):
        olddir = os.path.join(self._logs, "old")
        records = os.path.join(self._scenario.directory, "truth")
        for directory in (self._logs, olddir, records):
            os.makedirs(directory)
        for index, each in enumerate(self.plan["files"]):
            each.update(path=os.path.join(self._logs, "drupal%d.log" % index), tag="f%d" % index,
                        directory=olddir if each["in_olddir"] else None)
        path = os.path.join(self._scenario.directory, "writer.json")
        with open(path, "w") as file:
            json.dump({"seed": self.plan["seed"], "truth": records, "files": self.plan["files"]}, file)
        return subprocess.Popen([sys.executable, "-m", "torture.writer", path], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True,
                                cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

    def _write_job(self):
        plan = self.plan
        rotated = {"rotated": [os.path.join(self._logs, "old", "drupal*")]} if plan["olddir"] else {}
        return jobs.ship(
            self._scenario.directory, self._scenario.stream, [os.path.join(self._logs, "drupal*.log")],
            multiline=plan["multiline"], linger=plan["linger"], max_in_flight=plan["max_in_flight"], rescan="1s",
            destination={"aggregate": plan["aggregate"], "aggregate_bytes": plan["aggregate_bytes"]}, **rotated)

    def run(self, seconds):
        """The finished audit; raises with every difference found."""
        try:
            self._tell("begin")
            self._answer()
            self._pilot.drain()     # from here on the files are known
            self._add_faults()
            for _ in range(PHASES):
                self._phase(seconds / PHASES)
            self._scenario.control.clear_faults()
            self._pilot.drain()
            self._check().assert_clean(self.context)
        except BaseException:
            self._pilot.abandon()
            raise
        finally:
            self._writer.stdin.close()
            self._writer.wait(20)
            self._log.close()
        return self._audit

    def _phase(self, seconds):
        self._tell("run", seconds)
        self._pilot.fly(time.monotonic() + seconds)
        self._answer()
        self._tell("settle")
        self._truth = self._answer()["truth"]
        self._catch_up()
        self._tell("delete")
        self._answer()

    def _catch_up(self):
        """Waits until nothing is missing any more; what still is when a shipper makes no progress is lost."""
        missing, progress = None, time.monotonic()
        while missing != 0 and time.monotonic() < progress + PATIENCE_SECONDS:
            follows = self._pilot.follow()
            audit = self._check()
            if audit.missing != missing:
                missing, progress = audit.missing, time.monotonic()
            if not follows:
                break
            time.sleep(0.2)
        audit.assert_clean(self.context)

    def _add_faults(self):
        for action, firing in self.plan["faults"]:
            self._rules[self._scenario.fault(action, {"operation": "PutRecords"}, **firing)] = action

    def _check(self):
        doubts = faults.doubts(self._rules, self._scenario.requests(operation="PutRecords"))
        self._audit = Audit(truth.load(self._truth), user_records(self._scenario.oracle()),
                            self._pilot.kills + doubts)
        self._audit.counts.update(kills=len(self._pilot.kills), runs=self._pilot.runs,
                                  **{"requests in doubt": len(doubts)})
        return self._audit

    @property
    def context(self):
        return "seed %d, files %s, faults %s, the shipper's log %s" % (
            self.plan["seed"], [{k: v for k, v in f.items() if k not in ("path", "directory")} for f in self.plan["files"]],
            self.plan["faults"], self._log.name)

    def _tell(self, *words):
        self._writer.stdin.write(" ".join(str(w) for w in words) + "\n")
        self._writer.stdin.flush()

    def _answer(self):
        line = self._writer.stdout.readline()
        assert line, "the writer ended with status %s" % self._writer.wait(20)
        return json.loads(line)
