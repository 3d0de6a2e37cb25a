"""Ten replicas of a small model as one program, against the bare eager step of one.

The peer is what one would write by hand: torch's own modules, cross-entropy at the masked positions of all logits,
`torch.optim.AdamW`; no logging, no data. Both train on the same prepared batches from the same weights, and their
losses are compared first.
"""

import torch
from torch import nn

from benchmarks.paired import Row, pairs, summary
from semeqv.train.compute import ComputeConfig
from semeqv.train.losses import cross_entropy
from semeqv.train.optimizers import AdamW
from semeqv.train.randomness import seed_everything
from semeqv.train.replicas import VmappedReplicas
from semeqv.tying.xor.dataset import Default
from semeqv.tying.xor.models import LSTM, MLP, Transformer

SEEDS = range(42, 47)
MODELS = {
    "transformer-small": (Transformer(layers=1, heads=1, embedding_size=4, feedforward_size=4, activation="gelu"), 35),
    "mlp-small": (MLP(layers=1, embedding_size=4, tokenwise_feedforward_size=4, channelwise_feedforward_size=8), 20),
    "lstm-small": (LSTM(layers=2, embedding_size=4, hidden_size=8), 5),
}
OPTIMIZER = {"lr": 5e-4, "weight_decay": 0.1, "eps": 1e-12}


class TransformerPeer(nn.Module):
    """torch's own encoder between two embeddings."""

    def __init__(self):
        super().__init__()
        self.input_embedding, self.output_embedding = nn.Embedding(7, 4), nn.Embedding(7, 4)
        layer = nn.TransformerEncoderLayer(4, 1, 4, 0.0, "gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, ids):
        return self.encoder(self.input_embedding(ids)) @ self.output_embedding.weight.T


class LSTMPeer(nn.Module):
    """torch's own LSTM between two embeddings."""

    def __init__(self):
        super().__init__()
        self.input_embedding, self.output_embedding = nn.Embedding(7, 4), nn.Embedding(7, 4)
        self.lstm = nn.LSTM(4, 8, 2, batch_first=True, bidirectional=True)
        self.projection = nn.Linear(16, 4)

    def forward(self, ids):
        return self.projection(self.lstm(self.input_embedding(ids))[0]) @ self.output_embedding.weight.T


class MixerLayerPeer(nn.Module):
    """One layer of an MLP-Mixer."""

    def __init__(self):
        super().__init__()
        self.token_norm, self.channel_norm = nn.LayerNorm(4), nn.LayerNorm(4)
        self.token_linear1, self.token_linear2 = nn.Linear(8, 4), nn.Linear(4, 8)
        self.channel_linear1, self.channel_linear2 = nn.Linear(4, 8), nn.Linear(8, 4)

    def forward(self, x):
        x = x + self.token_linear2(self.token_linear1(self.token_norm(x).mT).relu()).mT
        return x + self.channel_linear2(self.channel_linear1(self.channel_norm(x)).relu())


class MixerPeer(nn.Module):
    """A straightforward MLP-Mixer between two embeddings."""

    def __init__(self):
        super().__init__()
        self.input_embedding, self.output_embedding = nn.Embedding(7, 4), nn.Embedding(7, 4)
        self.layers = nn.Sequential(MixerLayerPeer())

    def forward(self, ids):
        return self.layers(self.input_embedding(ids)) @ self.output_embedding.weight.T


PEERS = {"transformer-small": TransformerPeer, "mlp-small": MixerPeer, "lstm-small": LSTMPeer}


def prepared(batches: int):
    """The same batches for both: of all replicas, and of the first one as torch's modules take them."""
    data = Default(size=7, zero_dst=(0.1, 0.9), one_dst=(0.5, 0.5), batch_size=1024, drop_last=False).build()
    stream = data.replica_stream([seed for seed in SEEDS for _ in (0, 1)])
    ours = [next(stream) for _ in range(batches)]
    peer = []
    for batch in ours:
        ids, labels = batch["input_ids"][0].long().contiguous(), torch.full(batch["input_ids"][0].shape, -100)
        labels[ids == data.mask] = batch["labels"][0].long()
        peer.append((ids, labels))
    return data, ours, peer


def run() -> list[Row]:
    """A row a model."""
    torch.set_num_threads(1)
    data, ours, theirs = prepared(200)
    rows = []
    for name, (options, goal) in MODELS.items():
        networks = []
        for seed in SEEDS:
            for variant in (False, True):
                seed_everything(seed)
                networks.append(type(options)(**{**vars(options), "tie": variant}).build(data))
        peer = PEERS[name]()
        peer.load_state_dict(dict(networks[0].named_parameters()))
        regime = ComputeConfig(torch.device("cpu"), compile=True)
        optimizer = AdamW(learning_rate=OPTIMIZER["lr"], weight_decay=0.1, eps=1e-12).build
        program = VmappedReplicas(networks, optimizer, None, cross_entropy, regime)
        program.names = ("loss", "accuracy")
        adamw = torch.optim.AdamW(peer.parameters(), **OPTIMIZER)

        def step(ids, labels, peer=peer, adamw=adamw):
            adamw.zero_grad()
            loss = nn.functional.cross_entropy(peer(ids).flatten(0, 1), labels.flatten(), ignore_index=-100)
            loss.backward()
            adamw.step()
            return loss.detach()

        worst = max(abs(float(program.step([a])[0, 0]) - float(step(*b))) for a, b in zip(ours[:100], theirs[:100]))
        assert worst < 2e-5, f"{name}: losses differ by {worst}"

        def ten(program=program):
            for batch in ours:
                program.step([batch])

        def one(step=step):
            for batch in theirs:
                step(*batch)

        found = pairs(ten, one, rounds=9)
        scale = 1e6 / len(ours)
        medians = summary([a * scale / 10 for a, *_ in found], [b * scale for _, _, b, _ in found])
        rows.append(
            Row(
                f"{name}, ten replicas",
                *medians,
                "us",
                "CPU per replica-step, one thread, fp32, data prepared, compilation "
                f"excluded; peer: eager torch modules and AdamW, one seed; losses of 100 steps within {worst:.0e}",
                goal,
                {"wall_ratio": summary([a / 10 for _, a, *_ in found], [b for *_, b in found])[2]},
            )
        )
    return rows
