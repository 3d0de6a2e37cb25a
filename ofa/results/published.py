"""Published numbers, to stand beside ours."""

SOURCE = "HyperOFA (Özeren, Liu & Schütze, ACL SRW 2025, arXiv 2504.21018), table 3"
COLUMNS = ("model", "coordinates", "random", "OFA", "HyperOFA")

# No continued pretraining; retrieval of Bible verses and of Tatoeba sentences at 10, F1 of NER and POS.
TABLE = (
    ("RoBERTa", "100", "3.5 / 4.6 / 23.4 / 22.5", "4.5 / 6.2 / 25.0 / 23.5", "5.0 / 6.4 / 24.3 / 22.5"),
    ("RoBERTa", "200", "3.7 / 5.2 / 24.9 / 23.1", "4.5 / 7.2 / 25.7 / 23.4", "4.8 / 7.5 / 25.3 / 23.4"),
    ("RoBERTa", "400", "4.1 / 5.3 / 25.8 / 23.0", "4.8 / 7.2 / 26.1 / 24.5", "4.7 / 6.3 / 25.8 / 23.0"),
    ("XLM-R", "100", "5.1 / 7.2 / 34.7 / 41.5", "5.1 / 7.5 / 36.3 / 42.3", "5.2 / 7.6 / 37.6 / 42.3"),
    ("XLM-R", "200", "5.7 / 10.0 / 38.1 / 47.3", "5.7 / 10.4 / 40.2 / 48.6", "6.0 / 10.6 / 38.3 / 48.3"),
    ("XLM-R", "400", "5.6 / 21.0 / 41.4 / 53.7", "5.9 / 21.3 / 43.3 / 54.6", "6.1 / 21.3 / 42.6 / 53.8"),
)
