"""A strict S3 that nobody here wrote: OpenStack Swift's s3api on loopback, in one process and a temporary folder.

It verifies signatures, payload hashes, clock skew and checksums by its own code. Objects live in memory, account and
container lists in SQLite files that are removed at the end. Prints one line of JSON when it is ready and runs until
SIGTERM, SIGINT or the end of standard input. What it cannot do: encryption headers, tagging, If-Match.
"""

import warnings

warnings.filterwarnings("ignore", message="\nEventlet is deprecated")
import eventlet  # noqa: E402

eventlet.monkey_patch()

import json  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import shutil  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402

from eventlet import wsgi  # noqa: E402

ACCOUNT, USER, KEY = "sluice", "archiver", "strict/secret+key"
REGION = "us-east-1"
PROXY = """
[DEFAULT]
swift_dir = {folder}
log_name = strict-s3

[pipeline:main]
pipeline = catch_errors listing_formats s3api tempauth proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true

[filter:catch_errors]
use = egg:swift#catch_errors

[filter:listing_formats]
use = egg:swift#listing_formats

[filter:s3api]
use = egg:swift#s3api
location = {region}
s3_acl = false
auth_pipeline_check = true

[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{user} = {key} .admin
"""


def prepare(folder):
    """Points Swift at `folder` instead of /etc/swift; must come before its servers are imported."""
    with open(os.path.join(folder, "swift.conf"), "w") as file:
        file.write("[swift-hash]\nswift_hash_path_suffix = local\n")
    from swift.common import utils

    utils.SWIFT_CONF_FILE = os.path.join(folder, "swift.conf")
    utils.HASH_PATH_SUFFIX = b"local"


def write_ring(folder, name, port):
    from swift.common.ring import RingBuilder

    builder = RingBuilder(part_power=1, replicas=1, min_part_hours=0)
    builder.add_dev({"region": 1, "zone": 1, "weight": 1.0, "ip": "127.0.0.1", "port": port, "device": "disk",
                     "meta": ""})
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, name + ".ring.gz"))


def serve(listener, application):
    from swift.common.wsgi import SwiftHttpProtocol

    eventlet.spawn(wsgi.server, listener, application, log=open(os.devnull, "w"), keepalive=True,
                   capitalize_response_headers=False, protocol=SwiftHttpProtocol)


def start(folder):
    """The port of the S3 endpoint."""
    prepare(folder)
    from swift.account.server import app_factory as account
    from swift.common.wsgi import loadapp
    from swift.container.server import app_factory as container
    from swift.obj.mem_server import app_factory as objects

    logging.disable(logging.CRITICAL)
    os.makedirs(os.path.join(folder, "devices", "disk"))
    common = {"devices": os.path.join(folder, "devices"), "mount_check": "false", "swift_dir": folder}
    listeners = {name: eventlet.listen(("127.0.0.1", 0)) for name in ("account", "container", "object", "proxy")}
    for name in ("account", "container", "object"):
        write_ring(folder, name, listeners[name].getsockname()[1])
    serve(listeners["account"], account(common))
    serve(listeners["container"], container(common))
    serve(listeners["object"], objects(common))
    path = os.path.join(folder, "proxy.conf")
    with open(path, "w") as file:
        file.write(PROXY.format(folder=folder, region=REGION, account=ACCOUNT, user=USER, key=KEY))
    serve(listeners["proxy"], loadapp(path))
    return listeners["proxy"].getsockname()[1]


def main():
    folder = tempfile.mkdtemp(prefix="strict-s3-")
    try:
        stop = eventlet.event.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.ready() or stop.send(None))
        port = start(folder)
        print(json.dumps({"url": "http://127.0.0.1:%d" % port, "region": REGION,
                          "access_key_id": "%s:%s" % (ACCOUNT, USER), "secret_access_key": KEY}), flush=True)
        if "--watch-stdin" in sys.argv[1:]:
            eventlet.spawn(lambda: (os_read_to_end(), stop.ready() or stop.send(None)))
        stop.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def os_read_to_end():
    """Waits for the end of standard input without stopping the other green threads."""
    from eventlet import tpool

    tpool.execute(lambda: sys.stdin.buffer.read())


if __name__ == "__main__":
    main()
