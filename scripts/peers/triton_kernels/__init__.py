"""Triton kernels with the mapping of work that public libraries have for these operations. The functions that are not kernels take a case
and give a call over named tensors."""


def power_of_two(number):
    """The smallest that is no less: ranges of Triton have such lengths."""
    return 1 << max(0, number - 1).bit_length()


def launcher(kernel, grid, names, scalars, num_warps, **sizes):
    """A call that launches `kernel` over the tensors of those names, in their order, then the scalars; `sizes` are compiled in."""
    def call(tensors):
        kernel[grid](*(tensors[name] for name in names), *scalars, **sizes, num_warps=num_warps)

    return call
