"""Word vectors as a model without layers: what the same information is worth without a pretrained model."""
