"""The loop of `turns.py` in LangGraph, with its own SQLite saver.

    agent_peer.py MODEL TURNS INVESTIGATIONS DATABASE CHECKPOINTS [TRACES]

Without TRACES it is an agent as its guide makes it. With it, the address of an OTLP receiver, it does as much of what
Gaby does as it has parts for: personal data is hidden, tools pass a gate for humans, checkpoints are
encrypted, and spans are sent.

Prints, per investigation, the milliseconds of each turn (from one call of the tool to the next) and of each call.
"""

import json
import os
import sqlite3
import sys
import time

os.environ.update({"LANGSMITH_TRACING": "false", "OPENAI_API_KEY": "none"})

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, PIIMiddleware
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

QUERY = (
    "SELECT a.id, a.email, a.name, a.status, a.role, a.company_id, c.name AS company "
    "FROM accounts a JOIN companies c ON c.id = a.company_id WHERE a.email = lower(trim(?)) AND a.merged_into IS NULL"
)


def main(model, turns, investigations, database, checkpoints, traces=None):
    accounts = sqlite3.connect(database, check_same_thread=False)
    calls = []

    @tool
    def find_customer(email: str) -> str:
        """Finds the person with an e-mail address, and the company they belong to."""
        began = time.perf_counter()
        rows = accounts.execute(QUERY, (email,)).fetchall()
        calls.append((began, time.perf_counter()))
        return json.dumps(rows)

    asked = ChatOpenAI(model="stub", base_url=model, api_key="none", streaming=True, stream_usage=True)
    runs = []
    middleware = in_full(traces) if traces else []
    with SqliteSaver.from_conn_string(checkpoints) as saver:
        if traces:
            saver = SqliteSaver(saver.conn, serde=EncryptedSerializer.from_pycryptodome_aes(key=os.urandom(32)))
        agent = create_agent(asked, [find_customer], checkpointer=saver, middleware=middleware)
        for number in range(investigations + 1):
            calls.clear()
            agent.invoke(
                {"messages": [("system", "Find out what is wrong."), ("user", "My account is locked, please unlock it.")]},
                {"configurable": {"thread_id": f"{time.time_ns()}"}, "recursion_limit": 20 * turns},
            )
            if len(calls) != turns:
                sys.exit(f"the tool was called {len(calls)} times instead of {turns}")
            # The first one warms up.
            if number > 0 or investigations == 1:
                runs.append({
                    "turns": [(after[0] - before[0]) * 1000 for before, after in zip(calls, calls[1:])],
                    "tools": [(end - began) * 1000 for began, end in calls[:-1]],
                })
            if investigations == 1:
                break
    print(json.dumps(runs))


def in_full(traces):
    """Sends spans there, without content as Gaby does, and gives what stands around the model and the tools."""
    os.environ.update({"OPENINFERENCE_HIDE_INPUTS": "true", "OPENINFERENCE_HIDE_OUTPUTS": "true"})
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{traces}/v1/traces"), schedule_delay_millis=200))
    LangChainInstrumentor().instrument(tracer_provider=provider)
    hidden = [
        PIIMiddleware(kind, strategy="redact", apply_to_input=True, apply_to_tool_results=True)
        for kind in ("email", "credit_card", "ip", "url")
    ]
    return [*hidden, HumanInTheLoopMiddleware(interrupt_on={"drop_account": True})]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
