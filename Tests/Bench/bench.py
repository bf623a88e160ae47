"""CPU seconds and peak memory of whole processes, side by side in one run: `sluice archive`, `gzip -6` of the rows
that it wrote, and a boto3 script. Prints a Markdown table of medians and ratios; --json FILE keeps the figures."""
import argparse
import glob
import gzip
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

from measure import HERE, SLUICE, measured, medians

JOB = """job: archive
name: bench
source: {{stream: bench, region: us-east-1, read_rate: unlimited}}
destination: {{bucket: bench, prefix: "bench/dt={{date}}/hour={{hour}}/"}}
state: {{directory: {state}}}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=200_000_000)
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-boto3", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    results = {"sluice archive": [], "gzip -6 of its rows": [], "boto3 script": []}
    with tempfile.TemporaryDirectory() as work:
        folder = os.path.join(work, "objects")
        os.mkdir(folder)
        stub = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "stub.py"), "--folder", folder, "--bytes", str(options.bytes),
             "--shards", str(options.shards)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            ready = json.loads(stub.stdout.readline())
            endpoint = f"http://127.0.0.1:{ready['port']}"
            env = {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "bench",
                   "AWS_SECRET_ACCESS_KEY": "bench", "HOME": work}
            rows_file = os.path.join(work, "rows.ndjson")
            for run in range(options.runs):
                for old in glob.glob(os.path.join(folder, "*")):
                    os.unlink(old)
                job = os.path.join(work, f"job{run}.yaml")
                with open(job, "w") as file:
                    file.write(JOB.format(state=os.path.join(work, f"state{run}")))
                results["sluice archive"].append(measured([SLUICE, "archive", job], env))
                objects = sorted(glob.glob(os.path.join(folder, "*.gz")))
                if run == 0:
                    rows = rows_bytes = object_bytes = 0
                    with open(rows_file, "wb") as out:
                        for name in objects:
                            data = gzip.open(name).read()
                            rows += data.count(b"\n")
                            rows_bytes += len(data)
                            object_bytes += os.path.getsize(name)
                            out.write(data)
                    if rows != ready["lines"]:
                        sys.exit(f"{ready['lines']} lines were served, {rows} rows were written")
                packed = os.path.join(work, "rows.gz")
                with open(packed, "wb") as out:
                    results["gzip -6 of its rows"].append(measured(["gzip", "-6", "-c", rows_file], stdout=out))
                gzip_bytes = os.path.getsize(packed)
            if not options.no_boto3:
                results["boto3 script"].append(
                    measured([sys.executable, os.path.join(HERE, "boto3_archive.py"), endpoint], env))
        finally:
            stub.stdin.close()
            stub.wait(30)
    base = statistics.median(r["cpu_s"] for r in results["gzip -6 of its rows"])
    print(f"{options.bytes / 1e6:.0f} MB of log, {ready['lines']} lines, {options.shards} shards; rows {rows_bytes / 1e6:.0f} MB, "
          f"objects {object_bytes / 1e6:.2f} MB, gzip -6 {gzip_bytes / 1e6:.2f} MB; {platform.machine()}, "
          f"{os.cpu_count()} cores\n")
    print("| process | runs | CPU s (median) | CPU / gzip | wall s | peak MB | MB of log per CPU s |")
    print("|---|---|---|---|---|---|---|")
    for name, runs in results.items():
        if runs:
            cpu, wall, peak = medians(runs)
            print(f"| {name} | {len(runs)} | {cpu:.2f} | {cpu / base:.2f} | {wall:.2f} | {peak:.0f} | "
                  f"{options.bytes / 1e6 / cpu:.0f} |")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"options": vars(options), "lines": ready["lines"], "rows_bytes": rows_bytes,
                       "object_bytes": object_bytes, "gzip_bytes": gzip_bytes, "results": results}, file, indent=1)


if __name__ == "__main__":
    main()
