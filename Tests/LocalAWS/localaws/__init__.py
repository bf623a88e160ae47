"""AWS on loopback for Sluice's tests and demo: a strict gateway, a Kinesis emulator, moto behind both.

`python -m localaws` starts it. Nothing here is part of the product; it must be stricter than AWS where AWS is
unclear, and print AWS's own words where they are known.
"""
