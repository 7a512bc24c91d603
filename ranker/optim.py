"""Adam for tables of which a step touches few rows."""

import torch
from torch import Tensor


class RowwiseAdam:
    """Adam with one second moment a row, updated only where a row was touched.

    A table of n rows needs n * (d + 1) numbers of state instead of 2 n d, and a step costs what the rows it touches
    cost. (Row-wise second moments as in FBGEMM's "partial row-wise Adam".)
    """

    def __init__(
        self, table: Tensor, *, lr: float, betas: tuple[float, float] = (0.9, 0.98), eps: float = 1e-8
    ) -> None:
        self.table = table
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self.mean = torch.zeros_like(table)
        self.square = table.new_zeros(len(table))
        self.steps = table.new_zeros(len(table))

    @torch.no_grad()
    def step(self, rows: Tensor, gradient: Tensor, scale: float = 1.0) -> None:
        """rows: [M], each once. gradient: [M, d]. scale: of the learning rate."""
        slow, slower = self.betas
        steps = self.steps[rows] + 1
        mean = self.mean[rows].lerp_(gradient, 1 - slow)
        square = self.square[rows].lerp_(gradient.square().mean(-1), 1 - slower)
        self.steps[rows], self.mean[rows], self.square[rows] = steps, mean, square
        size = (square / (1 - slower**steps)).sqrt_().add_(self.eps)
        rate = self.lr * scale / (1 - slow**steps) / size
        self.table.index_add_(0, rows, mean * rate[:, None], alpha=-1.0)

    def state(self) -> dict[str, Tensor]:
        return {"mean": self.mean, "square": self.square, "steps": self.steps}
