"""Proofs, golden files and planted bugs through the command line."""

import json

import harness

LAYOUTS = ("interleaved", "contiguous", "merged", "merged_interleaved")


class Verify(harness.ProgramTest):
    def test_every_layout_on_both_wave_sizes(self):
        documents = self.run_json("verify", "split_reshape_cat", "--model", "qwen3.5-27b", "--tp", 8, "-o",
                                  "layout=" + ",".join(LAYOUTS), "-o", "zero_fill=off,on", "--space", 4, "--device",
                                  "host-w64", "--device", "host-w32")
        self.assertEqual([document["device"] for document in documents], ["host-w64", "host-w32"])
        for document in documents:
            self.assertEqual(document["geometries"], 8)
            self.assertEqual(document["failures"], [])
            self.assertGreater(document["proved"], 8)
            for check in ("exact", "guards", "row_padding", "inputs_unchanged", "poison", "untouched", "determinism"):
                self.assertGreater(document["checks"][check], 0, check)

    def test_a_sweep_takes_a_space_and_no_shapes(self):
        sweep = self.write("small.yaml", harness.SMALL_SWEEP)
        found = [self.run_json("verify", sweep, "--device", "host-w64", *space)[0]["variants"] for space in ([], ["--space", 2])]
        self.assertGreater(found[0], found[1])
        for shapes in (("--model", "all"), ("--tp", 8), ("-o", "nk=2"), ("--tokens", 1)):
            with self.subTest(shapes):
                result = self.run_program("verify", sweep, "--device", "host-w64", *shapes)
                self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
                self.assertIn("says its shapes itself", harness.unwrapped(result.stderr))

    def test_element_sizes_ratios_and_uneven_heads(self):
        for options in (["act=fp32", "nk=2", "nv=16"], ["ba=fp32", "nk=2", "nv=6"],
                        ["nk=3", "nv=9", "hk=32", "hv=48"], ["nk=4", "nv=32", "hk=64"]):
            with self.subTest(options):
                arguments = [part for option in options for part in ("-o", option)]
                document = self.run_json("verify", "split_reshape_cat", "-o", "layout=interleaved,contiguous", "--space", 2,
                                         *arguments)[0]
                self.assertEqual(document["failures"], [])
                self.assertGreater(document["checks"]["exact"], 0)

    def test_rows_keep_their_bits_in_caches_as_well(self):
        document = self.run_json("verify", "qk_norm_rope_cache(cache=shuffle,head_dim=64,hk=2,hq=4,mrope=interleaved,"
                                 "quant=per_token,tokens=5)", "--space", 1, "--device", "host-w32",
                                 "--batch-invariant")[0]
        self.assertEqual(document["failures"], [])
        verdicts = document["proofs"]["geometries"][0]["batch_invariance"]
        self.assertGreater(verdicts["bytes"], 0)
        self.assertEqual(verdicts["others"], [])
        refused = self.run_program("verify", "qk_norm_rope_cache(hk=1,hq=1,quant=per_page,tokens=5)",
                                   "--batch-invariant")
        self.assertEqual(refused.returncode, 64)
        self.assertIn("the scale of a page is that of all its tokens", refused.stderr)

    def test_a_case_key_pastes_back(self):
        key = ("split_reshape_cat(act=bf16,align_qkvz=2,ba=fp32,hk=128,hv=128,layout=interleaved,nk=2,nv=6,"
               "stride_qkvz=2049,tokens=5,zero_fill=off)")
        document = self.run_json("verify", key, "--space", 3)[0]
        self.assertEqual(document["failures"], [])
        self.assertEqual(document["rows"], [])
        self.assertGreater(document["checks"]["row_padding"], 0)

    def test_nothing_compared_is_not_ok(self):
        arguments = ["verify", "split_reshape_cat", "--model", "qwen3.5-27b", "--tp", 8, "-o", "layout=contiguous",
                     "--device", "host-w64", "--variant"]
        result = self.run_program(*arguments, "implementation=views")
        self.assertIn("nothing was compared", result.stdout)
        self.assertNotIn("ok:", result.stdout)
        self.assertNotIn("everything was found", result.stdout)
        self.assertNotEqual(result.returncode, 0)

    def test_values_of_a_symbol_are_geometries(self):
        document = self.run_json("verify", "split_reshape_cat", "-o", "nk=2,4", "-o", "nv=4", "--space", 1, "--device",
                                 "host-w64")[0]
        self.assertEqual(document["geometries"], 2)

    def test_rows_of_a_wave_may_come_apart(self):
        # Of a wave's rows some are heads of q, which are done sooner than those whose codes wait for their scale.
        document = self.run_json("verify", "qk_norm_rope_cache(hk=1,hq=3,head_dim=64,quant=per_token,tokens=5)", "--variant",
                                 "block_size=64,persistent=off,row_lanes=8,rows_per_iter=2,v_store=scattered,vector_bytes=8",
                                 "--device", "host-w64")[0]
        self.assertEqual(document["failures"], [])

    def test_both_wave_sizes_by_default(self):
        documents = self.run_json("verify", "split_reshape_cat", "-o", "nk=2", "-o", "nv=4", "--space", 1)
        self.assertEqual([document["device"] for document in documents], ["host-w64", "host-w32"])

    def test_a_bad_golden_file_does_not_hide_the_others(self):
        bad = self.write("bad.safetensors", "no such format")
        documents = self.run_json("golden", bad, harness.ROOT / "tests/golden/split.safetensors", "--space", 1,
                                  "--device", "host-w64", expect=64)
        self.assertIn("bad.safetensors", documents[0]["error"])
        self.assertTrue(all(case["passed"] for case in documents[1]["cases"]))
        self.assertFalse(any(document["interrupted"] for document in documents))

    def test_golden_file(self):
        documents = self.run_json("golden", harness.ROOT / "tests/golden/split.safetensors", "--space", 3)
        self.assertEqual([len(document["cases"]) for document in documents], [16, 16])
        for document in documents:
            self.assertTrue(all(case["passed"] for case in document["cases"]), document)

    def test_golden_files_of_every_family(self):
        files = [harness.ROOT / f"tests/golden/{name}.safetensors" for name in ("casts", "norm", "rope")]
        documents = self.run_json("golden", *files, "--space", 1, "--device", "host-w64")
        # Eight tables of casts, two of which are cases of a kernel besides.
        self.assertEqual([len(document["cases"]) for document in documents], [10, 15, 9])
        # A cache in bf16 and one in fp8, codes with a scale each, both layouts of its own. `unmapped` is of the whole file.
        kv = ("kv2", "kv10", "kv16", "kv46")
        documents += self.run_json("golden", harness.ROOT / "tests/golden/kv.safetensors", "--space", 1, "--device", "host-w64",
                                   *(word for name in kv for word in ("--case", name)))
        self.assertEqual([case["name"] for case in documents[-1]["cases"]], list(kv))
        for document in documents:
            self.assertEqual(document["unmapped"], [])
            self.assertTrue(all(case["passed"] for case in document["cases"]), document)

    def test_a_golden_case_that_no_family_takes_is_a_failure(self):
        content = (harness.ROOT / "tests/golden/split.safetensors").read_bytes()
        path = self.dir / "unknown.safetensors"
        path.write_bytes(content.replace(b"split_interleaved", b"split_interleavet", 1))
        result = self.run_program("golden", path, "--space", 1, "--device", "host-w64")
        self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
        self.assertIn("15 of 16 cases agree", result.stdout)
        self.assertIn("inter0 (split_interleavet)", result.stdout)
        # Who asks for others hears of it; only who asks for this one did not get what they asked for.
        for name, expect in (("inter2", 0), ("inter0", 2)):
            document = self.run_json("golden", path, "--space", 1, "--device", "host-w64", "--case", name, expect=expect)[0]
            self.assertEqual(document["unmapped"], ["inter0 (split_interleavet)"])
            self.assertEqual(len(document["cases"]), 1 if expect == 0 else 0)

    def test_a_case_that_no_file_has_is_an_error(self):
        result = self.run_program("golden", harness.ROOT / "tests/golden/split.safetensors", "--space", 1, "--device", "host-w64",
                                  "--case", "inter2", "--case", "intter4")
        self.assertEqual(result.returncode, 64, result.stdout + result.stderr)
        self.assertIn("1 of 1 case agree", result.stdout)
        self.assertIn("unknown golden case 'intter4'; did you mean 'inter4'?", harness.unwrapped(result.stderr))

    def test_tables_of_casts_are_no_matter_of_a_device(self):
        documents = self.run_json("golden", harness.ROOT / "tests/golden/casts.safetensors", "--space", 1)
        self.assertEqual([document["device"] for document in documents], ["host-w64", "host-w32"])
        codecs = [[case["name"] for case in document["cases"] if case["case"].startswith("codec of ")] for document in documents]
        self.assertEqual([len(names) for names in codecs], [8, 0])
        self.assertEqual([len(document["cases"]) for document in documents], [10, 2])

    def test_a_case_that_lends_its_inputs_is_compared(self):
        content = (harness.ROOT / "tests/golden/split.safetensors").read_bytes()
        data = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:data])
        cases = json.loads(header["__metadata__"]["cases"])
        cases[1]["params"]["inputs"] = "inter0"
        header["__metadata__"]["cases"] = json.dumps(cases)
        text = json.dumps(header).encode()
        path = self.dir / "lending.safetensors"
        path.write_bytes(len(text).to_bytes(8, "little") + text + content[data:])
        document = self.run_json("golden", path, "--space", 1, "--device", "host-w64", "--case", "inter0", "--case", "inter2")[0]
        self.assertEqual([case["name"] for case in document["cases"]], ["inter0", "inter2"])

    def test_a_changed_code_in_a_table_of_casts_is_found(self):
        content = bytearray((harness.ROOT / "tests/golden/casts.safetensors").read_bytes())
        content[-1] ^= 1
        path = self.dir / "casts.safetensors"
        path.write_bytes(content)
        documents = self.run_json("golden", path, "--space", 1, "--device", "host-w64", expect=2)
        self.assertEqual(sum(not case["passed"] for case in documents[0]["cases"]), 1)

    def test_a_changed_golden_file_is_found(self):
        content = bytearray((harness.ROOT / "tests/golden/split.safetensors").read_bytes())
        content[-1] ^= 1
        path = self.dir / "changed.safetensors"
        path.write_bytes(content)
        documents = self.run_json("golden", path, "--space", 1, "--device", "host-w64", expect=2)
        self.assertEqual(sum(not case["passed"] for case in documents[0]["cases"]), 1)


if __name__ == "__main__":
    harness.main()
