"""How probable language models find text: perplexity, minimal pairs."""
