"""What a turn of a model costs beside the model and the tool: in Gaby, and in the same loop in LangGraph.

Both ask the same stub for the same number of turns, each of which calls one read of the same SQLite file. The
stub's own time, found by sending it the same requests with a bare client, and the tool's are taken off.

Gaby, per turn: hides what is personal, puts the question on record (sealed) before it is asked and settles it
after, weighs the read at the gate, calls it in its connector, seals the step and its evidence and appends to the
signed audit chain, and sends a trace. LangGraph is measured twice: as it comes, with a checkpoint after the model
and one after the tool, as its SQLite saver makes them; and with what it has for the same work, which is all
of that but the gate's weighing, the record beside the checkpoints, and the audit chain.
"""

import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

HERE = Path(__file__).resolve().parent
TURNS = 12
TOOL = "find_customer"
GABYS_TOOL = f"larkfield_accounts__{TOOL}"
EMAIL = "ines@brightpipe.example.com"

SCRIPT = {
    "rules": [
        {"when": {"offers": GABYS_TOOL, "turn": TURNS}, "answer": {"calls": [{"tool": "conclude", "arguments": {
            "verdict": "escalate", "confidence": 0.5, "reason": "Enough was seen.", "sentences": []}}]}},
        {"when": {"offers": GABYS_TOOL}, "answer": {"calls": [{"tool": GABYS_TOOL, "arguments": {"email": "$requester/email"}}]}},
        {"when": {"offers": TOOL, "turn": TURNS}, "answer": {"text": "Enough was seen."}},
        {"when": {"offers": TOOL}, "answer": {"calls": [{"tool": TOOL, "arguments": {"email": EMAIL}}]}},
    ]
}


def measure(gaby, data, investigations, scratch):
    """Milliseconds per turn: `gaby`, `peer` as it comes, `full_peer`, and of what they consist."""
    script = scratch / "turns.json"
    script.write_text(json.dumps(SCRIPT))
    with stub(gaby, script) as model:
        with recorder(model) as (recorded, through):
            ours(gaby, data, through, 1, scratch)
            gabys = recorded[:]
            recorded.clear()
            peers(through, data, 1, scratch)
            theirs = recorded[:]
        mine = ours(gaby, data, model, investigations, scratch)
        peer = peers(model, data, investigations, scratch)
        with receiver() as (_, address):
            full = peers(model, data, investigations, scratch, address)
        # Between two calls of the peer's tool lies the question that comes after the first.
        bare = {"gaby": bare_times(model, gabys), "peer": bare_times(model, theirs)[1:]}
    return {
        "gaby_ms": left(mine, bare["gaby"]),
        "peer_ms": left(peer, bare["peer"]),
        "full_peer_ms": left(full, bare["peer"]),
        "turns": sum(len(one["turns"]) for one in mine),
        "gaby_stub_ms": statistics.median(bare["gaby"]),
        "peer_stub_ms": statistics.median(bare["peer"]),
        "gaby_tool_ms": statistics.median(t for one in mine for t in one["tools"]),
        "peer_tool_ms": statistics.median(t for one in peer for t in one["tools"]),
        "gaby_client_ms": statistics.median(t for one in mine for t in one["chats"]) - statistics.median(bare["gaby"]),
        "gate_ms": statistics.median(t for one in mine for t in one["gates"]),
    }


def left(runs, bare):
    """The median turn without the tool, and without the stub's time for the same turn. The first turn of a run, in
    which things are opened, counts as any other; the last, which calls nothing, is none."""
    return statistics.median(
        turn - tool - bare[at] for run in runs for at, (turn, tool) in enumerate(zip(run["turns"], run["tools"]))
    )


def ours(gaby, data, model, investigations, scratch):
    """Has a server look into so many tickets, one after the other, and reads the traces that it sends."""
    settings = scratch / "turns.toml"
    settings.write_text("[investigation]\nturns = 1000\ntool_calls = 1000\nseconds = 600\n")
    manifests = str(HERE.parents[1] / "demo/connectors")
    common = ["--data", data, "--config", settings, "--connectors", manifests]
    token = json.loads(run([gaby, "token", "create", "turns", "--scope", "tickets:write", "--source", "helpdesk", "--json", *common]))["token"]
    with receiver() as (traces, address):
        environment = {
            **os.environ,
            "GABY_LLM_PROVIDER": "openai-compatible", "GABY_LLM_MODEL": "stub", "GABY_LLM_BASE_URL": model,
            "OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "200", "GABY_LOG": "error",
        }
        with serving([gaby, "serve", *common], environment) as url:
            for number in range(investigations + 1):
                hand_in(url, token, number)
                until(lambda: len(traces.ended()) > number, f"investigation {number}")
        # The first one warms up.
        return traces.runs()[1:] if investigations > 1 else traces.runs()


def hand_in(url, token, number):
    ticket = {
        "subject": "Locked out", "body": "My account is locked, please unlock it.", "source": "helpdesk",
        "external_id": f"turn-{time.time_ns()}-{number}", "requester": {"email": EMAIL, "verified": True},
    }
    request = urllib.request.Request(
        f"{url}/api/tickets", json.dumps(ticket).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    urllib.request.urlopen(request, timeout=10).read()


class Traces:
    """What arrived by OTLP."""

    def __init__(self):
        self.spans = []

    def take(self, body):
        request = ExportTraceServiceRequest.FromString(body)
        self.spans += [s for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]

    def ended(self):
        return [span for span in self.spans if span.name == "invoke_agent gaby"]

    def runs(self):
        """Per investigation, in order: how long each turn took and the calls within."""
        runs = []
        for root in sorted(self.ended(), key=lambda span: span.start_time_unix_nano):
            spans = sorted((s for s in self.spans if s.trace_id == root.trace_id), key=lambda s: s.start_time_unix_nano)
            named = lambda begin: [millis(s) for s in spans if s.name.startswith(begin)]
            turns = named("turn")
            if len(turns) != TURNS + 1:
                sys.exit(f"an investigation had {len(turns)} turns instead of {TURNS + 1}")
            runs.append({
                "turns": turns[:TURNS], "chats": named("chat ")[:TURNS], "gates": named("gate_decision ")[:TURNS],
                "tools": named("execute_tool ")[:TURNS],
            })
        return runs


def millis(span):
    return (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6


def peers(model, data, investigations, scratch, *traces):
    """The same loop in LangGraph, in a process of its own; in full when it has somewhere to send traces to."""
    database = next(data.rglob("larkfield*.db"))
    command = [sys.executable, "-W", "ignore", HERE / "agent_peer.py", model, str(TURNS), str(investigations), database, scratch / f"peer-{len(traces)}.db", *traces]
    return json.loads(run(command))


def bare_times(model, bodies):
    """The stub's time for each of these requests, by a client that does nothing else."""
    host = model.removeprefix("http://").split("/")[0]
    connection = http.client.HTTPConnection(host)
    times = []
    for body in bodies[:TURNS]:
        of_body = []
        for _ in range(30):
            clock = time.perf_counter()
            connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
            connection.getresponse().read()
            of_body.append((time.perf_counter() - clock) * 1000)
        times.append(statistics.median(of_body))
    connection.close()
    return times


@contextlib.contextmanager
def stub(gaby, script):
    process = subprocess.Popen([gaby, "stub-llm", "--script", script], stderr=subprocess.PIPE, text=True)
    try:
        yield process.stderr.readline().strip().removeprefix("The stub model is at ")
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def serving(command, environment):
    process = subprocess.Popen([*command, "--listen", "127.0.0.1:0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, env=environment)
    try:
        for line in process.stderr:
            found = [word for word in line.split() if word.startswith("http://")]
            if found:
                break
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield "/".join(found[0].split("/")[:3])
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def answering(handle):
    """A server that gives each POST to `handle`, and answers what that gives: type and body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind, answer = handle(self.path, body)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@contextlib.contextmanager
def receiver():
    traces = Traces()

    def take(_, body):
        traces.take(body)
        return "application/x-protobuf", b""

    with answering(take) as address:
        yield traces, address


@contextlib.contextmanager
def recorder(model):
    """Stands before the stub and keeps what it is asked."""
    recorded = []

    def ask(path, body):
        recorded.append(body)
        request = urllib.request.Request(model.removesuffix("/v1") + path, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers["Content-Type"], answer.read()

    with answering(ask) as address:
        yield recorded, f"{address}/v1"


def until(holds, what):
    began = time.perf_counter()
    while not holds():
        if time.perf_counter() - began > 60:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.02)


def run(command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
