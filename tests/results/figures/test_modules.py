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
    from crosslingual.figures.vectors import VectorsView
    from ofa.figures.losses import LossesView
    from ofa.figures.provenance import ProvenanceView
    from ofa.figures.retrieval import VocabularyView
    from semeqv.grammar.component import parameters
    from semeqv.tasks.retrieval.figure import RetrievalView
    from semeqv.tying.figures.accuracies import accplot
    from semeqv.tying.figures.distances import view
    from semeqv.tying.figures.embeddings import view_embeddings
    from semeqv.tying.foundation.figure import foundation_view

    kinds = [each.options for each in (view, view_embeddings, accplot, foundation_view)]
    kinds += [RetrievalView, VectorsView]
    for kind in (*kinds, VocabularyView, ProvenanceView, LossesView):
        options = {flag for option in parameters(kind) for flag in option.opts}
        assert {"--path", "--output", "--title", "--palette", "--show", "--transparent", "--color"} <= options
