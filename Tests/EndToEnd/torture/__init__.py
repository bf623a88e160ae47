"""Rotation torture: a writer that knows the truth, a shipper that is killed, an endpoint that fails, and an auditor that
compares what is on the stream with what was written. `python -m torture --help`."""
