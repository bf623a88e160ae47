"""Requests signed by botocore and then sent byte for byte as the test wants them."""

import http.client

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def signed(endpoint, service, method, path, body, headers, secret=None):
    """Headers as botocore signs them for a request to `path` (still encoded)."""
    environment = endpoint.environment
    request = AWSRequest(method=method, url=endpoint.url + path, data=body, headers=headers)
    keys = Credentials(environment["AWS_ACCESS_KEY_ID"], secret or environment["AWS_SECRET_ACCESS_KEY"])
    (S3SigV4Auth if service == "s3" else SigV4Auth)(keys, service, "us-east-1").add_auth(request)
    return dict(request.headers.items())


def send(endpoint, method, path, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    if "Transfer-Encoding" not in headers:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    connection.send(body)
    response = connection.getresponse()
    text = response.read().decode("utf-8", "replace")
    connection.close()
    return response.status, text
