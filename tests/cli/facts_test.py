"""scripts/facts, with a program in fusetune's place that answers from a file."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

PROGRAM = """#!{python}
import json, pathlib, sys
answers = json.loads(pathlib.Path({answers!r}).read_text())
pathlib.Path({answers!r}).with_name("arguments").write_text(" ".join(sys.argv[1:]))
command = next(word for word in sys.argv[1:] if word in answers)
print(json.dumps(answers[command]))
sys.exit(answers.get("exit_code", 0))
"""


def kernel(vgpr=32, spills=0, scratch=0, entry="k"):
    return {"entry": entry, "vgpr": vgpr, "agpr": 0, "sgpr": 20, "vgpr_spills": spills, "sgpr_spills": 0,
            "scratch_bytes": scratch, "lds_bytes": 0, "occupancy_waves": 8,
            "global_loads": [{"bytes_per_lane": 2, "instructions": 1}, {"bytes_per_lane": 16, "instructions": 4}]}


def unit(variant, *kernels, status="ok"):
    return {"variant": variant, "status": status, "facts": {"kernels": list(kernels)}}


class Facts(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="fusetune-test-")
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)
        self.answers = {
            "devices": {"compilers": [{"target": "gfx90a", "available": True, "identity": "hipRTC 1", "why": ""}]},
            "list": {"families": [{"family": "copy"}]},
            "inspect": {"unavailable": {}, "units": [unit("block_size=64,wide=on", kernel()),
                                                     unit("block_size=128,wide=on", kernel()),
                                                     unit("block_size=64,wide=off", kernel(40)),
                                                     unit("block_size=128,wide=off", kernel(40))]}}
        self.program = self.dir / "program"
        self.program.write_text(PROGRAM.format(python=sys.executable, answers=str(self.dir / "answers.json")))
        self.program.chmod(0o755)
        (self.dir / "cases.txt").write_text("# a comment\nfull copy(tokens=16)\n")
        self.table = self.dir / "facts/gfx942/copy.md"

    def run_facts(self, *arguments, expect=0):
        (self.dir / "answers.json").write_text(json.dumps(self.answers))
        result = subprocess.run(
            [sys.executable, ROOT / "scripts/facts", "--cases", self.dir / "cases.txt", "--facts", self.dir / "facts",
             *arguments, "gfx942"], env={**os.environ, "FUSETUNE": str(self.program)}, capture_output=True, text=True)
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def units(self):
        return self.answers["inspect"]["units"]

    def test_what_was_written_is_reproduced(self):
        self.run_facts("--write")
        self.assertIn("are reproduced (1 families)", self.run_facts())
        text = self.table.read_text()
        self.assertIn("compiler: hipRTC 1\n", text)
        self.assertIn("4 variants (full), 0 not compiled; 2 classes, 0 with spills or scratch", text)
        self.assertIn("| k | 2 | 32 | 0 | 20 | 0 | 0 | 0 | 8 | 16:4 2:1 | - | block_size=64/128 wide=on |", text)

    def test_the_order_of_units_does_not_matter(self):
        self.run_facts("--write")
        self.units().reverse()
        self.run_facts()

    def test_a_planted_difference_is_named(self):
        self.run_facts("--write")
        self.table.write_text(self.table.read_text().replace("| 40 |", "| 48 |"))
        out = self.run_facts(expect=1)
        self.assertIn("-| k | 2 | 48 |", out)
        self.assertIn("+| k | 2 | 40 |", out)
        self.assertIn("NOT reproduced", out)

    def test_variants_that_change_places_between_classes_are_noticed(self):
        # The classes keep their facts, their counts and the values of their axes: the hash alone tells.
        crossed = [40, 32, 32, 40]
        for one, vgpr in zip(self.units(), crossed):
            one["facts"]["kernels"][0]["vgpr"] = vgpr
        self.run_facts("--write")
        for one, vgpr in zip(self.units(), [32, 40, 40, 32]):
            one["facts"]["kernels"][0]["vgpr"] = vgpr
        lines = [line for line in self.run_facts(expect=1).splitlines() if line.startswith(("-", "+"))]
        self.assertEqual(len(lines), 4, lines)
        self.assertTrue(all("hash" in line for line in lines[2:]), lines)

    def test_another_compiler_is_a_difference(self):
        self.run_facts("--write")
        self.answers["devices"]["compilers"][0]["identity"] = "hipRTC 2"
        self.assertIn("+compiler: hipRTC 2", self.run_facts(expect=1))

    def test_a_missing_table_is_a_difference(self):
        self.assertIn("NOT reproduced", self.run_facts(expect=1))

    def test_spills_are_printed_with_their_class(self):
        self.units().append(unit("block_size=256,wide=off", kernel(256, spills=3, scratch=12)))
        self.assertIn("k: 3 spills, 12 bytes of scratch: block_size=256 wide=off", self.run_facts("--write"))
        self.assertIn("1 with spills or scratch", self.table.read_text())

    def test_a_variant_that_does_not_compile_is_a_class(self):
        self.units().append(unit("block_size=512,wide=off", status="compiler_crash"))
        self.answers["exit_code"] = 5
        self.assertIn("1 not compiled", self.run_facts("--write"))
        self.assertIn("| compiler_crash | 1 |", self.table.read_text())

    def test_every_family_has_a_case(self):
        self.answers["list"]["families"].append({"family": "scale"})
        self.assertIn("no case of scale", self.run_facts(expect=64))

    def test_no_compiler_is_said(self):
        self.answers["devices"]["compilers"] = []
        self.assertIn("nothing compiles for gfx942", self.run_facts(expect=4))
        self.setUp()
        self.answers["inspect"] = {"unavailable": {"gfx942": "aborts"}, "units": []}
        self.assertIn("aborts", self.run_facts("--write", expect=4))
        self.assertFalse(self.table.exists())

    def test_a_sample_is_looked_up_in_the_table(self):
        self.run_facts("--write")
        del self.units()[1:]
        self.assertIn("sample of 1 variants: none of them", self.run_facts("--sample", "1"))
        self.assertIn("--space 1", (self.dir / "arguments").read_text())
        self.units()[0]["facts"]["kernels"][0]["vgpr"] = 33
        self.assertIn("block_size=64,wide=on: not in the table", self.run_facts("--sample", "1", expect=1))

    def test_a_sampled_variant_of_another_class_is_noticed(self):
        self.run_facts("--write")
        # The class is in the table, but not for variants that are not wide.
        self.units()[2:] = [unit("block_size=64,wide=off", kernel())]
        out = self.run_facts("--sample", "3", expect=1)
        self.assertIn("block_size=64,wide=off: not in the table", out)
        self.assertIn("1 of them spill", out)

    def test_spills_fail_a_sample_though_the_table_has_them(self):
        self.units().append(unit("block_size=256,wide=off", kernel(256, spills=3, scratch=12)))
        self.run_facts("--write")
        self.run_facts()
        self.assertIn("block_size=256,wide=off\n", self.run_facts("--sample", "5", expect=1))

    def test_what_does_not_compile_fails_a_sample(self):
        self.units().append(unit("block_size=512,wide=off", status="compiler_crash"))
        self.run_facts("--write")
        self.assertIn("compiler_crash", self.run_facts("--sample", "5", expect=1))

    def test_a_sample_of_another_compiler_is_judged_by_its_spills_alone(self):
        self.run_facts("--write")
        self.answers["devices"]["compilers"][0]["identity"] = "hipRTC 2"
        self.units()[0]["facts"]["kernels"][0]["vgpr"] = 33
        self.assertIn("compiled by hipRTC 2, tables by hipRTC 1", self.run_facts("--sample", "4"))
        self.units()[0]["facts"]["kernels"][0]["scratch_bytes"] = 4
        self.run_facts("--sample", "4", expect=1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
