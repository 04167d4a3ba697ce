"""Proofs as GoogleTest's tests and stored times as Google Benchmark's, by what those tools write."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import harness

BUILD = pathlib.Path(os.environ["FUSETUNE_BUILD"])
CASE = "split_reshape_cat(act=bf16,ba=bf16,hk=128,hv=128,layout=contiguous,nk=2,nv=6,tokens=16,zero_fill=off)"


class BridgeTest(harness.ProgramTest):
    def bridge(self, name, *arguments, **environment):
        return subprocess.run([BUILD / name, *map(str, arguments)], cwd=self.dir, capture_output=True, text=True,
                              env=self.environment(**environment), stdin=subprocess.DEVNULL, timeout=300)

    def names(self, *arguments, **environment):
        """Of the tests that ran, in order, with what became of them."""
        path = self.dir / "report.xml"
        result = self.bridge("fusetune_gtest", *arguments, f"--gtest_output=xml:{path}", **environment)
        tests = xml.etree.ElementTree.parse(path).getroot().iter("testcase")
        return result, [(test.get("classname") + "." + test.get("name"), test) for test in tests
                        if test.get("status") == "run"]


class GoogleTestBridge(BridgeTest):
    def setUp(self):
        super().setUp()
        self.sweep = self.write("small.yaml", harness.SMALL_SWEEP)

    def test_every_variant_is_a_test_and_each_was_compared(self):
        plan = self.run_json("tune", self.sweep, "--dry-run")["geometries"][0]
        result, tests = self.names(self.sweep)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual([name for name, _ in tests],
                         [f"{plan['geometry']}.{key}" for key in plan["variants"]
                          if key != "implementation=views"])
        for _, test in tests:
            self.assertTrue(test.get("file").endswith("split_reshape_cat/family.yaml"))
            self.assertGreater(int(test.get("line")), 0)
            said = {one.get("name"): one.get("value") for one in test.iter("property")}
            self.assertEqual(said["outcome"], "ok")
            self.assertGreater(int(said["comparisons"]), 1000)
            self.assertIn("host-w64", said["proved_on"])

    def test_shards_are_all_tests_once(self):
        everything = [name for name, _ in self.names(self.sweep, "--store", "store")[1]]
        parts = []
        for shard in range(3):
            parts.append([name for name, _ in self.names(
                self.sweep, "--store", "store", GTEST_TOTAL_SHARDS="3", GTEST_SHARD_INDEX=str(shard))[1]])
        self.assertEqual(sorted(sum(parts, [])), sorted(everything))
        self.assertGreater(min(map(len, parts)), 1)
        self.assertEqual({path.name for path in (self.dir / "store").glob("shard-*")},
                         {"shard-0", "shard-1", "shard-2"})

    def test_a_filter_proves_what_it_selects_alone(self):
        result, tests = self.names(self.sweep, "--store", "store", "--gtest_filter=*block_size=128*rows_per_iter=1*")
        self.assertEqual((result.returncode, len(tests)), (0, 1), result.stdout)
        proofs = self.run_json("--store", "store", "records", "list", "--kind", "proof")["records"]
        self.assertEqual(len(proofs), 2)  # it and the baseline
        again = self.bridge("fusetune_gtest", self.sweep, "--store", "store", "--gtest_filter=*block_size=128*")
        self.assertEqual(again.returncode, 0)

    def test_nothing_selected_is_no_success(self):
        result = self.bridge("fusetune_gtest", self.sweep, "--gtest_filter=nothing")
        self.assertEqual(result.returncode, 4)
        self.assertIn("nothing was compared", result.stderr)

    def test_wrong_kernels_fail_with_their_reason_and_a_command(self):
        result, tests = self.names(
            harness.ROOT / "tests/faults/faulty.yaml",
            "--gtest_filter=*fault=none*:*fault=wrong_head*:*fault=does_not_compile*:*fault=writes_out_of_bounds*",
            FUSETUNE_KERNEL_PATH=str(harness.ROOT / "tests/faults/kernels"))
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        found = {}
        for name, test in tests:
            said = {one.get("name"): one.get("value") for one in test.iter("property")}
            messages = [failure.get("message") for failure in test.iter("failure")]
            fault = name.partition("fault=")[2].partition(",")[0]
            found.setdefault(fault, set()).add(said["outcome"])
            self.assertEqual(bool(messages), said["outcome"] != "ok", name)
            for message in messages:
                self.assertIn("fusetune verify 'faulty_rows(", message)
                self.assertIn("--device host-w64", message)
        # The baseline has the fault `none` as well.
        self.assertEqual({fault: outcomes for fault, outcomes in found.items() if fault}, {
            "none": {"ok"}, "wrong_head": {"verification_failed"}, "does_not_compile": {"compile_error"},
            "writes_out_of_bounds": {"out_of_bounds"}})

    def test_a_sweep_that_is_wrong_is_an_error_with_its_place(self):
        wrong = self.write("wrong.yaml", harness.SMALL_SWEEP.replace("space: 6", "spaec: 6"))
        result = self.bridge("fusetune_gtest", wrong)
        self.assertEqual(result.returncode, 64)
        self.assertRegex(result.stderr, r"wrong\.yaml:\d+:\d+")


class GoogleBenchmarkBridge(BridgeTest):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="fusetune-test-")
        cls.addClassCleanup(scratch.cleanup)
        cls.run_dir = pathlib.Path(scratch.name)
        (cls.run_dir / "small.yaml").write_text(harness.SMALL_SWEEP)
        subprocess.run([harness.PROGRAM, "tune", "small.yaml"], cwd=cls.run_dir, check=True, capture_output=True)

    def told(self, *arguments):
        path = self.dir / "told.json"
        result = self.bridge("fusetune_gbench", "--store", self.run_dir / ".fusetune", "--results",
                             self.run_dir / "results", *arguments, f"--benchmark_out={path}")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        runs = {}
        for run in json.loads(path.read_text())["benchmarks"]:
            if run["run_type"] == "iteration":
                runs.setdefault(run["run_name"].split("/iterations:")[0], []).append(run)
        return runs

    def test_samples_are_told_as_they_were_recorded(self):
        runs = self.told("--all", "--case", CASE)
        race = next(record for record in self.run_json("records", "list", "--kind", "race", cwd=self.run_dir)[
            "records"] if record["subject"].startswith(CASE))
        data = self.run_json("records", "show", race["key"], cwd=self.run_dir)["data"]
        samples = {}
        for row in data["result"]["samples"]:
            samples.setdefault(data["arms"][row[0]], []).append(row[4])
        self.assertEqual({name.rsplit("/", 1)[1] for name in runs}, set(samples))
        for name, repetitions in runs.items():
            stored = samples[name.rsplit("/", 1)[1]]
            self.assertEqual([run["repetition_index"] for run in repetitions], list(range(len(stored))))
            for run, us in zip(repetitions, stored):
                self.assertEqual((run["iterations"], run["time_unit"]), (1, "us"))
                self.assertAlmostEqual(run["real_time"], us, delta=1e-6 * us)

    def test_winners_and_baselines_have_names_that_stay(self):
        runs = self.told()
        table = json.loads((self.run_dir / "results/host-w64/split_reshape_cat.json").read_text())
        self.assertEqual(len(runs), 4)
        for row in table["rows"]:
            winner, = (runs[name] for name in runs
                       if name.endswith("/winner") and f"tokens={row['tuned_at']}," in name)
            self.assertEqual({run["label"] for run in winner}, {row["variant"]})

    def test_what_is_not_there_is_said(self):
        self.assertEqual(self.bridge("fusetune_gbench", "--store", "nowhere").returncode, 64)
        result = self.bridge("fusetune_gbench", "--store", self.run_dir / ".fusetune", "--results", "nowhere")
        self.assertIn("no table has a row for it", result.stderr)
        result = self.bridge("fusetune_gbench", "--store", self.run_dir / ".fusetune", "--benchmark_filter=nothing")
        self.assertEqual(result.returncode, 4)

    def test_a_sweep_is_measured_first_where_it_is_asked_for(self):
        sweep = self.write("small.yaml", harness.SMALL_SWEEP.replace("space: 6", "space: 2"))
        result = self.bridge("fusetune_gbench", "--sweep", sweep, "--benchmark_format=json")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertGreater(len(json.loads(result.stdout)["benchmarks"]), 8)
        self.assertTrue((self.dir / ".fusetune/records.sqlite").exists())


if __name__ == "__main__":
    harness.main()
