"""A man in the middle who makes an honest worker lie: of some results he turns one bit over in a number, and names
the hash of what comes out. Results that travel in chunks he fetches himself first, so that he can name theirs."""
import hashlib
import random
import struct

import wire

CHUNK = 512 << 10  # bytes of a chunk, AGON__CHUNK of net/message.h


def turn_over(result, dice):
    """The bytes of an encoded result with the lowest bit of one number turned over."""
    words = wire.decode(result)
    kind = ("train", "match", "probe")[words["kind"] - 1]
    fields = words[kind]
    if kind == "probe":
        data = bytearray(fields["probability"])
        data[4 * dice.randrange(len(data) // 4)] ^= 1
        fields["probability"] = bytes(data)
    else:
        name = {"train": "return_mean", "match": "pair_sum_squares"}[kind]
        bits = bytearray(struct.pack("<d", fields[name] or 1.0))
        bits[0] ^= 1
        fields[name] = struct.unpack("<d", bits)[0]
    return wire.encode(words)


def _hash(data):
    return hashlib.sha256(data).hexdigest()


class Liar:
    """A rule for a worker's proxy. `share` of its results are false; the first `honest` ones are not."""

    def __init__(self, share, seed, honest=0):
        self.share, self.honest, self.dice = share, honest, random.Random(seed)
        self.results, self.lies = 0, 0
        self.fetching = {}  # hash of the worker's result: its RESULT, and the chunks so far
        self.false = {}  # hash as named to the coordinator: the bytes

    def __call__(self, proxy, link, up, message, packet):
        kind = message["is"] if message else ""
        if up and kind == "RESULT":
            return self._result(link, message, packet, proxy)
        if up and kind == "CHUNK" and message["hash"] in self.fetching:
            return self._chunk(message, proxy)
        if not up and kind == "WANT" and message["hash"] in self.false:
            self._send(link, message["hash"])
            return []
        return None

    def _result(self, link, message, packet, proxy):
        self.results += 1
        if self.results <= self.honest or self.dice.random() >= self.share:
            return None
        if message["data"]:
            false = turn_over(message["data"], self.dice)
            self.lies += 1
            changed = {**message, "data": false, "hash": _hash(false), "size": len(false)}
            return [proxy.splitter.replace(packet, wire.pack(changed))]
        self.fetching[message["hash"]] = [message, []]
        link.send(False, wire.frame(wire.say("WANT", hash=message["hash"], **{"from": 0})))
        return []

    def _chunk(self, message, proxy):
        offer, chunks = self.fetching[message["hash"]]
        chunks.append(message["data"])
        if message["index"] + 1 < message["count"]:
            return []
        del self.fetching[message["hash"]]
        false = turn_over(b"".join(chunks), self.dice)
        self.lies += 1
        self.false[_hash(false)] = false
        return [wire.frame(wire.pack({**offer, "hash": _hash(false), "size": len(false)}))]

    def _send(self, link, name):
        data = self.false[name]
        count = (len(data) + CHUNK - 1) // CHUNK
        for i in range(count):
            part = data[i * CHUNK:(i + 1) * CHUNK]
            link.send(True, wire.frame(wire.say("CHUNK", hash=name, index=i, count=count, data=part)))
