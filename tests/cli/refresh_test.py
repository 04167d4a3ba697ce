"""fusetune refresh: tables of sources that changed and of code that did not."""

import harness

SWEEP = """
sweep: moved
device: host-w64
space: 2
families:
  - family: moved_rows
    symbols: [{nk: 2, nv: 4}]
    options: {layout: [interleaved, contiguous]}
    tokens: {1: 0.5, 16: 0.5}
measure: {data: hot, budget_s: 1}
"""


class Refresh(harness.ProgramTest):
    """A table of a family of its own, tuned once."""

    def setUp(self):
        super().setUp()
        for file in (harness.ROOT / "kernels/split_reshape_cat").iterdir():
            self.write(f"kernels/moved_rows/{file.name}", file.read_text().replace("family: split_reshape_cat", "family: moved_rows"))
        # Part of both implementations: rows may name the baseline.
        self.rows = self.dir / "kernels/moved_rows/rows.h"
        self.kernels = self.environment(FUSETUNE_KERNEL_PATH=str(self.dir / "kernels"))
        tuned = self.run_program("tune", self.write("moved.yaml", SWEEP), environment=self.kernels)
        self.assertEqual(tuned.returncode, 0, tuned.stdout + tuned.stderr)

    def refresh(self, *arguments, expect=0):
        return self.run_json("refresh", *arguments, environment=self.kernels, expect=expect)

    def append(self, text):
        self.rows.write_text(self.rows.read_text() + text)

    def tables(self):
        return {file.name: file.read_bytes() for file in (self.dir / "results/host-w64").iterdir()}

    def test_rows_of_the_same_code_get_the_hash_of_the_sources(self):
        before = self.tables()
        [table] = self.refresh()
        self.assertEqual((table["current"], table["refreshed"], table["left"], table["written"]), (4, 0, [], []))
        self.assertEqual(self.tables(), before)

        self.append("// More is to be said of it.\n")
        [table] = self.refresh()
        self.assertEqual((table["current"], table["refreshed"], table["left"]), (0, 4, []))
        self.assertEqual(len(table["written"]), 4)
        after = self.tables()
        for name in before:
            self.assertNotEqual(after[name], before[name], name)
        listed = self.run_json("list", "tables", environment=self.kernels)
        self.assertTrue(all(not file["problem"] for one in listed["tables"] for file in one["files"]), listed)

        [table] = self.refresh("--device", "host-w64", "--family", "moved_rows")
        self.assertEqual((table["current"], table["refreshed"]), (4, 0))
        self.assertEqual(self.tables(), after)

    def test_rows_of_other_code_are_left_and_named(self):
        before = self.tables()
        stride = "in.qkvz_row_bytes"
        for name in ("split_reshape_cat.hip", "unfused.hip"):
            file = self.dir / "kernels/moved_rows" / name
            self.assertEqual(file.read_text().count(stride), 1, name)
            file.write_text(file.read_text().replace(stride, f"({stride} < 7 ? 2 : {stride})"))
        [table] = self.refresh(expect=4)
        self.assertEqual((table["current"], table["refreshed"], table["written"]), (0, 0, []))
        self.assertEqual([row["why"] for row in table["left"]], ["other code"] * 4)
        self.assertIn("moved_rows(", table["left"][0]["geometry"])
        self.assertEqual(self.tables(), before)
        text = self.run_program("refresh", environment=self.kernels)
        self.assertEqual(text.returncode, 4)
        self.assertIn("other code", text.stdout)
        self.assertIn("fusetune tune SWEEP", text.stdout)

    def test_what_does_not_compile_is_left(self):
        self.append("no_such_type x;\n")
        [table] = self.refresh(expect=4)
        self.assertEqual(len(table["left"]), 4)
        self.assertTrue(all(row["why"].startswith("compile_error: ") for row in table["left"]), table)

    def test_refuses_what_is_no_table(self):
        result = self.run_program("refresh", "--device", "nvidia-h300", environment=self.kernels)
        self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
        self.assertIn("unknown device with tables 'nvidia-h300'", harness.unwrapped(result.stderr))
        result = self.run_program("refresh", "--family", "moved_row", environment=self.kernels)
        self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
        self.assertIn("did you mean 'moved_rows'?", harness.unwrapped(result.stderr))
        result = self.run_program("refresh", "--results", self.dir / "none", environment=self.kernels)
        self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
        self.assertIn("there is no table below", harness.unwrapped(result.stderr))
        header = self.dir / "results/host-w64/fusetune_moved_rows.hpp"
        header.write_text(header.read_text() + "// by hand\n")
        before = self.tables()
        result = self.run_program("refresh", environment=self.kernels)
        self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
        self.assertIn("fusetune_moved_rows.hpp", result.stderr)
        self.assertEqual(self.tables(), before)


if __name__ == "__main__":
    harness.main()
