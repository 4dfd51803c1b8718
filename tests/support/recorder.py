"""A server that a token must never reach: it has no TLS, and keeps what it gets.

It asks for a password in plain text, so a client that does not insist on TLS sends it. Tests show that
once with a password that is no token. The fixture `recorder` starts one.
"""

import contextlib
import socket
import threading


class Recorder:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.received = b""
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(ConnectionError):
                self.answer(connection)

    def answer(self, connection):
        while data := connection.recv(65536):
            self.received += data
            if data.startswith(b"p"):
                return  # a password: nobody is let in
            # N declines TLS and Kerberos; R with 3 asks for the password.
            is_request = data[4:8] in (b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30")
            connection.sendall(b"N" if is_request else b"R\0\0\0\x08\0\0\0\x03")

    def close(self):
        # Without the shutdown, accept() would keep waiting.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
