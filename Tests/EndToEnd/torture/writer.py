"""The writer process: writes and rotates log files and keeps the truth. Commands on stdin, one answer each on stdout.

    begin            writes a few lines to each file
    run SECONDS      writes and rotates
    settle           finishes what is begun; saves the truth and answers its path
    delete           removes old rotated files
"""

import itertools
import json
import os
import random
import sys
import time

from . import truth
from .logfile import LogFile


class Writer:
    def __init__(self, plan):
        self._truth = plan["truth"]
        chance = random.Random(plan["seed"])
        numbers = itertools.count()
        self._files = [LogFile(each["path"], each["tag"].encode(), each, chance, numbers) for each in plan["files"]]

    def begin(self):
        for each in self._files:
            each.begin()
        return {}

    def run(self, seconds):
        now = time.monotonic()
        end = now + seconds
        for each in self._files:
            each.due = now
        while now < end:
            each = min(self._files, key=lambda file: file.due)
            if each.due > now:
                time.sleep(min(each.due, end) - now)
            else:
                each.step(now)
            now = time.monotonic()
        return {"bytes": sum(len(i.content) for f in self._files for i in f.incarnations)}

    def settle(self):
        for each in self._files:
            each.settle()
        return {"truth": truth.save(self._truth, [i for f in self._files for i in f.incarnations])}

    def delete(self):
        return {"deleted": sum(each.rotation.delete_old() for each in self._files)}


def main():
    with open(sys.argv[1]) as file:
        writer = Writer(json.load(file))
    for line in sys.stdin:
        command, *values = line.split()
        answer = getattr(writer, command)(*(float(v) for v in values))
        print(json.dumps(answer), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
