//! The built-in model against the original one, on every instruction set of the machine.

use std::sync::LazyLock;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::isa::Level;
use super::local::{Local, builtin};
use super::{Embedder, from_folder};

static MODEL: LazyLock<Local> = LazyLock::new(|| builtin().unwrap());

fn texts() -> Vec<String> {
    serde_json::from_str(include_str!("../../tests/data/minilm-texts.json")).unwrap()
}

fn original() -> Vec<Vec<f32>> {
    let bytes = include_bytes!("../../tests/data/minilm-vectors.f32");
    let numbers: Vec<f32> = bytes
        .as_chunks()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b))
        .collect();
    numbers.chunks(384).map(<[f32]>::to_vec).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn close_to_the_original(model: &Local) {
    let (texts, original) = (texts(), original());
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!((texts.len(), original.len()), (200, 200));
    let vectors = model.embed(&texts).unwrap();
    let cosines: Vec<f32> = vectors
        .iter()
        .zip(&original)
        .map(|(a, b)| cosine(a, b))
        .collect();
    let least = cosines.iter().copied().fold(1.0, f32::min);
    println!(
        "cosine: least {least:.5}, mean {:.5}",
        cosines.iter().sum::<f32>() / 200.0
    );
    for (text, cosine) in texts.iter().zip(&cosines) {
        assert!(*cosine >= 0.99, "{cosine} for {text:.80?}");
    }
}

#[test]
fn the_files_are_those_that_were_made() {
    let sums = include_str!("../../assets/all-minilm-l6-v2/SHA256SUMS");
    let files: [(&str, &[u8]); 2] = [
        (
            "model.q8",
            include_bytes!("../../assets/all-minilm-l6-v2/model.q8"),
        ),
        (
            "tokenizer.json",
            include_bytes!("../../assets/all-minilm-l6-v2/tokenizer.json"),
        ),
    ];
    for (line, (name, bytes)) in sums.lines().zip(files) {
        assert_eq!(
            line,
            format!("{}  {name}", hex::encode(Sha256::digest(bytes)))
        );
    }
    assert_eq!(sums.lines().count(), files.len());
}

#[test]
fn vectors_are_close_to_the_unquantised_models() {
    close_to_the_original(&MODEL);
}

#[test]
fn every_instruction_set_gives_the_same_vectors() {
    let texts = texts();
    // Short ones: without vector instructions a long text takes a second.
    let short = texts.iter().filter(|text| text.len() < 300);
    let texts: Vec<&str> = short.step_by(9).map(String::as_str).collect();
    let portable = builtin()
        .unwrap()
        .at(Level::Portable)
        .embed(&texts)
        .unwrap();
    for level in Level::all() {
        let vectors = builtin().unwrap().at(level).embed(&texts).unwrap();
        for (a, b) in vectors.iter().zip(&portable) {
            // Rounding differs where multiply-add is fused, and may tip a quantised value.
            assert!(cosine(a, b) > 0.9995, "{level:?}: {}", cosine(a, b));
        }
    }
}

#[test]
fn a_text_has_the_same_vector_alone_and_among_others() {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().step_by(7).map(String::as_str).collect();
    let together = MODEL.embed(&texts).unwrap();
    let backwards: Vec<&str> = texts.iter().rev().copied().collect();
    let backwards = MODEL.embed(&backwards).unwrap();
    for ((text, a), b) in texts.iter().zip(&together).zip(backwards.iter().rev()) {
        let alone = MODEL.embed(&[text]).unwrap().remove(0);
        for ((a, b), alone) in a.iter().zip(b).zip(&alone) {
            assert!(
                (a - alone).abs() < 1e-3 && (b - alone).abs() < 1e-3,
                "{text:.80?}"
            );
        }
    }
}

#[test]
fn texts_of_like_meaning_are_closer_than_others() {
    let vectors = MODEL
        .embed(&[
            "I forgot my password",
            "how to reset a password",
            "the river rose overnight",
        ])
        .unwrap();
    assert!(cosine(&vectors[0], &vectors[1]) > 0.6);
    assert!(cosine(&vectors[0], &vectors[2]) < 0.2);
}

#[test]
fn no_texts_have_no_vectors_and_an_empty_text_has_one() {
    assert!(MODEL.embed(&[]).unwrap().is_empty());
    let vectors = MODEL.embed(&["", " \n "]).unwrap();
    assert!((cosine(&vectors[0], &vectors[0]) - 1.0).abs() < 1e-5);
    assert_eq!(vectors[0], vectors[1]);
}

#[test]
fn a_huge_text_is_read_as_far_as_the_model_reads() {
    let sentence = "The service keeps a copy of every message. ";
    let huge = sentence.repeat((10 << 20) / sentence.len());
    let vectors = MODEL.embed(&[&huge, &sentence.repeat(40)]).unwrap();
    assert_eq!(vectors[0], vectors[1]);
    for odd in [
        "x".repeat(10 << 20),
        "\u{301}".repeat(5 << 20),
        " ".repeat(10 << 20),
    ] {
        assert!((cosine(&MODEL.embed(&[&odd]).unwrap()[0], &vectors[0])).is_finite());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_text_has_a_unit_vector(text in "\\PC{0,300}|(?s:.{0,60})") {
        let vector = MODEL.embed(&[&text]).unwrap().remove(0);
        prop_assert_eq!(vector.len(), 384);
        prop_assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-4);
    }
}

mod folder {
    use std::fs;
    use std::path::Path;

    use super::*;

    const CONFIG: &str = r#"{"model_type":"bert","hidden_size":32,"num_hidden_layers":1,"num_attention_heads":2,
        "intermediate_size":64,"vocab_size":30522,"max_position_embeddings":40,"hidden_act":"gelu"}"#;

    /// A one-layer BERT with made-up weights, as its training would have left it.
    fn write(folder: &Path) {
        let layer = "encoder.layer.0";
        let mut shapes: Vec<(String, Vec<usize>)> = vec![
            ("embeddings.word_embeddings.weight".into(), vec![30522, 32]),
            ("embeddings.position_embeddings.weight".into(), vec![40, 32]),
            (
                "embeddings.token_type_embeddings.weight".into(),
                vec![2, 32],
            ),
        ];
        let linears = [
            ("attention.self.query", 32, 32),
            ("attention.self.key", 32, 32),
            ("attention.self.value", 32, 32),
            ("attention.output.dense", 32, 32),
            ("intermediate.dense", 64, 32),
            ("output.dense", 32, 64),
        ];
        for (name, outputs, inputs) in linears {
            shapes.push((format!("{layer}.{name}.weight"), vec![outputs, inputs]));
            shapes.push((format!("{layer}.{name}.bias"), vec![outputs]));
        }
        for name in [
            "embeddings",
            &format!("{layer}.attention.output"),
            &format!("{layer}.output"),
        ] {
            for part in ["weight", "bias"] {
                shapes.push((format!("{name}.LayerNorm.{part}"), vec![32]));
            }
        }
        let mut seed = 1_u32;
        let mut number = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / 8_388_608.0 - 1.0
        };
        let data: Vec<Vec<u8>> = shapes
            .iter()
            .map(|(_, shape)| {
                (0..shape.iter().product())
                    .flat_map(|_| number().to_le_bytes())
                    .collect()
            })
            .collect();
        let tensors = shapes.iter().zip(&data).map(|((name, shape), data)| {
            (
                name,
                safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), data)
                    .unwrap(),
            )
        });
        fs::write(
            folder.join("model.safetensors"),
            safetensors::serialize(tensors, None).unwrap(),
        )
        .unwrap();
        fs::write(folder.join("config.json"), CONFIG).unwrap();
        let tokenizer = include_bytes!("../../assets/all-minilm-l6-v2/tokenizer.json");
        fs::write(folder.join("tokenizer.json"), tokenizer).unwrap();
    }

    fn refusal(folder: &Path) -> String {
        from_folder(folder).err().unwrap().to_string()
    }

    #[test]
    fn another_model_of_the_family_runs_from_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let model = from_folder(folder.path()).unwrap();
        assert_eq!(model.dimensions(), 32);
        assert_ne!(model.id(), MODEL.id());
        let long = "many words ".repeat(100);
        let vectors = model
            .embed(&["a text", "another", "a text", &long])
            .unwrap();
        assert_eq!(vectors[0], vectors[2]);
        assert_ne!(vectors[0], vectors[1]);
        assert!((cosine(&vectors[3], &vectors[3]) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn a_damaged_or_foreign_folder_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert!(refusal(path).contains("model.safetensors cannot be read"));
        write(path);
        let cases = [
            (CONFIG.replace("\"bert\"", "\"gpt2\""), "gpt2"),
            (CONFIG.replace("\"gelu\"", "\"silu\""), "silu"),
            (
                CONFIG.replace("\"hidden_size\":32", "\"hidden_size\":64"),
                "and config.json says",
            ),
            (
                CONFIG.replace("\"hidden_size\":32", "\"hidden_size\":0"),
                "hidden size is 0",
            ),
            (
                CONFIG.replace("\"num_attention_heads\":2", "\"num_attention_heads\":3"),
                "no multiple of 3",
            ),
            (
                CONFIG.replace("40", "99999999999999"),
                "number of positions",
            ),
            ("[".repeat(10_000), "config.json"),
            (String::new(), "config.json"),
        ];
        for (config, reason) in cases {
            fs::write(path.join("config.json"), config).unwrap();
            assert!(refusal(path).contains(reason), "{}", refusal(path));
        }
        fs::write(path.join("config.json"), CONFIG).unwrap();
        fs::write(path.join("tokenizer.json"), "{}").unwrap();
        assert!(refusal(path).contains("tokenizer.json"));
        fs::write(path.join("model.safetensors"), [0xff; 100]).unwrap();
        assert!(refusal(path).contains("damaged"));
    }
}

mod asset {
    use std::borrow::Cow;

    use super::super::asset::Model;

    #[test]
    fn a_file_that_is_cut_off_or_changed_in_its_head_is_refused() {
        let bytes = include_bytes!("../../assets/all-minilm-l6-v2/model.q8");
        for length in [0, 4, 8, 12, 100, 1000, 1 << 20, bytes.len() - 1] {
            assert!(
                Model::parse(Cow::Borrowed(&bytes[..length])).is_err(),
                "{length}"
            );
        }
        for at in 0..12 {
            let mut head = bytes[..4096].to_vec();
            head[at] ^= 0xff;
            assert!(Model::parse(Cow::Owned(head)).is_err());
        }
    }
}
