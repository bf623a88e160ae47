"""What goes wrong inside the database. Rules, tried in order; the first that fires acts:

  match   regex, searched in the text of a statement; the end of a transaction has the text `COMMIT of ` and its
          statements, joined by `; `
  kind    fail      the statement fails with `message`
          conflict  the statement fails with ERROR: 1023 (serializable isolation violation)
          crash     the connection is lost before the statement: the transaction is rolled back
          after     the statement runs, its transaction is committed, and then the connection is lost: the caller is told
                    that it failed (only of the last statement of a batch; the case that nobody can tell apart)
          wait      the statement starts `seconds` later
  nth, count   fire on the nth statement that matches, or on the first `count`; without them on each
"""

import re
import threading

KINDS = {"fail", "conflict", "crash", "after", "wait"}
KEYS = {"match", "kind", "message", "seconds", "nth", "count"}


class Rule:
    def __init__(self, text):
        if set(text) - KEYS or text.get("kind") not in KINDS:
            raise ValueError("known keys are %s, known kinds %s" % (sorted(KEYS), sorted(KINDS)))
        self.text, self.kind = text, text["kind"]
        self._pattern = re.compile(text.get("match", ""), re.S | re.I)
        self.seen = self.fired = 0

    def fires(self, statement):
        if not self._pattern.search(statement):
            return False
        self.seen += 1
        if "nth" in self.text and self.seen != self.text["nth"]:
            return False
        if "count" in self.text and self.fired >= self.text["count"]:
            return False
        self.fired += 1
        return True


class StatementFaults:
    def __init__(self):
        self._lock = threading.Lock()
        self._rules = []

    def add(self, text):
        rule = Rule(text)
        with self._lock:
            self._rules.append(rule)

    def clear(self):
        with self._lock:
            self._rules = []

    def choose(self, statement):
        with self._lock:
            return next((rule for rule in self._rules if rule.fires(statement)), None)

    def describe(self):
        with self._lock:
            return [dict(rule.text, seen=rule.seen, fired=rule.fired) for rule in self._rules]
