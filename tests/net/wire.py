"""What is on the wire between coordinator and workers, for tests: the few types of msgpack that messages use
(net/message.h, engine/codec.h), frames on a stream (net/frame.h), and the words of the NATS protocol."""
import struct

PROTOCOL = 2
KINDS = ("HELLO CHALLENGE AUTH WELCOME REJECT CREDIT TASK WANT CHUNK MISSING BEAT BEAT_OK RESULT ACK NAK BYE").split()
KIND = {name: number for number, name in enumerate(KINDS, 1)}
MAX_FRAME = 600 << 10


class F32(float):
    """A float that travels in four bytes."""


class Malformed(Exception):
    pass


# ---- msgpack --------------------------------------------------------------------------------------

def encode(value):
    if isinstance(value, bool) or value is None:
        raise Malformed(f"{value!r} does not occur")
    if isinstance(value, int):
        return _encode_int(value)
    if isinstance(value, F32):
        return b"\xca" + struct.pack(">f", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        return _sized(value.encode("utf-8", "surrogateescape"), 0xa0, 32, (0xd9, 0xda, 0xdb))
    if isinstance(value, (bytes, bytearray)):
        return _sized(bytes(value), 0, 0, (0xc4, 0xc5, 0xc6))
    if isinstance(value, dict):
        return _count(len(value), 0x80, (0xde, 0xdf)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    return _count(len(value), 0x90, (0xdc, 0xdd)) + b"".join(encode(v) for v in value)


def _encode_int(value):
    if 0 <= value < 128:
        return bytes([value])
    if -32 <= value < 0:
        return struct.pack("b", value)
    for head, form, low, high in ((0xcc, ">B", 0, 1 << 8), (0xcd, ">H", 0, 1 << 16), (0xce, ">I", 0, 1 << 32),
                                  (0xcf, ">Q", 0, 1 << 64), (0xd0, ">b", -(1 << 7), 0),
                                  (0xd1, ">h", -(1 << 15), 0), (0xd2, ">i", -(1 << 31), 0), (0xd3, ">q", -(1 << 63), 0)):
        if low <= value < high:
            return bytes([head]) + struct.pack(form, value)
    raise Malformed(f"{value} has more than 64 bits")


def _sized(data, small, most, heads):
    if len(data) < most:
        return bytes([small | len(data)]) + data
    for head, form, limit in zip(heads, (">B", ">H", ">I"), (1 << 8, 1 << 16, 1 << 32)):
        if len(data) < limit:
            return bytes([head]) + struct.pack(form, len(data)) + data
    raise Malformed("too long")


def _count(count, small, heads):
    if count < 16:
        return bytes([small | count])
    return bytes([heads[0]]) + struct.pack(">H", count) if count < 1 << 16 else bytes([heads[1]]) + struct.pack(">I", count)


_NUMBERS = {0xca: ">f", 0xcb: ">d", 0xcc: ">B", 0xcd: ">H", 0xce: ">I", 0xcf: ">Q", 0xd0: ">b", 0xd1: ">h", 0xd2: ">i",
            0xd3: ">q"}
_LENGTHS = {0xc4: ">B", 0xc5: ">H", 0xc6: ">I", 0xd9: ">B", 0xda: ">H", 0xdb: ">I", 0xdc: ">H", 0xdd: ">I", 0xde: ">H",
            0xdf: ">I"}


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        if self.at + size > len(self.data):
            raise Malformed("it ends early")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def value(self):
        head = self.take(1)[0]
        if head < 0x80:
            return head
        if head >= 0xe0:
            return head - 256
        if head in _NUMBERS:
            number = self.number(_NUMBERS[head])
            return F32(number) if head == 0xca else number
        if head < 0xc0:
            return self.many(head & 0xf0 if head < 0xa0 else 0xa0, head & (15 if head < 0xa0 else 31))
        if head in _LENGTHS:
            return self.many({0xc4: 0xc4, 0xd9: 0xa0, 0xdc: 0x90, 0xde: 0x80}[max(b for b in (0xc4, 0xd9, 0xdc, 0xde) if b <= head)],
                             self.number(_LENGTHS[head]))
        raise Malformed(f"byte {head:#x} does not occur")

    def many(self, what, count):
        if what == 0xa0:
            return self.take(count).decode("utf-8", "surrogateescape")
        if what == 0xc4:
            return self.take(count)
        if what == 0x90:
            return [self.value() for _ in range(count)]
        return dict((self.value(), self.value()) for _ in range(count))


def decode(data):
    reader = _Reader(bytes(data))
    value = reader.value()
    if reader.at != len(data):
        raise Malformed("something follows it")
    return value


def message(data):
    """A message as a dict, with its kind by name under "is"; None: it is none."""
    try:
        value = decode(data)
    except (Malformed, RecursionError, TypeError):
        return None
    if not isinstance(value, dict) or not 1 <= value.get("kind", 0) <= len(KINDS):
        return None
    value["is"] = KINDS[value["kind"] - 1]
    return value


def pack(words):
    """The bytes of such a dict."""
    return encode({k: v for k, v in words.items() if k != "is"})


def say(kind, **fields):
    greeting = kind in ("HELLO", "REJECT")  # the same in every protocol
    return encode({"format": 1 if greeting else PROTOCOL, "kind": KIND[kind], **fields})


# ---- streams: bytes to packets, and what is inside ---------------------------------------------------

class Frames:
    """Four bytes of length, then a message."""

    @staticmethod
    def split(buffer):
        packets = []
        while len(buffer) >= 4:
            size = struct.unpack(">I", buffer[:4])[0]
            if len(buffer) < 4 + size:
                break
            packets.append(buffer[:4 + size])
            buffer = buffer[4 + size:]
        return packets, buffer

    @staticmethod
    def inside(packet):
        return packet[4:]

    @staticmethod
    def replace(packet, data):
        del packet
        return frame(data)


def frame(data):
    return struct.pack(">I", len(data)) + data


class Nats:
    """Lines, of which some announce a payload: PUB and MSG, and with headers HPUB and HMSG."""

    @staticmethod
    def _sizes(line):
        """Of header and payload; None: the line has none."""
        words = line.split()
        verb = words[0].upper() if words else b""
        if verb in (b"PUB", b"MSG"):
            return 0, int(words[-1])
        if verb in (b"HPUB", b"HMSG"):
            return int(words[-2]), int(words[-1]) - int(words[-2])
        return None

    @classmethod
    def split(cls, buffer):
        packets = []
        while (end := buffer.find(b"\r\n")) >= 0:
            sizes = cls._sizes(buffer[:end])
            whole = end + 2 if sizes is None else end + 2 + sum(sizes) + 2
            if len(buffer) < whole:
                break
            packets.append(buffer[:whole])
            buffer = buffer[whole:]
        return packets, buffer

    @classmethod
    def inside(cls, packet):
        end = packet.index(b"\r\n")
        sizes = cls._sizes(packet[:end])
        return packet[end + 2 + sizes[0]:-2] if sizes else b""

    @classmethod
    def replace(cls, packet, data, header=None):
        end = packet.index(b"\r\n")
        sizes = cls._sizes(packet[:end])
        words = packet[:end].split()
        old = packet[end + 2:end + 2 + sizes[0]]
        header = old if header is None else header
        if sizes[0]:
            words[-2:] = [b"%d" % len(header), b"%d" % (len(header) + len(data))]
        else:
            words[-1] = b"%d" % len(data)
        return b" ".join(words) + b"\r\n" + header + data + b"\r\n"

    @classmethod
    def header(cls, packet):
        end = packet.index(b"\r\n")
        sizes = cls._sizes(packet[:end])
        return packet[end + 2:end + 2 + sizes[0]] if sizes else b""
