"""A strict emulation of Kinesis Data Streams: what a consumer and a producer can see of it, limits included."""
