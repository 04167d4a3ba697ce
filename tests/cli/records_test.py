"""The commands on the store: records, and the cache of code objects."""

import json
import os
import pathlib
import sqlite3
import subprocess

import harness

TINY_SWEEP = """
sweep: tiny
device: host-w64
space: 2
families:
  - family: split_reshape_cat
    models: [qwen3.5-27b@tp8]
    options: {layout: contiguous}
    tokens: [1]
measure: {data: hot, budget_s: 0.3}
"""
# Enough for one line per record of a run, and its own key for each.
KINDS = {"compile": 6, "proof": 3, "traffic": 3, "race": 1}


class StoreTest(harness.ProgramTest):
    def tune(self, *arguments, text=TINY_SWEEP, **keywords):
        return self.run_json("--jobs", 1, *arguments, "tune", self.write("tiny.yaml", text), **keywords)

    def change(self, sql, store=".fusetune"):
        with sqlite3.connect(self.dir / store / "records.sqlite") as database:
            database.execute(sql)


class Records(StoreTest):
    def test_list_show_export_and_merge(self):
        self.tune()
        listed = self.run_json("records", "list")
        counts = {kind: sum(r["kind"] == kind for r in listed["records"]) for kind in KINDS}
        self.assertEqual(counts, KINDS)
        text = self.run_program("records", "list").stdout
        self.assertEqual(len(text.splitlines()), 3 + sum(KINDS.values()))
        self.assertTrue(all(len(line) <= 100 for line in text.splitlines()), text)
        for filter_, count in ((("--kind", "proof"), 3), (("--status", "ok"), 13), (("--status", "compile_error"), 0),
                               (("--family", "split_reshape_cat"), 13), (("--run", 1), 13)):
            self.assertEqual(len(self.run_json("records", "list", *filter_)["records"]), count, filter_)
        self.assertIn("did you mean 'proof'", self.run_program("records", "list", "--kind", "prof").stderr)
        for filter_, words in ((("--family", "split_reshape"), "did you mean 'split_reshape_cat'"), (("--run", 2), "there is no run 2")):
            result = self.run_program("records", "list", *filter_)
            self.assertEqual((result.returncode, words in result.stderr), (64, True), result.stderr)

        race, = [r for r in listed["records"] if r["kind"] == "race"]
        shown = self.run_json("records", "show", race["key"][:12])
        self.assertEqual(shown["key"], race["key"])
        self.assertTrue(shown["data"]["result"]["samples"])
        self.assertIn("finished: 20", self.run_program("records", "show", "tokens=1").stdout)
        several = self.run_program("records", "show", "split_reshape_cat")
        self.assertEqual(several.returncode, 64)
        self.assertIn("give more of a key", several.stderr)

        exported = self.run_json("records", "export", "all.jsonl")
        self.assertEqual((exported["steps"], exported["runs"]), (13, 1))
        # What a file in its place would take away.
        os.mkfifo(self.dir / "pipe")
        (self.dir / "link").symlink_to("all.jsonl")
        for other in ("pipe", "link", "."):
            result = self.run_program("records", "export", other)
            self.assertEqual((result.returncode, "no plain file" in result.stderr), (64, True), other)
        self.assertTrue((self.dir / "pipe").is_fifo() and (self.dir / "link").is_symlink())
        merged = self.run_json("--store", "other", "records", "merge", "all.jsonl")
        self.assertEqual((merged["added"], merged["known"]), (13, 0))
        merged = self.run_json("--store", "other", "records", "merge", "all.jsonl", ".fusetune")
        self.assertEqual((merged["added"], merged["known"]), (0, 26))
        # What was proved and raced there is neither proved nor raced again here.
        report = self.tune("--store", "other")
        self.assertEqual((report["compiled"], report["proved"], report["measured"]), (6, 0, 0))

    def test_a_conflict_is_an_error_that_names_both(self):
        self.tune()
        self.run_json("records", "export", "--kind", "race", "race.jsonl")
        self.tune("--store", "second")
        before = self.run_json("--store", "second", "records", "list")
        result = self.run_program("--store", "second", "records", "merge", "race.jsonl", ".fusetune")
        self.assertEqual(result.returncode, 64)
        text = harness.unwrapped(result.stderr)
        self.assertIn("2 records in conflict, nothing was merged", text)
        self.assertIn("race step", text)
        self.assertIn("race.jsonl", text)
        self.assertIn("second", text)
        self.assertEqual(self.run_json("--store", "second", "records", "list"), before)
        # All but the race of one device that was measured twice.
        self.run_json("records", "export", "--kind", "proof", "proofs.jsonl")
        self.assertEqual(self.run_json("--store", "second", "records", "merge", "proofs.jsonl")["known"], 3)

    def test_a_damaged_record_is_named_and_done_again(self):
        self.tune()
        self.change("UPDATE steps SET message = 'x' WHERE kind = 'proof' AND id = (SELECT min(id) FROM steps "
                    "WHERE kind = 'proof')")
        listed = self.run_program("records", "list")
        self.assertIn("damaged record", listed.stderr)
        self.assertIn("12 records", listed.stdout)
        result = self.run_program("--json", "--jobs", 1, "tune", "tiny.yaml")
        report = json.loads(result.stdout)
        self.assertIn("proof step", result.stderr)
        self.assertEqual((report["compiled"], report["proved"], report["measured"]), (0, 1, 0))
        self.assertEqual(len(self.run_json("records", "list")["records"]), 13)

    def test_a_damaged_store_is_refused_and_what_is_whole_is_saved(self):
        self.tune()
        self.change("DROP TABLE worker_deaths")
        result = self.run_program("records", "list")
        self.assertEqual(result.returncode, 64)
        self.assertIn("records export --salvage", harness.unwrapped(result.stderr))
        self.assertEqual(self.run_program("tune", "tiny.yaml").returncode, 64)
        saved = self.run_json("records", "export", "--salvage", "saved.jsonl")
        self.assertEqual((saved["steps"], saved["left_out"]), (13, 1))
        self.assertEqual(self.run_json("--store", "other", "records", "merge", "saved.jsonl")["added"], 13)

    def test_strangers_files_are_refused(self):
        self.tune()
        self.run_json("records", "export", "all.jsonl")
        text = (self.dir / "all.jsonl").read_text()
        for name, content in (("cut", text[:-40]), ("changed", text.replace('"ok"', '"OK"', 1)), ("empty", ""),
                              ("yaml", "a: 1\n"), ("deep", "[" * 100000 + "\n")):
            self.write(name, content)
            result = self.run_program("--store", "other", "records", "merge", name)
            self.assertEqual(result.returncode, 64, name + result.stderr)
            self.assertIn(name + ":1", result.stderr)
        for nothing in ("missing", ".", "/dev/zero"):
            self.assertEqual(self.run_program("--store", "other", "records", "merge", nothing).returncode, 64)
        self.assertIn("there is no missing",
                      self.run_program("--store", "other", "records", "merge", "missing").stderr)
        self.assertFalse((self.dir / "other").exists())


class Cache(StoreTest):
    def test_info_verify_prune_and_clear(self):
        self.tune()
        info = self.run_json("cache", "info")
        self.assertEqual((info["entries"], info["failures"], info["damaged"]), (6, 0, 0))
        self.assertEqual([share["target"] for share in info["shares"]], ["host-w64"])
        self.assertIn("g++", info["shares"][0]["compiler"])
        for line in self.run_program("cache", "info").stdout.splitlines():
            self.assertLessEqual(len(line), 100, line)

        code, = list((self.dir / ".fusetune/code").glob("*/*.co"))[:1]
        content = bytearray(code.read_bytes())
        content[len(content) // 2] ^= 1
        code.write_bytes(content)
        self.assertEqual(self.run_json("cache", "verify", expect=4)["damaged"][0]["file"],
                         str(code.relative_to(self.dir).with_suffix(".json")))
        self.assertIn("cache verify --repair", self.run_program("cache", "verify").stdout)
        self.assertTrue(self.run_json("cache", "verify", "--repair")["repaired"])
        self.assertEqual(self.run_json("cache", "verify")["entries"], 5)
        self.assertEqual(self.tune()["compiled"], 1)

        one = info["bytes"] // 6
        pruned = self.run_json("cache", "prune", "--limit", 4 * one)
        self.assertEqual(pruned["removed"] + pruned["kept"], 6)
        self.assertLessEqual(pruned["kept_bytes"], 4 * one)
        self.assertGreater(pruned["removed"], 0)
        for wrong in ("4X", "-1", "1.5G", "G", "9999999999G"):
            self.assertEqual(self.run_program("cache", "prune", "--limit", wrong).returncode, 64, wrong)
        self.assertEqual(self.run_json("cache", "clear")["removed"], pruned["kept"])
        # Proofs and times are records, and stay.
        report = self.tune()
        self.assertEqual((report["compiled"], report["proved"], report["measured"]), (6, 0, 0))

    def test_the_limit_holds_after_every_run_and_spares_what_it_used(self):
        self.tune()
        bytes_ = self.run_json("cache", "info")["bytes"]
        other = TINY_SWEEP.replace("layout: contiguous", "layout: interleaved")
        report = self.tune("--cache-limit", 1, text=other)
        self.assertEqual(report["compiled"], 6)
        info = self.run_json("cache", "info")
        self.assertEqual(info["entries"], 6, "what the last run used, and nothing else")
        self.assertEqual(self.tune("--cache-limit", 1, text=other)["compiled"], 0)
        result = self.run_program("cache", "info", environment=self.environment(FUSETUNE_CACHE_LIMIT="3M"))
        self.assertIn("limit: 3.0 MiB", result.stdout)
        self.assertGreater(bytes_, 0)


if __name__ == "__main__":
    harness.main()
