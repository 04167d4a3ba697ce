"""One case from its inputs to its times: ours and the peers are made ready, checked against the reference, and timed if they are right."""

import random

import torch

from . import abi, check, nvrtc, operations, skeleton
from .driver import Driver
from .ring import Maker, Ring
from .table import Launch, NoRow
from .timing import Arm, Timer


def first_line(error):
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"


class Session:
    """`beside_skeletons`: a skeleton of the same launch is timed beside ours, and no peers."""

    def __init__(self, root, tables, seed=1, beside_skeletons=False):
        self.device = torch.device("cuda", torch.cuda.current_device())
        torch.zeros(1, device=self.device)  # makes torch's context current, for the driver
        self.tables, self.seed, self.beside_skeletons = tables, seed, beside_skeletons
        self.driver = Driver()
        major, minor = torch.cuda.get_device_capability(self.device)
        self.compiler = nvrtc.Compiler(root, f"sm_{major}{minor}")
        self._functions = {}
        self._timer = None

    def run(self, case, budget_s):
        """A result: see report.py for what it holds."""
        result = {"case": case.key, "family": case.family, "shape": case.shape, "tokens": case.tokens, "values": case.wanted, "ours": {}, "peers": {}}
        try:
            ours, about = self._ours(case)
        except (NoRow, nvrtc.CompileError) as error:
            return {**result, "why": f"ours: {first_line(error)}", "short": "no kernel"}
        operation = operations.of(case.family)
        masters = operation.inputs(case, Maker(self.device, self.seed))
        truths = operation.reference(case, masters)
        ring = Ring(operation, case, masters, 1, random.Random(self.seed))
        why, error = self._checked(ours, ring, truths)
        if why:
            return {**result, "ours": about, "ours_wrong": why, "why": f"ours: {why}", "short": "WRONG"}
        about["error"] = error
        if self.beside_skeletons:
            peers, errors, remarks = [self._skeleton(case, about)], {}, {}
        else:
            peers, errors, remarks = self._peers(case, operation, ring, truths)
        del ring
        if peers:
            if self._timer is None:
                self._timer = Timer(self.device, self.seed)
            timed = self._timer.compare(operation, case, masters, truths, ours, peers, budget_s)
            result.update(timed)
        result["ours"] = {**about, **result["ours"]}
        for name, worst in errors.items():
            result["peers"].setdefault(name, {})["error"] = worst
        for name, remark in remarks.items():
            result["peers"].setdefault(name, {}).update(remark)
        return result

    def _peers(self, case, operation, ring, truths):
        """(arms that are right, largest errors by name, what is to be said of the others by name)"""
        remarks, errors, peers = {}, {}, []
        for name in case.peers():
            try:
                peer = Arm(name, operation.PEERS[name](case))
                why, errors[name] = self._checked(peer, ring, truths)
            except Exception as failure:  # a peer that does not compile or run is a remark
                why = first_line(failure)
            if why:
                remarks[name] = {"why": why}
            else:
                peers.append(peer)
        return peers, errors, remarks

    def _skeleton(self, case, about):
        """An arm that launches a skeleton with the grid and block of ours."""
        code = skeleton.code(self.compiler, case)
        if code not in self._functions:
            self._functions[code] = self.driver.load(code, skeleton.ENTRY)
        function, launch = self._functions[code], Launch(skeleton.ENTRY, about["grid"], about["block"], 0)

        def call(tensors):
            values = skeleton.arguments(case, lambda name: tensors[name].data_ptr(), lambda name: tensors[name].numel() * tensors[name].element_size())
            self.driver.launch(function, launch, values, torch.cuda.current_stream().cuda_stream)

        return Arm(skeleton.ENTRY, call, checked=False)

    def compile_peers(self, case):
        """Compiles what a run of the case would compile, into the caches of Triton and of torch.compile."""
        try:
            self.tables.of(case.family).row(case)
        except NoRow:
            return  # nothing to compare with
        operation = operations.of(case.family)
        masters = operation.inputs(case, Maker(self.device, self.seed))
        ring = Ring(operation, case, masters, 1, random.Random(self.seed))
        for name in case.peers():
            try:
                operation.PEERS[name](case)(ring.restore(0))
            except Exception:  # the run says it
                pass
        torch.cuda.synchronize()

    def _ours(self, case):
        """(an arm that launches the table's kernel, what the result says of it)"""
        table = self.tables.of(case.family)
        row = table.row(case)
        launch = table.launch(row, case)
        code = self.compiler.cubin(case.family, table.source(row), row["defines"], launch.entry, abi.declaration(case))
        if code not in self._functions:
            self._functions[code] = self.driver.load(code, launch.entry)
        function = self._functions[code]

        def call(tensors):
            values = abi.arguments(case, lambda name: tensors[name].data_ptr(), lambda name: tensors[name].stride(0))
            self.driver.launch(function, launch, values, torch.cuda.current_stream().cuda_stream)

        about = {"variant": row["variant"], "tuned_at": row["tuned_at"], "table_us": row["certificate"]["median_us"],
                 "source_hash": row["source_hash"], "code_identity": row["code_identity"], "grid": launch.grid, "block": launch.block}
        return Arm("ours", call), about

    @staticmethod
    def _checked(arm, ring, truths):
        """(what is wrong or None, the largest error) of one call over a fresh set. The first call compiles: it writes outputs that the second
        must write again."""
        ring.restore(0)
        arm.run(ring.sets[0])
        tensors = arm.run(ring.restore(0))
        torch.cuda.synchronize()
        return check.check(tensors, truths)

    @staticmethod
    def gpu_answers():
        try:
            torch.cuda.synchronize()
            return True
        except RuntimeError:
            return False
