"""`python -m torture --seconds N --seed S`: rounds of torture, each with a seed of its own, until the time is over."""

import argparse
import collections
import os
import random
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "LocalAWS"))

from localaws.client import LocalEndpoint  # noqa: E402
from support.scenario import Scenario  # noqa: E402
from torture.round import Round  # noqa: E402

CHOICES = {"aggregate": ("none", "lines", "kpl"), "multiline": ("join", "off"), "mode": ("follow", "once", "mixed")}


def main():
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="start rounds for so long (default 60)")
    parser.add_argument("--seed", type=int, default=None, help="seed of the first round; the next has one more")
    parser.add_argument("--round", type=float, default=12, help="seconds that the writer writes in a round")
    for name, values in CHOICES.items():
        parser.add_argument("--" + name, choices=values, help="the same in every round (default: by chance)")
    options = parser.parse_args()
    fixed = {name: getattr(options, name) for name in CHOICES if getattr(options, name)}
    seed = random.SystemRandom().randrange(1 << 30) if options.seed is None else options.seed
    total, failed, rounds, end = collections.Counter(), [], 0, time.monotonic() + options.seconds
    endpoint = LocalEndpoint()
    try:
        while rounds == 0 or time.monotonic() < end:
            counts = one_round(endpoint, seed + rounds, options.round, fixed)
            if counts is None:
                failed.append(seed + rounds)
            else:
                total.update(counts)
            rounds += 1
    finally:
        endpoint.stop()
    print("%d rounds, seeds %d to %d: %s" % (rounds, seed, seed + rounds - 1, told(total)))
    if failed:
        sys.exit("failed: seeds %s" % ", ".join(map(str, failed)))
    print("0 lost, 0 doubled without cause")


def one_round(endpoint, seed, seconds, fixed):
    """What was looked at; None after a failure, which is printed and whose folder stays."""
    directory = tempfile.mkdtemp(prefix="torture-%d-" % seed)
    one = Round(Scenario(endpoint, directory, "torture"), seed, **fixed)
    print("seed %d: %s" % (seed, summary(one.plan)), flush=True)
    try:
        counts = one.run(seconds).counts
    except AssertionError as problem:
        print("  FAILED, see %s\n%s" % (directory, problem), flush=True)
        return None
    finally:
        endpoint.control.reset()
    print("  " + told(counts), flush=True)
    shutil.rmtree(directory)
    return counts


def told(counts):
    return ", ".join("%d %s" % (n, name) for name, n in counts.items())


def summary(plan):
    files = "; ".join("%s %s %s%s" % ("+".join(f["methods"]), f["names"], f["compress"],
                                      "" if f["appends"] else " no-append") for f in plan["files"])
    kinds = ",".join(action["kind"] for action, _ in plan["faults"])
    return "aggregate %s, multiline %s, %s, %d shards; files: %s; faults: %s" % (
        plan["aggregate"], plan["multiline"], plan["mode"], plan["shards"], files, kinds)


if __name__ == "__main__":
    main()
