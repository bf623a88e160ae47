"""A seeded corpus of syslog lines: a third captured Drupal lines, a third RFC 3164, a third RFC 5424."""
import gzip
import os
import random

HERE = os.path.dirname(os.path.abspath(__file__))
DRUPAL = os.path.join(HERE, "..", "Data", "drupal", "main", "drupal.log.gz")
PROGRAMS = ["sshd", "cron", "nginx", "php-fpm", "postfix/smtpd", "systemd", "kernel", "named"]
WORDS = ("connection session user request upstream closed opened failed accepted timeout port from for root admin "
         "cache queue message worker started stopped reload certificate handshake disk inode memory pool").split()
# Of lines: captured Drupal, RFC 3164, RFC 5424.
KINDS = (0, 1, 2)
GENERATED = (1, 2)


def sentence(rng):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(5, 22))) + f" id={rng.getrandbits(32):08x}"


def rfc3164(rng, second, hosts):
    return (f"<{rng.randint(0, 191)}>Nov {22 + second // 86400:2d} {second // 3600 % 24:02d}:{second // 60 % 60:02d}:"
            f"{second % 60:02d} web{rng.randint(1, hosts):02d} {rng.choice(PROGRAMS)}[{rng.randint(2, 32768)}]: "
            f"{sentence(rng)}").encode()


def rfc5424(rng, second, hosts):
    return (f"<{rng.randint(0, 191)}>1 2026-11-{22 + second // 86400:02d}T{second // 3600 % 24:02d}:"
            f"{second // 60 % 60:02d}:{second % 60:02d}.{rng.randint(0, 999999):06d}Z web{rng.randint(1, hosts):02d} "
            f"{rng.choice(PROGRAMS)} {rng.randint(2, 32768)} ID{rng.randint(1, 99)} "
            f"[origin@32473 ip=\"192.0.2.{rng.randint(1, 254)}\" seq=\"{rng.randint(1, 10**6)}\"] "
            f"{sentence(rng)}").encode()


def lines(size_bytes, seed=7, kinds=KINDS, hosts=20):
    """Yields lines (without LF) of some kinds, from so many hosts, until their size with LF reaches `size_bytes`."""
    rng = random.Random(seed)
    with gzip.open(DRUPAL) as file:
        drupal = file.read().split(b"\n")[:-1]
    total = second = 0
    while total < size_bytes:
        kind = kinds[rng.randrange(len(kinds))]
        if kind == 0:
            line = drupal[rng.randrange(len(drupal))]
        elif kind == 1:
            line = rfc3164(rng, second, hosts)
        else:
            line = rfc5424(rng, second, hosts)
        second = (second + rng.randrange(2)) % 86400
        total += len(line) + 1
        yield line
