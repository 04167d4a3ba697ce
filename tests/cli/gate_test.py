"""The gate with a clock, on the simulated device: what it accepts, compares, finds, and refuses."""

import shutil

from harness import ROOT, ProgramTest, main, unwrapped

SWEEP = """
sweep: gated
device: simulated
families:
  - family: simulated_rows
    symbols: [{{nk: 1, nv: 2}}]
    tokens: {tokens}
    axes: {{block_size: [64], rows_per_iter: [1], chunk: [{chunk}], order: [forward], prefetch: [off]}}
measure: {{data: hot, budget_s: 60}}
"""

# What is drawn follows the code, and with it the place of this test's folder: no two runs draw the same. With half of the
# usual noise what these tests expect is more than five standard errors away.
NOISE = "noise: {session: 0.01, drift: 0.008, placement: 0.005, sample: 0.008, outliers: 0.03, outlier_excess: 0.1}"

# 40 us, and 5 % more for each chunk above the first.
SIMULATION = """
simulation: gated
seed: {seed}
time_ns:
  simulated_rows: 38000 + 2000 * chunk
  simulated_rows_plain: 60000
{more}
"""


class GateTest(ProgramTest):
    def setUp(self):
        super().setUp()
        shutil.copytree(ROOT / "tests/faults/kernels", self.dir / "kernels")
        self.source = self.dir / "kernels/simulated_rows/simulated_rows.hip"
        self.family = self.dir / "kernels/simulated_rows/family.yaml"
        self.simulate()
        self.sweep(1)

    def environment(self, **more):
        return super().environment(FUSETUNE_KERNEL_PATH=str(self.dir / "kernels"),
                                   FUSETUNE_SIMULATION=str(self.dir / "simulation.yaml"), **more)

    def simulate(self, more="", seed=1):
        self.write("simulation.yaml", SIMULATION.format(more=more, seed=seed))

    def sweep(self, chunk, tokens="{1: 0.5, 16: 0.3, 256: 0.2}", name="gated.yaml"):
        return self.write(name, SWEEP.format(chunk=chunk, tokens=tokens))

    def accept(self, expect=0, baseline="baseline.yaml"):
        return self.run_json("baseline", "accept", "gated.yaml", "--baseline", baseline, expect=expect)

    def gate(self, *arguments, expect=0):
        return self.run_json("gate", "gated.yaml", "--baseline", "baseline.yaml", *arguments, expect=expect)

    def verdicts(self, report):
        return [finding["verdict"] for finding in report["findings"]]

    def test_equal_code_passes_by_identity_and_one_is_timed_all_the_same(self):
        self.assertEqual(self.accept()["accepted"], 3)
        report = self.gate("--strict", "--require-baseline")
        self.assertEqual(self.verdicts(report), ["PASS"] * 3)
        self.assertEqual((report["compared"], report["expected"]), (3, 3))
        self.assertTrue(all(finding["numbers"]["identical"] == 1 for finding in report["findings"]))
        timed = [finding for finding in report["findings"] if finding["numbers"].get("epochs", 0) > 0]
        self.assertEqual(len(timed), 1)
        self.assertEqual({finding["group"] for finding in report["findings"]}, {"decode", "prefill"})

    def test_a_changed_source_races_against_the_accepted_one(self):
        self.simulate(NOISE)
        self.accept()
        self.source.write_text(self.source.read_text() + "// the same work\n")
        report = self.gate()
        self.assertEqual(self.verdicts(report), ["PASS"] * 3)
        for finding in report["findings"]:
            self.assertGreaterEqual(finding["numbers"]["epochs"], 4, "timed, not settled by its code")
            self.assertLess(abs(finding["ratio"]["estimate"] - 1), 0.03)

    def test_five_percent_are_found_and_confirmed_in_fresh_processes(self):
        self.simulate(NOISE)
        self.accept()
        self.sweep(2, "{1: 0.5, 16: 0.25, 64: 0.25}")
        report = self.gate(expect=1)
        self.assertIn("REGRESSION", self.verdicts(report))
        for finding in report["findings"]:
            if finding["verdict"] != "REGRESSION":
                continue
            self.assertGreater(finding["ratio"]["low"], 1.03)
            self.assertLess(abs(finding["ratio"]["estimate"] - 1.05), 0.02)
            self.assertGreaterEqual(finding["numbers"]["processes"], 4)
            # Each process is a session of its own, even where times are drawn by counters.
            self.assertGreater(finding["ratio"]["high"] - finding["ratio"]["low"], 0.002)
        # 256 rows are accepted and not asked for any more; 64 have no baseline.
        self.assertIn("SKIPPED", self.verdicts(report))
        self.assertIn("NO_BASELINE", self.verdicts(report))
        self.assertEqual((report["compared"], report["expected"]), (2, 4))

    def test_what_is_allowed_is_no_regression(self):
        self.accept()
        self.sweep(2)
        self.assertEqual(self.verdicts(self.gate(expect=1)), ["REGRESSION"] * 3)
        self.assertEqual(self.verdicts(self.gate("--delta", "6%")), ["PASS"] * 3)
        self.assertEqual(self.verdicts(self.gate("--delta", "simulated_rows=6%")), ["PASS"] * 3)
        result = self.run_program("gate", "gated.yaml", "--delta", "simulated_row=6%")
        self.assertEqual(result.returncode, 64)
        self.assertIn("simulated_rows", result.stderr)

    def test_faster_is_an_improvement_and_suites_are_judged(self):
        self.sweep(4)
        self.accept()
        self.sweep(1, "{1: 0.5, 16: 0.3, 256: 0.2}")
        report = self.gate()
        self.assertEqual(self.verdicts(report), ["IMPROVEMENT"] * 3)
        self.sweep(4, "{1: 0.5, 8: 0.3, 16: 0.2}")
        self.accept()
        self.sweep(1, "{1: 0.5, 8: 0.3, 16: 0.2}")
        suite = self.gate()["suites"][0]
        self.assertEqual((suite["group"], suite["verdict"], suite["cases"]), ("decode", "IMPROVEMENT", 3))

    def test_a_slow_creep_is_found_by_the_anchor(self):
        self.accept(baseline="release.yaml")
        time = "38000 + 2000 * chunk"
        self.assertIn(time, SIMULATION)
        # 1 % a chunk: no step is a regression, and seven are more than 5 %.
        self.write("simulation.yaml", SIMULATION.replace(time, "39600 + 400 * chunk").format(more="", seed=1))
        self.sweep(6)
        self.accept()
        self.sweep(8)
        report = self.gate("--anchor", "release.yaml", expect=1)
        by_rule = {rule: [f["verdict"] for f in report["findings"] if f["rule"] == rule]
                   for rule in ("perf/ratio", "perf/anchor")}
        self.assertEqual(by_rule["perf/ratio"], ["PASS"] * 3)
        self.assertEqual(by_rule["perf/anchor"], ["REGRESSION"] * 3)

    def test_nothing_compared_fails(self):
        report = self.gate(expect=4)
        self.assertEqual(self.verdicts(report), ["NO_BASELINE"] * 3)
        self.assertEqual(report["compared"], 0)

    def test_a_case_without_baseline_fails_where_it_is_asked_to(self):
        self.accept()
        self.sweep(1, "{1: 0.5, 2: 0.5}")
        self.gate(expect=0)
        report = self.gate("--require-baseline", expect=4)
        self.assertEqual(sorted(self.verdicts(report)), ["NO_BASELINE", "PASS", "SKIPPED", "SKIPPED"])

    def test_a_wrong_candidate_is_never_timed(self):
        self.accept()
        self.sweep(2)
        self.simulate("faults: [{fault: wrong_result, entry: simulated_rows, variant: {chunk: 2}}]")
        report = self.gate(expect=2)
        self.assertEqual(self.verdicts(report), ["VERIFY_FAIL"] * 3)
        self.assertTrue(all(finding["ratio"] is None for finding in report["findings"]))
        self.accept(expect=4)

    def test_a_candidate_that_goes_wrong_while_it_is_timed(self):
        self.accept()
        self.sweep(2)
        self.simulate("faults: [{fault: wrong_result, entry: simulated_rows, variant: {chunk: 2}, launch: 150}]")
        report = self.gate(expect=2)
        self.assertIn("VERIFY_FAIL", self.verdicts(report))
        self.assertIn("verify/timed", [finding["rule"] for finding in report["findings"]])

    def test_a_candidate_that_dies_while_it_is_timed(self):
        self.accept()
        self.sweep(2, "{1: 1.0}")
        self.simulate("faults: [{fault: worker_death, entry: simulated_rows, variant: {chunk: 2}, launch: 150}]")
        self.assertIn("CRASH", self.verdicts(self.gate(expect=5)))

    def test_a_baseline_that_is_wrong_here_is_a_changed_environment(self):
        self.accept()
        self.sweep(2)
        self.simulate("faults: [{fault: wrong_result, entry: simulated_rows, variant: {chunk: 1}}]")
        report = self.gate(expect=4)
        self.assertEqual(self.verdicts(report), ["ENV_CHANGED"] * 3)
        self.assertIn("fails its proof", report["findings"][0]["reason"])

    def test_a_baseline_that_does_not_compile_here_is_a_changed_environment(self):
        self.accept()
        self.sweep(2)
        self.simulate("faults: [{fault: compile_error, entry: simulated_rows, variant: {chunk: 1}}]\ncompiler_version: 2")
        report = self.gate(expect=4)
        self.assertEqual(self.verdicts(report), ["ENV_CHANGED"] * 3)
        self.assertIn("does not compile", report["findings"][0]["reason"])

    def test_another_compiler_breaks_the_trend_and_not_the_ratio(self):
        self.accept()
        self.sweep(2)
        self.simulate("compiler_version: 2")
        report = self.gate(expect=1)
        self.assertIn("trend broken", " ".join(report["findings"][0]["chain"]))

    def test_a_changed_family_races_against_the_accepted_one(self):
        self.accept()
        text = self.family.read_text()
        self.family.write_text(text.replace("simulated_rows, grid: [", "simulated_rows, grid: [1 + ").replace(
            "[1 + \"ceil_div(tokens, rows_per_iter)\"]", "[\"1 + ceil_div(tokens, rows_per_iter)\"]"))
        self.assertNotEqual(text, self.family.read_text())
        self.simulate()
        self.write("simulation.yaml", SIMULATION.format(more="", seed=1).replace(
            "2000 * chunk", "2000 * chunk + 4000 * (grid_blocks - tokens)"))
        # The code is the same and the launches are not: one block more, which takes 10 % more time.
        report = self.gate(expect=1)
        self.assertEqual(self.verdicts(report), ["REGRESSION"] * 3)
        self.assertAlmostEqual(report["findings"][0]["ratio"]["estimate"], 1.1, 2)

    def test_tensors_of_another_shape_cannot_be_compared(self):
        self.accept()
        text = self.family.read_text()
        changed = text.replace("z: {role: out, dtype: act, shape: [tokens, nv, hv]",
                               "z: {role: out, dtype: act, shape: [tokens, nv * hv]")
        self.assertNotEqual(text, changed)
        self.family.write_text(changed)
        report = self.gate(expect=4)
        self.assertEqual(self.verdicts(report), ["ENV_CHANGED"] * 3)
        self.assertIn("tensor z", report["findings"][0]["reason"])

    def test_an_edited_baseline_and_a_damaged_source_are_refused(self):
        self.accept()
        baseline = self.dir / "baseline.yaml"
        text = baseline.read_text()
        baseline.write_text(text.replace("chunk=1", "chunk=2"))
        result = self.run_program("gate", "gated.yaml", "--baseline", "baseline.yaml")
        self.assertEqual(result.returncode, 64)
        self.assertIn("baseline.yaml:4:", result.stderr)
        baseline.write_text(text)
        shutil.rmtree(self.dir / ".fusetune")
        for file in (self.dir / "baseline.yaml.sources").iterdir():
            file.write_text(file.read_text() + "\n")
        report = self.gate(expect=4)
        self.assertIn("damaged", report["findings"][0]["reason"])

    def test_accept_shows_what_changed(self):
        first = self.accept()
        self.assertEqual(len(first["changes"]), 3)
        self.assertTrue(all(line.startswith("+ simulated_rows(") for line in first["changes"]))
        text = (self.dir / "baseline.yaml").read_bytes()
        self.assertEqual(self.accept()["changes"], [])
        self.assertEqual((self.dir / "baseline.yaml").read_bytes(), text)
        shutil.copytree(self.dir / "baseline.yaml.sources", self.dir / "old.yaml.sources")
        (self.dir / "old.yaml").write_bytes(text)
        self.sweep(2, "{1: 1.0}")
        self.accept()
        result = self.run_program("baseline", "diff", "old.yaml", "baseline.yaml")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("variant block_size=64,chunk=1", unwrapped(result.stdout))
        self.assertEqual(self.run_program("baseline", "diff", "old.yaml", "old.yaml").returncode, 0)
        shown = self.run_json("baseline", "show", "baseline.yaml")
        self.assertEqual(len(shown), 3, "what the sweep does not name stays")
        text = self.run_program("baseline", "show", "baseline.yaml").stdout
        self.assertTrue(all(len(line) <= 100 for line in text.splitlines()), text)
        for name in (self.dir / "baseline.yaml.sources").iterdir():
            self.assertRegex(name.name, r"^[0-9a-f]{32}\.(hip|h|yaml)$")

    def test_the_table_says_what_would_be_shipped(self):
        self.accept()
        self.sweep("1, 2")
        self.assertEqual(self.run_program("tune", "gated.yaml").returncode, 0)
        report = self.gate()
        self.assertIn("by the table of this device", report["findings"][0]["chain"][0])

    def test_a_noisy_machine_is_blamed(self):
        self.accept()
        self.source.write_text(self.source.read_text() + "// the same work\n")
        self.simulate("noise: {session: 0, drift: 0, placement: 0, sample: 1, outliers: 0, outlier_excess: 0.2}")
        report = self.gate()
        # One in forty looks is lucky, and says that the candidate is surely not slower.
        self.assertIn("NOISE_LIMITED", self.verdicts(report))
        self.assertLessEqual(set(self.verdicts(report)), {"NOISE_LIMITED", "PASS"})
        self.gate("--strict", expect=3)


if __name__ == "__main__":
    main()
