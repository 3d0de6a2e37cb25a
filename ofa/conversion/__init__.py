"""What the code of OFA's and HyperOFA's authors has written, in the formats of this package."""
