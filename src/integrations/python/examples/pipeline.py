#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Many signatures at once: a line "ORIG DEST ATTEST" on the standard input for each call, a line
"ORIG DEST HEADER", or "ORIG DEST - REASON", for each on the standard output, in their order.

    pipeline.py NAME <calls >headers
"""
import asyncio
import sys

import stirkeep


async def signed(client, name, call):
    orig, dest, attest = call
    try:
        return (await client.sign(name, orig=orig, dest=dest, attest=attest)).header
    except stirkeep.StirkeepError as why:
        return f"- {why}"


async def main(name):
    calls = [line.split() for line in sys.stdin]
    async with stirkeep.AsyncClient(timeout=10, in_flight=256) as client:
        headers = await asyncio.gather(*(signed(client, name, call) for call in calls))
    for (orig, dest, _), header in zip(calls, headers):
        print(orig, dest, header)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
