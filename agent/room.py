"""How much is asked at once: of everybody, and of one place, which may hang."""

import threading
from collections import Counter
from collections.abc import Callable


class Room:
    """Work in threads of its own; one place that hangs leaves room for the others.

    `freed` is called after each work, when its room is free again.
    """

    def __init__(self, most: int, most_each: int, freed: Callable[[], None] = lambda: None) -> None:
        self.most, self.most_each = most, most_each
        self.freed = freed
        self.running: Counter[str] = Counter()
        self.lock = threading.Lock()

    def begin(self, place: str, name: str, work: Callable[[], None]) -> bool:
        """Whether there was room; if not, nothing has begun."""
        with self.lock:
            if self.running[place] >= self.most_each or self.running.total() >= self.most:
                return False
            self.running[place] += 1
        threading.Thread(target=self.run, args=(place, work), name=name, daemon=True).start()
        return True

    def run(self, place: str, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self.lock:
                self.running[place] -= 1
                self.running += Counter()  # What is at 0 is forgotten.
            self.freed()
