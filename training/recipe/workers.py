"""The processes that share a training, one a core or one a GPU; torchrun or SageMaker starts them."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple, TypeVar, cast

import numpy as np
import torch
from torch import Tensor
from torch import distributed as dist

# The others wait as long as this for what the leading one makes alone.
PATIENCE = timedelta(hours=6)

T = TypeVar("T")


class Workers(NamedTuple):
    """The processes that share each batch: this one's number among all of them, and on its host."""

    rank: int = 0
    count: int = 1
    on_host: int = 0

    @property
    def leads(self) -> bool:
        """Say whether this process is the one that reads, chooses, writes and prints."""
        return self.rank == 0

    @contextmanager
    def first_on_host(self) -> Iterator[None]:
        """Let one process of each host go through a block before the others."""
        if self.on_host and self.count > 1:
            dist.barrier()
        yield
        if not self.on_host and self.count > 1:
            dist.barrier()

    def total(self, sums: list[tuple[float, int]]) -> list[tuple[float, int]]:
        """Give all processes' sums and counts as one row."""
        added = torch.tensor(np.sum(sums, axis=0), dtype=torch.float64)
        if self.count > 1:
            dist.all_reduce(added)
        return [(added[0].item(), int(added[1]))]

    def hear(self, said: T | None) -> T:
        """Give every process what the leading one says."""
        box = [said]
        if self.count > 1:
            dist.broadcast_object_list(box, src=0)
        return cast(T, box[0])

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Give every process the mean of all processes' gradients."""
        if self.count > 1:
            for parameter in parameters:
                if parameter.grad is not None:
                    dist.all_reduce(parameter.grad)
                    parameter.grad /= self.count


ALONE = Workers()


def start(device: torch.device) -> Workers:
    """Join the processes that torchrun or SageMaker started; alone, there is nothing to join."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count > 1:
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    return Workers(int(os.environ.get("RANK", "0")), count, int(os.environ.get("LOCAL_RANK", "0")))


@contextmanager
def working() -> Iterator[tuple[Workers, torch.device]]:
    """Join the other processes, on a GPU of one's own where there are some, and leave them at the end."""
    on_host = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device(f"cuda:{on_host}" if torch.cuda.is_available() else "cpu")
    workers = start(device)
    try:
        yield workers, device
        if workers.count > 1:
            dist.barrier()  # none leaves while another still talks to it
    finally:
        if workers.count > 1:
            dist.destroy_process_group()


def leave() -> None:
    """End a process that shared a training and has done its work, at once.

    Torch's threads may still run while the interpreter is taken down, and now and then abort it there.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
