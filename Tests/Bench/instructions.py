"""What the stages of the work cost in instructions, which noise cannot move: the real program under valgrind's cachegrind,
at two sizes; the difference is the cost of a byte of log, without the start of the program. Prints a Markdown table;
--check compares with instructions.json and ends with 1 when a stage costs more than the tolerance allows, --write keeps
the figures there.

Counts depend on the processor's vector units (libraries choose their code by them) and on the libraries' versions:
compare on a machine like the one that instructions.json names, or write the figures anew before a change.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import corpus
from bench import JOB as ARCHIVE_JOB
from measure import HERE, SLUICE
from ship_bench import JOB as SHIP_JOB
from ship_bench import Stub as PutStub

KEPT = os.path.join(HERE, "instructions.json")
SIZES = (1_000_000, 4_000_000)
# Two runs of one program differ by less than 0.3 %.
TOLERANCE = 0.03
KINDS = {"captured Drupal lines": (0,), "RFC 3164 lines": (1,), "RFC 5424 lines": (2,)}


def instructions(command, env=None, stdin=None):
    """Instructions of a whole process, all its threads."""
    result = subprocess.run(
        ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", *command], env=env, stdin=stdin,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    text = result.stderr.decode("utf-8", "replace")
    found = re.search(r"I\s+refs:\s+([\d,]+)", text)
    if result.returncode != 0 or not found:
        sys.exit(f"{' '.join(command)} ended with {result.returncode}: {text[-2000:]}")
    return int(found[1].replace(",", ""))


class Stages:
    def __init__(self, work):
        self.work = work

    def log(self, size, kinds=corpus.KINDS):
        path = os.path.join(self.work, f"log-{size}-{'-'.join(map(str, kinds))}")
        if not os.path.exists(path):
            with open(path, "wb") as file:
                file.writelines(line + b"\n" for line in corpus.lines(size, kinds=kinds))
        return path

    def environment(self, url):
        return {"PATH": os.environ["PATH"], "HOME": self.work, "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "bench",
                "AWS_SECRET_ACCESS_KEY": "bench"}

    def job(self, template, **values):
        number = len(glob.glob(os.path.join(self.work, "*.yaml")))
        path = os.path.join(self.work, f"job{number}.yaml")
        with open(path, "w") as file:
            file.write(template.format(state=os.path.join(self.work, f"state{number}"), **values))
        return path

    def start(self):
        return instructions([SLUICE, "--help"])

    def transform(self, size, kinds):
        with open(self.log(size, kinds), "rb") as lines:
            return instructions([SLUICE, "transform"], stdin=lines)

    def archive(self, size):
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            stub = subprocess.Popen([sys.executable, os.path.join(HERE, "stub.py"), "--folder", folder, "--bytes", str(size),
                                     "--shards", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            try:
                port = json.loads(stub.stdout.readline())["port"]
                return instructions([SLUICE, "archive", self.job(ARCHIVE_JOB)],
                                    self.environment(f"http://127.0.0.1:{port}"))
            finally:
                stub.stdin.close()
                stub.wait(30)

    def ship(self, size, aggregate):
        with PutStub() as stub:
            job = self.job(SHIP_JOB, files=self.log(size), linger="1s", destination=f", aggregate: {aggregate}")
            return instructions([SLUICE, "ship", job, "--once"], self.environment(stub.url))

    def all(self):
        """Stage to instructions, of the whole start or of a byte of log."""
        found = {"--help": self.start()}
        for name, kinds in KINDS.items():
            found[f"transform, {name}"] = self.a_byte(lambda size, kinds=kinds: self.transform(size, kinds))
        found["archive"] = self.a_byte(self.archive)
        for aggregate in ("none", "lines", "kpl"):
            found[f"ship, aggregate {aggregate}"] = self.a_byte(lambda size, how=aggregate: self.ship(size, how))
        return found

    @staticmethod
    def a_byte(stage):
        small, large = (stage(size) for size in SIZES)
        return round((large - small) / (SIZES[1] - SIZES[0]), 2)


def machine():
    """What the counts hang on besides the program."""
    with open("/proc/cpuinfo") as info:
        flags = next((line.split(":")[1].split() for line in info if line.startswith("flags")), [])
    return {"architecture": os.uname().machine,
            "vectors": sorted(set(flags) & {"avx2", "avx512f", "bmi2", "pclmulqdq", "sha_ni", "vaes"})}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with instructions.json")
    parser.add_argument("--write", action="store_true", help="keep the figures in instructions.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        found = Stages(work).all()
    kept = {}
    if os.path.exists(KEPT):
        with open(KEPT) as file:
            kept = json.load(file)
    before = kept.get("instructions", {})
    print("| stage | instructions | before | change |\n|---|---|---|---|")
    worse = []
    for stage, count in found.items():
        old = before.get(stage)
        change = "" if old is None else f"{(count / old - 1) * 100:+.1f} %"
        unit = "" if stage == "--help" else " a byte of log"
        print(f"| {stage} | {count:,}{unit} | {'' if old is None else format(old, ',')} | {change} |")
        if old is None or count > old * (1 + TOLERANCE):
            worse.append(stage)
    if options.write:
        with open(KEPT, "w") as file:
            json.dump({"machine": machine(), "bytes_of_log": SIZES, "instructions": found}, file, indent=1)
            file.write("\n")
    if options.check:
        if kept.get("machine") != machine():
            print(f"\nThe figures are those of another machine: {kept.get('machine')}, this one is {machine()}.")
        if worse:
            sys.exit(f"costs more than {TOLERANCE * 100:.0f} % above instructions.json: {', '.join(worse)}")


if __name__ == "__main__":
    main()
