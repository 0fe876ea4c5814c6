"""Our wire client against a real server: SCRAM, TLS, errors, and nothing left half asked."""

import asyncio
import datetime as dt
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hutong.app.processes import free_ports
from hutong.runtime.address import Address
from hutong.runtime.database import Database, DatabaseUnavailable
from hutong.runtime.embedded import EmbeddedPostgres
from hutong.runtime.pgwire import ConnectionLost, ServerError, WireConnection, connect, copy_messages, query_message
from hutong.runtime.scram import ScramClient, ScramFailed

# RFC 7677, section 3: the exchange of user "user" with password "pencil". PostgreSQL's clients leave the name empty.
NONCE = b"rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
RFC_PROOF = b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
RFC_SIGNATURE = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_the_exchange_of_rfc_7677() -> None:
    client = ScramClient("pencil", nonce=NONCE)
    assert client.first([b"SCRAM-SHA-256-PLUS", b"SCRAM-SHA-256"]).endswith(b"n,,n=,r=" + NONCE)
    client._first_bare = b"n=user,r=" + NONCE
    assert client.final(SERVER_FIRST).endswith(RFC_PROOF)
    client.verify(RFC_SIGNATURE)
    client.assert_finished()


@pytest.mark.parametrize(
    "server_first",
    [
        SERVER_FIRST.replace(b"rOpr", b"XXXX"),  # Not our nonce.
        b"r=" + NONCE + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",  # Ours, and nothing added.
        SERVER_FIRST.replace(b"4096", b"0"),
        SERVER_FIRST.replace(b"4096", b"99999999"),  # It would keep us computing.
        SERVER_FIRST.replace(b"4096", b"x"),
        b"",
    ],
)
def test_a_server_that_breaks_the_exchange_is_left(server_first: bytes) -> None:
    client = ScramClient("pencil", nonce=NONCE)
    client.first([b"SCRAM-SHA-256"])
    with pytest.raises(ScramFailed):
        client.final(server_first)


@pytest.mark.parametrize("answer", [b"v=6rri", b"v=", b"e=other-error", b""])
def test_a_final_message_that_is_not_one_is_left(answer: bytes) -> None:
    client = ScramClient("pencil", nonce=NONCE)
    client.first([b"SCRAM-SHA-256"])
    client.final(SERVER_FIRST)
    with pytest.raises(ScramFailed):
        client.verify(answer)


def test_a_server_that_does_not_know_the_password_is_left() -> None:
    client = ScramClient("pencil", nonce=NONCE)
    with pytest.raises(ScramFailed):
        client.assert_finished()  # It lets us in unasked.
    client.first([b"SCRAM-SHA-256"])
    client.final(SERVER_FIRST)
    with pytest.raises(ScramFailed):
        client.assert_finished()
    with pytest.raises(ScramFailed):
        client.verify(b"v=7" + RFC_SIGNATURE[3:])


async def test_rows_come_as_text(postgres: Address) -> None:
    connection = await connect(postgres, {})
    assert await connection.query("SELECT 1, NULL, ''; SELECT '互通'") == [["1", None, ""], ["互通"]]
    assert await connection.query("") == []
    connection.close()


async def test_an_error_is_told_in_full_and_the_connection_goes_on(database: Database) -> None:
    connection = await connect(database.address, {"search_path": database.schema})
    await connection.query("CREATE TABLE t (id integer CONSTRAINT positive CHECK (id > 0))")
    with pytest.raises(ServerError) as error:
        await connection.query("INSERT INTO t VALUES (1); INSERT INTO t VALUES (0)")
    assert (error.value.sqlstate, error.value.table, error.value.constraint) == ("23514", "t", "positive")
    assert error.value.statements == 1
    # Several statements are one transaction.
    assert await connection.query("SELECT count(*) FROM t") == [["0"]]
    connection.close()


async def test_data_behind_a_query_that_fails_is_ignored(database: Database) -> None:
    connection = await connect(database.address, {"search_path": database.schema})
    await connection.query("CREATE TABLE t (id integer)")
    row = b"\0\1\0\0\0\4\0\0\0\7"
    for query, outcome in (
        ("SELECT 1 / 0; COPY t FROM STDIN (FORMAT binary)", "22012"),
        ("COPY nothing FROM STDIN (FORMAT binary)", "42P01"),
        ("COPY t FROM STDIN (FORMAT binary)", None),
    ):
        answered: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        connection.commit([query_message(query), *copy_messages([row] * 10_000)], answered.set_result)
        error = await answered
        assert getattr(error, "sqlstate", None) == outcome
    assert await connection.query("SELECT count(*), min(id) FROM t") == [["10000", "7"]]
    connection.close()


async def test_a_cancelled_query_ends_the_connection_and_not_the_next_answer(postgres: Address) -> None:
    connection = await connect(postgres, {})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(connection.query("SELECT pg_sleep(10)"), 0.05)
    async with asyncio.timeout(60):
        while connection.is_open:
            await asyncio.sleep(0.005)
    with pytest.raises(ConnectionLost):
        await connection.query("SELECT 1")


async def test_a_connection_the_server_ends_is_lost_with_its_reason(postgres: Address) -> None:
    connection, other = await connect(postgres, {}), await connect(postgres, {})
    ((pid,),) = await connection.query("SELECT pg_backend_pid()")
    asleep = asyncio.create_task(connection.query("SELECT pg_sleep(10)"))
    await asyncio.sleep(0.05)
    await other.query(f"SELECT pg_terminate_backend({pid})")
    with pytest.raises(ConnectionLost, match="57P01"):
        await asleep
    other.close()


@pytest.mark.parametrize("password", ["", "wrong"])
async def test_a_wrong_password_does_not_get_in(postgres: Address, password: str) -> None:
    with pytest.raises((ServerError, ConnectionLost)):
        await connect(replace(postgres, password=password), {})


async def test_messages_in_any_pieces_are_read_alike(postgres: Address) -> None:
    connection = await connect(postgres, {})
    whole = WireConnection.data_received

    def in_pieces(data: bytes) -> None:
        for offset in range(len(data)):
            whole(connection, data[offset : offset + 1])

    connection._transport.get_protocol().data_received = in_pieces
    assert await connection.query("SELECT 'piece', repeat('x', 5000)") == [["piece", "x" * 5000]]
    connection.close()


@pytest.fixture
def tcp_server(run_directory: Path) -> Iterator[tuple[Address, Path]]:
    """A server on TCP with TLS, set up as an operator would, and its certificate."""
    directory = run_directory / "tls"
    server = EmbeddedPostgres(directory, fsync=False)
    server.start()
    certificate = make_certificate(directory / "data", server)
    (port,) = free_ports(1)
    settings = {"listen_addresses": "127.0.0.1", "port": str(port), "ssl": "on"}
    settings |= {"ssl_cert_file": "server.crt", "ssl_key_file": "server.key"}
    try:
        asyncio.run(change_settings(server.address(), settings))
    except ServerError as error:
        server.stop()
        shutil.rmtree(directory)
        pytest.skip(f"waits for a PostgreSQL with TLS: {error}")
    (directory / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    pid = server.postmaster_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)  # The watchdog starts it again, with what was changed.
    yield replace(server.address(), host="127.0.0.1", port=port, tls="verify-full"), certificate
    server.stop()
    shutil.rmtree(directory)


async def change_settings(address: Address, settings: dict[str, str]) -> None:
    connection = await connect(address, {})
    try:
        for name, value in settings.items():
            await connection.query(f"ALTER SYSTEM SET {name} = '{value}'")
    finally:
        connection.close()


def make_certificate(data: Path, server: EmbeddedPostgres) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hutong test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (data / "server.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (data / "server.key").touch(mode=0o600)
    (data / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    for file in ("server.crt", "server.key"):
        os.chown(data / file, server.account.uid, server.account.gid)
    return data / "server.crt"


async def available(address: Address) -> WireConnection:
    while True:
        try:
            return await connect(address, {})
        except (OSError, ConnectionLost, ServerError) as error:
            if "certificate" in str(error) or "pg_hba" in str(error):
                raise
            await asyncio.sleep(0.05)


async def test_tls_is_verified_and_the_plain_way_refused(
    tcp_server: tuple[Address, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, certificate = tcp_server
    encrypted = await available(replace(address, tls="require"))
    assert await encrypted.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == [["t"]]
    encrypted.close()
    with pytest.raises(OSError, match="certificate"):  # Signed by nobody we know.
        await available(address)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    verified = await available(address)
    assert await verified.query("SELECT 1") == [["1"]]
    verified.close()
    database = await Database(address, "public").connect()  # asyncpg takes the same address.
    assert await database.fetchval("SELECT 1") == 1
    await database.close()
    with pytest.raises(ServerError, match="pg_hba"):
        await connect(replace(address, tls="disable"), {})
    with pytest.raises((OSError, DatabaseUnavailable)):
        await available(replace(address, host="localhost"))
