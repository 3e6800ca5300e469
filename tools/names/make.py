"""Makes the lists of names that the redaction knows people by.

    pip download --no-deps faker && unzip faker-*.whl -d faker
    python3 make.py faker/faker/providers/person TEXT-FOLDER... --into ../../crates/gaby-gate/src/redact/names

Reads the given and family names that Faker (MIT, see README.md) holds for each country, keeps those
in Latin letters, and writes those that the lists made by hand lack. What the texts in the folders write in
small letters is a word: a family name that is one is left out, and a given name that is one goes to
the ambiguous names, which need something more around them.
"""

import argparse
import ast
import pathlib
import re
import unicodedata

# Masculine and feminine endings come with both forms; a name needs three letters to be one alone.
SHORTEST = 3


def folded(name):
    letters = unicodedata.normalize("NFD", name)
    return "".join(c for c in letters if c.isalpha() or c == "-").lower()


def latin(name):
    return all("LATIN" in unicodedata.name(c, "") for c in name if c.isalpha())


def texts(node):
    """Every string below a literal."""
    for below in ast.walk(node):
        if isinstance(below, ast.Constant) and isinstance(below.value, str):
            yield below.value


def names(folder):
    given, family = set(), set()
    for file in sorted(folder.glob("*/__init__.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if not isinstance(target, ast.Name):
                    continue
                into = None
                if target.id.startswith("first_"):
                    into = given
                elif target.id.startswith("last_"):
                    into = family
                if into is None:
                    continue
                for text in texts(node.value):
                    # A name of several words is not looked up as one.
                    if " " in text or "{" in text or not latin(text):
                        continue
                    name = folded(text)
                    if len(name) >= SHORTEST:
                        into.update(part for part in name.split("-") if len(part) >= SHORTEST)
    return given, family


def words(folders):
    found = set()
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file() and file.suffix in {".md", ".txt", ".html", ".json", ".jsonl", ".tsv"}:
                text = file.read_text("utf-8", errors="ignore")
                found.update(re.findall(r"(?<![\w/.@#-])[a-z]{3,}(?![\w/@-])", text))
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("person", type=pathlib.Path)
    parser.add_argument("texts", type=pathlib.Path, nargs="*")
    parser.add_argument("--into", type=pathlib.Path, required=True)
    args = parser.parse_args()
    lists = {}
    for name in ("given", "family", "ambiguous", "words"):
        lists[name] = set((args.into / f"{name}.txt").read_text("utf-8").split())
    given, family = names(args.person)
    small = words(args.texts) | lists["words"]
    more = {
        "more_given": given - lists["given"],
        "more_family": family - small - lists["family"],
        "more_ambiguous": (given & small) - lists["ambiguous"],
    }
    for name, found in more.items():
        (args.into / f"{name}.txt").write_text("\n".join(sorted(found)) + "\n", "utf-8")
        print(name, len(found))


if __name__ == "__main__":
    main()
