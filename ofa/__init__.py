"""New vocabularies for pretrained models: OFA, HyperOFA and the methods beside them."""
