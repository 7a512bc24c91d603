"""A product's text, read once: what a reader sees of it, in which blocks, under which labels, each with its place."""
