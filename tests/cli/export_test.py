"""Exports of a real run against the rules of those who read them, re-expressed here; imports of what was exported."""

import csv
import itertools
import json
import math
import pathlib
import re
import subprocess
import tempfile
import unittest

import jsonschema

import harness

CASE = "split_reshape_cat(layout=contiguous,nk=2,nv=6,tokens=16)"
# A kernel of which some variants do not compile would need a family of its own; failures are in tests/export.

NUMBER, TEXT, LIST, OBJECT = ({"type": t} for t in ("number", "string", "array", "object"))
VERSION = {"type": "string", "pattern": r"^[0-9]{1,}.[0-9]{1,}.[0-9]{1,}$"}


def rules(required, properties, **more):
    return {"type": "object", "required": required, "properties": properties, **more}


def items(of):
    return {"type": "array", "items": of}


# The stricter of the two copies of the schema in each place.
T4_RESULTS = rules([], {"schema_version": VERSION, "results": items(rules(
    ["configuration", "times", "invalidity", "correctness"], {
        "timestamp": TEXT, "configuration": OBJECT,
        "times": rules([], {"compilation_time": NUMBER, "runtimes": LIST, "framework": NUMBER,
                            "search_algorithm": NUMBER, "validation": NUMBER}),
        "invalidity": {"enum": ["timeout", "compile", "runtime", "correctness", "constraints", "correct"]},
        "correctness": NUMBER, "objectives": LIST,
        "measurements": items(rules([], {"name": TEXT, "value": NUMBER, "unit": TEXT}))}))})
T4_METADATA = rules([], {"schema_version": VERSION, "metadata": rules([], {
    "zenodo": OBJECT,
    "hardware": rules([], {"lshw": LIST, "hardware_description": LIST, "operating_system": TEXT}),
    "environment": rules([], {"device_query": OBJECT, "requirements": LIST})})})
SIZE = rules(["X"], {"X": TEXT, "Y": TEXT, "Z": TEXT})
T1 = rules(["ConfigurationSpace", "KernelSpecification"], {
    "ConfigurationSpace": rules(["TuningParameters"], {
        "TuningParameters": items(rules(["Name", "Type", "Values"], {
            "Name": TEXT, "Type": {"enum": ["int", "uint", "float", "bool", "string"]}, "Values": TEXT})),
        "Conditions": items(rules(["Parameters", "Expression"], {"Parameters": items(TEXT), "Expression": TEXT}))}),
    "General": rules([], {"FormatVersion": {"type": "integer"},
                          "TimeUnit": {"enum": ["Nanoseconds", "Microseconds", "Milliseconds", "Seconds"]},
                          "OutputFormat": {"enum": ["JSON", "XML"]}}),
    "KernelSpecification": rules(["Language", "KernelName", "KernelFile", "GlobalSize", "LocalSize"], {
        "Language": {"enum": ["OpenCL", "CUDA", "Vulkan"]}, "KernelName": TEXT, "KernelFile": TEXT,
        "GlobalSizeType": {"enum": ["OpenCL", "CUDA", "Vulkan"]}, "GlobalSize": SIZE, "LocalSize": SIZE,
        "Arguments": items(rules(["Type", "MemoryType"], {
            "Name": TEXT, "Size": {"type": ["integer", "string"]}, "TypeSize": {"type": "integer"},
            "Type": {"enum": ["int32", "int64", "uint8", "half", "float", "custom"]},
            "FillType": {"enum": ["Constant", "Random", "Generator", "Script", "BinaryRaw", "BinaryHDF"]},
            "FillValue": NUMBER, "RandomSeed": {"type": "integer"},
            "AccessType": {"enum": ["ReadOnly", "WriteOnly", "ReadWrite"]},
            "MemoryType": {"enum": ["Scalar", "Vector", "Local", "Symbol"]}}))})})
CACHE = rules(
    ["schema_version", "device_name", "kernel_name", "problem_size", "tune_params_keys", "tune_params", "objective",
     "cache"], {
        "schema_version": {"const": "1.1.0"}, "device_name": TEXT, "kernel_name": TEXT,
        "problem_size": {"oneOf": [items({"type": "integer"}), {"type": "integer"}, TEXT]},
        "tune_params_keys": items(TEXT), "tune_params": {"type": "object", "additionalProperties": LIST},
        "objective": TEXT,
        "cache": {"type": "object", "additionalProperties": rules(
            ["time", "compile_time", "verification_time", "benchmark_time", "strategy_time", "framework_time",
             "timestamp"], {
                "time": {"anyOf": [{"enum": ["InvalidConfig", "CompilationFailedConfig", "RuntimeFailedConfig"]},
                                   NUMBER]},
                "times": items(NUMBER), "compile_time": NUMBER, "verification_time": NUMBER,
                "benchmark_time": NUMBER, "strategy_time": NUMBER, "framework_time": NUMBER,
                "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}})}})


def strict(path):
    """JSON as other languages read it: no NaN, no infinity, no name twice."""
    def refuse(word):
        raise AssertionError(f"{path}: {word}")

    def once(pairs):
        assert len(dict(pairs)) == len(pairs), path
        return dict(pairs)
    return json.loads(path.read_text(), parse_constant=refuse, object_pairs_hook=once)


def wisdom_lookup(path, key, parameters, device, size):
    """As Kernel Launcher's reader chooses: device before size before time; refuses what it refuses."""
    lines = path.read_text().splitlines()
    header = json.loads(lines[0])
    assert header["version"] == "1.0" and header["key"] == key and isinstance(header["objective"], str)
    assert sorted(header["tunable_parameters"]) == sorted(parameters)
    best = None
    for line in filter(None, lines[1:]):
        record = json.loads(line)
        assert len(record["config"]) == len(header["tunable_parameters"])
        assert 1 <= len(record["problem_size"]) <= 3 and all(isinstance(n, int) for n in record["problem_size"])
        rank = (record["environment"]["device_name"] != device, record["problem_size"] != [size],
                abs(math.prod(record["problem_size"]) - size), record[header["objective"]])
        if best is None or rank < best[0]:
            best = rank, dict(zip(header["tunable_parameters"], record["config"]))
    return best[1]


class ExportTest(harness.ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory(prefix="fusetune-test-")
        cls.addClassCleanup(cls.shared.cleanup)
        cls.run_dir = pathlib.Path(cls.shared.name)
        (cls.run_dir / "small.yaml").write_text(harness.SMALL_SWEEP)
        subprocess.run([harness.PROGRAM, "tune", "small.yaml"], cwd=cls.run_dir, check=True, capture_output=True)
        cls.table = json.loads((cls.run_dir / "results/host-w64/split_reshape_cat.json").read_text())

    def export(self, name, *arguments, expect=0):
        document = self.run_json("export", "--format", name, "--out", self.dir / name, *arguments,
                                 cwd=self.run_dir, expect=expect)
        return document, [pathlib.Path(file) for file in document["files"]]

    def import_back(self, name, path):
        return self.run_json("import", "--format", name, path)

    def test_t4(self):
        document, files = self.export("t4")
        results = [strict(file) for file in files if "results" in file.name]
        self.assertEqual(len(results), 2)
        for result in results:
            jsonschema.validate(result, T4_RESULTS)
            self.assertEqual(result["metadata"], {"timeunit": "milliseconds"})
            self.assertEqual(len(result["results"]), 7)
            for item in result["results"]:
                timed = [m for m in item["measurements"] if m["name"] == "time"]
                self.assertEqual(len(timed), int(bool(item["times"]["runtimes"])))
        self.assertEqual(document["entries"], 14)
        metadata = [strict(file) for file in files if "metadata" in file.name]
        self.assertEqual(len(metadata), 1)
        jsonschema.validate(metadata[0], T4_METADATA)
        broken = dict(results[0], results=[dict(results[0]["results"][0], invalidity="wrong")])
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(broken, T4_RESULTS)
        back = self.import_back("t4", next(file for file in files if "results" in file.name))
        self.assertEqual((back["origin"], back["times"], len(back["records"])), ("foreign", "absolute", 7))

    def test_t1_describes_the_space_and_the_launches_that_the_engine_has(self):
        _, files = self.export("t1")
        self.assertEqual(len(files), 2)
        self.write("full.yaml", harness.SMALL_SWEEP.replace("space: 6", "space: full"))
        plan = self.run_json("tune", "full.yaml", "--dry-run")["geometries"][0]
        engine = {tuple(sorted((name, int(value) if value.isdigit() else value) for name, value in (
            part.split("=") for part in key.split(",")))) for key in plan["variants"] if "implementation" not in key}
        for file in files:
            document = strict(file)
            jsonschema.validate(document, T1)
            space, kernel = document["ConfigurationSpace"], document["KernelSpecification"]
            names = [p["Name"] for p in space["TuningParameters"]]
            values = [eval(p["Values"], {}) for p in space["TuningParameters"]]
            allowed = [dict(zip(names, point)) for point in itertools.product(*values)]
            allowed = [p for p in allowed if all(eval(c["Expression"], {}, p) for c in space["Conditions"])]
            self.assertEqual({tuple(sorted(point.items())) for point in allowed}, engine)
            for row in self.table["rows"]:
                if row["is_default"] or row["tuned_at"] != int(re.search(r"tokens=(\d+)", document["x_fusetune"][
                        "case"]).group(1)):
                    continue
                self.assertEqual(eval(kernel["LocalSize"]["X"], {}, row["axes"]), row["axes"]["block_size"])
                rows = row["tuned_at"]
                if row["axes"]["mapping"] == "row" and row["axes"]["persistent"] == "off":
                    self.assertEqual(eval(kernel["GlobalSize"]["X"], {}, row["axes"]),
                                     -(-rows // row["axes"]["rows_per_iter"]))

    def test_kernel_tuner(self):
        _, files = self.export("kernel-tuner")
        for file in files:
            cache = strict(file)
            jsonschema.validate(cache, CACHE)
            for key, entry in cache["cache"].items():
                self.assertEqual(key, ",".join(str(entry[name]) for name in cache["tune_params_keys"]))
                for name in cache["tune_params_keys"]:
                    self.assertIn(entry[name], cache["tune_params"][name])
        # As its tool leaves it while it runs, and as one leaves it whose disk was full.
        text = json.dumps({**{k: v for k, v in cache.items() if k != "cache"}, "cache": cache["cache"]}, indent=1)
        unclosed = self.write("unclosed.json", text.rstrip("}\n ") + "\n }},\n")
        self.assertEqual(len(self.import_back("kernel-tuner", files[0])["records"]), 6)
        back = self.import_back("kernel-tuner", unclosed)
        self.assertEqual((len(back["records"]), len(back["remarks"])), (6, 1))
        cut = self.write("cut.json", text[:text.rindex('"time"')])
        damaged = self.run_program("import", "--format", "kernel-tuner", cut)
        self.assertEqual(damaged.returncode, 64)
        self.assertRegex(harness.unwrapped(damaged.stderr), r"cut\.json:\d+: ")

    def test_gbench(self):
        _, files = self.export("gbench")
        for file in files:
            document = strict(file)
            for name in ("date", "host_name", "executable", "num_cpus", "library_build_type", "caches", "load_avg"):
                self.assertIn(name, document["context"])
            repetitions = {}
            for run in document["benchmarks"]:
                self.assertIn(run["run_type"], ("iteration", "aggregate"))
                self.assertEqual(run["time_unit"], "us")
                self.assertGreater(run["real_time"] + (run["run_type"] == "aggregate"), 0)
                if run["run_type"] == "iteration":
                    repetitions.setdefault(run["name"], []).append(run["repetition_index"])
                    self.assertGreater(run["repetitions"], run["repetition_index"])
            for indices in repetitions.values():
                self.assertEqual(indices, list(range(len(indices))))

    def test_kernel_launcher(self):
        _, files = self.export("kernel-launcher", expect=0 if any(
            not row["is_default"] for row in self.table["rows"]) else 4)
        for file in files:
            header = json.loads(file.read_text().splitlines()[0])
            self.assertEqual(file.name, re.sub(r"[^0-9a-zA-Z_.-]", "_", header["key"]) + ".wisdom")
            for row in self.table["rows"]:
                if not row["is_default"]:
                    self.assertEqual(wisdom_lookup(file, row["geometry"]["key"], list(row["axes"]), "host-w64",
                                                   row["tuned_at"]), row["axes"])
            self.import_back("kernel-launcher", file)

    def test_aiter(self):
        _, files = self.export("aiter-csv")
        with open(files[0], newline="") as stream:
            rows = list(csv.DictReader(stream))
        self.assertEqual(len(rows), len(self.table["rows"]))
        columns = list(rows[0])
        key = columns[:columns.index("libtype")]
        self.assertEqual(key[:3], ["gfx", "cu_num", "tokens"])
        self.assertEqual(columns[len(key):],
                         ["libtype", "kernelId", "splitK", "us", "kernelName", "tflops", "bw", "errRatio"])
        self.assertEqual(len({tuple(row[name] for name in key) for row in rows}), len(rows))
        for row in rows:
            self.assertGreater(float(row["us"]), 0)
            self.assertGreater(float(row["bw"]), 0)
            int(row["kernelId"]), int(row["splitK"]), float(row["errRatio"])
        self.import_back("aiter-csv", files[0])

    def test_vllm_and_sglang(self):
        _, files = self.export("vllm-json")
        _, others = self.export("sglang-json")
        self.assertEqual([f.name for f in files], [f.name for f in others])
        for file in files:
            parts = dict(part.split("=", 1) for part in file.name.removesuffix(".json").split(","))
            self.assertEqual((parts["device_name"], parts["dtype"]), ("host-w64", "bf16"))
            configs = {int(tokens): config for tokens, config in strict(file).items()}
            for row in self.table["rows"]:
                nearest = configs[min(configs, key=lambda tokens: abs(tokens - row["tuned_at"]))]
                self.assertEqual({k: v for k, v in nearest.items() if k != "implementation"}, row["axes"])
                self.assertEqual(nearest.get("implementation", "fused"), row["implementation"])
            self.import_back("vllm-json", file)

    def test_rocprim_header_compiles_and_answers_as_the_table(self):
        _, files = self.export("rocprim-header")
        checks = ""
        for row in self.table["rows"]:
            for rows in (row["rows_low"], row["rows_high"]):
                checks += (f'  {{ constexpr auto p = *fusetune_configs::split_reshape_cat_config_picker("unknown", '
                           f'"host-w64", "host-w64", "{row["geometry"]["key"]}", {rows});\n'
                           f'    static_assert(p.block_size == {row["axes"]["block_size"]});\n'
                           f'    static_assert(std::string_view(p.implementation) == "{row["implementation"]}"); }}\n')
        checks += ('  static_assert(fusetune_configs::split_reshape_cat_config_picker("cdna3", "gfx942", "x", "", 1) '
                   '== nullptr);\n')
        source = self.write("use.cpp", f'#include "{files[0]}"\nint main() {{\n{checks}}}\n')
        built = subprocess.run(["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", source],
                               capture_output=True, text=True)
        self.assertEqual(built.returncode, 0, built.stderr)
        self.assertEqual(len(self.import_back("rocprim-header", files[0])["records"]), len(self.table["rows"]))

    def test_a_sweep_of_imported_variants_races_them_here(self):
        _, files = self.export("kernel-tuner", "--case", CASE)
        sweep = self.dir / "imported.yaml"
        document = self.run_json("import", "--format", "kernel-tuner", files[0], "--case", CASE, "--sweep", sweep,
                                 "--top", "2")
        self.assertEqual(len(document["candidates"]["variants"]), 2)
        tuned = self.run_program("tune", sweep)
        self.assertEqual(tuned.returncode, 0, tuned.stdout + tuned.stderr)
        table = json.loads((self.dir / "results/host-w64/split_reshape_cat.json").read_text())
        raced = self.run_json("records", "list", "--kind", "race")
        self.assertEqual(len(raced["records"]), 1)
        self.assertEqual(table["rows"][0]["tuned_at"], 16)
        self.assertLessEqual(table["rows"][0]["certificate"]["candidates"], 3)  # they and the baseline

    def test_the_rules_refuse_what_breaks_them(self):
        def refused(document, schema, change):
            jsonschema.validate(document, schema)
            change(document)
            with self.assertRaises(jsonschema.ValidationError):
                jsonschema.validate(document, schema)
        t4 = strict(next(file for file in self.export("t4")[1] if "results" in file.name))
        refused(t4, T4_RESULTS, lambda d: d["results"][0].pop("correctness"))
        metadata = strict(next(file for file in self.export("t4")[1] if "metadata" in file.name))
        refused(metadata, T4_METADATA, lambda d: d["metadata"]["hardware"].update(lshw="x"))
        refused(strict(self.export("t1")[1][0]), T1, lambda d: d["KernelSpecification"].update(Language="HIP"))
        cache = strict(self.export("kernel-tuner")[1][0])
        refused(cache, CACHE, lambda d: next(iter(d["cache"].values())).update(time="VerificationFailed"))
        with self.assertRaises(AssertionError):
            strict(self.write("nan.json", '{"a": [NaN]}'))
        with self.assertRaises(AssertionError):
            strict(self.write("twice.json", '{"a": 1, "a": 2}'))

    def test_what_is_not_there_is_an_error_with_the_nearest_name(self):
        for arguments, message in (
                (("export", "--format", "t5"), "did you mean"),
                (("export", "--format", "t4", "--family", "split_reshape_ca"), "did you mean 'split_reshape_cat'"),
                (("export", "--format", "aiter-csv", "--device", "host-w32"), "host-w64"),
                (("export", "--format", "t4", "--out", "one.json"), "3 files"),
                (("import", "--format", "t4", "nowhere.json"), "nowhere.json is no file"),
                (("import", "--format", "t4", "small.yaml"), "small.yaml:")):
            result = self.run_program(*arguments, cwd=self.run_dir)
            self.assertEqual(result.returncode, 64, arguments)
            self.assertIn(message, harness.unwrapped(result.stderr), arguments)

    def test_one_file_may_be_named(self):
        path = self.dir / "tuned.csv"
        self.assertEqual(self.run_program("export", "--format", "aiter-csv", "--out", path,
                                          cwd=self.run_dir).returncode, 0)
        self.assertTrue(path.read_text().startswith("gfx,cu_num"))


if __name__ == "__main__":
    harness.main()
