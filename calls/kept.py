"""Results that this process keeps: what decides a result is in its key, so nothing kept is ever wrong."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Kept(Generic[V]):
    """The `most` newest results, safe to use from several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: OrderedDict[Hashable, V] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> V | None:
        with self._lock:
            return self._rows.get(key)

    def put(self, key: Hashable, value: V) -> V:
        with self._lock:
            self._rows[key] = value
            while len(self._rows) > self._most:
                self._rows.popitem(last=False)
        return value

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """Made outside the lock: two threads may make the same, and either will do."""
        found = self.find(key)
        return self.put(key, make()) if found is None else found
