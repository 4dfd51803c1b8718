"""An HTTPS proxy that answers for every host with the fake AWS, so that programs can use AWS's real names.

It answers CONNECT, presents a certificate for the requested name, and passes the connection to a
`FakeAws`, which records the name in each request's `host` header. No request leaves this machine.
Programs must trust the authority in `authority`.
"""

import socket
import ssl
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fake_aws import FakeAws


class Authority:
    """A certificate authority for tests, and a TLS context for each name."""

    def __init__(self, folder: Path):
        self.file = folder / "authority.pem"
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rdsign's tests")])
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        basic = x509.BasicConstraints(ca=True, path_length=None)
        certificate = self._sign(self._name, self._key.public_key(), basic, critical=True)
        self.file.write_bytes(certificate)

    def context(self, name: str) -> ssl.SSLContext:
        """Returns the TLS context of a server with this name."""
        with self._lock:
            if name not in self._contexts:
                self._contexts[name] = self._new_context(name)
            return self._contexts[name]

    def _new_context(self, name: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        certificate = self._sign(x509.Name([]), key.public_key(), names, critical=True)
        plain = serialization.NoEncryption()
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        file = self._folder / f"{name}.pem"
        file.write_bytes(certificate + key.private_bytes(*form, plain))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _sign(self, subject, public_key, extension, critical: bool) -> bytes:
        now = datetime.now(timezone.utc)
        builder = x509.CertificateBuilder(self._name, subject, public_key, x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))
        signed = builder.add_extension(extension, critical).sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)


class AwsProxy:
    """The proxy. It connects to `fake`, which may change between requests."""

    def __init__(self, authority: Authority):
        self.fake: FakeAws | None = None
        self.authority = authority
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        serve = {"poll_interval": 0.01}
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs=serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The value for HTTPS_PROXY."""
        host, port = self._server.server_address
        return f"http://{host}:{port}"

    def close(self) -> None:
        """Stops the proxy."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address) -> None:
        # Some tests do not trust the authority, or close the connection.
        pass


class _Handler(StreamRequestHandler):
    disable_nagle_algorithm = True
    # Unbuffered, because the TLS handshake must read the bytes after the headers.
    rbufsize = 0

    def handle(self) -> None:
        method, target, _ = self.rfile.readline().decode().split()
        while self.rfile.readline().strip():
            pass
        name = target.rpartition(":")[0].strip("[]")
        if method != "CONNECT":
            self.request.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        proxy = self.server.proxy
        with proxy.authority.context(name).wrap_socket(self.request, server_side=True) as encrypted:
            proxy.fake.serve(encrypted, self.client_address)
            encrypted.shutdown(socket.SHUT_RDWR)
