"""One module per family, each with

    inputs(case, make)      {name: tensor}, by the names of family.yaml; names of other tensors are for peers alone
    outputs(case)           {name: (shape, dtype)} of what launches write
    changed(case)           names of inputs that launches change
    touched_bytes(case)     each input read once, each output written once
    reference(case, t)      {name: check.Truth} of what a launch over the tensors `t` leaves, in fp64
    PEERS                   {name: make(case)}, each of which gives call(tensors) -> None or {name: tensor} of outputs that it made itself

What is compiled or imported, is so in make(case): it may fail, and then that peer is left out.
"""

import importlib

import torch


def of(family):
    return importlib.import_module(f"{__name__}.{family}")


def compiled(function):
    """torch.compile in its default mode for the shapes at hand, as a call over named tensors: the function's parameters are their names."""
    names = function.__code__.co_varnames[:function.__code__.co_argcount]
    import torch._dynamo
    torch._dynamo.reset()  # what was compiled for other cases does not count against this one
    fast = torch.compile(function, dynamic=False)

    def call(tensors):
        with torch.no_grad():
            return fast(*(tensors[name] for name in names))

    return call
