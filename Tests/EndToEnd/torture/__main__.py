"""`python -m torture --seconds N --seed S`: rounds of torture, each with a seed of its own, until the time is over."""

import argparse
import collections
import contextlib
import os
import random
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
    parser.add_argument("--keep", metavar="FOLDER", help="leave the folder of each round here")
    parser.add_argument("--round", type=float, default=12, help="seconds that the writer writes in a round")
    for name, values in CHOICES.items():
        parser.add_argument("--" + name, choices=values, help="the same in every round (default: by chance)")
    options = parser.parse_args()
    fixed = {name: getattr(options, name) for name in CHOICES if getattr(options, name)}
    seed = random.SystemRandom().randrange(1 << 30) if options.seed is None else options.seed
    total, rounds, end = collections.Counter(), 0, time.monotonic() + options.seconds
    endpoint = LocalEndpoint()
    try:
        while rounds == 0 or time.monotonic() < end:
            with folder(options.keep, seed + rounds) as directory:
                one = Round(Scenario(endpoint, directory, "torture"), seed + rounds, **fixed)
                print("seed %d: %s" % (seed + rounds, summary(one.plan)), flush=True)
                counts = one.run(options.round).counts
                print("  " + ", ".join("%d %s" % (n, name) for name, n in counts.items()), flush=True)
            endpoint.control.reset()
            total.update(counts)
            rounds += 1
    finally:
        endpoint.stop()
    print("%d rounds, seeds %d to %d, 0 lost, 0 doubled without cause: %s" % (
        rounds, seed, seed + rounds - 1, ", ".join("%d %s" % (n, name) for name, n in total.items())))


@contextlib.contextmanager
def folder(parent, seed):
    if parent is None:
        with tempfile.TemporaryDirectory(prefix="torture-") as directory:
            yield directory
    else:
        directory = os.path.abspath(os.path.join(parent, "seed-%d" % seed))
        os.makedirs(directory)
        yield directory


def summary(plan):
    files = "; ".join("%s %s %s%s" % ("+".join(f["methods"]), f["names"], f["compress"],
                                      "" if f["appends"] else " no-append") for f in plan["files"])
    kinds = ",".join(action["kind"] for action, _ in plan["faults"])
    return "aggregate %s, multiline %s, %s, %d shards; files: %s; faults: %s" % (
        plan["aggregate"], plan["multiline"], plan["mode"], plan["shards"], files, kinds)


if __name__ == "__main__":
    main()
