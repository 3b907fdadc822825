"""Two hosts on this machine: network namespaces with a name of their own, joined by one cable, gone with the test.

`python -m tests.hosts NAMESPACE HOSTNAME program …` runs a program on one of them. As on two machines, they share
no loopback and no other way to each other; nothing of their traffic reaches this machine's network.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyroute2 import NetNS, netns

CLONE_NEWUTS = 0x04000000
CABLE = "cable0"
PREFIX = 24


@dataclass(frozen=True)
class Host:
    name: str  # as `hostname` says it there
    namespace: str
    address: str

    def argv(self, *program: str) -> tuple[str, ...]:
        """To run a program there; killing it kills the program."""
        return (sys.executable, "-m", "tests.hosts", self.namespace, self.name, *program)


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """They and their cable, which end with the block."""
    mark = os.getpid()
    one, two = (Host(f"host-{n}", f"patchbay-{mark}-{n}", f"10.211.77.{n}") for n in (1, 2))
    try:
        for host in (one, two):
            netns.create(host.namespace)
        with NetNS(one.namespace) as network:
            network.link("add", ifname=CABLE, kind="veth", peer={"ifname": CABLE, "net_ns_fd": two.namespace})
        for host in (one, two):
            _plug_in(host)
        yield one, two
    finally:
        for host in (one, two):
            if host.namespace in netns.listnetns():
                netns.remove(host.namespace)


def _plug_in(host: Host) -> None:
    with NetNS(host.namespace) as network:
        for name in ("lo", CABLE):
            (index,) = network.link_lookup(ifname=name)
            if name == CABLE:
                network.addr("add", index=index, address=host.address, prefixlen=PREFIX)
            network.link("set", index=index, state="up")


def main(namespace: str, name: str, *program: str) -> None:
    """Become the program, on that host."""
    netns.setns(namespace, flags=0)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUTS):
        raise OSError(ctypes.get_errno(), "no host name of one's own")
    socket.sethostname(name)
    os.execv(program[0], program)


if __name__ == "__main__":
    main(*sys.argv[1:])
