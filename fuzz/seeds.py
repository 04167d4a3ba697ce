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


def record_files():
    """Without checksums: the target makes those."""
    metrics = {name: 0.5 for name in (
        "abs_error_max", "rel_error_max", "ulp_max", "relative_l2", "cosine", "norm_ratio", "baseline_cosine",
        "baseline_norm_ratio", "share_of_limit_max")}
    output = {"tensor": "y", "rule": "r", "elements": 4, "baseline_elements": 4, "codes_off": 0, "worst_index": 1,
              "worst": "w", **metrics, "ulp_max": "inf"}
    proof = {"cases": 1, "exact_cases": 1, "checks": [{"name": "exact", "comparisons": 4, "unit": "elements"}],
             "outputs": [output], "left_out": [], "failed_case": "", "failed_check": "", "mismatch_count": 0,
             "mismatches": [{"tensor": "y", "index": 0, "text": "t"}], "mismatch_map": "",
             "batch": {"rows": 4, "row_counts": [1], "bytes": 8, "difference": "", "digest": "d"}}
    result = {"status": "ok", "message": "", "disproved": [], "failed_arm": -1,
              "sample_fields": ["arm", "epoch", "round", "launches", "us"],
              "samples": [[0, 0, 0, 9, 1.5], [1, 0, 0, 9, 2.5]], "dropped": [], "probe_us": [1.5, 2.5], "ring": 1,
              "ring_over_cache": 0.0, "data": "hot", "flags": [], "stopped_by": "epochs"}
    race = {"arms": ["a", "b"], "budget_s": 1.0, "memory": [None, {"segments_32": 1, "bank_passes": 0}],
            "classes": ["", ""], "result": result,
            "provenance": {"harness_version": "0.1", "compiler": "c", "sweep": "s", "conditions": {"cpu": 1}}}
    site = {"entry": "k", "place": "p", "write": False, "shared": True}
    site.update({name: 1 for name in (
        "access_bytes", "instructions", "lanes", "segments_32", "segments_64", "segments_128", "ideal_32", "ideal_64",
        "ideal_128", "bank_passes", "bank_passes_ideal")})
    traffic = {"traffic": {"sites": [site], "barriers": 0, "wave_operations": 0, "read_bytes": 1, "write_bytes": 1}}
    # The campaign, run, compilation and death are those that the target's second store knows.
    campaign = {"record": "campaign", "key": "c1", "name": "sweep", "plan": {"cases": 1}, "created": "2026"}
    run = {"record": "run", "uid": "r1", "campaign": "c1", "pid": 7, "harness_version": "0.1", "started": "2026",
           "ended": "", "how": ""}
    death = {"record": "death", "role": "device", "pid": 7, "how": "died", "signal": 11, "exit_code": 0,
             "subject": "case", "last_output": "words", "run": "r1", "at": "2026"}

    def step(kind, key, data):
        return {"record": "step", "kind": kind, "key": key, "subject": "case | variant | host-w64", "status": "ok",
                "message": "", "data": data, "wall_ms": 0.0, "run": "r1", "finished": ""}

    steps = [step("compile", "k1", {"facts": {"kernels": [], "file_bytes": 1}}), step("proof", "k2", proof),
             step("race", "k3", race), step("traffic", "k4", traffic)]
    other = {"facts": {"kernels": [{"entry": "k", "vgpr": 32}], "file_bytes": 2}}
    files = [[], [campaign, run], [campaign, {**run, "ended": "2027", "how": "finished"}],
             [campaign, {**run, "pid": 8}], [{**campaign, "plan": None}, run], [campaign, run, death],
             [campaign, run, *steps, death], [campaign, run, step("compile", "k1", other)]]
    files += [[campaign, run, one] for one in steps]
    files += [[campaign, run, {**steps[0], "wall_ms": wall}] for wall in (-0.0, 1e300, 5)]
    files += [[campaign, {**run, "pid": 8, "ended": "2027", "how": "failed"}],
              [campaign, run, death, {**death, "exit_code": 1}]]
    return ["".join(json.dumps(line) + "\n" for line in lines) for lines in files]


def foreign_results():
    """The texts of the readers' own tests, each behind the name of its format."""
    test = (ROOT / "tests/import/import_test.cpp").read_text()
    found = []
    for constant, form in (("kCache", "kernel-tuner"), ("kT4", "t4"), ("kVllm", "vllm-json")):
        found.append(form + "\n" + re.search(constant + r' =\s+R"\((.*?)\)"', test, re.S).group(1))
    found.append(found[0].rstrip().rstrip(",") + "}}")
    axes = {"block_size": 256, "mapping": "row", "nontemporal": "off", "persistent": "off", "rows_per_iter": 1,
            "vector_bytes": 16}
    named = ";".join(f"{name}={value}" for name, value in axes.items())
    found.append("kernel-tuner\n" + json.dumps({
        "device_name": "d", "kernel_name": "k", "problem_size": 16, "tune_params_keys": list(axes), "tune_params": {},
        "objective": "time", "cache": {"a": {**axes, "time": 1.5}, "b": {**axes, "time": 2, "block_size": 128}}}))
    # Times that are none: refused, or the target says so.
    found += [found[-1].replace("1.5", time) for time in ("0", "-1", "1e308", "1e999")]
    found.append("kernel-launcher\n# a remark\n" + json.dumps(
        {"version": "1.0", "objective": "time", "tunable_parameters": list(axes), "key": "k"}) + "\n" + json.dumps(
        {"config": list(axes.values()), "problem_size": [16, 1], "time": 0.5, "environment": {"device_name": "d"}}))
    found.append("aiter-csv\ngfx,cu_num,M,libtype,kernelId,splitK,us,kernelName,tflops,bw,errRatio\n"
                 f'gfx942,304,16,ck,7,0,12.5,"a, ""b""",1.5,2.5,0\ngfx942,304,32,ours,0,0,3,fused:{named},,9,0\n')
    found.append("rocprim-header\n// TARGET: " + json.dumps({"gpu": "d"}) + "\n    // CONFIG: " + json.dumps(
        {"geometry": "g", "implementation": "fused", "tuned_at": 16, "config": axes, "time_us": 1.5}) + "\n")
    return found


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
        "gate_files": files("configs/gate-rules.yaml", "results/accepted/*/*.yaml"),
        "safetensors": safetensors_files(),
        "message": messages(),
        "records": record_files(),
        "imports": foreign_results(),
    }
    for target, content in inputs.items():
        write(out / target, content)
    # Committed ones only.
    for target in ("code_object", "table"):
        (out / target).mkdir(exist_ok=True)
    (out / "made").touch()


if __name__ == "__main__":
    main()
