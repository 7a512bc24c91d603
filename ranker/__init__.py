"""The bundled ranker: batches, model, losses, training, evaluation, scoring."""
