#!/usr/bin/env python3
"""A TCP forwarder that adds latency, for kernels without netem, and takes throughput away.

usage: delay.py HOST PORT MILLISECONDS STATE [KIB_PER_SECOND]

Every chunk is delivered MILLISECONDS after it arrived, in both directions, in order, and chunks
are on their way at the same time: latency is added, and throughput is only taken away where a
limit is given, for each direction of each connection. A new connection costs one round trip, as
TCP's handshake would. Writes STATE/delay.pid and STATE/delay.port; ends when STATE is gone.
"""

import asyncio
import os
import socket
import sys

# What is on its way in one direction: 100 Mbyte/s at 20 ms fit, a stopped reader still stops the writer.
CHUNKS_UNDERWAY = 64
CHUNK = 65536


# A slow link holds back what it would carry in a quarter of a second, in chunks of a hundredth.
HELD_BACK = 25


async def pump(reader, writer, delay, rate):
    """Carries one direction until its end, each chunk `delay` seconds late, `rate` bytes a second."""
    chunk = min(CHUNK, max(1024, int(rate / 100))) if rate else CHUNK
    underway = asyncio.Queue(HELD_BACK if rate else CHUNKS_UNDERWAY)
    clock = asyncio.get_running_loop().time

    async def receive():
        free = 0
        try:
            while data := await reader.read(chunk):
                free = max(free, clock()) + (len(data) / rate if rate else 0)
                await underway.put((free + delay, data))
        except OSError:
            pass
        await underway.put((clock() + delay, b""))

    receiving = asyncio.create_task(receive())
    try:
        while True:
            due, data = await underway.get()
            if (wait := due - clock()) > 0:
                await asyncio.sleep(wait)
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        receiving.cancel()


async def forward(reader, writer, host, port, delay, rate):
    """Serves one connection."""
    await asyncio.sleep(2 * delay)
    try:
        far_reader, far_writer = await asyncio.open_connection(host, port)
    except OSError:
        writer.transport.abort()
        return
    for end in (writer, far_writer):
        end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    await asyncio.gather(pump(reader, far_writer, delay, rate), pump(far_reader, writer, delay, rate))
    for end in (writer, far_writer):
        end.close()


def write(path, text):
    """Writes a file so that nobody reads half of it."""
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(text)
    os.rename(path + ".new", path)


async def main():
    host, port, delay, state = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) / 1000, sys.argv[4]
    rate = int(sys.argv[5]) * 1024 if len(sys.argv) > 5 else 0
    server = await asyncio.start_server(
        lambda reader, writer: forward(reader, writer, host, port, delay, rate), "127.0.0.1", 0
    )
    with open("/proc/self/stat", encoding="ascii") as file:
        started = file.read().rsplit(") ", 1)[1].split()[19]
    write(f"{state}/delay.pid", f"{os.getpid()} {started}\n")
    write(f"{state}/delay.port", f"{server.sockets[0].getsockname()[1]}\n")
    while os.path.isdir(state):
        await asyncio.sleep(2)


asyncio.run(main())
