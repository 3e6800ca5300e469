"""Hybrid search as it is put together in Python: chromadb for vectors, bm25s for words."""

import json
import time

import bm25s
import chromadb
import numpy as np
import Stemmer

DEEP = 100
TOP = 10
WORDS_SHARE = 0.6
PARTS = ("embed_query", "bm25", "vectors", "fusion", "load")


class HybridPeer:
    """Loads the texts and vectors that Gaby was given, and searches them."""

    def __init__(self, folder):
        texts = [json.loads(line)["text"] for line in (folder / "texts.jsonl").read_text().splitlines()]
        vectors = np.fromfile(folder / "vectors.f32", dtype="<f4").reshape(len(texts), -1)
        client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
        self.collection = client.create_collection("chunks", metadata={"hnsw:space": "cosine"})
        for start in range(0, len(texts), 5_000):
            part = slice(start, start + 5_000)
            ids = [str(at) for at in range(start, min(start + 5_000, len(texts)))]
            self.collection.add(ids, embeddings=vectors[part], documents=texts[part])
        self.stemmer = Stemmer.Stemmer("english")
        self.words = bm25s.BM25()
        self.words.index(self.tokens(texts), show_progress=False)

    def tokens(self, texts):
        return bm25s.tokenize(texts, stopwords="en", stemmer=self.stemmer, show_progress=False)

    def search(self, query, embed, times):
        """The best passages; `times` takes the milliseconds of each part, a list a part."""
        clock = time.perf_counter()

        def lap(part):
            nonlocal clock
            now = time.perf_counter()
            times[part].append((now - clock) * 1000)
            clock = now

        vector = embed([query])[0]
        lap("embed_query")
        rows, scores = self.words.retrieve(self.tokens([query]), k=DEEP, show_progress=False)
        lap("bm25")
        near = self.collection.query(query_embeddings=[vector], n_results=DEEP, include=["distances"])
        lap("vectors")
        fused = {}
        top = max(scores[0].max(), 1e-9)
        for found, score in zip(rows[0], scores[0]):
            fused[str(found)] = WORDS_SHARE * score / top
        cosines = 1 - np.array(near["distances"][0])
        least, span = cosines.min(), max(np.ptp(cosines), 1e-9)
        for found, cosine in zip(near["ids"][0], cosines):
            fused[found] = fused.get(found, 0) + (1 - WORDS_SHARE) * (cosine - least) / span
        best = sorted(fused, key=fused.get, reverse=True)[:TOP]
        lap("fusion")
        found = self.collection.get(best, include=["documents"])
        lap("load")
        return found
