"""Tables, migrations, the one `Store` that reads and writes them, feed readers and exporters."""
