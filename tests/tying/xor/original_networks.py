"""Networks with the parameters, names and forward passes of the study's original code, and its checkpoints."""

import random

import torch
from torch import nn
from torch.nn import functional


class Network(nn.Module):
    """Two embeddings, and what stands between them; with `tied`, one that has two names."""

    def __init__(self, size, tied):
        super().__init__()
        self.input_embedding, self.output_embedding = nn.Embedding(7, size), nn.Embedding(7, size)
        self.tied = tied

    def tie(self):
        if self.tied:
            self.output_embedding = self.input_embedding
        return self

    def forward(self, src):
        return self.encode(self.input_embedding(src)) @ self.output_embedding.weight.T


class Transformer(Network):
    def __init__(self, size, tied):
        super().__init__(size, tied)
        layer = nn.TransformerEncoderLayer(size, 1, 4, dropout=0.0, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def encode(self, hidden):
        return self.encoder(hidden)


class LSTM(Network):
    def __init__(self, size, tied):
        super().__init__(size, tied)
        self.feed_forward = nn.Linear(16, size)
        self.lstm = nn.LSTM(size, 8, 2, batch_first=True, bidirectional=True)

    def encode(self, hidden):
        return self.feed_forward(self.lstm(hidden)[0])


class Layer(nn.Module):
    def __init__(self, size, inner):
        super().__init__()
        self.fc0, self.act, self.fc1 = nn.Linear(size, inner), nn.ReLU(), nn.Linear(inner, size)

    def forward(self, hidden):
        return self.fc1(self.act(self.fc0(hidden)))


class Mixer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.tokenwise_layer, self.channelwise_layer = Layer(8, 4), Layer(size, 8)
        self.pre_norm, self.post_norm = nn.LayerNorm(size), nn.LayerNorm(size)

    def forward(self, hidden):
        hidden = self.tokenwise_layer(self.pre_norm(hidden).transpose(1, 2)).transpose(1, 2) + hidden
        return self.channelwise_layer(self.post_norm(hidden)) + hidden


class MLP(Network):
    def __init__(self, size, tied):
        super().__init__(size, tied)
        self.layers = nn.Sequential(Mixer(size), Mixer(size))

    def encode(self, hidden):
        return self.layers(hidden)


NETWORKS = {
    "transformer": (Transformer, "--heads 1 --feedforward_size 4 --activation gelu"),
    "lstm": (LSTM, "--hidden_size 8"),
    "mlp": (MLP, "--tokenwise_feedforward_size 4 --channelwise_feedforward_size 8 --activation relu"),
}


def begun(word, size=4):
    """A network by its word, such as `lstmwt`, with the optimizer and the scheduler of its makefiles."""
    torch.manual_seed(1)
    network = NETWORKS[word.removesuffix("wt")][0](size, word.endswith("wt")).tie()
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-4, weight_decay=0.1, eps=1e-12)
    return network, optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100, eta_min=1e-5)


def step(network, optimizer, scheduler, batch):
    """One step of its loop on one of our batches."""
    optimizer.zero_grad()
    ids = batch["input_ids"].contiguous().long()
    loss = functional.cross_entropy(network(ids)[ids == 6], batch["labels"].long())
    loss.backward()
    optimizer.step()
    scheduler.step()


def saved(network, optimizer, epoch, value, best=None):
    """What its saver writes."""
    return {
        "model": network.state_dict(),
        "optimsd": optimizer.state_dict(),
        "epoch": epoch,
        "value": value,
        "bestv": best or value,
        "trainset": random.Random(14).getstate(),
        "validset": random.Random(14).getstate(),
        "cpurng": torch.get_rng_state(),
        "cudarng": torch.get_rng_state(),
    }
