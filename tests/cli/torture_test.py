"""scripts/torture finds nothing in a few rounds, and notices every defect that is planted for it."""

import subprocess
import sys
import unittest

import harness


class Torture(unittest.TestCase):
    def test_a_few_rounds_and_every_planted_defect(self):
        result = subprocess.run([sys.executable, harness.ROOT / "scripts" / "torture", "--rounds", "6", "--plants",
                                 "--program", harness.PROGRAM], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("\n0 misses", result.stdout)
        self.assertEqual(result.stdout.count(": noticed: "), 4, result.stdout)


if __name__ == "__main__":
    harness.main()
