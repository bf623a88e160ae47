"""`python -m localaws`: runs until SIGTERM, SIGINT, or (with --watch-stdin) until standard input ends."""

import argparse
import json
import os
import shlex
import signal
import sys
import threading

from .local import LocalAWS


def main():
    parser = argparse.ArgumentParser(prog="localaws", description="AWS on loopback: Kinesis, S3, STS, DynamoDB, Redshift Data, "
                                     "instance metadata. Prints one line of JSON when it is ready.")
    parser.add_argument("--port", type=int, default=0, help="gateway port (default: a free one)")
    parser.add_argument("--metadata-port", type=int, default=0, help="metadata port (default: a free one)")
    parser.add_argument("--port-file", help="also write the line of JSON here")
    parser.add_argument("--env-file", help="write `export NAME=value` lines for a shell here")
    parser.add_argument("--watch-stdin", action="store_true", help="end when standard input ends")
    options = parser.parse_args()

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        local = LocalAWS(options.port, options.metadata_port)
    except OSError as problem:
        sys.exit("localaws: cannot listen on 127.0.0.1:%d: %s" % (options.port, problem))
    local.start()
    ready = json.dumps(dict(local.describe(), pid=os.getpid()))
    if options.port_file:
        write_whole(options.port_file, ready + "\n")
    if options.env_file:
        write_whole(options.env_file, "".join(
            "export %s=%s\n" % (name, shlex.quote(value)) for name, value in local.environment().items()))
    print(ready, flush=True)
    if options.watch_stdin:
        threading.Thread(target=lambda: (sys.stdin.buffer.read(), stop.set()), daemon=True).start()
    stop.wait()
    local.stop()
    # Threads that wait in a request are daemons: nothing is left to flush.
    os._exit(0)


def write_whole(path, text):
    """Readers never see half a file."""
    with open(path + ".new", "w") as file:
        file.write(text)
    os.replace(path + ".new", path)


if __name__ == "__main__":
    main()
