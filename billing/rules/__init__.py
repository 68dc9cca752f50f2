"""One module per family of codes; each has judge(scope) -> Verdict. Pure."""
