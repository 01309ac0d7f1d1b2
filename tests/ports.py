#!/usr/bin/env python3
"""A port of this machine that is free, outside of those that the kernel gives to whoever connects: so nobody takes it before
it is listened on, except for another test that drew the same one. As a program: prints one."""
import random
import socket


def free_port():
    while True:
        port = random.SystemRandom().randrange(10240, 32000)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


if __name__ == "__main__":
    print(free_port())
