import subprocess
import sys

HEAVY = ("torch", "matplotlib", "pandas", "numpy", "seaborn", "rich.table", "transformers")


def test_asking_for_help_imports_nothing_heavy():
    modules = "semeqv.figures.view, semeqv.figures.view_embeddings, semeqv.figures.accplot, semeqv.problem.xor.report"
    modules += ", semeqv.figures.foundation_view, semeqv.figures.retrieval_view, semeqv.figures.vectors_view"
    modules += ", semeqv.figures.vocabulary_view, semeqv.figures.provenance_view, semeqv.figures.losses_view"
    code = f"import sys, {modules}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_option_has_its_help_and_both_spellings_of_the_output():
    from semeqv.engine.component import parameters
    from semeqv.figures.accplot import Accplot
    from semeqv.figures.foundation_view import FoundationView
    from semeqv.figures.losses_view import LossesView
    from semeqv.figures.provenance_view import ProvenanceView
    from semeqv.figures.retrieval_view import RetrievalView
    from semeqv.figures.vectors_view import VectorsView
    from semeqv.figures.view import View
    from semeqv.figures.view_embeddings import ViewEmbeddings
    from semeqv.figures.vocabulary_view import VocabularyView

    kinds = (View, ViewEmbeddings, Accplot, FoundationView, RetrievalView, VectorsView)
    for kind in (*kinds, VocabularyView, ProvenanceView, LossesView):
        options = {flag for option in parameters(kind) for flag in option.opts}
        assert {"--path", "--output", "--title", "--palette", "--show", "--transparent", "--color"} <= options
