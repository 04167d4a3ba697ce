#!/usr/bin/env python3
"""The editors' schemas accept every shipped YAML file and refuse the faults of documents/broken.yaml.

schema_test.cpp checks the other half: the parser refuses the same faults and has the same keys.
"""

import json
import pathlib
import re
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = ROOT / "tests" / "spec" / "documents"


class Loader(yaml.SafeLoader):
    """YAML 1.2 as editors and the parser read it: on and off are words, keys are texts."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":timestamp"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def text_keys(value):
    if isinstance(value, dict):
        return {str(key): text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [text_keys(item) for item in value]
    return value


def read(text):
    return text_keys(yaml.load(text, Loader))


def validator(name):
    schema = json.loads((ROOT / "configs" / "schema" / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def main():
    kinds = {
        "family.yaml": (validator("family.schema.json"), "kernels/*/family.yaml"),
        "computing_family.yaml": (validator("family.schema.json"), "kernels/*/family.yaml"),
        "sweep.yaml": (validator("sweep.schema.json"), "configs/sweeps/**/*.yaml"),
        "models.yaml": (validator("models.schema.json"), "configs/models.yaml"),
    }
    failures = []
    for document, (check, pattern) in kinds.items():
        files = [DOCUMENTS / document, *sorted(ROOT.glob(pattern))]
        if len(files) < 2:
            failures.append(f"{pattern}: no file to check")
        for file in files:
            for error in check.iter_errors(read(file.read_text())):
                failures.append(f"{file.relative_to(ROOT)}: {error.json_path}: {error.message}")
    refused = 0
    for fault in read((DOCUMENTS / "broken.yaml").read_text()):
        text = (DOCUMENTS / fault["file"]).read_text()
        if fault["replace"] not in text:
            failures.append(f"{fault['file']} has no {fault['replace']!r}")
            continue
        broken = read(text.replace(fault["replace"], fault["with"], 1))
        valid = kinds[fault["file"]][0].is_valid(broken)
        known = fault.get("schema") != "no"
        if valid == known:
            failures.append(f"{'accepted' if valid else 'refused'}: {fault}")
        refused += known
    if refused < 40:
        failures.append(f"only {refused} faults for the schemas")
    print("\n".join(failures) or f"{refused} planted faults refused")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
