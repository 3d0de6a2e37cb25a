"""The study of tied embeddings from Python, without the command line."""

import numpy

import semeqv
from semeqv.train.losses import CrossEntropy
from semeqv.train.optimizers import AdamW
from semeqv.train.randomness import seed_everything
from semeqv.tying import Cdists, Default, Transformer, accplot, view


def test_train_follow_and_draw_in_ten_lines(tmp_path):
    data = Default(size=5, batch_size=16, zero_dst=(0.1, 0.9), one_dst=(0.5, 0.5)).build()
    for seed in (42, 43):
        seed_everything(seed)
        model = Transformer(layers=1, heads=1, embedding_size=4).build(data)
        trainer = (
            semeqv.Trainer().set_model(model).set_seed(seed).set_loss_fn(CrossEntropy().build()).set_trainsplit(data)
        )
        trainer.set_output(tmp_path / f"{seed}").add_callback(Cdists().build()).set_validsplit(data).set_epochs(4)
        metrics = trainer.set_optimizer(AdamW(learning_rate=1e-3)).train()
    runs = sorted(tmp_path.glob("4*"))
    drawn = view([run / "input_cdists.npy" for run in runs], indexes=[(0, 1, "a zero"), (2, 3, "a one")])
    figures = drawn.save(tmp_path / "distances")

    assert set(metrics) == {"loss", "accuracy"}
    distances = [numpy.load(run / "input_cdists.npy") for run in runs]
    assert [row["value"] for row in drawn.records()] == [
        run[-1, i, j] for i, j in ((0, 1), (2, 3)) for run in distances
    ]
    assert all(path.stat().st_size > 0 for path in figures)
    assert len(accplot(runs, bayes=False).figure.axes[0].lines) == 2
    assert drawn._repr_png_().startswith(b"\x89PNG")
