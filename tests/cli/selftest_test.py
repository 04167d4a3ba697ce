"""Planted bugs: what finds them, what is said of it, and what lives without each group of checks."""

import shutil
import unittest

import harness

GUIDE = harness.ROOT / "docs/verification.md"


class SelftestTest(harness.ProgramTest):
    def test_every_bug_is_found_in_each_mode_as_documented(self):
        guide = self.dir / "verification.md"
        shutil.copy(GUIDE, guide)
        documents = self.run_json("selftest", "--seeds", 1, "--write-docs", guide, timeout=2400)
        self.assertGreaterEqual({document["family"] for document in documents}, {"split_reshape_cat", "staged_rows"})
        needed = set()
        for document in documents:
            self.assertEqual(document["false_alarms"], [])
            self.assertGreater(document["true_runs"], 1)
            self.assertGreaterEqual(len(document["mutants"]), 20)
            for mutant in document["mutants"]:
                self.assertTrue(mutant["killed"] or mutant["out_of_reach"], mutant)
                self.assertFalse(mutant["killed"] and mutant["out_of_reach"], mutant)
                needed.add((mutant["mode"], mutant["lives_without"]))
        for group in ("values", "guards", "inputs_unchanged", "untouched"):
            self.assertIn(("exact", group), needed)
            self.assertIn(("fast", group), needed)
        for group in ("writers", "races", "initialisation"):
            self.assertIn(("exact", group), needed)
        for group in ("poison", "determinism"):
            self.assertIn(("fast", group), needed)
        self.assertEqual(guide.read_text(), GUIDE.read_text(),
                         "the tables are old: fusetune selftest --write-docs docs/verification.md")

    def lived(self, *arguments):
        documents = self.run_json("selftest", "--device", "host-w64", "--seeds", 1, *arguments, expect=2)
        self.assertEqual(len(documents), 1)
        return {mutant["name"] for mutant in documents[0]["mutants"]
                if not mutant["killed"] and not mutant["out_of_reach"] and not mutant["check"]}

    def test_without_guards_stray_writes_live(self):
        self.assertIn("one_element_past_b", self.lived("split_reshape_cat", "--mode", "fast", "--without", "guards"))

    def test_without_races_races_live(self):
        self.assertIn("reads_the_block_before", self.lived("staged_rows", "--mode", "exact", "--without", "races"))

    def test_one_bug_runs_alone_and_a_living_one_says_how(self):
        document, = self.run_json("selftest", "rmsnorm_gemma", "--mutant", "zeros", "--device", "host-w32", "--mode", "fast")
        self.assertEqual([mutant["name"] for mutant in document["mutants"]], ["zeros"])
        alone = "selftest split_reshape_cat --mutant one_element_past_b --mode fast --device host-w64"
        result = self.run_program(*alone.split(), "--without", "guards")
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stdout, f"again: .*{alone} --without guards\n")
        result = self.run_program("selftest", "rmsnorm_gemma", "--mutant", "zeross")
        self.assertEqual(result.returncode, 64)
        self.assertIn("did you mean 'zeros'", result.stderr)

    def test_what_does_not_exist_is_said(self):
        result = self.run_program("selftest", "--without", "guard")
        self.assertEqual(result.returncode, 64, result.stderr)
        self.assertIn("guards", result.stderr)
        result = self.run_program("selftest", "--mode", "fats")
        self.assertEqual(result.returncode, 64, result.stderr)
        self.assertIn("fast", result.stderr)


if __name__ == "__main__":
    harness.main()
