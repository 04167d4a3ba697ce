"""From a sweep to a table, again, and the header as a downstream user compiles it."""

import json
import pathlib
import subprocess

import harness

WEIGHT_SWEEP = """sweep: weights
device: host-w64
families:
  - family: gdn_weight_pack
    symbols: [{ratio: 2, hk: 16, hv: 16}]
    nk: [1, 2]
    runtime: {columns: 64}
    space: 2
measure: {budget_s: 2}
"""
BATCH_SWEEP = """sweep: batches
device: host-w64
families:
  - family: rmsnorm_gemma
    symbols: [{width: 512}]
    tokens: [1, 65]
    batch_invariant: true
    axes: {persistent: off, row_cache: registers}
    space: 8
measure: {budget_s: 4}
"""

class Tune(harness.ProgramTest):
    def test_sweep_to_table_and_again_without_work(self):
        sweep = self.write("small.yaml", harness.SMALL_SWEEP)
        first = self.run_json("tune", sweep)
        self.assertGreater(first["compiled"], 3)
        self.assertGreater(first["checks"]["exact"], 0)
        self.assertGreater(first["checks"]["row_padding"], 0)
        self.assertEqual(first["measured"], 2)
        self.assertEqual([row["status"] for row in first["rows"]], ["ok", "ok"])
        tables = {path: (self.dir / path).read_bytes() for path in first["files"]}
        self.assertGreaterEqual(len(tables), 3)

        second = self.run_json("tune", sweep)
        for key in ("compiled", "proved", "measured"):
            self.assertEqual(second[key], 0, key)
        self.assertEqual(second["compile_found"], first["compiled"])
        for path, content in tables.items():
            self.assertEqual((self.dir / path).read_bytes(), content, path)

        text = self.run_program("tune", sweep)
        self.assertIn("Nothing was compiled, proved or measured", text.stdout)
        self.assertIn("results/host-w64/split_reshape_cat.yaml", text.stdout)
        for line in (text.stdout + text.stderr).splitlines():
            if "fusetune " not in line:
                self.assertLessEqual(len(line), 100, line)
        # Headings leave out what is the default, and paste back.
        self.assertIn("\nsplit_reshape_cat(layout=contiguous,nk=2,nv=6)\n", text.stdout)
        explained = self.run_program("explain", "split_reshape_cat(layout=contiguous,nk=2,nv=6,tokens=1)")
        self.assertTrue(explained.stdout.startswith("split_reshape_cat(layout=contiguous,nk=2,nv=6,tokens=1)\n"), explained.stdout)

    def test_rows_of_a_batch_invariant_table_are_of_one_class(self):
        sweep = self.write("batches.yaml", BATCH_SWEEP)
        document = self.run_json("tune", sweep)
        table = json.loads((self.dir / "results/host-w64/rmsnorm_gemma.json").read_text())
        classes = {row["certificate"]["batch_class"] for row in table["rows"]}
        self.assertEqual(len(classes), 1)
        verdicts = document["proofs"]["geometries"][0]["batch_invariance"]
        members = {one["class"]: one["variants"] for one in verdicts["classes"]}
        # A sum over other chunks rounds otherwise: there must be something to keep apart.
        self.assertGreater(len(members), 1)
        self.assertGreater(verdicts["bytes"], 0)
        for row in table["rows"]:
            self.assertIn(row["variant"], members[row["certificate"]["batch_class"]])
        self.assertIn("chosen", self.run_program("explain", document["rows"][0]["case"]).stdout)
        # Found in the store, it is the same table.
        again = self.run_json("tune", sweep)
        self.assertEqual([again[key] for key in ("compiled", "proved", "measured")], [0, 0, 0])
        self.assertEqual(json.loads((self.dir / "results/host-w64/rmsnorm_gemma.json").read_text()), table)

    def test_shapes_may_follow_several_runtime_symbols(self):
        files = self.run_json("tune", self.write("weights.yaml", WEIGHT_SWEEP))["files"]
        replay, = [path for path in files if path.endswith("_test.cpp")]
        program = self.dir / "replay"
        subprocess.run(["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", self.dir / replay, "-o", program], check=True)
        subprocess.run([program], check=True)

    def test_every_row_is_replayed_through_the_header(self):
        sweep = self.write("small.yaml", harness.SMALL_SWEEP)
        files = self.run_json("tune", sweep)["files"]
        replay = [path for path in files if path.endswith("_test.cpp")]
        self.assertEqual(len(replay), 1, files)
        program = self.dir / "replay"
        subprocess.run(["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", self.dir / replay[0], "-o", program],
                       check=True)
        subprocess.run([program], check=True)

        # A row that is not what was measured must not pass.
        header = self.dir / [path for path in files if path.endswith(".hpp")][0]
        text = header.read_text()
        self.assertIn("block_size", text)
        row = json.loads((self.dir / [p for p in files if p.endswith(".json")][0]).read_text())
        self.assertIn("rows", row)
        planted = text.replace(row["rows"][0]["code_identity"], "0" * 32)
        self.assertNotEqual(planted, text)
        header.write_text(planted)
        subprocess.run(["g++", "-std=c++17", self.dir / replay[0], "-o", program], check=True)
        self.assertNotEqual(subprocess.run([program], capture_output=True).returncode, 0)

    def test_the_example_of_the_guide_compiles_and_finds_a_row(self):
        self.run_json("tune", self.write("small.yaml", harness.SMALL_SWEEP))
        example = (harness.ROOT / "docs/header.md").read_text().split("```cpp\n")[1].split("```")[0]
        source = self.write("example.cpp", example)
        subprocess.run(["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-I",
                        self.dir / "results/host-w64", source, "-o", self.dir / "example"], check=True)
        result = subprocess.run([self.dir / "example"], capture_output=True, text=True)
        self.assertIn(result.returncode, (0, 2))
        self.assertIn("-DFT_NK=2", result.stdout)
        self.assertIn("grid", result.stdout)

    def test_code_objects_do_not_depend_on_the_token_count(self):
        def compilations(tokens):
            text = harness.SMALL_SWEEP.replace("tokens: {1: 0.5, 16: 0.5}", f"tokens: {tokens}")
            return self.run_json("tune", self.write("t.yaml", text), "--dry-run")

        one = compilations([1])
        many = compilations(list(range(1, 4097)))
        self.assertEqual(len(many["geometries"]), 1)
        self.assertEqual(len(many["geometries"][0]["cases"]), 4096)
        self.assertEqual(one["compilations"], many["compilations"])

    def test_families_of_a_sweep_can_be_tuned_alone(self):
        other = "  - family: rmsnorm_gated\n    symbols: [{heads: 2}]\n    tokens: [1]\n"
        text = harness.SMALL_SWEEP.replace("measure:", other + "measure:")
        sweep = self.write("two.yaml", text)
        geometries = lambda *options: [one["geometry"].partition("(")[0]
                                       for one in self.run_json("tune", sweep, "--dry-run", *options)["geometries"]]
        both = ["rmsnorm_gated", "split_reshape_cat"]
        self.assertEqual(sorted(geometries()), both)
        self.assertEqual(geometries("--family", "rmsnorm_gated"), both[:1])
        self.assertEqual(geometries("--family", "split_reshape_cat"), both[1:])
        self.assertEqual(sorted(geometries("--family", both[1], "--family", both[0])), both)
        result = self.run_program("tune", sweep, "--dry-run", "--family", "rmsnorm_gate")
        self.assertEqual(result.returncode, 64)
        self.assertIn("did you mean 'rmsnorm_gated'", " ".join(result.stderr.split()))

    def test_a_second_model_keeps_the_rows_of_the_first(self):
        self.run_json("tune", self.write("a.yaml", harness.SMALL_SWEEP))
        other = harness.SMALL_SWEEP.replace("qwen3.5-27b@tp8", "qwen3-next-80b@tp8")
        self.run_json("tune", self.write("b.yaml", other))
        table = json.loads((self.dir / "results/host-w64/split_reshape_cat.json").read_text())
        self.assertEqual(len({json.dumps(row["geometry"]) for row in table["rows"]}), 2)
        self.assertEqual(len(table["rows"]), 4)

    def rows(self):
        table = json.loads((self.dir / "results/host-w64/split_reshape_cat.json").read_text())
        return [(row["geometry"]["key"], row["rows_low"], row["rows_high"], row["variant"]) for row in table["rows"]]

    def test_another_token_count_keeps_the_others(self):
        self.run_json("tune", self.write("a.yaml", harness.SMALL_SWEEP))
        before = self.rows()
        self.assertEqual([row[1:3] for row in before], [(0, 1), (2, 16)])
        other = harness.SMALL_SWEEP.replace("tokens: {1: 0.5, 16: 0.5}", "tokens: [4]")
        self.run_json("tune", self.write("b.yaml", other))
        after = self.rows()
        self.assertEqual([row[1:3] for row in after], [(0, 1), (2, 4), (5, 16)])
        self.assertEqual([after[0][3], after[2][3]], [row[3] for row in before])

    def test_an_unreadable_table_is_not_overwritten(self):
        sweep = self.write("a.yaml", harness.SMALL_SWEEP)
        self.run_json("tune", sweep)
        table = self.dir / "results/host-w64/split_reshape_cat.yaml"
        table.write_text("<<<<<<< ours\n" + table.read_text())
        broken = table.read_bytes()
        result = self.run_program("tune", sweep)
        self.assertEqual(result.returncode, 64, result.stdout)
        self.assertIn("split_reshape_cat.yaml", result.stderr)
        self.assertEqual(table.read_bytes(), broken)

    def test_dtypes_of_one_size_share_their_code(self):
        text = harness.SMALL_SWEEP.replace("    tokens:", "    dtypes: {act: [bf16, fp16]}\n    tokens:")
        report = self.run_json("tune", self.write("dtypes.yaml", text))
        self.assertEqual(report["geometries"], 2)
        self.assertEqual([row["status"] for row in report["rows"]], ["ok"] * 4)
        alone = self.run_json("tune", self.write("one.yaml", harness.SMALL_SWEEP), "--dry-run")
        self.assertEqual(report["compiled"], alone["compilations"])

    def test_nothing_decided_is_no_success(self):
        text = harness.SMALL_SWEEP.replace("    tokens:", "    implementations: [views]\n    tokens:")
        report = self.run_json("tune", self.write("views.yaml", text), expect=4)
        self.assertEqual(report["files"], [])
        self.assertFalse((self.dir / "results").exists())

    def test_the_baseline_comes_along(self):
        text = harness.SMALL_SWEEP.replace("    tokens:", "    implementations: [fused]\n    tokens:")
        report = self.run_json("tune", self.write("fused.yaml", text))
        self.assertTrue(all(row["versus_baseline"] > 0 for row in report["rows"]), report["rows"])

    def test_no_rows_launch_nothing_and_a_budget_that_cut_is_not_final(self):
        text = harness.SMALL_SWEEP.replace("tokens: {1: 0.5, 16: 0.5}", "tokens: [0, 16]")
        sweep = self.write("zero.yaml", text)
        report = self.run_json("tune", sweep, "--budget-s", "0.001")
        self.assertEqual([row["status"] for row in report["rows"]], ["skipped", "ok"])
        self.assertIn("nothing is launched", report["rows"][0]["message"])
        self.assertEqual(self.run_json("tune", sweep, "--budget-s", "0.001")["measured"], 0)
        self.assertEqual(self.run_json("tune", sweep, "--budget-s", "20")["measured"], 1)

    def test_explain_says_why(self):
        sweep = self.write("small.yaml", harness.SMALL_SWEEP)
        row = self.run_json("tune", sweep)["rows"][0]
        explained = self.run_json("explain", row["case"])
        self.assertTrue(explained["reason"])
        chosen = [arm for arm in explained["arms"] if arm["standing"] == "chosen"]
        self.assertEqual([arm["variant"] for arm in chosen], [row["variant"]])


if __name__ == "__main__":
    harness.main()
