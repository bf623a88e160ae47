"""Evaluates an IAM identity policy: explicit deny, else some allow, else no. As much of IAM as `sluice policy` writes.

Anything that is not known here is an error, never a silent yes.
"""

import fnmatch
import re

STATEMENT_KEYS = {"Sid", "Effect", "Action", "Resource", "Condition"}


class Policy:
    def __init__(self, document):
        if document.get("Version") != "2012-10-17" or not isinstance(document.get("Statement"), list):
            raise ValueError("not a policy document")
        for statement in document["Statement"]:
            if set(statement) - STATEMENT_KEYS or statement["Effect"] not in ("Allow", "Deny"):
                raise ValueError("statement not understood: %r" % statement)
            for operator in statement.get("Condition", {}):
                _operator(operator)
        self.document = document

    def allows(self, action, resource, context):
        """`context`: condition keys (`s3:prefix`) to a value, or to a list for keys with several."""
        effects = {s["Effect"] for s in self.document["Statement"] if _applies(s, action, resource, context)}
        return effects == {"Allow"}


def _applies(statement, action, resource, context):
    return (any(matches(pattern, action, fold=True) for pattern in _list(statement["Action"]))
            and any(matches(pattern, resource) for pattern in _list(statement["Resource"]))
            and all(_operator(operator)(_list(wanted), _values(context, key))
                    for operator, keys in statement.get("Condition", {}).items() for key, wanted in keys.items()))


def matches(pattern, text, fold=False):
    """`*` and `?`, and no other sign, are wildcards."""
    if fold:
        pattern, text = pattern.lower(), text.lower()
    return re.fullmatch(fnmatch.translate(pattern.replace("[", "[[]")), text) is not None


def _list(value):
    return value if isinstance(value, list) else [value]


def _values(context, key):
    found = {k.lower(): v for k, v in context.items()}.get(key.lower())
    return None if found is None else _list(found)


def _operator(name):
    """A function of the policy's values and the request's (None: the key is absent)."""
    base, if_exists = (name[:-len("IfExists")], True) if name.endswith("IfExists") else (name, False)
    any_value = base.startswith("ForAnyValue:")
    compare = {"StringEquals": lambda pattern, value: pattern == value, "StringLike": matches}.get(
        base.rpartition(":")[2])
    if name == "Null":
        return lambda wanted, values: (values is None) == (wanted == ["true"])
    if compare is None or (":" in base and not any_value):
        raise ValueError("condition operator not understood: " + name)

    def evaluate(wanted, values):
        if values is None:
            return if_exists
        return any(compare(pattern, value) for pattern in wanted for value in values)
    return evaluate
