"""Whether the head of a Ray cluster can be reached, asked by a connection of our own.

Ray itself asks for a minute, and then ends the process that uses it, without a word to that process.
"""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass, field

HOST_PORT = re.compile(r"(?:ray://)?\[?(?P<host>[^\s/]+?)\]?:(?P<port>\d{1,5})")
REACH = 5.0  # seconds that a connection may take
EVERY = 5.0  # seconds between two connections
GONE = 30.0  # seconds without one after which a head is lost: time to come back, and less than Ray's minute


def reach(address: str) -> None:
    """Raise `OSError` where nothing listens; an address without a port is left to Ray."""
    if match := HOST_PORT.fullmatch(address):
        socket.create_connection((match["host"], int(match["port"])), REACH).close()


@dataclass(slots=True)
class Head:
    """The head of a cluster, and when it was last reached."""

    address: str
    reached: float = field(default_factory=time.monotonic)
    asked: float = field(default_factory=time.monotonic)

    def lost(self) -> str | None:
        """Why the head counts as lost; None while it does not. Asks from time to time."""
        if time.monotonic() - self.asked < EVERY:
            return None
        reason = None
        try:
            reach(self.address)
        except OSError as error:
            reason = error.strerror or str(error)
        self.asked = time.monotonic()
        if reason is None:
            self.reached = self.asked
        elif self.asked - self.reached > GONE:
            return f"its head `{self.address}` was not reached for {self.asked - self.reached:.0f} s: {reason.lower()}"
        return None
