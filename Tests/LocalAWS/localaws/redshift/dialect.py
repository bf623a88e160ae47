"""From Redshift's SQL to PostgreSQL's, and from PostgreSQL's errors to Redshift's. As much as loading needs; the rest is
passed on, so that PostgreSQL refuses what it does not know.

The rewrite of CREATE TABLE and ALTER TABLE: DISTSTYLE, DISTKEY, SORTKEY and ENCODE are taken out (they say how a table
is stored), SUPER becomes jsonb, VARCHAR(MAX) becomes VARCHAR(65535), SYSDATE and GETDATE() become getdate().
"""

import re

STORAGE = [
    r"\bDISTSTYLE\s+(?:AUTO|EVEN|ALL|KEY)\b", r"\bDISTKEY\s*\([^)]*\)", r"\bDISTKEY\b",
    r"\b(?:COMPOUND\s+|INTERLEAVED\s+)?SORTKEY\s*(?:AUTO\b|\([^)]*\))", r"\bSORTKEY\b", r"\bENCODE\s+\w+\b",
    r"\bBACKUP\s+(?:YES|NO)\b",
]
STRING = re.compile(r"'(?:[^'\\]|''|\\.)*'", re.S)
# Nobody may end the transaction of a batch from within.
TRANSACTION_WORDS = {"BEGIN", "COMMIT", "END", "ROLLBACK", "ABORT", "START", "TRUNCATE", "VACUUM"}


def first_word(statement):
    text = re.sub(r"^(?:\s|--[^\n]*\n|/\*.*?\*/)+", "", statement, flags=re.S)
    return re.match(r"[A-Za-z]*", text).group(0).upper()


def to_postgres(statement):
    if first_word(statement) in ("CREATE", "ALTER"):
        return _outside_strings(statement, _table)
    return _literals(statement)


def _table(text):
    for pattern in STORAGE:
        text = re.sub(pattern, "", text, flags=re.I)
    text = re.sub(r"\bSUPER\b", "jsonb", text)
    text = re.sub(r"\bVARCHAR\s*\(\s*MAX\s*\)", "VARCHAR(65535)", text, flags=re.I)
    return re.sub(r"\bSYSDATE\b|\bGETDATE\(\)", "getdate()", text, flags=re.I)


def _outside_strings(text, change):
    parts, end = [], 0
    for found in STRING.finditer(text):
        parts += [change(text[end:found.start()]), found.group(0)]
        end = found.end()
    return "".join(parts + [change(text[end:])])


def _literals(statement):
    """Redshift reads a backslash in a string as an escape; PostgreSQL does so in E'…' only."""
    return STRING.sub(lambda found: ("E" if "\\" in found.group(0) else "") + found.group(0), statement)


def error_text(problem):
    """The words that Redshift would use for an error of PostgreSQL."""
    fields = problem.args[0] if problem.args and isinstance(problem.args[0], dict) else {}
    code, message = fields.get("C"), fields.get("M", str(problem))
    if code in ("40001", "40P01"):
        return conflict_text()
    if code == "22012":
        return "ERROR: Divide by zero"
    if code == "3D000":
        return "FATAL: " + message
    detail = fields.get("D")
    return "ERROR: " + message + (" Detail: " + detail if detail else "")


def conflict_text():
    return ("ERROR: 1023 Detail: Serializable isolation violation on table - 108263, transactions forming the cycle "
            "are: 6141, 6142 (pid:31337)")
