"""Score texts and minimal pairs by lm-evaluation-harness: `python harness.py CASE.json RESULT.json`.

Both tasks are YAML files with JSON lines beside them; nothing is fetched.
"""

import json
import sys
from pathlib import Path

import lm_eval
from lm_eval.tasks import TaskManager

TASK = """task: {name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {file}
test_split: test
"""
TEXTS = """output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{text}}"
metric_list:
  - metric: word_perplexity
  - metric: byte_perplexity
  - metric: bits_per_byte
"""
# `target_delimiter` is a blank before the sentence if it is left out.
PAIRS = """output_type: multiple_choice
doc_to_text: ""
doc_to_target: 0
doc_to_choice: "{{[sentence_good, sentence_bad]}}"
target_delimiter: ""
metric_list:
  - metric: acc
"""


def main() -> None:
    """Score, and write the log-likelihoods and what the harness makes of them."""
    case = json.loads(Path(sys.argv[1]).read_text())
    tasks = Path(sys.argv[2]).with_suffix(".tasks")
    tasks.mkdir()
    for name, kind in (("texts", TEXTS), ("pairs", PAIRS)):
        (tasks / f"{name}.yaml").write_text(TASK.format(name=f"parity_{name}", file=case[name]) + kind)
    model = {key: case[key] for key in ("pretrained", "max_length", "trust_remote_code")} | {"dtype": "float32"}
    names = ["parity_texts", "parity_pairs"]
    found = lm_eval.simple_evaluate(
        model="hf",
        model_args=model,
        tasks=names,
        task_manager=TaskManager(include_path=str(tasks), include_defaults=False),
        batch_size=16,
        device="cpu",
        bootstrap_iters=0,
    )
    samples = {
        name: [each["filtered_resps"] for each in sorted(found["samples"][name], key=lambda sample: sample["doc_id"])]
        for name in names
    }
    scores = {name: {key.partition(",")[0]: value for key, value in found["results"][name].items()} for name in names}
    result = {
        "version": lm_eval.__version__,
        "texts": {"metrics": scores["parity_texts"], "log_likelihoods": samples["parity_texts"]},
        "pairs": {"metrics": scores["parity_pairs"], "log_likelihoods": samples["parity_pairs"]},
    }
    Path(sys.argv[2]).write_text(json.dumps(result, default=float))


if __name__ == "__main__":
    main()
