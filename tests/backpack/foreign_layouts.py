"""Random checkpoints as others lay them out, and their logits by the formula."""

import backpack_formula as formula
import torch

V, D, LAYERS, HEADS, K, TIME = 30, 16, 2, 2, 4, 24


class Layers:
    """Draws layers and keeps them under the names that a layout gives them.

    Args:
        turned: Whether matrices are kept (in, out).
        bias: Whether linear layers and norms have one.
    """

    def __init__(self, turned=False, bias=True):
        self.turned, self.bias, self.state = turned, bias, {}
        self.generator = torch.Generator().manual_seed(0)

    def draw(self, name, *shape):
        self.state[name] = 0.3 * torch.randn(*shape, generator=self.generator)
        return self.state[name].double()

    def linear(self, name, outputs, inputs, turned=None, bias=True):
        weight = self.draw(f"{name}.weight", outputs, inputs)
        if self.turned if turned is None else turned:
            self.state[f"{name}.weight"] = self.state[f"{name}.weight"].T.contiguous()
        return weight, self.draw(f"{name}.bias", outputs) if bias and self.bias else None

    def norm(self, name, size):
        self.state[f"{name}.weight"] = 1 + 0.3 * torch.randn(size, generator=self.generator)
        return self.state[f"{name}.weight"].double(), self.draw(f"{name}.bias", size) if self.bias else None


def gpt2_block(layers, prefix):
    return {
        "ln_1": layers.norm(prefix + "ln_1", D),
        "c_attn": layers.linear(prefix + "attn.c_attn", 3 * D, D),
        "c_proj": layers.linear(prefix + "attn.c_proj", D, D),
        "ln_2": layers.norm(prefix + "ln_2", D),
        "c_fc": layers.linear(prefix + "mlp.c_fc", 4 * D, D),
        "mlp_proj": layers.linear(prefix + "mlp.c_proj", D, 4 * D),
    }


def published():
    """stanfordnlp/backpack-gpt2: tensors, what its config.json says, and its logits."""
    layers, trunk, net = Layers(turned=True), "backpack.gpt2_model.", "backpack.sense_network."
    embeddings, positions = layers.draw(trunk + "wte.weight", V, D), layers.draw(trunk + "wpe.weight", TIME, D)
    blocks = [gpt2_block(layers, f"{trunk}h.{i}.") for i in range(LAYERS)]
    last = layers.norm(trunk + "ln_f", D)
    senses = {
        "ln": layers.norm(net + "ln", D),
        "ln_1": layers.norm(net + "block.ln_1", D),
        "ln_2": layers.norm(net + "block.ln_2", D),
        "c_fc": layers.linear(net + "block.mlp.c_fc", 4 * D, D),
        "c_proj": layers.linear(net + "block.mlp.c_proj", D, 4 * D),
        "final_fc": layers.linear(net + "final_mlp.c_fc", 4 * D, D),
        "final_proj": layers.linear(net + "final_mlp.c_proj", K * D, 4 * D),
    }
    context = layers.linear("backpack.sense_weight_net.c_attn", 2 * D, D, turned=False)
    state = layers.state
    for i in range(LAYERS):
        state[f"{trunk}h.{i}.attn.bias"] = torch.ones(1, 1, TIME, TIME, dtype=torch.uint8).tril()
        state[f"{trunk}h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
    state["backpack.word_embeddings.weight"] = state["lm_head.weight"] = state[trunk + "wte.weight"]
    state["backpack.position_embeddings.weight"] = state[trunk + "wpe.weight"]
    config = {
        "model_type": "gpt2", "n_head": HEADS, "n_embd": D, "n_layer": LAYERS, "n_positions": TIME, "vocab_size": V,
        "num_senses": K, "sense_intermediate_scale": 4, "scale_attn_by_inverse_layer_idx": True,
        "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "bos_token_id": 3, "eos_token_id": 3,
    }  # fmt: skip

    def logits(ids):
        e = embeddings[ids]
        hidden = formula.trunk(e + positions[: len(ids)], blocks, last, HEADS, formula.gelu_new, by_layer=True)
        return formula.logits(embeddings, hidden, formula.paper_senses(e, senses, K, formula.gelu_new), context)

    return state, config, logits


def flash(old):
    """The names of flash-attention, of old or newer versions, as Lightning keeps them."""
    layers = Layers()
    embeddings = layers.draw("transformer.embeddings.word_embeddings.weight", V, D)
    positions = layers.draw("transformer.embeddings.position_embeddings.weight", TIME, D)
    norms = [layers.norm("transformer.ln_0", D)] if old else []
    blocks = []
    for i in range(LAYERS):
        prefix = f"transformer.layers.{i}."
        block = {
            "c_attn": layers.linear(prefix + "mixer.Wqkv", 3 * D, D),
            "c_proj": layers.linear(prefix + "mixer.out_proj", D, D),
            "c_fc": layers.linear(prefix + "mlp.fc1", 4 * D, D),
            "mlp_proj": layers.linear(prefix + "mlp.fc2", D, 4 * D),
        }
        norms += [layers.norm(prefix + "norm1", D), layers.norm(prefix + "norm2", D)]
        blocks.append(block)
    norms += [] if old else [layers.norm("transformer.ln_f", D)]
    for i, block in enumerate(blocks):  # the norms stand in the order of the computation, in both versions
        block["ln_1"], block["ln_2"] = norms[2 * i : 2 * i + 2]
    senses = {
        "ln": layers.norm("sense_network.ln", D),
        "ln_1": layers.norm("sense_network.block.norm1", D),
        "ln_2": layers.norm("sense_network.block.norm2", D),
        "c_fc": layers.linear("sense_network.block.mlp.fc1", 4 * D, D),
        "c_proj": layers.linear("sense_network.block.mlp.fc2", D, 4 * D),
        "final_fc": layers.linear("sense_network.final_mlp.fc1", 4 * D, D),
        "final_proj": layers.linear("sense_network.final_mlp.fc2", K * D, 4 * D),
    }
    context = layers.linear("sense_weight_net.Wqk", 2 * D, D)
    state = {f"model.{name}": tensor for name, tensor in layers.state.items()}
    state["model.lm_head.weight"] = state["model.transformer.embeddings.word_embeddings.weight"]
    content = {"state_dict": state, "epoch": 3, "global_step": 100}

    def logits(ids):
        e = embeddings[ids]
        hidden = formula.trunk(e + positions[: len(ids)], blocks, norms[-1], HEADS, formula.gelu_new, by_layer=True)
        return formula.logits(embeddings, hidden, formula.paper_senses(e, senses, K, formula.gelu_new), context)

    return content, logits


def lightning(inner=4 * D):
    """backpacks-flash-attn: the names of its own modules, copies of embeddings and a count of tokens included.

    Args:
        inner: Width inside both MLPs of the sense network; D for `shrink_final_inner`.
    """
    layers, trunk, content = Layers(), "transformer.gpt2_model.", "transformer.content_model."
    embeddings = layers.draw(trunk + "embeddings.word_embeddings.weight", V, D)
    positions = layers.draw(trunk + "embeddings.position_embeddings.weight", TIME, D)
    norms, blocks = [layers.norm(trunk + "ln_0", D)], []
    for i in range(LAYERS):
        prefix = f"{trunk}layers.{i}."
        blocks.append({
            "c_attn": layers.linear(prefix + "mixer.Wqkv", 3 * D, D),
            "c_proj": layers.linear(prefix + "mixer.out_proj", D, D),
            "c_fc": layers.linear(prefix + "mlp.fc1", 4 * D, D),
            "mlp_proj": layers.linear(prefix + "mlp.fc2", D, 4 * D),
        })  # fmt: skip
        norms += [layers.norm(prefix + "norm1", D), layers.norm(prefix + "norm2", D)]
    for i, block in enumerate(blocks):
        block["ln_1"], block["ln_2"] = norms[2 * i : 2 * i + 2]
    senses = {
        "ln": layers.norm(content + "ln_0", D),
        "ln_1": layers.norm(content + "layers.0.norm1", D),
        "ln_2": layers.norm(content + "layers.0.norm2", D),
        "c_fc": layers.linear(content + "layers.0.mlp.fc1", inner, D),
        "c_proj": layers.linear(content + "layers.0.mlp.fc2", D, inner),
        "final_fc": layers.linear(content + "final_mlp.fc1", inner, D),
        "final_proj": layers.linear(content + "final_mlp.fc2", K * D, inner),
    }
    context = layers.linear("transformer.contextualization_attn.Wqkv", 2 * D, D)
    state = {f"model.{name}": tensor for name, tensor in layers.state.items()}
    words = state[f"model.{trunk}embeddings.word_embeddings.weight"]
    for copy in ("lm_head.weight", "transformer.embeddings.word_embeddings.weight",
                 content + "embeddings.word_embeddings.weight"):  # fmt: skip
        state[f"model.{copy}"] = words
    state["train_metrics.num-tokens.count"] = torch.tensor(1000)

    def logits(ids):
        e = embeddings[ids]
        hidden = formula.trunk(e + positions[: len(ids)], blocks, norms[-1], HEADS, formula.gelu_new, by_layer=True)
        return formula.logits(embeddings, hidden, formula.paper_senses(e, senses, K, formula.gelu_new), context)

    return {"state_dict": state, "epoch": 3, "global_step": 100}, logits


def nanogpt(bias, gelu, model_name=None):
    """nanoGPT's own layout, as `train.py` saves it; the project's control says `model_name`.

    Args:
        bias: Whether linear layers and norms have one.
        gelu: The nonlinearity.
        model_name: What the options of the run call the model; they do not if None.
    """
    layers = Layers(bias=bias)
    embeddings, positions = layers.draw("transformer.wte.weight", V, D), layers.draw("transformer.wpe.weight", TIME, D)
    blocks = [gpt2_block(layers, f"transformer.h.{i}.") for i in range(LAYERS)]
    last = layers.norm("transformer.ln_f", D)
    state = layers.state | {"lm_head.weight": layers.state["transformer.wte.weight"]}
    for i in range(LAYERS):
        state[f"transformer.h.{i}.attn.bias"] = torch.ones(1, 1, TIME, TIME).tril()
    options = {"n_head": 12, "dataset": "europarl"} | ({"model_name": model_name} if model_name else {})

    def logits(ids):
        hidden = formula.trunk(embeddings[ids] + positions[: len(ids)], blocks, last, HEADS, gelu, by_layer=False)
        return hidden @ embeddings.T

    return saved(state, LAYERS, bias, options), logits


def saved(state, layers, bias, options):
    """What nanoGPT's `train.py` saves, compiled: `model_args` are true, `config` has what the command line says."""
    sizes = {"n_layer": layers, "n_head": HEADS, "n_embd": D, "block_size": TIME, "bias": bias, "vocab_size": V}
    return {
        "model": {f"_orig_mod.{name}": tensor for name, tensor in state.items()}, "optimizer": {},
        "model_args": sizes | {"dropout": 0.0}, "iter_num": 10, "best_val_loss": torch.tensor(3.0), "config": options,
    }  # fmt: skip


def multilingual(bias):
    """The multilingual project's, as it saves it after `torch.compile`."""
    layers, trunk, net = Layers(bias=bias), "backpack.contextualization_layer.", "backpack.sense_vector_layer."
    embeddings = layers.draw("wte.weight", V, D)
    senses = {
        "c_fc": layers.linear(net + "ff_1.c_fc", 4 * D, D),
        "c_proj": layers.linear(net + "ff_1.c_proj", D, 4 * D),
        "ln": layers.norm(net + "ln_1", D),
        "final_fc": layers.linear(net + "ff_2.c_fc", 4 * D, D),
        "final_proj": layers.linear(net + "ff_2.c_proj", K * D, 4 * D),
        "final_ln": layers.norm(net + "ln_2", K * D),
    }
    layers.state[trunk + "bias"] = torch.ones(1, 1, TIME, TIME).tril()
    positions = layers.draw(trunk + "transformer.wpe.weight", TIME, D)
    blocks = [gpt2_block(layers, f"{trunk}transformer.h.{i}.") for i in range(LAYERS)]
    last = layers.norm(trunk + "transformer.ln_f", D)
    context = layers.linear(trunk + "c_attn", 2 * D, D, bias=False)
    copies = (net + "wte.weight", trunk + "transformer.wte.weight", "backpack.logit_layer.lm_head.weight")
    state = layers.state | dict.fromkeys(copies, layers.state["wte.weight"])

    def logits(ids):
        e = embeddings[ids]
        hidden = formula.trunk(e + positions[: len(ids)], blocks, last, HEADS, formula.gelu_new, by_layer=False)
        found = formula.multilingual_senses(e, senses, K, formula.gelu_new)
        return formula.logits(embeddings, hidden, found, context, scale=False)

    return saved(state, LAYERS + 1, bias, {"dataset": "europarl", "n_head": 12}), logits
