"""What the AMD compiler makes of the shipped kernels."""

import harness


def instructions(counts, bytes_per_lane):
    return sum(count["instructions"] for count in counts if count["bytes_per_lane"] == bytes_per_lane)


class NoCompiler(harness.ProgramTest):
    def test_text_and_json_end_alike(self):
        for options in ([], ["--json"]):
            with self.subTest(options):
                result = self.run_program(*options, "inspect", "--family", "split_reshape_cat", "--target", "sm_90",
                                          "--model", "qwen3.5-27b", "--tp", 8, "--space", 1,
                                          environment={**self.environment(), "FUSETUNE_MODULE_DIR": str(self.dir)})
                self.assertEqual(result.returncode, 4, result.stdout + result.stderr)
                self.assertIn("sm_90", result.stderr)


class EntryNames(harness.ProgramTest):
    def test_are_whole(self):
        arguments = ["inspect", "--family", "split_reshape_cat", "--target", "host-w64", "--model", "qwen3.5-27b",
                     "--tp", 8, "-o", "layout=contiguous", "--space", 2]
        entries = {kernel["entry"] for unit in self.run_json(*arguments)["units"]
                   for kernel in unit["facts"]["kernels"]}
        self.assertTrue(entries)
        text = self.run_program(*arguments).stdout
        for entry in entries:
            self.assertIn(entry, text)
        for line in text.splitlines():
            if "=" not in line:
                self.assertLessEqual(len(line), 100, line)


class Case(harness.ProgramTest):
    def test_a_key_takes_no_shapes(self):
        key = "split_reshape_cat(nk=2,nv=4,tokens=8)"
        self.assertTrue(self.run_json("inspect", "--case", key, "--target", "host-w64", "--space", 1)["units"])
        for more in (("--family", "split_reshape_cat"), ("--model", "all"), ("--tp", 8), ("-o", "nk=2"), ("--tokens", 1)):
            with self.subTest(more):
                result = self.run_program("inspect", "--case", key, "--target", "host-w64", *more)
                self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
                self.assertRegex(harness.unwrapped(result.stderr), "says its (shapes|family) itself")


class Inspect(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        compilers = self.run_json("devices")["compilers"]
        if not any(c["target"] == "gfx90a" and c["available"] for c in compilers):
            self.skipTest("the AMD module is not built here")

    def units(self, *arguments):
        return self.run_json("inspect", "--family", "split_reshape_cat", "--target", "gfx90a", "--model",
                             "qwen3.5-27b", "--tp", 8, *arguments)["units"]

    def test_wide_accesses_where_claimed_and_no_spills(self):
        units = self.units("-o", "layout=interleaved,contiguous", "--space", "pairwise")
        wide = 0
        for unit in units:
            self.assertEqual(unit["status"], "ok", unit)
            for kernel in unit["facts"]["kernels"]:
                self.assertEqual(kernel["vgpr_spills"], 0, unit)
                self.assertEqual(kernel["scratch_bytes"], 0, unit)
                self.assertEqual(kernel["wave_size"], 64)
                if "vector_bytes=16" in unit["variant"]:
                    wide += 1
                    self.assertGreater(instructions(kernel["global_loads"], 16), 0, unit)
                    self.assertGreater(instructions(kernel["global_stores"], 16), 0, unit)
        self.assertGreater(wide, 5)

    def test_a_merged_row_of_4120_bytes_allows_8(self):
        units = self.units("-o", "layout=merged", "--space", "pairwise")
        self.assertFalse([unit for unit in units if "vector_bytes=16" in unit["variant"]])
        self.assertTrue([unit for unit in units if "vector_bytes=8" in unit["variant"]])


if __name__ == "__main__":
    harness.main()
