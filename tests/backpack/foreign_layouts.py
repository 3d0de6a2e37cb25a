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


def multilingual(bias):
    """The multilingual project's, as nanoGPT saves it after `torch.compile`."""
    layers = Layers(bias=bias)
    embeddings, positions = layers.draw("transformer.wte.weight", V, D), layers.draw("transformer.wpe.weight", TIME, D)
    blocks = [gpt2_block(layers, f"transformer.h.{i}.") for i in range(LAYERS)]
    last = layers.norm("transformer.ln_f", D)
    senses = {
        "c_fc": layers.linear("senses.one.c_fc", 4 * D, D),
        "c_proj": layers.linear("senses.one.c_proj", D, 4 * D),
        "ln": layers.norm("senses.ln_a", D),
        "final_fc": layers.linear("senses.two.c_fc", 4 * D, D),
        "final_proj": layers.linear("senses.two.c_proj", K * D, 4 * D),
        "final_ln": layers.norm("senses.ln_b", K * D),
    }
    context = layers.linear("contextualization.c_attn", 2 * D, D, bias=False)
    state = layers.state | {"lm_head.weight": layers.state["transformer.wte.weight"]}
    for i in range(LAYERS):
        state[f"transformer.h.{i}.attn.bias"] = torch.ones(1, 1, TIME, TIME).tril()
    sizes = {"n_layer": LAYERS + 1, "n_head": HEADS, "n_embd": D, "block_size": TIME, "bias": bias, "vocab_size": V}
    content = {
        "model": {f"_orig_mod.{name}": tensor for name, tensor in state.items()},
        "model_args": sizes, "iter_num": 10, "best_val_loss": torch.tensor(3.0), "config": {"dataset": "europarl"},
    }  # fmt: skip

    def logits(ids):
        e = embeddings[ids]
        hidden = formula.trunk(e + positions[: len(ids)], blocks, last, HEADS, formula.gelu, by_layer=False)
        found = formula.multilingual_senses(e, senses, K, formula.gelu)
        return formula.logits(embeddings, hidden, found, context, scale=False)

    return content, logits
