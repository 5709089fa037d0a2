"""Clients of databases and brokers."""

import re

import pytest

from origins import BLOB
from support import payload
from support.process import stop


def test_redis_cli(wrapped, redis):
    cli = ["redis-cli", "-h", redis.host, "-p", str(redis.port)]
    value = BLOB.hex().encode()
    assert wrapped.run([*cli, "-x", "set", "key"], input=value).stdout.strip() == b"OK"
    assert wrapped.run([*cli, "get", "key"]).stdout.strip() == value
    commands = b"".join(b"SET k%d v%d\r\n" % (n, n) for n in range(20_000))
    assert b"errors: 0, replies: 20000" in wrapped.run([*cli, "--pipe", "--pipe-timeout", "0"], input=commands).stdout


@pytest.mark.parametrize("pipeline", [1, 16])
def test_redis_benchmark(wrapped, redis, pipeline):
    done = wrapped.run(["redis-benchmark", "-h", redis.host, "-p", str(redis.port), "-q", "-n", "3000", "-c", "50",
                        "-P", str(pipeline), "-t", "ping,set,get,lrange_100", "-d", "64"])
    results = re.findall(rb"^(\S+).*: [\d.]+ requests per second", done.stdout.replace(b"\r", b"\n"), re.M)
    assert {b"PING_INLINE", b"PING_MBULK", b"SET", b"GET", b"LRANGE_100"} <= set(results), done.stdout[-500:]


@pytest.mark.both_levels
def test_psql_copy(wrapped, postgres):
    rows = b"".join(b"%d\t%s\n" % (n, payload.octets(500, n).hex().encode()) for n in range(3000))
    wrapped.run([*postgres.psql, "-c", "drop table if exists t", "-c", "create table t (n int primary key, v text)"])
    wrapped.run([*postgres.psql, "-c", r"\copy t from pstdin"], input=rows)
    assert wrapped.run([*postgres.psql, "-c", r"\copy (select * from t order by n) to pstdout"]).stdout == rows
    assert wrapped.run([*postgres.psql, "-At", "-c", "select count(*), sum(length(v)) from t"]).stdout == b"3000|3000000\n"


def test_mosquitto(wrapped, mosquitto, blob, tmp_path):
    broker = ["-h", mosquitto.host, "-p", str(mosquitto.port), "-q", "1"]
    topic = tmp_path.name
    # Retained, so that the order of the two does not matter.
    wrapped.run(["mosquitto_pub", *broker, "-t", topic, "-r", "-f", blob])
    assert wrapped.run(["mosquitto_sub", *broker, "-t", topic, "-C", "1", "-N"]).stdout == BLOB


def test_mosquitto_lines(wrapped, mosquitto, tmp_path):
    """A subscriber that waits, and a publisher of many messages."""
    broker = ["-h", mosquitto.host, "-p", str(mosquitto.port), "-q", "1", "-t", tmp_path.name]
    lines = b"".join(b"message %d\n" % n for n in range(1000))
    with wrapped.popen(["mosquitto_sub", *broker, "-C", "1001"]) as subscriber:
        # The retained message is the sign that the subscription stands.
        wrapped.run(["mosquitto_pub", *broker, "-r", "-m", "ready"])
        assert subscriber.stdout.readline() == b"ready\n"
        wrapped.run(["mosquitto_pub", *broker, "-l"], input=lines)
        try:
            assert subscriber.stdout.read() == lines
        finally:
            stop(subscriber)
