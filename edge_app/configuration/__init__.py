"""How settings are read: strict TOML, limits of values, URLs of sources, files of secrets."""
