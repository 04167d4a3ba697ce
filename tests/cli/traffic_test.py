"""What traces on the host device say of good and bad kernels. Every figure is counted by hand in its comment."""

import harness

KERNELS = harness.ROOT / "tests" / "traffic" / "kernels"
WORD = 4
SEGMENT = 32

# A row of tiled_rows: qkv 1152 words, z 1024 words, b and a 16 elements of 2 bytes each.
QKV_SEGMENTS = 1152 * WORD // SEGMENT  # 144
Z_SEGMENTS = 1024 * WORD // SEGMENT  # 128
GATE_SEGMENTS = 1  # 16 * 2 bytes at a multiple of 32
# Lanes that lie apart have runs of 1152 / 64 = 18 words, 72 bytes: each word is a segment of its own.
QKV_SEGMENTS_APART = 1152

SWEEP = """
sweep: traffic
device: host-w64
families:
  - family: tiled_rows
    symbols: [{nk: 1, nv: 16}]
    tokens: [1, 4]
    require:
      - {rule: coalescing_percent >= 90, reason: lanes that lie apart waste bandwidth}
      - {rule: lds_conflict_percent == 0, reason: a pitch of 32 words puts a column into one bank}
      - vgpr <= 32
      - {rule: "lanes == apart || load_bytes_per_lane == 4 && barriers >= 1", reason: never broken}
measure: {data: hot, budget_s: 2}
"""


def traces(document, implementation="lanes="):
    """Trace by variant, of the variants whose key has this in it."""
    return {unit["variant"]: unit["traffic"] for unit in document["units"] if implementation in unit["variant"]}


def line_of(text):
    """The line of tiled_rows.hip that holds a piece of code."""
    for number, line in enumerate((KERNELS / "tiled_rows" / "tiled_rows.hip").read_text().splitlines(), 1):
        if text in line:
            return f"tiled_rows.hip:{number}"
    raise AssertionError(text)


def site(traffic, place, write, shared=False):
    found = [s for s in traffic["sites"] if s["place"].endswith(place) and s["write"] == write and s["shared"] == shared]
    assert len(found) == 1, (place, found)
    return found[0]


class TiledRows(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        self.kernels = self.environment(FUSETUNE_KERNEL_PATH=str(KERNELS))

    def inspect(self, wave, *more):
        return self.run_json("inspect", "--family", "tiled_rows", "--target", f"host-w{wave}", "-o", "nk=1", "-o",
                             "nv=16", "--space", "full", *more, environment=self.kernels)

    def test_segments_and_bank_passes_are_those_counted_by_hand(self):
        for wave in (64, 32):
            found = traces(self.inspect(wave, "--tokens", 4))
            self.assertEqual(len(found), 5)  # the baseline has the two axes, too
            for variant, traffic in found.items():
                with self.subTest(wave=wave, variant=variant):
                    self.assertEqual(traffic["status"], "ok", traffic["message"])
                    rows = 4
                    apart = "lanes=apart" in variant
                    qkv = QKV_SEGMENTS_APART if apart else QKV_SEGMENTS
                    load = site(traffic, line_of("word = qkv_in["), write=False)
                    self.assertEqual(load["access_bytes"], WORD)
                    self.assertEqual(load["lanes"], rows * 1152)
                    self.assertEqual(load["instructions"], rows * 1152 // wave)
                    self.assertEqual(load["segments_32"], rows * qkv)
                    self.assertEqual(load["ideal_32"], rows * QKV_SEGMENTS)
                    self.assertEqual(site(traffic, line_of("qkv_out[qkv_word"), write=True)["segments_32"], rows * qkv)
                    self.assertEqual(site(traffic, line_of("held = z_in["), write=False)["segments_32"],
                                     rows * Z_SEGMENTS)
                    # A group of 32 lanes has a column: one bank at a pitch of 32 words, all banks at 33.
                    groups = rows * 1024 // 32
                    for place, write in (("tile[tile_word(word)] = held", True), ("held = tile[", False)):
                        lds = site(traffic, line_of(place), write, shared=True)
                        self.assertEqual(lds["bank_passes_ideal"], groups)
                        self.assertEqual(lds["bank_passes"], groups * (32 if "pitch=32" in variant else 1))
                    facts = traffic["facts"]
                    self.assertEqual(facts["lds_conflict_percent"], 3100 if "pitch=32" in variant else 0)
                    self.assertEqual(facts["barriers"], rows)
                    self.assertEqual(facts["wave_operations"], 0)
                    self.assertEqual(facts["load_bytes_per_lane"], 4)
                    self.assertEqual(facts["load_bytes_per_lane_min"], 2)
                    touched = 2 * qkv + 2 * Z_SEGMENTS + 4 * GATE_SEGMENTS
                    ideal = 2 * QKV_SEGMENTS + 2 * Z_SEGMENTS + 4 * GATE_SEGMENTS
                    self.assertEqual(facts["coalescing_percent"], 100 * ideal // touched)
                    # The family's bytes are those segments, each once.
                    self.assertEqual(facts["moved_percent"], 100 * touched // ideal)

    def test_text_shows_one_variant_line_by_line_within_100_columns(self):
        arguments = ["inspect", "--family", "tiled_rows", "--target", "host-w64", "-o", "nk=1", "-o", "nv=16",
                     "--tokens", 4]
        whole = self.run_program(*arguments, "--space", "full", environment=self.kernels).stdout
        self.assertIn("3100%", whole)
        self.assertIn("21%", whole)  # 548 of 2564 segments
        self.assertNotIn("tiled_rows.hip:", whole)
        one = self.run_program(*arguments, "--variant", "block_size=64,lanes=apart,pitch=32,rows_per_iter=1",
                               environment=self.kernels).stdout
        cells = [line.split() for line in one.splitlines() if line_of("word = qkv_in[") in line]
        # Line, direction, bytes, instructions, lanes, segments of 32, 64 and 128 bytes, coalesced. A run of 72 bytes
        # takes a lane past every segment of 64; two lanes in 144 bytes share one of 128 at times.
        self.assertEqual(len(cells), 1)
        self.assertEqual(cells[0][1:6], ["load", "4", "72", "4608", "4608"])
        self.assertEqual(cells[0][6], "4608")
        self.assertEqual(cells[0][8], "12%")  # 144 of 1152
        cells = [line.split() for line in one.splitlines() if line_of("held = tile[") in line]
        self.assertEqual(cells, [[line_of("held = tile["), "load", "4", "64", "4096", "4096", "128", "3100%"]])
        for text in (whole, one):
            for line in text.splitlines():
                if "=" not in line:
                    self.assertLessEqual(len(line), 100, line)

    def test_a_second_run_reads_the_traces(self):
        first = self.run_program("inspect", "--family", "tiled_rows", "--target", "host-w64", "-o", "nk=1", "-o",
                                 "nv=16", environment=self.kernels)
        self.assertEqual(first.returncode, 0, first.stderr)
        count = len(self.run_json("records", "list", "--kind", "traffic")["records"])
        self.assertGreater(count, 0)
        before = traces(self.inspect(64))
        self.assertEqual(len(self.run_json("records", "list", "--kind", "traffic")["records"]), count)
        self.assertEqual(traces(self.inspect(64)), before)

    def test_the_smallest_case_that_fills_four_blocks_is_traced(self):
        for tokens, traced in ((["1", "4", "16"], 4), (["1", "2"], 2), (["300"], 128), (["2", "300"], 2)):
            arguments = [word for count in tokens for word in ("--tokens", count)]
            for traffic in traces(self.inspect(64, *arguments)).values():
                self.assertIn(f"tokens={traced})", traffic["case"])

    def test_variants_that_break_a_requirement_are_pruned_said_and_counted(self):
        sweep = self.write("sweep.yaml", SWEEP)
        report = self.run_json("tune", sweep, environment=self.kernels)
        pruned = {p["variant"]: p for p in report["requirements"]["pruned"]}
        self.assertEqual(set(pruned), {f"block_size=64,lanes={lanes},pitch={pitch},rows_per_iter=1"
                                       for lanes, pitch in (("apart", 33), ("apart", 32), ("side_by_side", 32))})
        strided = pruned["block_size=64,lanes=apart,pitch=33,rows_per_iter=1"]["reason"]
        self.assertEqual(strided, "lanes that lie apart waste bandwidth: coalescing_percent >= 90, but "
                                  "coalescing_percent is 21")
        self.assertIn("lds_conflict_percent is 3100",
                      pruned["block_size=64,lanes=side_by_side,pitch=32,rows_per_iter=1"]["reason"])
        # No target here tells of registers: the rule is not passed over in silence.
        self.assertEqual(list(report["requirements"]["not_judged"]), ["vgpr <= 32"])
        self.assertEqual(report["failures"], [])
        # The baseline breaks both rules, and stays.
        self.assertEqual(len(report["rows"]), 2)
        for row in report["rows"]:
            self.assertEqual(row["status"], "ok", row)
            self.assertIn(row["variant"], ("block_size=64,lanes=side_by_side,pitch=33,rows_per_iter=1",
                                           "block_size=64,implementation=unfused,lanes=apart,pitch=32,rows_per_iter=1"))
        text = harness.unwrapped(self.run_program("tune", sweep, environment=self.kernels).stdout)
        self.assertIn("pruned after compilation: 3 variants", text)
        self.assertIn("not judged", text)
        self.assertIn("vgpr <= 32 (1 variant of it)", text)
        self.assertIn("Nothing was compiled, proved or measured", text)


class SplitReshapeCat(harness.ProgramTest):
    """Qwen3.5-27B at TP 8: nk=2, nv=6; a row of qkvz is 2048 elements of 2 bytes, 128 segments; b and a are 12 bytes."""

    ARGUMENTS = ["inspect", "--target", "host-w64", "--model", "qwen3.5-27b", "--tp", 8, "-o", "layout=contiguous",
                 "--tokens", 16]
    TILED = "block_size=256,mapping=row,nontemporal=off,persistent=off,rows_per_iter={},vector_bytes={}"
    ROWS = 16
    ROW_SEGMENTS = 128
    # 24 bytes of ba at 24 * row: rows 1 and 2 of every 4 cross a segment.
    BA_LOADS = 6 * ROWS // 4
    # 12 bytes each of b and a at 12 * row: rows 2 and 5 of every 8 cross one.
    BA_STORES = 2 * 10 * ROWS // 8

    def trace(self, family, rows_per_iter, vector_bytes, **keywords):
        document = self.run_json(*self.ARGUMENTS, "--family", family, "--variant",
                                 self.TILED.format(rows_per_iter, vector_bytes), **keywords)
        (traffic,) = traces(document, "mapping=row").values()
        self.assertEqual(traffic["status"], "ok", traffic["message"])
        return traffic

    def test_issues_16_byte_coalesced_loads_and_stores(self):
        document = self.run_json(*self.ARGUMENTS, "--family", "split_reshape_cat", "--space", "pairwise")
        wide = 0
        for variant, traffic in traces(document, "vector_bytes=16").items():
            with self.subTest(variant):
                self.assertEqual(traffic["status"], "ok", traffic["message"])
                facts = traffic["facts"]
                self.assertEqual(facts["load_bytes_per_lane"], 16)
                self.assertEqual(facts["store_bytes_per_lane"], 16)
                self.assertGreaterEqual(facts["coalescing_percent"], 98)
                self.assertLessEqual(facts["moved_percent"], 102)
                self.assertEqual(facts["lds_conflict_percent"], 0)
                for write in (False, True):
                    sites = [s for s in traffic["sites"] if s["write"] == write and s["access_bytes"] == 16]
                    # Every byte of qkvz moves 16 at a time, in segments that are wholly used.
                    self.assertEqual(sum(16 * s["lanes"] for s in sites), self.ROWS * 4096)
                    self.assertEqual(sum(s["segments_32"] for s in sites), self.ROWS * self.ROW_SEGMENTS)
                wide += 1
        self.assertGreater(wide, 5)

    def test_half_the_width_takes_twice_the_instructions(self):
        good = self.trace("split_reshape_cat", 1, 16)
        narrow = self.trace("split_reshape_cat", 1, 8)
        self.assertEqual(narrow["facts"]["load_bytes_per_lane"], 8)
        for traffic, width in ((good, 16), (narrow, 8)):
            for write in (False, True):
                wide = [s for s in traffic["sites"] if s["write"] == write and s["access_bytes"] == width]
                # 4096 bytes per row, 64 lanes.
                self.assertEqual(sum(s["instructions"] for s in wide), self.ROWS * 4096 // width // 64)
        # Lanes side by side: the segments are the same.
        segments = 2 * self.ROWS * self.ROW_SEGMENTS + self.BA_LOADS + self.BA_STORES
        for traffic in (good, narrow):
            self.assertEqual(sum(s["segments_32"] for s in traffic["sites"]), segments)

    def test_lanes_that_stride_touch_a_segment_each(self):
        shipped = harness.ROOT / "kernels" / "split_reshape_cat"
        step = "FT_UNROLL\n  for (int u = 0; u < kInFlight; ++u, item += FT_BLOCK_SIZE) {"
        for file in shipped.iterdir():
            text = file.read_text().replace("family: split_reshape_cat", "family: strided_lanes")
            if file.name == "split_reshape_cat.hip":
                self.assertEqual(text.count(step), 3)
                # Every thread takes a run of chunks instead of every 256th.
                text = text.replace(step, "item += threadIdx.x * (kInFlight - 1);\n  FT_UNROLL\n"
                                    "  for (int u = 0; u < kInFlight; ++u, ++item) {")
            self.write(f"kernels/strided_lanes/{file.name}", text)
        bad = self.trace("strided_lanes", 4, 16,
                         environment=self.environment(FUSETUNE_KERNEL_PATH=str(self.dir / "kernels")))
        good = self.trace("split_reshape_cat", 4, 16)
        # Four rows are 1024 chunks, 4 per thread: lanes lie 64 bytes apart and each has a segment to itself, of which it
        # needs half. An instruction of 64 lanes takes 64 segments instead of 32.
        for write in (False, True):
            sums = [sum(s["segments_32"] for s in traffic["sites"] if s["write"] == write and s["access_bytes"] == 16)
                    for traffic in (good, bad)]
            self.assertEqual(sums, [self.ROWS * self.ROW_SEGMENTS, 2 * self.ROWS * self.ROW_SEGMENTS])
        self.assertGreaterEqual(good["facts"]["coalescing_percent"], 99)
        self.assertIn(bad["facts"]["coalescing_percent"], (49, 50))
        self.assertGreaterEqual(bad["facts"]["moved_percent"], 199)


if __name__ == "__main__":
    harness.main()
