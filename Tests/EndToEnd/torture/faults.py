"""What the local endpoint does wrong in a round, drawn from the round's seed; and what of it excuses a double."""

from .auditor import Doubt

# After these the shipper cannot know whether the records are stored.
DOUBTFUL = ("lose_answer", "truncate", "close")


def draw(chance):
    """Rules (action, firing) of one round. Each kind is there in about half of the rounds."""
    rules = []

    def add(action, low, high):
        if chance.random() < 0.55:
            rules.append((action, {"probability": round(chance.uniform(low, high), 3), "seed": chance.randrange(1 << 30)}))

    seed = chance.randrange(1 << 30)
    add({"kind": "put_partial", "share": 0.3, "seed": seed}, 0.05, 0.25)
    add({"kind": "put_partial", "share": 0.5, "seed": seed, "code": "InternalFailure"}, 0.02, 0.1)
    add({"kind": "put_partial", "share": 0.2, "seed": seed, "code": "InternalFailure", "store": True}, 0.01, 0.05)
    add({"kind": "lose_answer"}, 0.01, 0.06)
    add({"kind": "truncate", "bytes": chance.randint(0, 200)}, 0.01, 0.04)
    add({"kind": "cut", "reset": chance.random() < 0.5}, 0.01, 0.05)
    add({"kind": "error", "status": 500, "code": "InternalFailure"}, 0.02, 0.1)
    add({"kind": "error", "status": 503, "code": "ServiceUnavailable"}, 0.01, 0.05)
    add({"kind": "error", "status": 400, "code": "LimitExceededException"}, 0.01, 0.05)
    add({"kind": "delay", "seconds": round(chance.uniform(0.02, 0.3), 3)}, 0.1, 0.4)
    return rules


def doubts(rules, log):
    """The times of requests whose answer left the shipper in doubt. `rules`: id -> action; `log`: of PutRecords."""
    found = []
    for entry in log:
        action = rules.get(entry["fault"])
        if action and (action["kind"] in DOUBTFUL or action.get("store")):
            end = entry["time"] * 1000
            found.append(Doubt(end - entry["seconds"] * 1000, end))
    return found
