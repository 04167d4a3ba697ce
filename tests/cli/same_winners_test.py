"""scripts/same-winners: two sweeps that agree, tie or do not, and what is no export."""

import json
import subprocess
import sys
import tarfile

import harness

FAULTS = harness.ROOT / "tests" / "faults"


class SameWinners(harness.ProgramTest):
    def run_script(self, *arguments, expect=0):
        result = subprocess.run([sys.executable, harness.ROOT / "scripts" / "same-winners", *map(str, arguments)], cwd=self.dir,
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def write_race(self, sweep, case, times):
        """A result file as the program exports it, as far as it is read."""
        results = [{"x_fusetune": {"variant": variant}, "measurements": [{"name": "time", "value": us / 1000}, {"name": "vgpr", "value": 1}]}
                   for variant, us in times.items()]
        document = {"x_fusetune": {"case": case, "device": "gpu", "data": "cold"}, "results": results}
        self.write(f"{sweep}/{case}.t4-results.json", json.dumps(document))

    def kind(self, first, second):
        """Of one case."""
        self.write_race("first", "case", first)
        self.write_race("second", "case", second)
        found = json.loads(self.run_script("first", "second", "--json", "--share-percent", 0))
        return found["cases"]["case on gpu, cold"]["kind"]

    def test_the_same_tied_or_apart(self):
        self.assertEqual(self.kind({"a": 10, "b": 11}, {"a": 12, "b": 12.5}), "same")
        self.assertEqual(self.kind({"a": 10, "b": 10.04}, {"a": 10.04, "b": 10}), "tied")
        self.assertEqual(self.kind({"a": 10, "b": 10.04}, {"a": 10.1, "b": 10}), "apart", "both sweeps have to call it a tie")
        self.assertEqual(self.kind({"a": 10, "b": 11}, {"a": 11, "b": 10}), "apart")

    def test_only_what_both_timed_counts(self):
        self.assertEqual(self.kind({"a": 10, "b": 11, "c": 5}, {"a": 10, "b": 11, "d": 4}), "same")
        self.write_race("first", "other", {"a": 1, "b": 2})
        self.assertIn("not compared: 1 cases", self.run_script("first", "second"))

    def test_too_few_that_agree_is_a_failure_that_names_them(self):
        for number in range(10):
            self.write_race("first", f"case{number}", {"a": 10, "b": 11})
            self.write_race("second", f"case{number}", {"a": 10, "b": 11} if number else {"a": 11, "b": 10})
        out = self.run_script("first", "second", expect=1)
        self.assertIn("the same in 9 (90.0 %), tied in 0 (0.0 %), apart in 1 (10.0 %)", out)
        self.assertIn("apart: case0 on gpu, cold: a, then b; the second is behind by 10.00 % in the first sweep", out)
        self.run_script("first", "second", "--share-percent", 90)

    def test_nothing_in_common_is_no_agreement(self):
        self.write_race("first", "one", {"a": 10, "b": 11})
        self.write_race("second", "two", {"a": 10, "b": 11})
        self.assertIn("nothing was compared", self.run_script("first", "second", expect=4))
        self.write_race("second", "one", {"a": 10})
        self.assertIn("nothing was compared", self.run_script("first", "second", expect=4))

    def test_what_is_no_export(self):
        self.write_race("first", "one", {"a": 10, "b": 11})
        self.write("empty/readme.txt", "")
        self.write("foreign/one.t4-results.json", '{"results": []}')
        for wrong, said in (("missing", "neither a folder nor an archive"), ("empty", "there is no *"), ("foreign", "did not export")):
            self.assertIn(said, self.run_script("first", wrong, expect=64))

    def test_archives_and_their_folders(self):
        for sweep in ("first", "second"):
            self.write_race(sweep, "one", {"a": 10, "b": 11})
        with tarfile.open(self.dir / "both.tar.xz", "w:xz") as archive:
            for sweep in ("first", "second"):
                archive.add(self.dir / sweep, sweep)
        self.assertIn("the same in 1 (100.0 %)", self.run_script("both.tar.xz:first", "both.tar.xz:second"))
        self.assertIn("there twice", self.run_script("both.tar.xz", "first", expect=64))

    def test_reads_what_the_program_exports(self):
        environment = self.environment(FUSETUNE_KERNEL_PATH=str(FAULTS / "kernels"))
        for seed in (1, 2):
            arguments = ("--store", self.dir / f"store{seed}", "--results", self.dir / "results")
            self.run_json(*arguments, "--seed", seed, "tune", FAULTS / "simulated.yaml", "--family", "simulated_rows", environment=environment)
            self.run_json(*arguments, "export", "--format", "t4", "--out", self.dir / f"t4-{seed}", environment=environment)
        self.assertRegex(self.run_script("t4-1", "t4-2", "--share-percent", 0), r"2 cases of [1-9]\d* to ")


if __name__ == "__main__":
    harness.main()
