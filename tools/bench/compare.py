"""Gaby beside named peers, as ratios of the same run. `scripts/bench` builds what this needs.

    compare.py --gaby BINARY --examples FOLDER [--docs FOLDER] [--chunks N] [--json FILE]

Every pair of figures is taken one after the other on the same machine, so load on it falls on both.
"""

import argparse
import contextlib
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import turns
from minilm import Encoder, chromas_own
from peers import PARTS, HybridPeer

ROOT = Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--gaby", required=True, type=Path, help="the release binary")
    parser.add_argument("--examples", required=True, type=Path, help="the folder of the examples, released")
    parser.add_argument("--docs", type=Path, help="a documentation set; one is made up without it")
    parser.add_argument("--chunks", type=int, default=100_000, help="chunks that queries are measured over")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    parser.add_argument("--only", choices=["ingest", "query", "serve", "investigate", "turn", "gate"], help="one part alone")
    options = parser.parse_args()
    models = ROOT / "target/bench/model"
    models.mkdir(parents=True, exist_ok=True)
    figures = {}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        docs = options.docs or made_up(scratch / "docs")
        parts = {
            "ingest": lambda: ingest(options.examples / "measure", docs, models, scratch),
            "query": lambda: query(options.examples / "measure", docs, options.chunks, models, scratch),
            "serve": lambda: serve(options.gaby, scratch),
            "investigate": lambda: investigate(options.gaby, options.examples / "investigation_cost", scratch),
            "turn": lambda: turn(options.gaby, scratch),
            "gate": gate,
        }
        for name, part in parts.items():
            if options.only in (None, name):
                figures[name] = part()
                show(name, figures[name])
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    missed = [row["what"] for rows in figures.values() for row in rows if row.get("met") is False]
    if missed:
        print("\nBelow the target: " + "; ".join(missed))


def made_up(folder):
    """A documentation set of 500 files, put together from the demo's articles."""
    paragraphs = []
    for article in sorted((ROOT / "demo/articles").rglob("*.md")):
        paragraphs += [p for p in article.read_text().split("\n\n") if len(p) > 40 and not p.startswith(("---", "#"))]
    chance = random.Random(7)
    folder.mkdir()
    for number in range(500):
        sections = [f"## Part {n}\n\n" + "\n\n".join(chance.sample(paragraphs, 3)) for n in range(8)]
        (folder / f"{number}.md").write_text(f"# Guide {number}\n\n" + "\n\n".join(sections) + "\n")
    return folder


def run(*command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def row(what, gaby, peer=None, unit="s", target=None, ratio=None, met=None):
    return {"what": what, "gaby": gaby, "peer": peer, "unit": unit, "ratio": ratio, "target": target, "met": met}


def against(what, gaby, peer, target, unit="s"):
    ratio = peer / gaby
    return row(what, gaby, peer, unit, f"at least {target}", ratio, ratio >= target)


def ingest(measure, docs, models, scratch):
    texts = scratch / "texts.jsonl"
    mine = run(measure, "ingest", docs, texts)
    texts = [json.loads(line)["text"] for line in texts.read_text().splitlines()]
    encoder = Encoder(models)
    clock = time.perf_counter()
    encoder.embed(texts)
    python = time.perf_counter() - clock
    words = mine["words_seconds"]
    whole = words + mine["vectors_seconds"]
    again = mine["again_seconds"] / whole
    return [
        row(f"documents {mine['documents']}, chunks", mine["chunks"], len(texts), unit=""),
        against("searchable by words, onnxruntime pipeline", words, python, 20),
        against("fully embedded, onnxruntime pipeline", whole, python, 2),
        row("second ingest over the first", again, unit="", target="at most 0.03", met=again <= 0.03),
    ]


def query(measure, docs, chunks, models, scratch):
    """Two peers: chromadb as it comes, whose own embedding function for this model pads every question to
    256 tokens, and one put together with more care, which does not."""
    out = scratch / "crowd"
    out.mkdir()
    mine = run(measure, "query", docs, str(chunks), out)
    peer = HybridPeer(out)
    queries = [json.loads(line)["text"] for line in (out / "queries.jsonl").read_text().splitlines()]
    comes, careful = (timed_queries(peer, queries, embed) for embed in (chromas_own(models), Encoder(models).embed))
    rows = [
        against(f"hybrid query over {mine['chunks']} chunks, chromadb + bm25s", mine["median_ms"], comes["whole"], 5, "ms"),
        row("  the same, questions not padded", mine["median_ms"], careful["whole"], "ms", ratio=careful["whole"] / mine["median_ms"]),
    ]
    for part in PARTS:
        rows.append(row(f"    of which {part.replace('_', ' ')}", mine[f"{part}_ms"], careful[part], "ms"))
    return rows


def timed_queries(peer, queries, embed):
    """The median milliseconds of a query and of its parts."""
    for text in queries[:20]:
        peer.search(text, embed, {part: [] for part in PARTS})
    times, whole = {part: [] for part in PARTS}, []
    for text in queries:
        clock = time.perf_counter()
        peer.search(text, embed, times)
        whole.append((time.perf_counter() - clock) * 1000)
    return {"whole": statistics.median(whole)} | {part: statistics.median(all) for part, all in times.items()}


def serve(gaby, scratch):
    """Starts the demo twice: the second start finds the binary in the page cache."""
    for attempt in range(2):
        with demo(gaby, scratch / f"serve{attempt}") as (process, first):
            time.sleep(60 if attempt else 3)
            resident = memory(process)
    return [
        row("start to the first answered request", first * 1000, unit="ms", target="at most 300", met=first <= 0.3),
        row("idle memory with the demo", resident, unit="MB", target="at most 100", met=resident <= 100),
    ]


def investigate(gaby, cost, scratch):
    """What an investigation spends on the gate, the store and the audit log, beside its searches."""
    data = scratch / "investigated"
    with demo(gaby, data):
        time.sleep(10)
    mine = run(cost, data, "20")
    rest, search = mine["rest_ms"], mine["search_ms"]
    rows = [row(f"whole investigation, median of {mine['investigations']}", mine["whole_ms"], unit="ms")]
    rows.append(row("gate, persistence and audit; beside it the search", rest, search, "ms", "at most 1x", rest / search, rest <= search))
    for part in ("tools", "brain"):
        rows.append(row(f"  {part}", mine[f"{part}_ms"], unit="ms"))
    return rows


def turn(gaby, scratch):
    """What a turn of a model costs beside the model and the tool: docs/benchmarks.md says what each does."""
    data = scratch / "turns"
    with demo(gaby, data):
        time.sleep(5)
    mine = turns.measure(gaby, data, 20, scratch)
    cost, peer = mine["gaby_ms"], mine["peer_ms"]
    rows = [
        row(f"a turn beside model and tool, median of {mine['turns']}", cost, unit="ms", target="under 3", met=cost < 3),
        against("the same loop in LangGraph, with its parts for the same work", cost, mine["full_peer_ms"], 10, "ms"),
        row("  LangGraph as it comes, with its SQLite saver", cost, peer, "ms", ratio=peer / cost),
    ]
    for part in ("stub", "tool"):
        rows.append(row(f"  taken off: the {part}", mine[f"gaby_{part}_ms"], mine[f"peer_{part}_ms"], "ms"))
    rows.append(row("  within: asking the model, above the stub's time", mine["gaby_client_ms"], unit="ms"))
    rows.append(row("  within: the gate's decision", mine["gate_ms"], unit="ms"))
    return rows


def gate():
    """What `cargo bench` has measured a moment ago."""
    rows = []
    for count, target in ((0, None), (1000, 1.0)):
        found = ROOT / f"target/criterion/permit a write under {count} policies/new/estimates.json"
        median = json.loads(found.read_text())["median"]["point_estimate"] / 1e6
        met = median < target if target else None
        rows.append(row(f"one decision on a write under {count} policies", median, unit="ms", target=target and "under 1", met=met))
    return rows


@contextlib.contextmanager
def demo(gaby, data):
    """The demo, served from a folder: its process, and the seconds until it answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [gaby, "serve", "--demo", "--data", data, "--listen", f"127.0.0.1:{port}"]
    clock = time.perf_counter()
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield server.pid, answered(f"http://127.0.0.1:{port}/healthz", clock)
    finally:
        server.terminate()
        server.wait(30)


def answered(address, clock):
    while time.perf_counter() - clock < 60:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return time.perf_counter() - clock
        except OSError:
            time.sleep(0.002)
    sys.exit(f"{address} does not answer")


def memory(process):
    """The resident memory of a process in MB, its program's own pages included."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1024


def show(name, rows):
    print(f"\n{name}")
    for one in rows:
        number = lambda value: "" if value is None else (f"{value:.0f}" if one["unit"] == "" and value >= 10 else f"{value:.3g}")
        ratio = f"{one['ratio']:.1f}x" if one["ratio"] else ""
        verdict = {True: "met", False: "MISSED", None: ""}[one["met"]]
        print(f"  {one['what']:58} {number(one['gaby']):>9} {number(one['peer']):>9} {one['unit']:3} {ratio:>7}  {one['target'] or '':14} {verdict}")


if __name__ == "__main__":
    main()
