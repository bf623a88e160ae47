"""How `sluice archive` grows: CPU seconds and peak memory of a run over more log, more shards, more partitions. Draws
growth.svg beside this file, keeps the figures in growth.json, and prints them as a Markdown table.

Each point is the least of some runs: what another process takes can only be added."""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

from measure import HERE, SLUICE, measured

JOB = """job: archive
name: bench
source: {{stream: bench, region: us-east-1, read_rate: unlimited}}
destination: {{bucket: bench, prefix: "bench/{prefix}dt={{date}}/"}}
limits: {{parallel_shards: {parallel}}}
state: {{directory: {state}}}
"""
MB = 1_000_000
# Of each curve: what grows, and the runs as (megabytes, shards, hosts that are a partition each; 0: one partition a day).
CURVES = {
    "MB of log, 4 shards": [(size, 4, 0) for size in (10, 50, 200, 1_000)],
    "shards, 100 MB of log": [(100, shards, 0) for shards in (1, 4, 16, 64)],
    "partitions, 100 MB of log, 1 shard": [(100, 1, hosts) for hosts in (1, 10, 100, 500)],
}


def run(work, megabytes, shards, hosts, runs):
    """The least CPU seconds and the least peak of some runs, each from the beginning of the stream."""
    results = []
    with tempfile.TemporaryDirectory(dir=work) as folder:
        command = [sys.executable, os.path.join(HERE, "stub.py"), "--folder", folder, "--bytes", str(megabytes * MB),
                   "--shards", str(shards)] + (["--hosts", str(hosts)] if hosts else [])
        stub = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            port = json.loads(stub.stdout.readline())["port"]
            env = {"PATH": os.environ["PATH"], "HOME": work, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                   "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
            for _ in range(runs):
                for old in glob.glob(os.path.join(folder, "*")):
                    os.unlink(old)
                with tempfile.TemporaryDirectory(dir=work) as state:
                    job = os.path.join(state, "job.yaml")
                    with open(job, "w") as file:
                        file.write(JOB.format(prefix="host={host}/" if hosts else "", parallel=4, state=state + "/state"))
                    results.append(measured([SLUICE, "archive", job], env))
                objects = len(glob.glob(os.path.join(folder, "*.gz")))
                if objects < max(shards, hosts):
                    sys.exit(f"{objects} objects for {shards} shards and {hosts} partitions")
        finally:
            stub.stdin.close()
            stub.wait(60)
    return {"cpu_s": min(r["cpu_s"] for r in results), "peak_mb": min(r["peak_mb"] for r in results)}


def draw(figures, path):
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot
    matplotlib.rcParams["svg.hashsalt"] = "sluice"  # the same picture for the same figures
    drawing, axes = pyplot.subplots(2, len(figures), figsize=(11, 6), squeeze=False)
    for column, (name, points) in enumerate(figures.items()):
        for row, (key, label) in enumerate([("cpu_s", "CPU s"), ("peak_mb", "peak MiB")]):
            plot = axes[row][column]
            plot.plot([p["x"] for p in points], [p[key] for p in points], marker="o")
            plot.set_xscale("log")
            if key == "cpu_s" and column == 0:
                plot.set_yscale("log")
            else:
                plot.set_ylim(bottom=0)
            plot.set_xticks([p["x"] for p in points], [f"{p['x']:,}" for p in points])
            plot.minorticks_off()
            plot.set_xlabel(name)
            plot.set_ylabel(label)
            plot.grid(alpha=0.3)
    drawing.tight_layout()
    drawing.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2)
    options = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as work:
        for name, points in CURVES.items():
            column = ["MB", "shards", "partitions"].index(name.split(" ")[0].rstrip(","))
            figures[name] = [dict(run(work, *point, options.runs), x=point[column]) for point in points]
            print(f"| {name} | CPU s | peak MiB |\n|---|---|---|")
            for point in figures[name]:
                print(f"| {point['x']:,} | {point['cpu_s']:.2f} | {point['peak_mb']:.0f} |")
            print(flush=True)
    with open(os.path.join(HERE, "growth.json"), "w") as file:
        json.dump(figures, file, indent=1)
        file.write("\n")
    draw(figures, os.path.join(HERE, "growth.svg"))


if __name__ == "__main__":
    main()
