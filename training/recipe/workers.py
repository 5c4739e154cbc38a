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

# The other processes wait this long for work that the main one does alone.
PATIENCE = timedelta(hours=6)

T = TypeVar("T")


class Workers(NamedTuple):
    """Describe the processes that share each batch.

    ``rank`` is this process's number among all of them, ``world_size`` their count, and
    ``local_rank`` its number on its host.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0

    @property
    def is_main(self) -> bool:
        """Return whether this process reads, chooses, writes and prints for all."""
        return self.rank == 0

    @contextmanager
    def first_on_host(self) -> Iterator[None]:
        """Run a block in one process of each host before the others."""
        if self.local_rank and self.world_size > 1:
            dist.barrier()
        yield
        if not self.local_rank and self.world_size > 1:
            dist.barrier()

    def share(self, rows: np.ndarray) -> tuple[np.ndarray, float]:
        """Return this process's rows of a batch, int64 (rows,), and the weight of each row's loss.

        Weighted sums of losses, averaged over the processes, are the batch's mean loss. A batch of fewer
        rows than processes gives the others its first row with weight 0.
        """
        own = rows[self.rank :: self.world_size]
        return (own, self.world_size / len(rows)) if len(own) else (rows[:1], 0.0)

    def total(self, sums: list[tuple[float, int]]) -> list[tuple[float, int]]:
        """Return all processes' sums and counts as one row."""
        added = torch.tensor(np.sum(sums, axis=0), dtype=torch.float64)
        if self.world_size > 1:
            dist.all_reduce(added)
        return [(added[0].item(), int(added[1]))]

    def broadcast(self, value: T | None) -> T:
        """Return the main process's value in every process."""
        box = [value]
        if self.world_size > 1:
            dist.broadcast_object_list(box, src=0)
        return cast(T, box[0])

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace every process's gradients by their mean over the processes."""
        if self.world_size > 1:
            for parameter in parameters:
                if parameter.grad is not None:
                    dist.all_reduce(parameter.grad)
                    parameter.grad /= self.world_size


ALONE = Workers()


def start(device: torch.device) -> Workers:
    """Join the processes that torchrun or SageMaker started. A single process joins nothing."""
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size > 1:
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    return Workers(int(os.environ.get("RANK", "0")), world_size, int(os.environ.get("LOCAL_RANK", "0")))


@contextmanager
def working() -> Iterator[tuple[Workers, torch.device]]:
    """Join the other processes, yield them with this one's device, and leave them at the end."""
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device(f"cuda:{local_rank}" if torch.cuda.is_available() else "cpu")
    workers = start(device)
    try:
        yield workers, device
        if workers.world_size > 1:
            dist.barrier()  # no process leaves while another still sends to it
    finally:
        if workers.world_size > 1:
            dist.destroy_process_group()


def leave() -> None:
    """End a process that shared a training and has done its work, at once.

    Torch's threads may still run while the interpreter shuts down, and sometimes abort it there.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
