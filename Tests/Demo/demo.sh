#!/usr/bin/env bash
# The whole way on one machine, against the local AWS endpoint: a stream with 4 shards and a bucket are made, captured
# Drupal lines are shipped, archived, listed and counted. Nothing outside .local/demo is touched.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=.venv/bin/python
sluice=.build/release/sluice
work=.local/demo
log=Tests/Data/drupal/sample/drupal.log

rm -rf "$work"
mkdir -p "$work"
"$python" Tests/LocalAWS/run.py --port-file "$work/aws.json" --env-file "$work/aws.env" >"$work/local-aws.log" 2>&1 &
local_aws=$!
trap 'kill "$local_aws" 2>/dev/null || true; wait "$local_aws" 2>/dev/null || true' EXIT
for _ in $(seq 200); do
  [ -s "$work/aws.json" ] && break
  kill -0 "$local_aws" 2>/dev/null || { cat "$work/local-aws.log" >&2; exit 1; }
  sleep 0.1
done
# shellcheck disable=SC1091
source "$work/aws.env"

export SLUICE_STREAM=drupal-demo SLUICE_BUCKET=acme-logs
export SLUICE_LOG=$PWD/$log SLUICE_STATE=$PWD/$work/state SLUICE_SHIP_STATE=$PWD/$work/ship-state
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say "1. Make stream $SLUICE_STREAM (4 shards) and bucket $SLUICE_BUCKET"
"$python" Tests/Demo/setup.py
say "2. Ship $(wc -l <"$log") captured Drupal lines: sluice ship jobs/drupal-ship.yaml --once"
"$sluice" ship jobs/drupal-ship.yaml --once
say "3. Archive them: sluice archive jobs/drupal-archive.yaml"
"$sluice" archive jobs/drupal-archive.yaml
say "4. What is in the bucket now"
"$python" Tests/Demo/show.py "$log"
say "5. A second run finds nothing new"
"$sluice" archive jobs/drupal-archive.yaml
