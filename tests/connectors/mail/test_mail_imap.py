"""The mailbox against a real IMAP server."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest

from arsync.connectors.mail.imap import Mailbox
from arsync.errors import ConfigError, Garbled, Unreachable
from tests.connectors.mail.mailserver import PASSWORD, USER, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server():
    with serving() as running:
        yield running


def box(server, **changed):
    given = {"host": "127.0.0.1", "port": server.port, "user": USER, "password": PASSWORD, "security": "none"}
    return Mailbox(ledger="books", **(given | changed))


def letter(text):
    return f"From: a@b.example\r\nSubject: {text}\r\n\r\n{text}\r\n".encode()


def test_letters_come_once_each_in_order_and_are_left_unread(server):
    assert list(box(server).new(None)) == []
    server.deliver(letter("one"), letter("two"))
    first, second = box(server).new(None)
    assert [b"one" in first.data, b"two" in second.data, first.kind] == [True, True, "letter"]
    assert list(box(server).new(second.mark)) == []
    (again,) = box(server).new(first.mark)
    assert again.data == second.data
    server.deliver(letter("three"))
    (third,) = box(server).new(second.mark)
    assert b"three" in third.data
    assert all(b"Seen" not in line for line in server.flags())


def test_a_server_that_numbers_anew_is_read_from_its_start(server):
    server.deliver(letter("again"))
    assert len(list(box(server).new("1:999999"))) == len(list(box(server).new(None)))


def test_a_letter_of_the_last_number_that_was_read_is_not_read_again_though_servers_name_it(server):
    server.deliver(letter("last"))
    *_, last = box(server).new(None)
    assert list(box(server).new(last.mark)) == []


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        pytest.param({"password": "wrong"}, ConfigError, "does not let", id="a wrong password"),
        pytest.param({"folder": "No Such"}, ConfigError, "no folder", id="no such folder"),
        pytest.param({"port": 1}, Unreachable, "does not answer", id="nobody listens"),
        pytest.param({"security": "tls"}, Unreachable, "secure", id="no TLS where it is asked for"),
    ],
)
def test_trouble_is_named(server, changed, error, says):
    with pytest.raises(error, match=says):
        list(box(server, **changed).new(None))


@pytest.mark.parametrize(
    "said", [b"* OK hello\r\nrubbish\r\n", b"* BYE go away\r\n", b"HTTP/1.1 400 Bad\r\n\r\n", b""]
)
def test_a_server_that_breaks_off_is_no_empty_mailbox(said):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connection, _ = listening.accept()
            with connection:
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        broken = Mailbox("books", "127.0.0.1", listening.getsockname()[1], USER, PASSWORD, "none")
        with pytest.raises((Garbled, Unreachable)):
            list(broken.new(None))
        thread.join()


class Tokens:
    """What a sign-in gives: the first token, and another for each that was not taken."""

    reconnect = "arsync mail connect"

    def __init__(self, *given):
        self.given, self.asked = list(given), 0

    def access(self):
        return self.given[0]

    def renew(self, spent):
        assert spent == self.given[0]
        self.asked += 1
        self.given.pop(0)
        return self.given[0]


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    listed = tmp_path_factory.mktemp("oauth") / "tokens"
    listed.write_text("good")
    with serving(tokens=listed) as running:
        yield running


def test_a_mailbox_that_takes_no_passwords_is_read_with_an_access_token(signed):
    signed.deliver(letter("by token"))
    with pytest.raises(ConfigError, match="does not let demouser in"):
        list(box(signed).new(None))
    tokens = Tokens("good")
    (one,) = box(signed, password="", tokens=tokens).new(None)
    assert b"by token" in one.data
    assert tokens.asked == 0


def test_a_token_taken_back_before_its_time_is_renewed_once(signed):
    tokens = Tokens("taken back", "good")
    assert list(box(signed, password="", tokens=tokens).new(None))
    assert tokens.asked == 1


def test_a_mailbox_that_takes_no_token_of_ours_says_how_to_sign_in_again(signed):
    with pytest.raises(ConfigError, match="does not let demouser in") as met:
        list(box(signed, password="", tokens=Tokens("taken back", "refused too")).new(None))
    assert "arsync mail connect" in met.value.do
    assert "refused too" not in str(met.value)


def certificate(folder):
    """A certificate of 127.0.0.1, signed by itself."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert, secret


def test_starttls_with_a_certificate_that_is_trusted_and_one_that_is_not(tmp_path):
    cert, secret = certificate(tmp_path)
    with serving("--cert", str(cert), "--key", str(secret)) as server:
        with server_client(server, cert) as client:
            client.append("INBOX", None, None, letter("secret"))
        (one,) = box(server, security="starttls", ca_file=str(cert)).new(None)
        assert b"secret" in one.data
        with pytest.raises(Unreachable, match="secure"):
            list(box(server, security="starttls").new(None))


def server_client(server, cert):
    import imaplib

    client = imaplib.IMAP4("127.0.0.1", server.port, timeout=10)
    client.starttls(ssl.create_default_context(cafile=str(cert)))
    client.login(USER, PASSWORD)
    return client
