"""What whoever runs the shop does: `python -m ops …`.

`cli` gathers the commands, one module each in `commands`; what they do stands beside it, in modules
that know no terminal. `ops` may use `chalicelib`, never the reverse.
"""
