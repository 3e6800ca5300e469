//! A sentence-transformer's folder, as its training left it, to a quantised model.
//!
//! Read are `config.json`, `tokenizer.json`, `model.safetensors`, and where they exist
//! `modules.json`, `sentence_bert_config.json` and `1_Pooling/config.json`.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::asset::{Model, Writer};
use super::error::EmbedError;
use super::local::Local;
use super::shape::{Activation, Pooling, Shape};
use super::tensors::Tensors;
use super::tokens::Tokens;

/// Larger weight files than this are refused: they would not fit into memory beside the rest.
const LARGEST: u64 = 4 << 30;

/// Loads the model of a folder.
///
/// # Errors
/// When a file is missing or damaged, or the model is of another family.
pub(super) fn load(folder: &Path) -> Result<Local, EmbedError> {
    let refuse = |reason: String| EmbedError::Folder {
        folder: folder.to_owned(),
        reason,
    };
    let model = Model::parse(Cow::Owned(quantise(folder).map_err(refuse)?)).map_err(refuse)?;
    let tokens = Tokens::from_file(&folder.join("tokenizer.json"), model.shape.max_tokens)
        .map_err(|error| refuse(format!("tokenizer.json: {error}")))?;
    Ok(Local::new(model, tokens))
}

/// The quantised model of a folder as the bytes of an asset: what [`from_folder`](super::from_folder)
/// runs, and what the model inside the program is made with.
///
/// # Errors
/// When a file is missing or damaged, or the model is of another family.
pub fn quantised(folder: &Path) -> Result<Vec<u8>, EmbedError> {
    quantise(folder).map_err(|reason| EmbedError::Folder {
        folder: folder.to_owned(),
        reason,
    })
}

#[derive(Deserialize)]
struct Config {
    model_type: String,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "epsilon")]
    layer_norm_eps: f32,
    #[serde(default)]
    hidden_act: Option<String>,
    #[serde(default)]
    position_embedding_type: Option<String>,
    #[serde(default, rename = "_name_or_path")]
    name: Option<String>,
}

fn epsilon() -> f32 {
    1e-12
}

#[derive(Deserialize, Default)]
struct PoolingConfig {
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
}

#[derive(Deserialize)]
struct SentenceConfig {
    max_seq_length: Option<usize>,
}

#[derive(Deserialize)]
struct Module {
    #[serde(rename = "type")]
    kind: String,
}

fn read<T: DeserializeOwned>(folder: &Path, file: &str) -> Result<T, String> {
    let bytes =
        fs::read(folder.join(file)).map_err(|error| format!("{file} cannot be read: {error}"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{file}: {error}"))
}

fn read_if_there<T: DeserializeOwned>(folder: &Path, file: &str) -> Result<Option<T>, String> {
    match folder.join(file).exists() {
        true => read(folder, file).map(Some),
        false => Ok(None),
    }
}

fn shape(folder: &Path, source: String) -> Result<Shape, String> {
    let config: Config = read(folder, "config.json")?;
    let first_position = match config.model_type.as_str() {
        "bert" => 0,
        "roberta" | "xlm-roberta" | "camembert" => 2,
        other => {
            return Err(format!(
                "its type is `{other}`; bert, roberta, xlm-roberta and camembert can be run"
            ));
        }
    };
    if let Some(kind) = config
        .position_embedding_type
        .filter(|kind| kind != "absolute")
    {
        return Err(format!(
            "its positions are `{kind}`, and only absolute ones can be run"
        ));
    }
    let activation = match config.hidden_act.as_deref() {
        None | Some("gelu") => Activation::Gelu,
        Some("relu") => Activation::Relu,
        Some(other) => {
            return Err(format!(
                "its activation is `{other}`; gelu and relu can be run"
            ));
        }
    };
    for module in read_if_there::<Vec<Module>>(folder, "modules.json")?.unwrap_or_default() {
        let kind = module.kind.rsplit('.').next().unwrap_or_default();
        if !matches!(kind, "Transformer" | "Pooling" | "Normalize") {
            return Err(format!(
                "modules.json asks for a `{kind}` step, which cannot be run"
            ));
        }
    }
    let pooling = match read_if_there::<PoolingConfig>(folder, "1_Pooling/config.json")? {
        None => Pooling::Mean,
        Some(PoolingConfig {
            pooling_mode_mean_tokens: true,
            pooling_mode_cls_token: false,
        }) => Pooling::Mean,
        Some(PoolingConfig {
            pooling_mode_mean_tokens: false,
            pooling_mode_cls_token: true,
        }) => Pooling::First,
        Some(_) => {
            return Err(
                "1_Pooling/config.json: its pooling is neither the mean nor the first token's"
                    .to_owned(),
            );
        }
    };
    let room = config
        .max_position_embeddings
        .saturating_sub(first_position);
    let longest = read_if_there::<SentenceConfig>(folder, "sentence_bert_config.json")?
        .and_then(|c| c.max_seq_length);
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    Ok(Shape {
        name: name.or(config.name).unwrap_or_else(|| "model".to_owned()),
        source,
        hidden: config.hidden_size,
        layers: config.num_hidden_layers,
        heads: config.num_attention_heads,
        intermediate: config.intermediate_size,
        vocabulary: config.vocab_size,
        positions: config.max_position_embeddings,
        first_position,
        epsilon: config.layer_norm_eps,
        activation,
        pooling,
        max_tokens: longest.unwrap_or(room).min(room),
    })
}

fn quantise(folder: &Path) -> Result<Vec<u8>, String> {
    let path = folder.join("model.safetensors");
    let unreadable = |error| format!("model.safetensors cannot be read: {error}");
    let size = fs::metadata(&path).map_err(unreadable)?.len();
    if size > LARGEST {
        return Err(format!(
            "model.safetensors has {size} bytes, more than {LARGEST}"
        ));
    }
    let bytes = fs::read(&path).map_err(unreadable)?;
    let shape = shape(folder, hex::encode(Sha256::digest(&bytes)))?;
    let mut writer = Writer::new(&shape)?;
    let tensors = Tensors::new(&bytes)?;
    write(&mut writer, &shape, &tensors)
        .map_err(|reason| format!("model.safetensors: {reason}"))?;
    Ok(writer.finish())
}

/// All parts in the order in which [`Model::parse`] reads them.
fn write(writer: &mut Writer, shape: &Shape, tensors: &Tensors<'_>) -> Result<(), String> {
    let Shape {
        hidden,
        intermediate,
        vocabulary,
        positions,
        ..
    } = *shape;
    let words = tensors.matrix("embeddings.word_embeddings.weight", vocabulary, hidden)?;
    writer.table(&words, hidden);
    let mut places = tensors.matrix("embeddings.position_embeddings.weight", positions, hidden)?;
    // A single text is all of token type 0.
    let types = tensors.any("embeddings.token_type_embeddings.weight")?;
    let kind = types
        .get(..hidden)
        .ok_or("the token types are too narrow")?;
    for row in places.chunks_exact_mut(hidden) {
        row.iter_mut()
            .zip(kind)
            .for_each(|(value, kind)| *value += kind);
    }
    writer.numbers(&places);
    norm(writer, tensors, "embeddings.LayerNorm", hidden)?;
    for layer in 0..shape.layers {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for part in ["query", "key", "value"] {
            let name = name(&format!("attention.self.{part}"));
            let mut weight = tensors.matrix(&format!("{name}.weight"), hidden, hidden)?;
            let mut bias = tensors.vector(&format!("{name}.bias"), hidden)?;
            if part == "query" {
                let scale = 1.0 / (shape.head() as f32).sqrt();
                weight
                    .iter_mut()
                    .chain(&mut bias)
                    .for_each(|value| *value *= scale);
            }
            weights.extend(weight);
            biases.extend(bias);
        }
        writer.linear(&weights, &biases, hidden);
        linear(
            writer,
            tensors,
            &name("attention.output.dense"),
            hidden,
            hidden,
        )?;
        norm(writer, tensors, &name("attention.output.LayerNorm"), hidden)?;
        linear(
            writer,
            tensors,
            &name("intermediate.dense"),
            hidden,
            intermediate,
        )?;
        linear(writer, tensors, &name("output.dense"), intermediate, hidden)?;
        norm(writer, tensors, &name("output.LayerNorm"), hidden)?;
    }
    Ok(())
}

fn linear(
    writer: &mut Writer,
    tensors: &Tensors<'_>,
    name: &str,
    inputs: usize,
    outputs: usize,
) -> Result<(), String> {
    let weight = tensors.matrix(&format!("{name}.weight"), outputs, inputs)?;
    let bias = tensors.vector(&format!("{name}.bias"), outputs)?;
    writer.linear(&weight, &bias, inputs);
    Ok(())
}

fn norm(
    writer: &mut Writer,
    tensors: &Tensors<'_>,
    name: &str,
    width: usize,
) -> Result<(), String> {
    writer.numbers(&tensors.vector(&format!("{name}.weight"), width)?);
    writer.numbers(&tensors.vector(&format!("{name}.bias"), width)?);
    Ok(())
}
