"""What a browser shows: pages, translations, modules, styles."""
