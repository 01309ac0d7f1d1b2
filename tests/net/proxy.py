"""A TCP proxy that does to connections what networks, and people in the middle, do to them.

All faults may be set at any time, and hold for the connections that are there and for those to come:
  refuse    new connections are closed at once
  frozen    half open: bytes are swallowed both ways, nobody hears that anything ended
  paused    bytes wait, none is lost
  delay     seconds that each packet takes longer; delays add up to a slow link, too
  rate      bytes per second, each way
  flips     so many bits of what comes next are turned over (not where packets are looked at)
  rules     functions(proxy, link, up, message, packet), each called for every packet: message is its dict
            (wire.message) or None; up: from worker to coordinator. It returns None (as it is) or the list
            of packets to send in its place.
With `tls`, a directory of `agon cert`, it ends TLS on both sides, and so reads what is inside; `shown` is the directory
whose certificate workers see instead."""
import select
import socket
import ssl
import threading
import time

import wire

CHUNK = 1 << 16


class Pipe:
    """A socket that two threads may use, one to read and one or more to write, also with TLS."""

    def __init__(self, sock):
        self.sock = sock
        self.lock = threading.Lock()  # of the socket's state
        self.order = threading.Lock()  # of writers
        self.gone = False
        sock.setblocking(False)

    def _wait(self, writing, seconds):
        try:
            select.select([] if writing else [self.sock], [self.sock] if writing else [], [], seconds)
        except (OSError, ValueError):
            self.gone = True

    def read(self, seconds=0.1):
        """Bytes; b"": none now; None: the end."""
        for attempt in (1, 2):
            try:
                with self.lock:
                    return None if self.gone else self.sock.recv(CHUNK) or None
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
                if attempt == 1:
                    self._wait(False, seconds)
            except (OSError, ValueError):
                return None
        return b""

    def write(self, data):
        view = memoryview(data)
        with self.order:
            while view and not self.gone:
                try:
                    with self.lock:
                        view = view[self.sock.send(view[:CHUNK]):]
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
                    self._wait(True, 0.1)
                except (OSError, ValueError):
                    self.gone = True

    def close(self):
        self.gone = True
        with self.lock:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.sock.close()


class Link:
    """One connection through the proxy."""

    def __init__(self, proxy, worker, target):
        self.proxy, self.worker, self.target = proxy, Pipe(worker), Pipe(target)
        self.memory = {}  # for rules
        self.cut_inside = False  # the next packet is sent to its half, and the connection ends

    def start(self):
        for up in (True, False):
            threading.Thread(target=self._pump, args=(up,), daemon=True).start()

    def send(self, up, packet):
        (self.target if up else self.worker).write(packet)

    def later(self, seconds, up, packet):
        """Sends a packet in some time, if the connection lives."""
        timer = threading.Timer(seconds, self.send, (up, packet))
        timer.daemon = True
        timer.start()

    def close(self):
        self.worker.close()
        self.target.close()

    def _pump(self, up):
        source = self.worker if up else self.target
        buffer, raw = b"", False  # raw: it was in the middle of a packet when it became slow
        while (data := source.read()) is not None and not self.proxy.closed:
            while self.proxy.paused and not self.proxy.closed:
                time.sleep(0.02)
            if self.proxy.frozen or not data:
                continue
            raw = raw or self.proxy.rate > 0 or not self.proxy.splitter
            if raw:
                self._trickle(up, buffer + data)
                buffer = b""
                continue
            packets, buffer = self.proxy.splitter.split(buffer + data)
            for packet in packets:
                self._carry(up, packet)
        while self.proxy.frozen and not self.proxy.closed:  # an end is swallowed, too
            time.sleep(0.05)
        self.close()
        self.proxy._forget(self)

    def _trickle(self, up, data):
        if self.proxy.delay:
            time.sleep(self.proxy.delay)
        if self.proxy.flips > 0:
            self.proxy.flips -= 1
            data = data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1:]
        while data:
            step = max(1, self.proxy.rate // 20) if self.proxy.rate else len(data)
            self.send(up, data[:step])
            data = data[step:]
            if self.proxy.rate:
                time.sleep(0.05)

    def _carry(self, up, packet):
        packets = [packet]
        if self.proxy.rules:
            words = wire.message(self.proxy.splitter.inside(packet))
            for rule in list(self.proxy.rules):
                answer = rule(self.proxy, self, up, words, packet)
                if answer is not None:
                    packets = answer
                    break
        if self.proxy.delay:
            time.sleep(self.proxy.delay)
        for one in packets:
            if self.cut_inside and len(one) > 1:
                self.send(up, one[:len(one) // 2])
                self.cut_inside = False
                self.close()
                return
            self.send(up, one)


class Proxy:
    def __init__(self, target, splitter=wire.Frames, tls=None, shown=None, host="127.0.0.1"):
        self.target, self.splitter, self.tls, self.shown = target, splitter, tls, shown or tls
        self.refuse = self.frozen = self.paused = self.closed = False
        self.delay, self.rate, self.flips = 0.0, 0, 0
        self.rules = []
        self.links = []
        self.lock = threading.Lock()
        self.listener = socket.create_server((host, 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self.closed:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._open, args=(sock,), daemon=True).start()

    def _open(self, sock):
        if self.refuse or self.frozen:
            self._keep_out(sock)
            return
        try:
            target = socket.create_connection(self.target, timeout=5)
            for s in (sock, target):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                sock, target = self._secure(sock, target)
        except OSError:
            sock.close()
            return
        link = Link(self, sock, target)
        with self.lock:
            self.links.append(link)
        link.start()

    def _keep_out(self, sock):
        while self.frozen and not self.closed:
            time.sleep(0.05)
        sock.close()

    def _secure(self, sock, target):
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(f"{self.shown}/server.pem", f"{self.shown}/server.key")
        client = ssl.create_default_context(cafile=f"{self.tls}/ca.pem")
        client.minimum_version = ssl.TLSVersion.TLSv1_3
        return (server.wrap_socket(sock, server_side=True),
                client.wrap_socket(target, server_hostname="127.0.0.1"))

    def _forget(self, link):
        with self.lock:
            if link in self.links:
                self.links.remove(link)

    def cut(self):
        """Ends every connection."""
        for link in list(self.links):
            link.close()

    def cut_inside(self):
        """Ends every connection in the middle of its next packet."""
        for link in list(self.links):
            link.cut_inside = True

    def thaw(self):
        """What was swallowed is missing, so the connections end."""
        self.cut()
        self.frozen = False

    def close(self):
        self.closed = True
        self.listener.close()
        self.cut()
