import os
import socket

import boto3
import psycopg
import pytest
import redis
from botocore.exceptions import ClientError

from chatproject.embedded.engines import running_engines
from chatproject.embedded.ports import choose_ports, is_free

ALL_BUT_REDIS = {"DATABASE_URL": "postgresql://elsewhere/parley", "S3_ENDPOINT_URL": "http://elsewhere"}


def pids(folder):
    return {file.stem: int(file.read_text().split()[0]) for file in (folder.path / "run").glob("*.pid")}


def value(known, query):
    with psycopg.connect(known["DATABASE_URL"]) as connection:
        return connection.execute(query).fetchone()[0]


def test_nothing_that_was_committed_can_be_lost():
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert value(os.environ, f"SHOW {setting}") == "on"


def test_redis_speaks_over_its_socket_only_and_keeps_nothing(folder):
    with running_engines(folder, ALL_BUT_REDIS) as engines:
        url = engines.environment()["REDIS_URL"]
        with redis.Redis.from_url(url, decode_responses=True) as client:
            assert client.config_get("port") == {"port": "0"}
            assert client.config_get("save") == {"save": ""}
            assert client.info("server")["redis_version"] >= "6"


def test_the_storage_refuses_requests_without_our_keys(settings):
    known = settings.STORAGES["default"]["OPTIONS"]
    stranger = boto3.client(
        "s3",
        endpoint_url=known["endpoint_url"],
        aws_access_key_id=known["access_key"],
        aws_secret_access_key="guessed",
        region_name="us-east-1",
    )
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger.list_objects_v2(Bucket=known["bucket_name"])
    stranger.close()


def test_what_the_environment_names_is_not_started(folder):
    with running_engines(folder, ALL_BUT_REDIS) as engines:
        assert set(pids(folder)) == {"redis"}
        assert not {"DATABASE_URL", "S3_ENDPOINT_URL", "S3_ACCESS_KEY_ID"} & set(engines.environment())


def test_keys_of_the_environment_are_not_written_over(folder):
    environ = {**ALL_BUT_REDIS, "CHAT_KEYS": "mine"}
    with running_engines(folder, environ) as engines:
        assert "CHAT_KEYS" not in engines.environment()
        assert "SECRET_KEY" in engines.environment()


def test_ports_for_the_storage_are_free_ones():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not is_free(listener.getsockname()[1])
    ports = choose_ports(10)
    assert len(set(ports)) == 10
    assert all(is_free(port) for port in ports)
