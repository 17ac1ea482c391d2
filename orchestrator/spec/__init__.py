"""The YAML language: text with positions, models of what it may say, diagnostics for what it may not.

May import expressions and errors. Knows nothing of plans, Temporal or containers.

    text.py         bytes -> text: size, encoding, control characters, lines
    scalars.py      what a plain YAML scalar means (YAML 1.2 core schema)
    places.py       where keys and values stand in the text
    source.py       text -> plain data with its places; the only importer of yaml
    yaml_words.py   the YAML reader's complaints in plain English
    model.py        the shapes that a spec may have
    accepted.py, key_texts.py, schema.py   the models as a JSON Schema for editors
    parse.py        data -> Spec, with every finding in plain English
    diagnostics.py  what a finding is, and how it prints
    explanations/   every code explained, with an example that is wrong and the same mended
"""
