"""One agent a file: typed input to typed output, through a prompt and a chat model. No database, no graph."""
