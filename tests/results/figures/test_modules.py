import subprocess
import sys

HEAVY = ("torch", "matplotlib", "pandas", "numpy", "seaborn", "rich.table", "transformers")


def test_asking_for_help_imports_nothing_heavy():
    modules = "semeqv.tying.figures.distances, semeqv.tying.figures.embeddings, semeqv.tying.figures.accuracies"
    modules += ", semeqv.tying.xor.report, semeqv.tying.foundation.figure, semeqv.tasks.retrieval.figure"
    modules += ", crosslingual.figures.vectors, ofa.figures.retrieval, ofa.figures.provenance, ofa.figures.losses"
    code = "import sys; from semeqv.grammar import plugins; plugins.loading = True; "
    code += f"import {modules}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_option_has_its_help_and_both_spellings_of_the_output():
    from backpack.figures import number_view, topics_view
    from backpack.figures import view as senses_view
    from crosslingual.figures.sweep import sweep_view
    from crosslingual.figures.vectors import vectors_view
    from ofa.figures.losses import losses
    from ofa.figures.provenance import provenance_view
    from ofa.figures.retrieval import view as vocabularies_view
    from semeqv.grammar.component import parameters
    from semeqv.tasks.parsing.figure import attachment_view
    from semeqv.tasks.retrieval.figure import retrieval_view
    from semeqv.tying.figures.accuracies import accplot
    from semeqv.tying.figures.distances import view
    from semeqv.tying.figures.embeddings import view_embeddings
    from semeqv.tying.foundation.figure import foundation_view

    figures = [view, view_embeddings, accplot, foundation_view, sweep_view, vectors_view, retrieval_view]
    figures += [vocabularies_view, provenance_view, losses, senses_view, number_view, topics_view, attachment_view]
    for figure in figures:
        options = {flag for option in parameters(figure.options) for flag in option.opts}
        assert {"--path", "--output", "--title", "--palette", "--show", "--transparent", "--color"} <= options
