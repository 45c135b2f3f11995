"""Both hands in one image: what the rules were fitted and measured with."""
