"""Puts the parts together: one gateway port, one metadata port, everything in this process."""

from .clock import Clock
from .control import Control
from .faults import Faults
from .gateway import Gateway
from .journal import Journal
from .keys import (
    DENIED_KEY, DENIED_SECRET, OBSERVER_KEY, OBSERVER_SECRET, ROOT_KEY, ROOT_SECRET, KeyStore)
from .kinesis.service import Kinesis
from .metadata import CONTAINER_PATH, Metadata
from .moto_bridge import Moto
from .redshift.service import RedshiftData
from .wire import Server

REGION = "us-east-1"


class LocalAWS:
    def __init__(self, port=0, metadata_port=0):
        self.clock = Clock()
        self.keys = KeyStore(self.clock)
        self.kinesis = Kinesis(self.clock)
        self.moto = Moto()
        self.redshift = RedshiftData(self.clock, self.moto)
        self.faults = Faults()
        self.journal = Journal(self.clock)
        self.metadata = Metadata(self.clock, self.keys)
        self.gateway = Gateway(self.clock, self.keys, self.kinesis, self.moto, self.redshift, self.faults,
                               self.journal, Control(self))
        self.server = Server(self.gateway.handle, port, "gateway")
        self.metadata_server = Server(self.metadata.handle, metadata_port, "metadata")

    def start(self):
        self.server.start()
        self.metadata_server.start()

    def stop(self):
        self.server.stop()
        self.metadata_server.stop()
        self.redshift.stop()

    def environment(self):
        """What a client needs to talk to the gateway with the full-access keys, and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.server.url, "AWS_ACCESS_KEY_ID": ROOT_KEY, "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
            "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def describe(self):
        return {
            "url": self.server.url, "port": self.server.port, "metadata_url": self.metadata_server.url,
            "region": REGION, "environment": self.environment(),
            "denied": {"AWS_ACCESS_KEY_ID": DENIED_KEY, "AWS_SECRET_ACCESS_KEY": DENIED_SECRET},
            "observer": {"AWS_ACCESS_KEY_ID": OBSERVER_KEY, "AWS_SECRET_ACCESS_KEY": OBSERVER_SECRET},
            "imds": {"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.metadata_server.url},
            "container": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.metadata_server.url + CONTAINER_PATH,
                          "AWS_CONTAINER_AUTHORIZATION_TOKEN": self.metadata.container_token},
        }
