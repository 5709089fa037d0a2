"""asyncio: COUNT connections at once, each echoing SIZE octets that are its own; all open before any speaks."""

import asyncio
import random

from common import arguments, say

host, port, (count, size) = arguments()


async def echo(number, everyone):
    reader, writer = await asyncio.open_connection(host, port)
    await everyone.wait()
    data = random.Random(number).randbytes(int(size))
    writer.write(data)
    received = await reader.readexactly(len(data))
    writer.write_eof()
    rest = await reader.read()
    writer.close()
    await writer.wait_closed()
    return received == data and rest == b""


class Barrier:
    def __init__(self, count):
        self.left, self.event = count, asyncio.Event()

    async def wait(self):
        self.left -= 1
        if not self.left:
            self.event.set()
        await self.event.wait()


async def main():
    barrier = Barrier(int(count))
    results = await asyncio.gather(*(echo(n, barrier) for n in range(int(count))), return_exceptions=True)
    say(good=sum(r is True for r in results), failures=[repr(r) for r in results if r is not True][:5])


asyncio.run(main())
