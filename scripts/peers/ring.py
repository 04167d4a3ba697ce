"""Argument sets of a case: its inputs, and rings of copies of them in fresh memory, large enough that data is cold."""

import torch

_ALIGN = 256
# Tensors start so many multiples of _ALIGN, at most, behind the start of their memory.
_OFFSETS = 64


class Maker:
    """Makes inputs, the same ones for the same seed."""

    def __init__(self, device, seed):
        self.device = device
        self._generator = torch.Generator(device=device)
        self._generator.manual_seed(seed)

    def normal(self, shape, mean=0.0, stddev=1.0, dtype=torch.bfloat16):
        # By parts: the whole in fp32 would be twice the tensor again.
        values = torch.empty(shape, device=self.device, dtype=dtype)
        for part in values.split(max(1, 2**26 // max(1, values[0].numel()))) if values.numel() else ():
            part.copy_(torch.randn(part.shape, device=self.device, generator=self._generator).mul_(stddev).add_(mean))
        return values

    def positions(self, axes, tokens, below):
        """[axes, tokens]: positions that follow each other, from anywhere on each axis."""
        start = torch.randint(below, (axes, 1), device=self.device, generator=self._generator)
        return (start + torch.arange(tokens, device=self.device)) % below

    def slots(self, tokens, num_blocks, page_size):
        """[tokens]: tokens fill pages, the pages lie in any order."""
        pages = torch.randperm(num_blocks, device=self.device, generator=self._generator)
        token = torch.arange(tokens, device=self.device)
        return pages[token // page_size] * page_size + token % page_size

    def angles(self, positions, rotary_dim):
        """[positions, rotary_dim] bf16: cosines, then sines. Of real angles, so that what is rotated in place a thousand times stays finite."""
        frequency = 10000.0 ** (-torch.arange(0, rotary_dim, 2, device=self.device, dtype=torch.float64) / rotary_dim)
        angle = torch.arange(positions, device=self.device, dtype=torch.float64)[:, None] * frequency
        return torch.cat([angle.cos(), angle.sin()], 1).to(torch.bfloat16)

    def integers(self, shape, low, high, dtype):
        return torch.randint(low, high, shape, device=self.device, generator=self._generator, dtype=dtype)


def place(shape, dtype, device, offset_bytes):
    """An uninitialised tensor that starts so many bytes behind the start of memory of its own. Not a view: compilers that take tensors
    of one storage apart treat changed ones as if they overlapped."""
    size = torch.empty((), dtype=dtype).element_size()
    strides, count = [], 1
    for length in reversed(shape):
        strides.insert(0, count)
        count *= length
    memory = torch.empty(count * size + offset_bytes, dtype=torch.uint8, device=device)
    return torch.empty(0, dtype=dtype, device=device).set_(memory.untyped_storage(), offset_bytes // size, tuple(shape), tuple(strides))


class Ring:
    """Sets of arguments in fresh memory at random offsets: each a dictionary of tensors by name."""

    def __init__(self, operation, case, masters, count, random):
        self._masters = masters
        self.changed = operation.changed(case)
        device = next(iter(masters.values())).device
        layout = [(name, tensor.shape, tensor.dtype) for name, tensor in masters.items()]
        layout += [(name, shape, dtype) for name, (shape, dtype) in operation.outputs(case).items()]
        self.sets = [{name: place(shape, dtype, device, random.randrange(_OFFSETS) * _ALIGN) for name, shape, dtype in layout}
                     for _ in range(count)]
        self.outputs = list(operation.outputs(case))
        for one in self.sets:
            for name, master in masters.items():
                one[name].copy_(master)

    def restore(self, which):
        """A set as before any launch: what launches change as it was, outputs full of NaNs (or bytes 255)."""
        one = self.sets[which]
        for name in self.changed:
            one[name].copy_(self._masters[name])
        for name in self.outputs:
            one[name].view(torch.uint8).fill_(255)
        return one
