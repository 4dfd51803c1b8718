"""A fake proxy on 127.0.0.1. It records each request's target, and then refuses the request or forwards it
to one server, whatever its target."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit

from common import PATIENCE


class FakeProxy:
    """Answers with `status`. If it is 200, forwards to the server at `url`."""

    def __init__(self, status: int = 200, url: str | None = None):
        self.status = status
        self.url = url
        self.asked: list[tuple[str, str | None]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def targets(self) -> list[str]:
        """Returns the requested targets in order."""
        return [target for target, _ in self.asked]

    def __enter__(self) -> "FakeProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.settimeout(PATIENCE)
                threading.Thread(target=self._answer, args=[client], daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (more := client.recv(65536)):
                    return
                head += more
            lines = head.decode("latin-1").split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
            headers = {name.lower(): value for name, value in headers.items()}
            method, target, _ = lines[0].split(" ")
            self.asked.append((target, headers.get("proxy-authorization")))
            if self.status != 200 or self.url is None:
                client.sendall(b"HTTP/1.1 %d no\r\nContent-Length: 0\r\n\r\n" % self.status)
                return
            place = urlsplit(self.url)
            with socket.create_connection((place.hostname, place.port), PATIENCE) as server:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 go on\r\n\r\n")
                else:
                    server.sendall(head.replace(b"http://" + headers["host"].encode(), b"", 1))
                back = threading.Thread(target=_copy, args=[server, client], daemon=True)
                back.start()
                _copy(client, server)
                back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
