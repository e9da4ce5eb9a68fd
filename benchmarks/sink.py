"""An SMTP server that takes everything and counts: `python -m benchmarks.sink <port>`."""

from __future__ import annotations

import asyncio
import signal
import sys

from aiosmtpd.smtp import SMTP, Envelope, Session


class Counter:
    """Accepts every message and forgets it."""

    def __init__(self) -> None:
        self.taken = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.taken += 1
        return "250 OK"


async def serve(port: int) -> None:
    counter, stop = Counter(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: SMTP(counter, loop=loop), "127.0.0.1", port)
    print("ready", flush=True)
    await stop.wait()
    server.close()
    print(counter.taken, flush=True)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
