"""What runs cost that have little to do: the help text, and `sluice archive` when nothing has come since the last run, on a
stream of 4 and of 1,000 shards; and `sluice transform` from a file into nothing. CPU seconds of whole processes, medians."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import corpus
from bench import JOB
from measure import HERE, SLUICE, measured, medians

SHARDS = (4, 1_000)
# Enough that each shard has records and a checkpoint.
LOG_BYTES = 2_000_000


def environment(work, port):
    return {"PATH": os.environ["PATH"], "HOME": work, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}


def nothing_new(work, shards, runs):
    """Runs after a first one that has archived all there is."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        stub = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "stub.py"), "--folder", folder, "--bytes", str(LOG_BYTES),
             "--shards", str(shards)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            env = environment(work, json.loads(stub.stdout.readline())["port"])
            job = os.path.join(work, f"job{shards}.yaml")
            with open(job, "w") as file:
                file.write(JOB.format(state=os.path.join(work, f"state{shards}")))
            measured([SLUICE, "archive", job], env)
            stored = len(os.listdir(folder))
            results = [measured([SLUICE, "archive", job], env) for _ in range(runs)]
            if not stored or len(os.listdir(folder)) != stored:
                sys.exit(f"{stored} objects after the first run, {len(os.listdir(folder))} after runs that find nothing")
            return results
        finally:
            stub.stdin.close()
            stub.wait(30)


def transform(work, size, runs):
    path = os.path.join(work, "log")
    with open(path, "wb") as file:
        file.writelines(line + b"\n" for line in corpus.lines(size))
    results = []
    for _ in range(runs):
        with open(path, "rb") as lines:
            results.append(measured([SLUICE, "transform"], stdin=lines))
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=200_000_000, help="of log, for transform")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        results = {"sluice --help": [measured([SLUICE, "--help"]) for _ in range(options.runs)]}
        for shards in SHARDS:
            results[f"sluice archive, nothing new, {shards:,} shards"] = nothing_new(work, shards, options.runs)
        name = f"sluice transform, {options.bytes / 1e6:.0f} MB of log"
        results[name] = transform(work, options.bytes, options.runs)
    print("| process | runs | CPU s (median) | wall s | peak MiB |\n|---|---|---|---|---|")
    for what, runs in results.items():
        cpu, wall, peak = medians(runs)
        print(f"| {what} | {len(runs)} | {cpu:.3f} | {wall:.3f} | {peak:.0f} |")
    print(f"\nTransform: {options.bytes / 1e6 / medians(results[name])[0]:.0f} MB of log per CPU second.")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"options": vars(options), "results": results}, file, indent=1)


if __name__ == "__main__":
    main()
