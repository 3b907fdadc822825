"""The sound of a SIPp phone: G.711 µ-law over RTP, sent and recorded here; SIPp does the signalling."""

from __future__ import annotations

import asyncio
import random
import struct

import numpy as np

RATE = 8000
FRAME = 160  # 20 ms
FRAME_S = FRAME / RATE
PCMU, KEYS = 0, 101  # payload types, as the scenarios' SDP names them
LEVEL = 8000
KEY_CODES = "0123456789*#ABCD"
KEY_FRAMES, KEY_LAST = 8, 3  # packets of a key, and how often its end is said (RFC 4733)
BIAS, CLIP = 0x84, 32635


def decode(packet: bytes) -> np.ndarray:
    """µ-law bytes to int16."""
    coded = ~np.frombuffer(packet, dtype=np.uint8)
    exponent, mantissa = (coded >> 4) & 7, coded & 15
    size = (((mantissa.astype(np.int32) << 3) + BIAS) << exponent) - BIAS
    return np.where(coded & 0x80, -size, size).astype(np.int16)


def encode(samples: np.ndarray) -> bytes:
    """int16 to µ-law bytes."""
    size = np.minimum(np.abs(samples.astype(np.int32)), CLIP) + BIAS
    exponent = np.floor(np.log2(size)).astype(np.int32) - 7
    mantissa = (size >> (exponent + 3)) & 15
    coded = (np.where(samples < 0, 0x80, 0) | (exponent << 4) | mantissa).astype(np.uint8)
    return (~coded).tobytes()


class Rtp(asyncio.DatagramProtocol):
    """Sends a tone (silence at 0 Hz) to whoever sends here, and keeps what comes. `open` it, and `close` it."""

    def __init__(self) -> None:
        self.port, self.hz = 0, 0.0
        self.heard: list[np.ndarray] = []
        self.keys: list[str] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._peer: tuple[str, int] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._sequence, self._time, self._source = 0, 0, random.getrandbits(32)
        self._waiting: list[str] = []

    async def open(self) -> Rtp:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = self._transport.get_extra_info("sockname")[1]
        self._sending = asyncio.create_task(self._send())
        return self

    async def close(self) -> None:
        if self._sending:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        if self._transport:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._peer = addr
        if len(data) > 12 and data[1] & 0x7F == PCMU:
            self.heard.append(decode(data[12:]))

    def press(self, key: str) -> None:
        self._waiting.append(key)

    def last(self, seconds: float) -> np.ndarray:
        """What came last, as far as there is as much."""
        parts, wanted = [], int(seconds * RATE)
        for part in reversed(self.heard):
            parts.append(part)
            wanted -= len(part)
            if wanted <= 0:
                break
        return np.concatenate(parts[::-1]) if parts else np.zeros(0, dtype=np.int16)

    # ── sending ──────────────────────────────────────────────────────────────────────────────────

    async def _send(self) -> None:
        clock = asyncio.get_running_loop()
        due = clock.time()
        while True:
            if self._waiting:
                due = await self._send_key(self._waiting.pop(0), due)
            self._packet(PCMU, encode(self._tone()))
            self._time += FRAME
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - clock.time()))

    async def _send_key(self, key: str, due: float) -> float:
        code, clock = KEY_CODES.index(key), asyncio.get_running_loop()
        for nth in range(1, KEY_FRAMES + KEY_LAST):
            ends = nth >= KEY_FRAMES
            lasted = min(nth, KEY_FRAMES) * FRAME
            self._packet(KEYS, struct.pack("!BBH", code, 0x80 * ends | 10, lasted), marked=nth == 1)
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - clock.time()))
        self._time += (KEY_FRAMES + KEY_LAST) * FRAME
        return due

    def _tone(self) -> np.ndarray:
        t = (self._time + np.arange(FRAME)) / RATE
        return (LEVEL * np.sin(2 * np.pi * self.hz * t)).astype(np.int16)

    def _packet(self, kind: int, body: bytes, *, marked: bool = False) -> None:
        if self._peer is None or self._transport is None:
            return
        self._sequence = (self._sequence + 1) & 0xFFFF
        head = (0x80, kind | 0x80 * marked, self._sequence, self._time & 0xFFFFFFFF, self._source)
        self._transport.sendto(struct.pack("!BBHII", *head) + body, self._peer)
