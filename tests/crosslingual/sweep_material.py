"""A model of a task, vectors and treebanks, all tiny, and the sentence that sweeps them."""

import random

from vector_models import model_of, saved

LABELS = ("ADJ", "NOUN", "VERB")
LANGUAGES = ("en", "de", "es")


def treebank(path, seed, sentences=30):
    """Write sentences of words w1 to w29, their part of speech told by the word but for some noise."""
    draw = random.Random(seed)
    lines = []
    for _ in range(sentences):
        for number in range(1, draw.randint(3, 8)):
            word = draw.randrange(1, 30)
            label = LABELS[(word + (draw.random() < 0.2)) % 3]
            relation = "root" if number == 1 else f"dep{word % 2}"
            lines.append(f"{number}\tw{word}\t_\t{label}\t_\t_\t{number - 1}\t{relation}\t_\t_")
        lines.append("")
    path.write_text("\n".join(lines) + "\n")


def material(folder, languages=LANGUAGES):
    """Write a base, a model of a task on it, models of languages, and their treebanks."""
    base = model_of("bert-mlm")
    saved(base, folder / "base")
    for seed, name in enumerate([*languages, "noise"], 1):
        tuned = model_of("bert-mlm", seed)
        with_share(tuned, base, 0.6)
        saved(tuned, folder / name)
    task = model_of("bert-tags", 9)
    task.config.id2label = dict(enumerate(LABELS))
    task.config.label2id = {label: number for number, label in enumerate(LABELS)}
    task.config.word_pooling = "mean"
    saved(task, folder / "task")
    for seed, language in enumerate(languages):
        for part, split in enumerate(("dev", "test")):
            treebank(folder / f"{language}_x-ud-{split}.conllu", 10 * seed + part)


def with_share(model, base, share):
    """Leave a model at a share of the way from another one."""
    for moved, start in zip(model.parameters(), base.parameters()):
        moved.data.copy_(start + share * (moved - start))


def sentence(options="", languages=LANGUAGES, splits=("validation", "test")):
    """The sentence of a sweep."""
    sets = " ".join(
        f"cli dataset conllu --path {{folder}} --languages {language} --split {split} --name {language}"
        for language in languages
        for split in splits
    )
    vectors = " ".join(f"--vector {name} {{folder}}/{name}" for name in (*LANGUAGES, "noise"))
    return (
        f"{sets} cli model token-classifier --from {{folder}}/task "
        f"cli crosslingual sweep --base {{folder}}/base {vectors} --lambdas 0 .5 1 --label base --task pos {options}"
    )
