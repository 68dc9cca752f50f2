"""A TCP proxy that can be cut and slowed: the network between homes, broker and ingest."""

import selectors
import socket
import threading
import time
from contextlib import suppress

CHUNK = 65_536
SLOW_BYTES, SLOW_PAUSE_S = 2048, 0.05
"""About 40 kB/s."""


class Proxy:
    """Listens on a free port of 127.0.0.1 and passes on to another."""

    def __init__(self, target_port: int) -> None:
        """Start serving."""
        self._target = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._links: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._open = True
        self.cut = False
        self.slow = False
        threading.Thread(target=self._accept, daemon=True).start()

    def sever(self) -> None:
        """Cut every connection, and refuse new ones until `heal`."""
        self.cut = True
        with self._lock:
            links = list(self._links)
        for link in links:
            _shut(link)

    def heal(self) -> None:
        """Be a good network again."""
        self.cut = self.slow = False

    def close(self) -> None:
        """Stop serving."""
        self._open = False
        self._listener.close()
        self.sever()

    def _accept(self) -> None:
        while self._open:
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(ours,), daemon=True).start()

    def _serve(self, ours: socket.socket) -> None:
        try:
            theirs = socket.create_connection(("127.0.0.1", self._target), timeout=2)
        except OSError:
            _shut(ours)
            return
        theirs.settimeout(None)
        with self._lock:
            self._links |= {ours, theirs}
        if self.cut:
            _shut(ours)
        self._carry(ours, theirs)
        with self._lock:
            self._links -= {ours, theirs}
        ours.close()
        theirs.close()

    def _carry(self, ours: socket.socket, theirs: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(ours, selectors.EVENT_READ, theirs)
            ready.register(theirs, selectors.EVENT_READ, ours)
            while True:
                for key, _ in ready.select():
                    if not self._pass_on(key.fileobj, key.data):
                        return

    def _pass_on(self, source: object, sink: socket.socket) -> bool:
        if not isinstance(source, socket.socket):
            return False
        try:
            raw = source.recv(SLOW_BYTES if self.slow else CHUNK)
            if not raw or self.cut:
                return False
            sink.sendall(raw)
        except OSError:
            return False
        if self.slow:
            time.sleep(SLOW_PAUSE_S)
        return True


def _shut(link: socket.socket) -> None:
    with suppress(OSError):  # was down already
        link.shutdown(socket.SHUT_RDWR)
