"""Inputs for the fuzz targets, made of the project's own files: seeds.py FOLDER writes FOLDER/TARGET/*."""

import json
import pathlib
import re
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def texts(pattern, *files):
    """What the pattern's group finds in files, once each, in order."""
    found = {}
    for file in files:
        for text in re.findall(pattern, (ROOT / file).read_text()):
            found[text] = None
    return list(found)


def files(*patterns):
    return [path.read_bytes() for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def expressions():
    return texts(r'(?:parse|text_of|value_of|eval\w*)\("((?:[^"\\])+)"\)', "tests/spec/expr_test.cpp",
                 "tests/spec/expr_code_test.cpp")


def keys():
    tests = ["tests/compile/shipped_kernels_test.cpp", "tests/spec/geometry_keys_test.cpp"]
    whole = texts(r'"([a-z_]+\([a-z_0-9=,.]*\))"', *tests)
    cases = ["case\n" + key for key in whole]
    geometries = ["geometry\n" + re.sub(r",?tokens=\d+", "", key).replace("(,", "(") for key in whole]
    variants = ["split_reshape_cat\n" + key
                for key in texts(r'"((?:block_size|implementation)=[a-z_0-9=,]*)"', "tests/table/table_fixture.hpp")]
    return cases + geometries + variants


def safetensors(tensors, metadata=None):
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def safetensors_files():
    tensors = {"a/x": ("BF16", [2, 2], bytes(8)), "a/y": ("F32", [1], bytes(4)), "b/y": ("U8", [0], b"")}
    cases = [{"case": "a", "family": "silu", "params": {"n": 2}, "tensors": {"x": ["BF16", [2, 2]], "y": ["F32", [1]]}},
             {"case": "b", "family": "silu", "params": {"inputs": "a"}, "source": "s", "tensors": {"y": ["U8", [0]]}}]
    return [safetensors({}), safetensors(tensors), safetensors(tensors, {"cases": json.dumps(cases)})]


def frame(message):
    text = json.dumps(message).encode()
    return struct.pack("<Q", len(text)) + text


def messages():
    facts = {"kernels": [{"entry": "k", "vgpr": 32, "occupancy_waves": 8, "needs_fibres": False,
                          "global_loads": [{"bytes_per_lane": 16, "instructions": 4}]}], "file_bytes": 4096}
    request = {"target": "gfx90a", "source": {"name": "k.hip", "text": "void k();"},
               "headers": [{"name": "ft.h", "text": ""}], "macros": [["FT_WAVE_SIZE", "64"]], "entries": ["k"],
               "signatures": [[{"kind": "tensor", "name": "x"}, {"kind": "row_stride", "name": "x"}]],
               "block_threads": 256, "kernarg_bytes": [16], "exact": False}
    variant = {"implementation": "fused", "axes": {"block_size": 256, "mapping": "row", "wide": True}}
    whole = [frame(message) for message in (facts, request, variant, {"answer": None})]
    return whole + [b"".join(whole), whole[0][:-3]]


def write(folder, inputs):
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    if not inputs:
        sys.exit(f"seeds.py found nothing for {folder.name}: what it looks for has moved")
    for number, content in enumerate(inputs):
        (folder / f"{number:03}").write_bytes(content if isinstance(content, bytes) else content.encode())


def main():
    out = pathlib.Path(sys.argv[1])
    inputs = {
        "expression": expressions(),
        "family": files("kernels/*/family.yaml", "tests/**/family.yaml", "tests/spec/documents/computing_family.yaml"),
        "sweep": files("configs/sweeps/*.yaml", "tests/spec/documents/sweep.yaml", "tests/faults/*.yaml"),
        "models": files("configs/models.yaml", "tests/spec/documents/models.yaml"),
        "keys": keys(),
        "safetensors": safetensors_files(),
        "message": messages(),
    }
    for target, content in inputs.items():
        write(out / target, content)
    # Committed ones only.
    for target in ("code_object", "table"):
        (out / target).mkdir(exist_ok=True)
    (out / "made").touch()


if __name__ == "__main__":
    main()
