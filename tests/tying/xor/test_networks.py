import pytest
import torch
from torch import nn
from torch.nn import functional

from semeqv.train.compilation import compiled
from semeqv.tying.xor.networks.lstm import LSTM
from semeqv.tying.xor.networks.mlp import MLP
from semeqv.tying.xor.networks.transformer import Transformer

BATCH, TIME, VOCABULARY, MASK = 13, 8, 7, 6

TRANSFORMER = dict(embedding_size=4, layers=1, heads=1, feedforward_size=4, activation="gelu")
RECURRENT = dict(embedding_size=4, layers=2, hidden_size=8, bidirectional=True)
MIXER = dict(
    embedding_size=4, layers=1, tokenwise_feedforward_size=4, channelwise_feedforward_size=8, activation="relu"
)
SMALL = [(Transformer, TRANSFORMER), (LSTM, RECURRENT), (MLP, MIXER)]
WIDE_MIXER = dict(embedding_size=32, tokenwise_feedforward_size=32, channelwise_feedforward_size=32)
NETWORKS = [
    *SMALL,
    (Transformer, dict(embedding_size=32, layers=2, heads=1, feedforward_size=32, activation="gelu")),
    (Transformer, dict(embedding_size=8, layers=3, heads=4, feedforward_size=5, activation="relu")),
    (Transformer, dict(embedding_size=32, layers=2, heads=2, feedforward_size=64, activation="relu")),
    (LSTM, dict(embedding_size=32, layers=4, hidden_size=32, bidirectional=True)),
    (LSTM, dict(embedding_size=4, layers=1, hidden_size=8, bidirectional=False)),
    (LSTM, dict(embedding_size=5, layers=3, hidden_size=3, bidirectional=False)),
    (MLP, dict(WIDE_MIXER, layers=2, activation="relu")),
    (MLP, dict(WIDE_MIXER, layers=3, activation="gelu")),
    (Transformer, TRANSFORMER | {"activation": "tanh"}),
    (Transformer, TRANSFORMER | {"activation": "sigmoid"}),
    (MLP, MIXER | {"activation": "tanh"}),
    (MLP, MIXER | {"activation": "sigmoid"}),
]


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny arrays lose by threads, most of all beside other work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def build(network, options, seed=42, tied=False):
    torch.manual_seed(seed)
    return network(**options, tied=tied)


def sample(seed=0, replicas=(), time=TIME):
    """Draw rows with one mask each, samples innermost in memory, and the symbols under the masks."""
    generator = torch.Generator().manual_seed(seed)
    symbols = torch.randint(0, MASK, (*replicas, time, BATCH), generator=generator, dtype=torch.int32)
    position = torch.randint(0, time, (*replicas, 1, BATCH), generator=generator)
    labels = symbols.gather(-2, position).squeeze(-2)
    return symbols.scatter(-2, position, MASK).transpose(-1, -2), labels


def loss_of(network, input_ids, labels):
    return functional.cross_entropy(network(input_ids=input_ids)["logits"], labels.long())


class Standard(nn.Module):
    """The same network made of torch's own modules, with the samples first and every position predicted."""

    def __init__(self, network, options):
        super().__init__()
        self.input_embedding, self.output_embedding = network.input_embedding, network.output_embedding
        self.network = network
        if isinstance(network, LSTM):
            size = options["embedding_size"], options["hidden_size"], options["layers"]
            self.lstm = nn.LSTM(*size, batch_first=True, bidirectional=options["bidirectional"])
            self.lstm.load_state_dict(network.lstm.state_dict())

    def forward(self, input_ids):
        network = self.network
        hidden = self.input_embedding(input_ids)
        if isinstance(network, Transformer):
            hidden = network.encoder(hidden)
        elif isinstance(network, LSTM):
            hidden = network.projection(self.lstm(hidden)[0])
        else:
            for layer in network.layers:
                mixed = network.activation(layer.token_linear1(layer.token_norm(hidden).transpose(1, 2)))
                hidden = hidden + layer.token_linear2(mixed).transpose(1, 2)
                mixed = network.activation(layer.channel_linear1(layer.channel_norm(hidden)))
                hidden = hidden + layer.channel_linear2(mixed)
        return hidden @ (self.input_embedding if network.tied else self.output_embedding).weight.T


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("network", "options"), NETWORKS)
def test_parity_with_torch(network, options, tied):
    ours = build(network, options, tied=tied)
    theirs = Standard(build(network, options, tied=tied), options)
    input_ids, labels = sample()
    loss = loss_of(ours, input_ids, labels)
    logits = theirs(input_ids.contiguous().long())
    wanted = functional.cross_entropy(logits[input_ids == MASK], labels.long())
    loss.backward()
    wanted.backward()
    torch.testing.assert_close(loss, wanted, atol=1e-5, rtol=1e-5)
    gradients = {name.removeprefix("network."): p.grad for name, p in theirs.named_parameters()}
    for name, parameter in ours.named_parameters():
        gradient = gradients[name] if gradients[name] is not None else torch.zeros_like(parameter)
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-5, rtol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def test_dropout_is_where_torch_has_it(monkeypatch):
    """What is dropped is multiplied by .7, so that both networks drop the same."""
    dropped = []

    def drop(features, p=0.5, training=True, inplace=False):
        dropped.append(p)
        return features * 0.7 if training else features

    options = dict(embedding_size=8, layers=2, heads=2, feedforward_size=5, activation="gelu", dropout=0.1)
    ours, reference = build(Transformer, options), build(Transformer, options)
    with torch.no_grad():
        for layer in reference.encoder.layers:
            layer.self_attn.dropout = 0.0  # its weights are dropped inside torch's kernel; the factor goes here instead
            layer.self_attn.out_proj.weight.mul_(0.7)
    theirs = Standard(reference, options)
    input_ids, _ = sample()
    monkeypatch.setattr(functional, "dropout", drop)
    for mode, count in ((True, 8), (False, 0)):
        ours.train(mode)
        theirs.train(mode)
        found = ours(input_ids=input_ids)["logits"]
        assert dropped.count(0.1) >= count
        if mode:
            wanted = theirs(input_ids.contiguous().long())[input_ids == MASK]
            torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    monkeypatch.undo()
    torch.testing.assert_close(
        found, build(Transformer, options | {"dropout": 0.0}).eval()(input_ids=input_ids)["logits"]
    )
    assert not torch.equal(ours.train()(input_ids=input_ids)["logits"], found)
    assert not ours.replicable
    assert build(Transformer, TRANSFORMER).replicable


@pytest.mark.parametrize(("network", "options"), NETWORKS)
def test_parameters_are_those_of_torch(network, options):
    torch.manual_seed(42)
    embeddings = [torch.randn(VOCABULARY, options["embedding_size"]) for _ in range(2)]
    ours = build(network, options)
    assert torch.equal(ours.input_embedding.weight, embeddings[0])
    assert torch.equal(ours.output_embedding.weight, embeddings[1])
    if network is LSTM:
        size = options["embedding_size"], options["hidden_size"], options["layers"]
        torch.manual_seed(42)
        for _ in range(2):
            torch.randn(VOCABULARY, options["embedding_size"])
        theirs = nn.LSTM(*size, bidirectional=options["bidirectional"]).state_dict()
        assert all(torch.equal(theirs[name], value) for name, value in ours.lstm.state_dict().items())


GOLDEN = {Transformer: 4.392961, LSTM: 1.941761, MLP: 4.501327}


@pytest.mark.parametrize(("network", "options"), SMALL)
def test_golden_loss(network, options):
    assert loss_of(build(network, options), *sample()).item() == pytest.approx(GOLDEN[network], abs=1e-5)


def stack(networks):
    parameters, buffers = torch.func.stack_module_state(networks)
    return {name: value.detach() for name, value in parameters.items()}, buffers


def gradients_of(network):
    """Differentiate all replicas of a network at once: losses `(replicas,)` and gradients."""

    def objective(parameters, buffers, input_ids, labels):
        logits = torch.func.functional_call(network, (parameters, buffers), (input_ids,))["logits"]
        gold = torch.where(labels[:, None] == torch.arange(VOCABULARY), logits, 0.0).sum(-1)
        return (torch.logsumexp(logits, -1) - gold).mean()

    return torch.vmap(torch.func.grad_and_value(objective))


@pytest.mark.parametrize(("network", "options"), NETWORKS)
def test_replicas_equal_single_runs_tied_and_untied(network, options):
    replicas = [build(network, options, seed, tied) for seed in (42, 43) for tied in (False, True)]
    input_ids, labels = sample(replicas=(len(replicas),))
    gradients, losses = gradients_of(replicas[0])(*stack(replicas), input_ids, labels)
    for index, replica in enumerate(replicas):
        alone = loss_of(replica, input_ids[index], labels[index])
        alone.backward()
        torch.testing.assert_close(losses[index], alone.detach(), atol=1e-5, rtol=1e-5)
        for name, parameter in replica.named_parameters():
            torch.testing.assert_close(gradients[name][index], parameter.grad, atol=1e-5, rtol=1e-4)
        assert replica.tied == (replica.output_embedding.weight.grad.abs().max() == 0)


@pytest.mark.parametrize(("network", "options"), SMALL)
def test_tied_and_untied_start_alike_but_predict_apart(network, options):
    untied, tied = build(network, options), build(network, options, tied=True)
    for mine, other in zip(untied.parameters(), tied.parameters()):
        assert torch.equal(mine, other)
    input_ids, _ = sample()
    assert not torch.allclose(untied(input_ids)["logits"], tied(input_ids)["logits"])
    assert untied(input_ids)["logits"].shape == (BATCH, VOCABULARY)
    assert tied.get_output_embeddings() is tied.get_input_embeddings()
    assert untied.get_output_embeddings() is untied.output_embedding


@pytest.mark.parametrize(("network", "options"), SMALL)
def test_decouple_keeps_the_predictions_and_frees_the_output(network, options):
    model = build(network, options, tied=True)
    input_ids, labels = sample()
    before = model(input_ids)["logits"]
    model.decouple()
    assert not model.tied
    assert torch.equal(before, model(input_ids)["logits"])
    loss_of(model, input_ids, labels).backward()
    assert model.output_embedding.weight.grad.abs().max() > 0
    model.output_embedding.weight.data.zero_()
    assert model.input_embedding.weight.abs().max() > 0
    model.decouple()  # again changes nothing
    assert model.output_embedding.weight.abs().max() == 0


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("network", "options"), SMALL)
def test_state_dict_holds_the_matrix_in_use(network, options, tied):
    model, other = build(network, options, tied=tied), build(network, options, seed=7, tied=not tied)
    state = model.state_dict()
    assert torch.equal(state["output_embedding.weight"], model.output_matrix())
    assert torch.equal(state["output_embedding.weight"], state["input_embedding.weight"]) == tied
    assert len({value.data_ptr() for value in state.values()}) == len(state)  # safetensors refuses shared memory
    other.load_state_dict(state)
    input_ids, _ = sample()
    assert torch.equal(model(input_ids)["logits"], other(input_ids)["logits"])
    assert other.tied == tied


def test_wrong_options_are_explained():
    with pytest.raises(ValueError, match="activation 'selu' is unknown: choose one of relu, gelu"):
        Transformer(**TRANSFORMER | {"activation": "selu"}, tied=False)
    with pytest.raises(ValueError, match="3 heads do not divide an embedding of size 4"):
        Transformer(**TRANSFORMER | {"heads": 3}, tied=False)
    with pytest.raises(ValueError, match="mask 7 is no symbol of a vocabulary of 7"):
        MLP(**MIXER, tied=False, mask=7)


@pytest.mark.slow
@pytest.mark.parametrize(("network", "options"), SMALL)
def test_compiled_replicas_are_bit_identical_to_fewer(network, options):
    # One replica alone is run beside itself: the compiler sums the last few samples in another order when there is one.
    torch._dynamo.reset()
    gradients = gradients_of(build(network, options, 42, False))

    def step(parameters, buffers, input_ids, labels):
        slopes, losses = gradients(parameters, buffers, input_ids, labels)
        return {name: value - 0.05 * slopes[name] for name, value in parameters.items()}, losses

    step = compiled(step, dynamic=False)  # once for each number of replicas

    def train(replicas, batches):
        parameters, buffers = stack(replicas)
        history = []
        for batch in batches:
            parameters, losses = step(parameters, buffers, *batch)
            history.append(losses)
        return torch.stack(history)

    replicas = [build(network, options, seed, tied) for seed in (42, 43) for tied in (False, True)]
    # An LSTM is compiled symbol by symbol, each as the one before: three have a first, a last and one between them.
    batches = [sample(seed, (4,), 3 if network is LSTM else TIME) for seed in range(20)]
    together = train(replicas, batches)
    for chosen in ([0, 0], [1, 2]):
        fewer = train([replicas[i] for i in chosen], [(ids[chosen], labels[chosen]) for ids, labels in batches])
        assert torch.equal(together[:, chosen], fewer)
