"""The YAML prompts people edit, and the module that loads, checks, renders and fingerprints them."""
