"""LangGraph wiring and the run: state, edges, repair loop, concurrency, progress, commit."""
