"""The official Python client, started against `bridge.py PORT`: prints what it found as one JSON object.

client.py PORT TOOL ARGUMENTS
"""

import asyncio
import json
import os
import sys

from mcp import Client, StdioServerParameters


async def main(port, tool, arguments):
    bridge = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bridge.py")
    server = StdioServerParameters(command=sys.executable, args=[bridge, port])
    async with Client(server) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool(tool, json.loads(arguments))
        print(json.dumps({
            "tools": [{"name": t.name, "read": t.annotations.read_only_hint if t.annotations else None} for t in tools],
            "result": result.structured_content,
            "is_error": bool(result.is_error),
            "text": [c.text for c in result.content],
        }))


asyncio.run(main(*sys.argv[1:4]))
